//! The integration tests, one binary.

#![allow(clippy::unwrap_used, reason = "a test may fail; clippy exempts only the test functions")]

mod audio;
mod calls;
mod chain;
mod commands;
mod detect;
mod dialogue;
mod doors;
mod guarded;
mod home_assistant;
mod installed;
mod intents;
mod layers;
mod licences;
mod live;
mod models;
mod mqtt;
mod page;
mod remote;
mod restart;
mod satellites;
mod tts;
