//! Speech probability from Silero VAD.

use std::path::Path;

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;

use super::{DetectError, VoiceDetector};
use crate::audio::Frame;
use crate::audio::SAMPLE_RATE;

/// Samples that the model judges at once: 32 ms.
const BLOCK: usize = 512;

/// Samples of the block before that it wants to see in front.
const CONTEXT: usize = 64;

/// Numbers in its memory, shaped `[2, 1, 128]`.
const STATE: usize = 2 * 128;

/// Silero VAD v5 and later (ONNX), on one thread.
///
/// The model judges blocks of 512 samples and our frames have 320, so a frame's probability is that
/// of the last block it completed, or the one before. The same sound gives the same numbers in every
/// run. Method: Silero Team, "Silero VAD: pre-trained enterprise-grade voice activity detector".
pub struct Silero {
    session: Session,
    path: String,
    /// The context, then the block that is being filled.
    window: Vec<f32>,
    state: Vec<f32>,
    probability: f32,
    failed: bool,
}

impl std::fmt::Debug for Silero {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Silero")
            .field("path", &self.path)
            .field("probability", &self.probability)
            .finish_non_exhaustive()
    }
}

impl Silero {
    /// Loads the model from `path` into the process's ONNX Runtime.
    ///
    /// # Errors
    /// When the file is missing or damaged, or is another model than this one.
    pub fn open(path: impl AsRef<Path>, runtime: &Environment) -> Result<Self, DetectError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let failed = |reason: String| DetectError::Load { path: name.clone(), reason };
        // The runtime's own words for these cases name neither the file nor the cure.
        let found = std::fs::metadata(path).map_err(|e| failed(e.to_string()))?;
        if !found.is_file() {
            return Err(failed("it is no file; give silero_vad.onnx".into()));
        }
        let session = load(path, runtime).map_err(|e| failed(e.to_string()))?;
        let takes: Vec<&str> = session.inputs().iter().map(|input| input.name()).collect();
        let gives: Vec<&str> = session.outputs().iter().map(|output| output.name()).collect();
        if takes != ["input", "state", "sr"] || gives != ["output", "stateN"] {
            return Err(failed(format!(
                "it is another model: it takes {takes:?} and gives {gives:?}; give silero_vad.onnx of version 5 or 6"
            )));
        }
        let mut silero = Self {
            session,
            path: name.clone(),
            window: Vec::with_capacity(CONTEXT + BLOCK),
            state: Vec::new(),
            probability: 0.0,
            failed: false,
        };
        silero.reset();
        // The first run shows whether the shapes fit, and takes the memory that later ones reuse.
        silero.window.resize(CONTEXT + BLOCK, 0.0);
        silero.judge().map_err(|e| failed(e.to_string()))?;
        silero.reset();
        Ok(silero)
    }

    /// Judges the full window; the probability and the memory are the model's.
    fn judge(&mut self) -> Result<(), ort::Error> {
        let rate = [i64::from(SAMPLE_RATE)];
        let shape: [usize; 0] = [];
        let outputs = self.session.run(ort::inputs![
            "input" => TensorRef::from_array_view(([1, CONTEXT + BLOCK], self.window.as_slice()))?,
            "state" => TensorRef::from_array_view(([2, 1, STATE / 2], self.state.as_slice()))?,
            "sr" => TensorRef::from_array_view((shape, rate.as_slice()))?,
        ])?;
        let (_, probability) = outputs["output"].try_extract_tensor::<f32>()?;
        let (_, state) = outputs["stateN"].try_extract_tensor::<f32>()?;
        let (&[probability], STATE) = (probability, state.len()) else {
            return Err(ort::Error::new(format!(
                "the model gave {} probabilities and {} numbers of state",
                probability.len(),
                state.len()
            )));
        };
        self.probability = probability;
        self.state.copy_from_slice(state);
        Ok(())
    }
}

fn load(path: &Path, runtime: &Environment) -> Result<Session, ort::Error> {
    Session::builder(runtime)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_deterministic_compute(true)?
        .commit_from_file(path)
}

impl VoiceDetector for Silero {
    fn push(&mut self, frame: &Frame) -> f32 {
        let mut samples = &frame.samples[..];
        while !samples.is_empty() {
            let (now, later) =
                samples.split_at(samples.len().min(CONTEXT + BLOCK - self.window.len()));
            self.window.extend_from_slice(now);
            samples = later;
            if self.window.len() < CONTEXT + BLOCK {
                break;
            }
            if let Err(error) = self.judge() {
                // A detector that fails hears nothing; it says so once, not fifty times a second.
                if !std::mem::replace(&mut self.failed, true) {
                    tracing::error!(path = self.path, %error, "the voice detector failed");
                }
                self.probability = 0.0;
            }
            self.window.drain(..BLOCK);
        }
        self.probability
    }

    fn reset(&mut self) {
        self.window.clear();
        self.window.resize(CONTEXT, 0.0);
        self.state.clear();
        self.state.resize(STATE, 0.0);
        self.probability = 0.0;
    }
}
