//! Kokoro's network, cut before its decoder, so that the silence around a clause is not decoded.
//!
//! A third to a half of what the network makes of a short reply is silence, which is thrown away afterwards, and the
//! decoder is where the time goes. What the decoder is given tells where the sound is: one of its inputs is the energy.

use std::ops::Range;
use std::path::Path;

use ort::environment::Environment;
use ort::session::RunOptions;
use ort::session::Session;
use ort::session::SessionInputValue;
use ort::value::Tensor;

use super::super::VoiceConfig;
use super::super::graph::Graph;
use super::super::voice;
use super::super::voice::Model;

/// What the decoder of the known export takes: the phonemes' features [1, 512, n], and twice as many values of pitch
/// and of energy [1, 2n].
const GIVEN: [&str; 3] =
    ["/encoder/MatMul_1_output_0", "/encoder/Reshape_output_0", "/encoder/Reshape_1_output_0"];

/// Energy (its logarithm, more or less): silence is at −9.5, a voice between 0 and 9.
const SILENT: f32 = -6.0;
/// Frames of 25 ms that are decoded before the first audible one, and behind the last.
const BEFORE: usize = 4;
const AFTER: usize = 7;

/// The network, in two parts where it is the known export.
pub(super) enum Network {
    /// Head and tail.
    Cut(Session, Session),
    /// As it is in the file.
    Whole(Session),
}

/// Options of a run that gives its memory back. What a long clause needs is more than the network itself, and would be
/// kept for ever.
fn thrifty() -> Result<RunOptions, ort::Error> {
    let mut options = RunOptions::new()?;
    options.set("memory.enable_memory_arena_shrinkage", "cpu:0")?;
    Ok(options)
}

impl Network {
    pub(super) fn open(
        environment: &Environment,
        model: &Path,
        config: &VoiceConfig,
    ) -> Result<Self, String> {
        if config.chunked
            && let Some(network) = Self::open_cut(environment, model, config)
        {
            return Ok(network);
        }
        Ok(Self::Whole(voice::session(environment, &Model::File(model), config)?))
    }

    fn open_cut(environment: &Environment, model: &Path, config: &VoiceConfig) -> Option<Self> {
        let bytes = voice::read_network(model)?;
        let parts = {
            let graph = Graph::read(&bytes)?;
            GIVEN.iter().all(|name| graph.maker(name).is_some()).then_some(())?;
            graph.cut(&GIVEN, &["style"])?
        };
        drop(bytes);
        let head = voice::part(environment, &parts.head, config)?;
        Some(Self::Cut(head, voice::part(environment, &parts.tail, config)?))
    }

    /// The part that takes the phonemes.
    pub(super) fn first(&self) -> &Session {
        match self {
            Self::Cut(head, _) => head,
            Self::Whole(session) => session,
        }
    }

    /// The samples of `tokens`.
    pub(super) fn run(
        &mut self,
        tokens: Vec<i64>,
        style: &[f32],
        speed: f32,
    ) -> Result<Vec<f32>, String> {
        let failed = |e: ort::Error| e.to_string();
        let thrifty = thrifty().map_err(failed)?;
        let style = || Tensor::from_array(([1, style.len()], style.to_vec())).map_err(failed);
        let inputs: Vec<(&str, SessionInputValue<'_>)> = vec![
            ("tokens", Tensor::from_array(([1, tokens.len()], tokens)).map_err(failed)?.into()),
            ("style", style()?.into()),
            ("speed", Tensor::from_array(([1], vec![speed])).map_err(failed)?.into()),
        ];
        let (head, tail) = match self {
            Self::Whole(session) => {
                let outputs = session.run_with_options(inputs, &thrifty).map_err(failed)?;
                let (_, samples) = outputs[0].try_extract_tensor::<f32>().map_err(failed)?;
                return Ok(samples.to_vec());
            }
            Self::Cut(head, tail) => (head, tail),
        };
        let outputs = head.run(inputs).map_err(failed)?;
        let part = |name: &str| {
            let value = outputs.get(name).ok_or_else(|| format!("it gave no {name:?}"))?;
            Ok::<_, String>(value.try_extract_tensor::<f32>().map_err(failed)?.1)
        };
        let [features, pitch, energy] = [part(GIVEN[0])?, part(GIVEN[1])?, part(GIVEN[2])?];
        let frames = energy.len() / 2;
        let audible = audible(energy);
        if audible.is_empty() {
            return Ok(Vec::new());
        }
        if pitch.len() != 2 * frames || !features.len().is_multiple_of(frames) {
            return Err(format!(
                "its head gave {} features, {} values of pitch and {} of energy, which do not belong together",
                features.len(),
                pitch.len(),
                energy.len()
            ));
        }
        let cut = |values: &[f32], per_frame: usize| -> Vec<f32> {
            let range = audible.start * per_frame..audible.end * per_frame;
            let rows = values.chunks_exact(frames * per_frame);
            rows.flat_map(|row| row.get(range.clone()).unwrap_or_default()).copied().collect()
        };
        let (features, pitch, energy) = (cut(features, 1), cut(pitch, 2), cut(energy, 2));
        let n = audible.len();
        let rows = features.len() / n;
        let outputs = tail
            .run_with_options(
                ort::inputs![
                    GIVEN[0] => Tensor::from_array(([1, rows, n], features)).map_err(failed)?,
                    GIVEN[1] => Tensor::from_array(([1, 2 * n], pitch)).map_err(failed)?,
                    GIVEN[2] => Tensor::from_array(([1, 2 * n], energy)).map_err(failed)?,
                    "style" => style()?,
                ],
                &thrifty,
            )
            .map_err(failed)?;
        let (_, samples) = outputs[0].try_extract_tensor::<f32>().map_err(failed)?;
        Ok(samples.to_vec())
    }
}

/// The frames from shortly before the first sound to shortly behind the last; two values of energy a frame.
fn audible(energy: &[f32]) -> Range<usize> {
    let sounds = |e: &f32| *e > SILENT;
    let (Some(first), Some(last)) =
        (energy.iter().position(sounds), energy.iter().rposition(sounds))
    else {
        return 0..0;
    };
    (first / 2).saturating_sub(BEFORE)..(last / 2 + 1 + AFTER).min(energy.len() / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_found_with_a_margin() {
        let mut energy = vec![-9.5; 100];
        assert_eq!(audible(&energy), 0..0);
        energy[40..60].fill(4.0);
        assert_eq!(audible(&energy), 16..37);
        energy[1] = 4.0;
        energy[99] = 4.0;
        assert_eq!(audible(&energy), 0..50);
        assert_eq!(audible(&[]), 0..0);
    }
}
