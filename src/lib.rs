//! Hearken listens, understands, acts and answers, in real time, on one machine.
//!
//! ```text
//! microphone ─┐                                                        ┌─ speaker
//! file       ─┤  Frame   ┌────────┐ Heard ┌─────┐ Transcript ┌────────┐ Reply ┌─────┐ Speech ├─ file
//! pipe       ─┴─────────▶│ detect │──────▶│ asr │───────────▶│ intent │──────▶│ tts │───────▶┴─ events
//!                        └────────┘       └─────┘            │dialogue│       └─────┘
//!              audio                                         └───┬────┘
//!                                                                ▼ Action
//!                                                               home
//! ```
//!
//! In the order of the flow: [`audio`] brings sound in and out, [`detect`] tells when somebody speaks,
//! [`asr`] what was said, [`intent`] what was meant; [`dialogue`] acts on the [`home`] and words the
//! answer, [`tts`] speaks it. A [`session`] wires them into one conversation and tells the world what
//! happens as [`session::Event`]s; [`serve`] opens the doors through which others talk to it, and [`remote`] has engines on other machines stand in for ours. [`models`] fetches and finds what they run on, [`store`] keeps what
//! must survive a restart, [`config`] composes the settings of all, and [`telemetry`] has the log and
//! the timeline of a turn.
//!
//! ```no_run
//! use hearken::{audio, config::Config, models::ModelStore, session::{Event, Session}};
//!
//! let (config, store) = (Config::default(), ModelStore::open(None)?);
//! let mut session = Session::new(config.engines(&store).stages()?, None);
//! let samples = audio::read_mono_16k("command.wav")?;
//! let mut take = |event: Event| if let Event::ReplyText { reply, .. } = event { dbg!(reply.text); };
//! audio::Framer::new().push(&samples, |frame| session.push(&frame, &mut take));
//! session.finish(&mut take);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod asr;
pub mod audio;
pub mod config;
pub mod detect;
pub mod dialogue;
pub mod home;
pub mod intent;
pub mod models;
pub mod remote;
pub mod serve;
pub mod session;
pub mod store;
pub mod telemetry;
pub mod tts;
