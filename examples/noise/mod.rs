//! Speech in noise, at a ratio of their loudest moments.

/// The energy of the loudest 2048 samples.
fn loudest(audio: &[f32]) -> f32 {
    let energy = |frame: &[f32]| frame.iter().map(|s| s * s).sum::<f32>();
    audio.chunks(2048).map(energy).fold(1e-9, f32::max)
}

/// Speech in as much noise, repeated where it is shorter, at a ratio in decibels; quiet enough not to clip.
pub(crate) fn in_noise(speech: &[f32], noise: &[f32], db: f32) -> Vec<f32> {
    let noise: Vec<f32> = noise.iter().copied().cycle().take(speech.len()).collect();
    let gain = (loudest(speech) / (10_f32.powf(db / 10.0) * loudest(&noise))).sqrt();
    let sum: Vec<f32> = speech.iter().zip(&noise).map(|(s, n)| s + gain * n).collect();
    let peak = sum.iter().fold(1e-9_f32, |peak, s| peak.max(s.abs()));
    sum.iter().map(|s| s / (2.0 * peak)).collect()
}
