//! Written text to words as spoken.
/// Temporary.
#[must_use]
pub fn normalize(text: &str, _language: &str) -> String {
    text.to_owned()
}
