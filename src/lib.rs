//! Hearken listens, understands, acts and answers, in real time, on one machine.

pub mod asr;
pub mod audio;
pub mod config;
pub mod detect;
pub mod dialogue;
pub mod home;
pub mod intent;
pub mod models;
pub mod session;
pub mod store;
pub mod telemetry;
pub mod tts;
