//! A form with a recording: fields into memory, the recording into a file that goes when it has been
//! read, so that a large one takes no memory.

use std::io::Write;
use std::time::Duration;

use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use axum::http::StatusCode;

use super::ApiError;

/// The longest field that is no file, in bytes.
const LONGEST_FIELD: usize = 16 * 1024;
/// The most fields.
const MOST_FIELDS: usize = 64;
/// How long a piece of the body may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A form as it was sent.
#[derive(Debug, Default)]
pub(super) struct Form {
    /// Names, without `[]`, and values in order.
    fields: Vec<(String, String)>,
    /// The recording.
    pub(super) file: Option<tempfile::NamedTempFile>,
}

impl Form {
    /// Reads the whole form.
    pub(super) async fn read(mut body: Multipart) -> Result<Self, ApiError> {
        let mut form = Self::default();
        while let Some(field) = patiently(body.next_field()).await? {
            let name = field.name().unwrap_or_default().trim_end_matches("[]").to_owned();
            if name == "file" {
                form.file = Some(save(field).await?);
                continue;
            }
            if form.fields.len() >= MOST_FIELDS {
                return Err(ApiError::invalid("", format!("more than {MOST_FIELDS} fields")));
            }
            let value = text(field, &name).await?;
            form.fields.push((name, value));
        }
        Ok(form)
    }

    /// The last value of a field; none where it is absent or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let own = self.fields.iter().rev().find(|(own, value)| own == name && !value.is_empty());
        own.map(|(_, value)| value.as_str())
    }

    /// All values of a field.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let own = self.fields.iter().filter(move |(own, value)| own == name && !value.is_empty());
        own.map(|(_, value)| value.as_str())
    }
}

async fn patiently<T>(
    work: impl Future<Output = Result<T, MultipartError>>,
) -> Result<T, ApiError> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(ApiError::too_large("the body is larger than serve.max_body_mb allows"))
        }
        Ok(Err(error)) => {
            Err(ApiError::invalid("", format!("the form cannot be read: {}", error.body_text())))
        }
        Err(_) => Err(ApiError::slow()),
    }
}

async fn text(mut field: Field<'_>, name: &str) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    while let Some(piece) = patiently(field.chunk()).await? {
        if bytes.len() + piece.len() > LONGEST_FIELD {
            let name: String = name.chars().take(40).collect();
            return Err(ApiError::invalid(
                "",
                format!("{name:?} is longer than {LONGEST_FIELD} bytes"),
            ));
        }
        bytes.extend_from_slice(&piece);
    }
    String::from_utf8(bytes).map_err(|_| ApiError::invalid("", "a field is no UTF-8"))
}

async fn save(mut field: Field<'_>) -> Result<tempfile::NamedTempFile, ApiError> {
    let failed =
        |error: std::io::Error| ApiError::internal(format!("cannot keep the recording: {error}"));
    // The name helps to tell the format; nothing else of it is used.
    let extension: String = field
        .file_name()
        .and_then(|name| name.rsplit_once('.'))
        .map(|(_, extension)| {
            extension.chars().filter(char::is_ascii_alphanumeric).take(5).collect()
        })
        .unwrap_or_default();
    let mut file = tempfile::Builder::new()
        .prefix("hearken-")
        .suffix(&format!(".{extension}"))
        .tempfile()
        .map_err(failed)?;
    while let Some(piece) = patiently(field.chunk()).await? {
        file.write_all(&piece).map_err(failed)?;
    }
    file.flush().map_err(failed)?;
    Ok(file)
}
