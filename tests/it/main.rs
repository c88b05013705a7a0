//! The integration tests, one binary.

mod layers;
mod licences;
mod tts;
