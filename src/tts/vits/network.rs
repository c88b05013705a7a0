//! The network of a voice, whole or in parts.

use std::ops::Range;
use std::path::Path;

use ort::environment::Environment;
use ort::session::Session;
use ort::session::SessionInputValue;
use ort::value::Tensor;

use super::super::VoiceConfig;
use super::super::Word;
use super::super::voice;
use super::super::voice::Model;
use super::super::voice::Sink;
use super::chunks;
use super::cut;
use super::settings::Settings;

pub(super) enum Network {
    /// Cut between flow and decoder, so that it gives its sound in chunks.
    Cut {
        head: Session,
        tail: Session,
        latent: String,
        speaker: Option<String>,
        hop: usize,
        reach: usize,
        flow: Option<Box<Flow>>,
    },
    /// As it is in the file.
    Whole(Session),
}

/// The part between the noisy frames and the latent ones, which may be run in stretches as well.
pub(super) struct Flow {
    session: Session,
    noisy: String,
    mask: String,
    reach: usize,
}

impl Flow {
    /// The latent frames of `n` noisy ones, [channels, n].
    fn run(
        &mut self,
        noisy: Vec<f32>,
        n: usize,
        speaker: Option<&Named<'_>>,
    ) -> Result<Vec<f32>, String> {
        let given = noisy.len();
        let ones = Tensor::from_array(([1, 1, n], vec![1.0f32; n])).map_err(|e| e.to_string())?;
        let more = vec![(self.mask.as_str(), ones.into())];
        let frames = of_frames(&mut self.session, (&self.noisy, noisy), n, more, speaker)?;
        if frames.len() != given {
            return Err(format!("its flow made {} values of {n} frames", frames.len()));
        }
        Ok(frames)
    }
}

impl Network {
    pub(super) fn open(
        environment: &Environment,
        model: &Path,
        config: &VoiceConfig,
        settings: &Settings,
    ) -> Result<Self, String> {
        if config.chunked
            && let Some(network) = Self::open_cut(environment, model, config, settings)
        {
            return Ok(network);
        }
        Ok(Self::Whole(voice::session(environment, &Model::File(model), config)?))
    }

    fn open_cut(
        environment: &Environment,
        model: &Path,
        config: &VoiceConfig,
        settings: &Settings,
    ) -> Option<Self> {
        let bytes = voice::read_network(model)?;
        let Some(cut) = cut::cut(&bytes) else {
            tracing::info!(model = %model.display(), "this network is not built as other VITS voices are; it speaks clause by clause");
            return None;
        };
        drop(bytes);
        let cut::Cut { parts, latent, speaker, hop, reach, flow } = cut;
        let mut tail = voice::part(environment, &parts.tail, config)?;
        // A trial run says how many channels there are, and what a speaker is.
        let begin = |head: &mut Session, frames: &str| {
            let nothing = inputs(settings, config.speaker, 1.0, &[]).ok()?;
            Begun::run(head, nothing, frames, speaker.as_deref()).ok()
        };
        let mut holds = |begun: &Begun<'_>| {
            let given = begun.speaker.as_ref();
            let run = |piece, n| decode(&mut tail, &latent, piece, n, given);
            let holds = chunks::holds(begun.channels, (1, hop), reach, 1e-3, run);
            if !holds {
                tracing::info!(model = %model.display(), "in chunks this network makes other sound than at once; it speaks clause by clause");
            }
            holds
        };
        let mut sessions = None;
        if let Some(flow) = flow
            && let Some(mut head) = voice::part(environment, &flow.head, config)
            && let Some(session) = voice::part(environment, &flow.model, config)
        {
            let cut::Flow { noisy, mask, reach: wide, .. } = flow;
            let mut flow = Flow { session, noisy, mask, reach: wide };
            if let Some(begun) = begin(&mut head, &flow.noisy) {
                let given = begun.speaker.as_ref();
                let run = |noisy, n| flow.run(noisy, n, given);
                if chunks::holds(begun.channels, (begun.channels, 1), wide, 1e-4, run) {
                    holds(&begun).then_some(())?;
                    sessions = Some((head, Some(Box::new(flow))));
                }
            }
        }
        let (head, flow) = match sessions {
            Some(sessions) => sessions,
            None => {
                let mut head = voice::part(environment, &parts.head, config)?;
                holds(&begin(&mut head, &latent)?).then_some(())?;
                (head, None)
            }
        };
        Some(Self::Cut { head, tail, latent, speaker, hop, reach, flow })
    }

    /// The part that takes the phonemes.
    pub(super) fn first(&self) -> &Session {
        match self {
            Self::Cut { head, .. } => head,
            Self::Whole(session) => session,
        }
    }
}

/// A named value of some shape.
type Named<'a> = (&'a str, (Vec<usize>, Vec<f32>));

/// What the first part of a network takes, by name.
type Inputs = Vec<(&'static str, SessionInputValue<'static>)>;

/// What the first part of a cut network made.
struct Begun<'a> {
    channels: usize,
    /// How many frames.
    n: usize,
    /// [channels, n].
    frames: Vec<f32>,
    speaker: Option<Named<'a>>,
}

impl<'a> Begun<'a> {
    /// Runs the first part; `frames` and `speaker` are the names of what it makes.
    fn run(
        head: &mut Session,
        inputs: Inputs,
        frames: &str,
        speaker: Option<&'a str>,
    ) -> Result<Self, String> {
        let failed = |e: ort::Error| e.to_string();
        let outputs = head.run(inputs).map_err(failed)?;
        let extract = |name: &str| -> Result<(Vec<usize>, Vec<f32>), String> {
            let value = outputs.get(name).ok_or_else(|| format!("it gave no {name:?}"))?;
            let (shape, values) = value.try_extract_tensor::<f32>().map_err(failed)?;
            let shape = shape.iter().map(|n| usize::try_from(*n).unwrap_or(0)).collect();
            Ok((shape, values.to_vec()))
        };
        let (shape, frames) = extract(frames)?;
        let [1, channels, n] = shape[..] else {
            return Err(format!("its frames have the shape {shape:?}, not [1, channels, frames]"));
        };
        let speaker = match speaker {
            Some(name) => Some((name, extract(name)?)),
            None => None,
        };
        Ok(Self { channels, n, frames, speaker })
    }
}

/// What a clause is made of for the network's first part.
fn inputs(
    settings: &Settings,
    speaker: u32,
    speed: f32,
    words: &[Word],
) -> Result<Inputs, ort::Error> {
    let ids = settings.ids(words);
    let scales = &settings.inference;
    let scales = [scales.noise_scale, scales.length_scale / speed, scales.noise_w];
    let count = ids.len() as i64;
    let mut inputs: Inputs = vec![
        ("input", Tensor::from_array(([1, ids.len()], ids))?.into()),
        ("input_lengths", Tensor::from_array(([1], vec![count]))?.into()),
        ("scales", Tensor::from_array(([3], scales.to_vec()))?.into()),
    ];
    if settings.num_speakers > 1 {
        let speaker = vec![i64::from(speaker)];
        inputs.push(("sid", Tensor::from_array(([1], speaker))?.into()));
    }
    Ok(inputs)
}

pub(super) fn run(
    network: &mut Network,
    settings: &Settings,
    speaker: u32,
    speed: f32,
    words: &[Word],
    out: Sink<'_>,
) -> Result<(), String> {
    let failed = |e: ort::Error| e.to_string();
    let inputs = inputs(settings, speaker, speed, words).map_err(failed)?;
    match network {
        Network::Whole(session) => {
            let outputs = session.run(inputs).map_err(failed)?;
            let (_, samples) = outputs[0].try_extract_tensor::<f32>().map_err(failed)?;
            let _ = out(samples);
            Ok(())
        }
        Network::Cut { head, tail, latent, speaker, hop, reach, flow } => {
            let given = flow.as_ref().map_or(latent.as_str(), |flow| flow.noisy.as_str());
            let begun = Begun::run(head, inputs, given, speaker.as_deref())?;
            let Begun { n: frames, frames: given, speaker, .. } = begun;
            // Latent frames, of which the first `done` are there.
            let mut latents = Latents::default();
            let piece = |range: Range<usize>| match flow {
                Some(flow) => latents.piece(range, &given, frames, flow, speaker.as_ref()),
                None => Ok(chunks::some(&given, frames, &range)),
            };
            let decode = |piece, n| decode(tail, latent, piece, n, speaker.as_ref());
            chunks::decode(frames, *hop, *reach, piece, decode, out)
        }
    }
}

/// The samples of `n` latent frames, [channels, n].
fn decode(
    tail: &mut Session,
    latent: &str,
    piece: Vec<f32>,
    n: usize,
    speaker: Option<&Named<'_>>,
) -> Result<Vec<f32>, String> {
    of_frames(tail, (latent, piece), n, Vec::new(), speaker)
}

/// What a part of a network makes of `n` frames, [channels, n], by their name, and of what else it takes.
fn of_frames<'a>(
    session: &mut Session,
    (name, frames): (&'a str, Vec<f32>),
    n: usize,
    more: Vec<(&'a str, SessionInputValue<'a>)>,
    speaker: Option<&Named<'a>>,
) -> Result<Vec<f32>, String> {
    let failed = |e: ort::Error| e.to_string();
    let channels = frames.len() / n.max(1);
    let frames = Tensor::from_array(([1, channels, n], frames)).map_err(failed)?;
    let mut inputs: Vec<(&str, SessionInputValue<'_>)> = vec![(name, frames.into())];
    inputs.extend(more);
    if let Some((name, (shape, vector))) = speaker {
        let vector = Tensor::from_array((shape.clone(), vector.clone())).map_err(failed)?;
        inputs.push((name, vector.into()));
    }
    let outputs = session.run(inputs).map_err(failed)?;
    let (_, made) = outputs[0].try_extract_tensor::<f32>().map_err(failed)?;
    Ok(made.to_vec())
}

/// The latent frames of a clause, made when they are asked for: first as few as the first sound needs, then
/// in stretches that grow as fast as what can be heard meanwhile.
#[derive(Default)]
struct Latents {
    all: Vec<f32>,
    done: usize,
}

/// Up to which of `frames` latent frames the flow runs next, when `done` are there and those before `wanted` are needed.
/// It runs over `reach` frames to each side as well, so short stretches would cost; long ones would keep the sound
/// waiting, because no more is heard meanwhile than was there before.
fn next(done: usize, wanted: usize, frames: usize, reach: usize) -> usize {
    if done == 0 {
        return wanted.min(frames);
    }
    let step = (8 * reach).max(4 * done);
    let end = wanted.max(done + step).min(frames);
    // No crumbs at the end.
    if frames - end < step / 2 { frames } else { end }
}

impl Latents {
    fn piece(
        &mut self,
        range: Range<usize>,
        noisy: &[f32],
        frames: usize,
        flow: &mut Flow,
        speaker: Option<&Named<'_>>,
    ) -> Result<Vec<f32>, String> {
        if range.end > self.done {
            let end = next(self.done, range.end, frames, flow.reach);
            let (from, to) = (self.done.saturating_sub(flow.reach), (end + flow.reach).min(frames));
            let made = flow.run(chunks::some(noisy, frames, &(from..to)), to - from, speaker)?;
            self.all.resize(noisy.len(), 0.0);
            let rows = self.all.chunks_exact_mut(frames.max(1));
            for (row, made) in rows.zip(made.chunks_exact(to - from)) {
                let (Some(slots), Some(values)) =
                    (row.get_mut(self.done..end), made.get(self.done - from..end - from))
                else {
                    continue;
                };
                slots.copy_from_slice(values);
            }
            self.done = end;
        }
        Ok(chunks::some(&self.all, frames, &range))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flow_runs_in_stretches_that_grow() {
        let reach = 32;
        for frames in [1, 20, 33, 34, 200, 416, 417, 500, 1000, 3000, 20_000] {
            let (mut done, mut runs, mut work) = (0, Vec::new(), 0);
            let mut at = 0;
            while at < frames {
                // As the decoder asks: a short stretch, then longer ones, each with 13 frames around it.
                at = (at + if at == 0 { 20 } else { 160 }).min(frames);
                let wanted = (at + 13).min(frames);
                if wanted > done {
                    let end = next(done, wanted, frames, reach);
                    assert!(wanted <= end && end <= frames, "{frames}: {end}");
                    work += end - done + reach.min(done) + reach.min(frames - end);
                    runs.push(end - done);
                    done = end;
                }
            }
            assert_eq!(done, frames);
            // What is computed while the first chunk plays has a bound.
            assert!(runs.get(1).is_none_or(|n| *n <= 8 * reach * 3 / 2), "{frames}: {runs:?}");
            assert!(runs.len() <= 5, "{frames}: {runs:?}");
            let before = frames + if frames > 33 { 2 * reach } else { 0 };
            assert!(work * 100 <= before * 125, "{frames}: {work} frames instead of {before}");
        }
    }
}
