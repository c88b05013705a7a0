//! Cuts a VITS network in two: the head makes the latent frames of a whole clause, the tail (HiFi-GAN, Kong et al.,
//! 2020) makes sound of any stretch of them. So the sound can begin before the clause is decoded.
//!
//! The place is found by the shape of the graph and not by names, which differ between exports: the decoder is the only
//! part with transposed convolutions, and it begins with the convolution before the first of them.

use std::collections::HashMap;
use std::collections::HashSet;

use super::super::graph::Graph;
use super::super::graph::Node;
use super::super::graph::Parts;

/// A network in two parts.
#[derive(Debug)]
pub(super) struct Cut {
    /// From the phonemes to the latent frames, and from those to samples.
    pub(super) parts: Parts,
    /// The name of the frames, f32 [1, channels, frames]: an output of the head and an input of the tail.
    pub(super) latent: String,
    /// The name of the speaker's vector, in voices with several speakers; goes from head to tail too.
    pub(super) speaker: Option<String>,
    /// Samples per frame.
    pub(super) hop: usize,
    /// How many frames on each side a sample depends on.
    pub(super) reach: usize,
}

/// The latent frames, and the vector of the speaker if one is added behind the first convolution.
fn place<'a>(graph: &Graph<'a>) -> Option<(&'a str, Option<&'a str>)> {
    let first = graph.nodes.iter().find(|n| n.operator == "ConvTranspose")?;
    let mut value = *first.inputs.first()?;
    // A handful of steps at most: an activation, a sum, the convolution.
    for _ in 0..8 {
        let node = graph.maker(value)?;
        match node.operator {
            "LeakyRelu" | "Relu" | "Identity" => value = node.inputs.first()?,
            "Conv" => return Some((node.inputs.first()?, None)),
            "Add" => {
                let [left, right] = node.inputs.as_slice() else { return None };
                let (left, right) = (graph.maker(left)?, graph.maker(right)?);
                if left.operator != "Conv" || right.operator != "Conv" {
                    return None;
                }
                let wide = |node: &Node<'_>| node.number("kernel_shape").unwrap_or(0) > 1;
                let (frames, speaker) = match (wide(left), wide(right)) {
                    (true, false) => (left, right),
                    (false, true) => (right, left),
                    _ => return None,
                };
                return Some((frames.inputs.first()?, Some(speaker.inputs.first()?)));
            }
            _ => return None,
        }
    }
    None
}

/// Samples per frame and how many frames on each side matter, when every step of the tail is one that looks at a
/// bounded neighbourhood.
fn span(graph: &Graph<'_>, tail: &HashSet<usize>, latent: &str) -> Option<(usize, usize)> {
    let mut known: HashMap<&str, (f64, f64)> = HashMap::from([(latent, (1.0, 0.0))]);
    for (i, node) in graph.nodes.iter().enumerate() {
        if !tail.contains(&i) {
            continue;
        }
        let spans: Vec<(f64, f64)> =
            node.inputs.iter().filter_map(|name| known.get(name).copied()).collect();
        let Some(&(rate, _)) = spans.first() else { continue };
        let reach = spans.iter().map(|s| s.1).fold(0.0, f64::max);
        if spans.iter().any(|s| (s.0 - rate).abs() > 1e-9) {
            return None;
        }
        let number = |name| node.number(name).unwrap_or(1) as f64;
        let span = match node.operator {
            "Conv" if node.number("strides").unwrap_or(1) == 1 => (
                rate,
                reach
                    + (node.number("kernel_shape")? - 1) as f64 * number("dilations") / 2.0 / rate,
            ),
            "ConvTranspose" => {
                let stride = number("strides");
                (
                    rate * stride,
                    reach + (node.number("kernel_shape")? as f64 / stride).ceil() / rate,
                )
            }
            "LeakyRelu" | "Relu" | "Add" | "Sub" | "Mul" | "Div" | "Tanh" | "Sin" | "Neg"
            | "Unsqueeze" | "Identity" | "Cast" => (rate, reach),
            _ => return None,
        };
        known.extend(node.outputs.iter().map(|name| (*name, span)));
    }
    let (rate, reach) = *known.get(graph.output.0)?;
    (rate >= 2.0 && rate < 10_000.0 && reach < 200.0)
        .then_some((rate as usize, reach.ceil() as usize + 1))
}

/// The two parts of `model`, the bytes of an ONNX file; none when it is not built as VITS is.
pub(super) fn cut(model: &[u8]) -> Option<Cut> {
    let graph = Graph::read(model)?;
    let (latent, speaker) = place(&graph)?;
    let given: Vec<&str> = [latent].into_iter().chain(speaker).collect();
    let (tail, _) = graph.needed(&[graph.output.0], &given);
    let (hop, reach) = span(&graph, &tail, latent)?;
    Some(Cut {
        // The tail must hang on the frames alone.
        parts: graph.cut(&given, &[])?,
        latent: latent.to_owned(),
        speaker: speaker.map(str::to_owned),
        hop,
        reach,
    })
}
