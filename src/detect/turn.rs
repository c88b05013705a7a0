//! Whether somebody who pauses has finished, by the sound of the voice.

use std::path::Path;

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;

use super::DetectError;
use super::mel::{BANDS, COLUMNS, Mel};

/// Tells by the voice whether a turn of talk is over.
///
/// ```
/// use hearken::detect::TurnDetector;
///
/// /// Whoever ends on a falling volume has finished.
/// struct Fading;
///
/// impl TurnDetector for Fading {
///     fn finished(&mut self, utterance: &[f32]) -> Option<f32> {
///         let (first, second) = utterance.split_at(utterance.len() / 2);
///         let loud = |part: &[f32]| part.iter().map(|s| s.abs()).sum::<f32>();
///         Some(if loud(second) < loud(first) { 0.9 } else { 0.1 })
///     }
/// }
///
/// assert_eq!(Fading.finished(&[0.5, 0.4, 0.1, 0.0]), Some(0.9));
/// ```
pub trait TurnDetector: Send {
    /// The probability, 0 to 1, that the speaker has finished, from the utterance so far (mono, 16 kHz)
    /// up to the pause; `None` when it cannot be told.
    fn finished(&mut self, utterance: &[f32]) -> Option<f32>;
}

/// Smart Turn v3 (ONNX): listens to the last eight seconds. Method: Daily, "Smart Turn v3".
pub struct SmartTurn {
    session: Session,
    path: String,
    mel: Mel,
    failed: bool,
}

impl std::fmt::Debug for SmartTurn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmartTurn").field("path", &self.path).finish_non_exhaustive()
    }
}

impl SmartTurn {
    /// Loads the model from `path` into the process's ONNX Runtime.
    ///
    /// # Errors
    /// When the file is missing or damaged, or is another model than this one.
    pub fn open(path: impl AsRef<Path>, runtime: &Environment) -> Result<Self, DetectError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let failed = |reason: String| DetectError::Load { path: name.clone(), reason };
        let found = std::fs::metadata(path).map_err(|e| failed(e.to_string()))?;
        if !found.is_file() {
            return Err(failed("it is no file; give smart-turn-v3.2-cpu.onnx".into()));
        }
        let session = load(path, runtime).map_err(|e| failed(e.to_string()))?;
        let takes: Vec<&str> = session.inputs().iter().map(|input| input.name()).collect();
        if takes != ["input_features"] || session.outputs().len() != 1 {
            return Err(failed(format!(
                "it is another model: it takes {takes:?}; give smart-turn-v3.2-cpu.onnx"
            )));
        }
        let mut turn = Self { session, path: name.clone(), mel: Mel::new(), failed: false };
        // The first run shows whether the shapes fit, and takes the memory that later ones reuse.
        turn.judge(&[0.0; 1600]).map_err(|e| failed(e.to_string()))?;
        Ok(turn)
    }

    fn judge(&mut self, utterance: &[f32]) -> Result<f32, ort::Error> {
        let picture = self.mel.picture(utterance);
        let outputs = self.session.run(ort::inputs![
            "input_features" => TensorRef::from_array_view(([1, BANDS, COLUMNS], picture.as_slice()))?,
        ])?;
        let (_, probability) = outputs[0].try_extract_tensor::<f32>()?;
        match probability {
            [probability] if probability.is_finite() => Ok(*probability),
            other => Err(ort::Error::new(format!("the model gave {} numbers", other.len()))),
        }
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

impl TurnDetector for SmartTurn {
    fn finished(&mut self, utterance: &[f32]) -> Option<f32> {
        match self.judge(utterance) {
            Ok(probability) => Some(probability),
            Err(error) => {
                // It says so once; without it the usual hangover holds.
                if !std::mem::replace(&mut self.failed, true) {
                    tracing::error!(path = self.path, %error, "the turn detector failed");
                }
                None
            }
        }
    }
}
