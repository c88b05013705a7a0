//! Hearken listens, understands, acts and answers, in real time, on one machine.

pub mod audio;
pub mod detect;
pub mod asr;
pub mod intent;
pub mod home;
pub mod dialogue;
pub mod tts;
pub mod session;
pub mod models;
