//! Decoding a clause in overlapping chunks. The overlap is as wide as the decoder looks, so that what is kept of each
//! chunk equals the whole.

use std::ops::ControlFlow;
use std::ops::Range;

/// Frames of the first chunk: a quarter of a second, decoded in a few milliseconds.
const FIRST: usize = 20;
/// Later chunks grow threefold up to this, because the overlap is decoded twice: a network that speaks several times
/// faster than one listens has the next one ready in time.
const MOST: usize = 320;

/// The stretches that `frames` are decoded in: a short one, then longer ones.
pub(super) fn stretches(frames: usize) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    let (mut at, mut size) = (0, FIRST);
    while at < frames {
        let left = frames - at;
        // No crumbs at the end.
        let take = if left < size + FIRST / 2 { left } else { size };
        all.push(at..at + take);
        at += take;
        size = (size * 3).min(MOST);
    }
    all
}

/// Some of the frames of `all` ([channels, frames], row after row), in the same order.
pub(super) fn some(all: &[f32], frames: usize, range: &Range<usize>) -> Vec<f32> {
    all.chunks_exact(frames.max(1))
        .flat_map(|row| row.get(range.clone()).unwrap_or_default())
        .copied()
        .collect()
}

/// Decodes `frames` frames stretch by stretch. `latent` gives those of a range as [channels, n], row after row; ranges
/// only move forward. `decode` makes `hop` samples of each frame it is given; `out` may break.
///
/// # Errors
/// Those of `latent` and `decode`, and a decoder that makes another number of samples than it should.
pub(super) fn decode<E: From<String>>(
    frames: usize,
    hop: usize,
    reach: usize,
    mut latent: impl FnMut(Range<usize>) -> Result<Vec<f32>, E>,
    mut decode: impl FnMut(Vec<f32>, usize) -> Result<Vec<f32>, E>,
    out: &mut dyn FnMut(&[f32]) -> ControlFlow<()>,
) -> Result<(), E> {
    for stretch in stretches(frames) {
        let (from, to) = (stretch.start.saturating_sub(reach), (stretch.end + reach).min(frames));
        let samples = decode(latent(from..to)?, to - from)?;
        if samples.len() != (to - from) * hop {
            return Err(E::from(format!(
                "its decoder made {} samples of {} frames instead of {}",
                samples.len(),
                to - from,
                (to - from) * hop
            )));
        }
        let kept = (stretch.start - from) * hop..(stretch.end - from) * hop;
        if out(samples.get(kept).unwrap_or_default()).is_break() {
            break;
        }
    }
    Ok(())
}

/// Whether a network that makes `hop` values of each frame for each of `rows` rows looks no further than `reach` frames
/// to either side: whether a stretch at the beginning and one in the middle are as in the whole. Tried on noise.
/// `run` takes [channels, n], row after row, and gives [rows, hop · n].
pub(super) fn holds(
    channels: usize,
    (rows, hop): (usize, usize),
    reach: usize,
    within: f32,
    mut run: impl FnMut(Vec<f32>, usize) -> Result<Vec<f32>, String>,
) -> bool {
    const KEPT: usize = 20;
    const AROUND: usize = 10;
    let n = 2 * (reach + AROUND) + KEPT;
    // Any numbers do, as long as they differ.
    let noise: Vec<f32> =
        (0..channels * n).map(|i| ((i as f32 * 12.9898).sin() * 43_758.547).fract()).collect();
    let mut made = |range: &Range<usize>| {
        let made = run(some(&noise, n, range), range.len()).ok()?;
        (made.len() == rows * hop * range.len()).then_some(made)
    };
    let Some(whole) = made(&(0..n)) else { return false };
    let middle = reach + AROUND;
    [0..KEPT, middle..middle + KEPT].into_iter().all(|kept| {
        let given = kept.start.saturating_sub(reach)..(kept.end + reach).min(n);
        let Some(part) = made(&given) else { return false };
        let samples = |from: usize| (kept.start - from) * hop..(kept.end - from) * hop;
        let whole = some(&whole, n * hop, &samples(0));
        let part = some(&part, given.len() * hop, &samples(given.start));
        whole.iter().zip(&part).all(|(a, b)| (a - b).abs() < within)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_cover_all_and_leave_no_crumbs() {
        for frames in [0, 1, 19, 20, 21, 29, 30, 31, 100, 1000, 1001] {
            let all = stretches(frames);
            assert_eq!(all.iter().map(ExactSizeIterator::len).sum::<usize>(), frames);
            assert!(all.windows(2).all(|w| w[0].end == w[1].start));
            assert!(all.len() < 2 || all.iter().all(|s| s.len() >= FIRST / 2), "{all:?}");
            assert!(all.first().is_none_or(|s| s.len() < FIRST + FIRST / 2));
        }
    }

    /// A decoder that looks two frames to each side: what it gives in chunks is what it gives in one.
    fn blur(frames: &[f32], hop: usize) -> Vec<f32> {
        let at =
            |i: i64| usize::try_from(i).ok().and_then(|i| frames.get(i)).copied().unwrap_or(0.0);
        (0..frames.len() as i64)
            .flat_map(|i| vec![(i - 2..=i + 2).map(at).sum::<f32>(); hop])
            .collect()
    }

    #[test]
    fn chunks_equal_the_whole_and_out_may_break() {
        let frames: Vec<f32> = (0..500).map(|i| (i as f32 * 0.7).sin()).collect();
        let both: Vec<f32> = frames.iter().chain(&frames).copied().collect();
        let latent = |range: Range<usize>| Ok::<_, String>(some(&both, 500, &range));
        let mut spoken = Vec::new();
        let first_row = |piece: Vec<f32>, n: usize| Ok::<_, String>(blur(&piece[..n], 3));
        decode(500, 3, 2, latent, first_row, &mut |s| {
            spoken.extend_from_slice(s);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(spoken, blur(&frames, 3));
        let mut calls = 0;
        decode(500, 3, 2, latent, first_row, &mut |_| {
            calls += 1;
            ControlFlow::Break(())
        })
        .unwrap();
        assert_eq!(calls, 1);
        let short = |_: Vec<f32>, _: usize| Ok::<_, String>(vec![0.0; 7]);
        assert!(decode(500, 3, 2, latent, short, &mut |_| ControlFlow::Continue(())).is_err());
    }

    #[test]
    fn a_network_that_looks_further_is_found_out_on_either_side() {
        // Two rows of two values a frame; a frame looks at what `sees` says.
        let run = |sees: std::ops::RangeInclusive<i64>| {
            move |piece: Vec<f32>, n: usize| {
                let rows = piece.chunks(n).flat_map(|row| {
                    let at = |i: i64| usize::try_from(i).ok().and_then(|i| row.get(i)).copied();
                    let seen = |i: i64| sees.clone().filter_map(|by| at(i + by)).sum::<f32>();
                    (0..n as i64).flat_map(|i| [seen(i), -seen(i)]).collect::<Vec<f32>>()
                });
                Ok(rows.collect())
            }
        };
        assert!(holds(2, (2, 2), 6, 1e-4, run(-6..=6)));
        assert!(!holds(2, (2, 2), 6, 1e-4, run(-7..=6)));
        assert!(!holds(2, (2, 2), 6, 1e-4, run(-6..=7)));
        assert!(!holds(2, (2, 2), 6, 1e-4, |piece, n| run(-1..=1)(piece, n).map(|mut all| {
            all.push(0.0);
            all
        })));
        assert!(!holds(2, (2, 2), 6, 1e-4, |piece, _| Ok(vec![f32::NAN; 2 * piece.len()])));
        assert!(!holds(2, (2, 2), 6, 1e-4, |_, _| Err("it broke".into())));
    }
}
