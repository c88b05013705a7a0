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
    /// The flow, where it can be run in stretches too.
    pub(super) flow: Option<Flow>,
}

/// The flow of a network: it makes the latent frames of noisy ones, and looks at a bounded neighbourhood.
#[derive(Debug)]
pub(super) struct Flow {
    /// From the phonemes to the noisy frames.
    pub(super) head: Vec<u8>,
    /// From those to the latent frames.
    pub(super) model: Vec<u8>,
    /// The name of the noisy frames, f32 [1, channels, frames].
    pub(super) noisy: String,
    /// The name of the mask, f32 [1, 1, frames]: ones.
    pub(super) mask: String,
    /// How many noisy frames on each side a latent frame depends on.
    pub(super) reach: usize,
}

/// The flow before `latent`: it begins where noise was added, and ends with a mask. Whether it really looks no further
/// than its convolutions say is tried when it is opened.
fn flow(graph: &Graph<'_>, latent: &str, speaker: Option<&str>) -> Option<Flow> {
    let masked = graph.maker(latent).filter(|node| node.operator == "Mul")?;
    let noise = graph.nodes.iter().rev().find(|n| n.operator == "RandomNormalLike")?;
    let mut value = *noise.outputs.first()?;
    // It is scaled once or twice before it is added.
    for _ in 0..4 {
        let node = graph.takers(value).next()?;
        value = node.outputs.first()?;
        match node.operator {
            "Mul" => {}
            "Add" => {
                let noisy = value;
                return masked.inputs.iter().find_map(|mask| {
                    let given: Vec<&str> = [noisy, mask].into_iter().chain(speaker).collect();
                    let latent = masked.outputs.first()?;
                    let model = graph.between(&given, latent)?;
                    let (nodes, _) = graph.needed(&[latent], &given);
                    let reach = neighbourhood(graph, &nodes, noisy, latent)?;
                    let made: Vec<&str> = [noisy].into_iter().chain(speaker).collect();
                    Some(Flow {
                        head: graph.until(&made),
                        model,
                        noisy: noisy.to_owned(),
                        mask: (*mask).to_owned(),
                        reach,
                    })
                });
            }
            _ => return None,
        }
    }
    None
}

/// How many frames to each side the convolutions between `from` and `to` look at in all.
fn neighbourhood(graph: &Graph<'_>, nodes: &HashSet<usize>, from: &str, to: &str) -> Option<usize> {
    let mut known: HashMap<&str, usize> = HashMap::from([(from, 0)]);
    let inside = graph.nodes.iter().enumerate().filter(|(i, _)| nodes.contains(i));
    for (_, node) in inside {
        let before = node.inputs.iter().filter_map(|name| known.get(name).copied()).max();
        let Some(before) = before else { continue };
        let own = match node.operator {
            "Conv" if node.number("strides").unwrap_or(1) == 1 => {
                node.number("kernel_shape")?.checked_sub(1)? * node.number("dilations").unwrap_or(1)
                    / 2
            }
            "Conv" | "ConvTranspose" => return None,
            // What is made of the shape alone looks at no frame.
            "Shape" => continue,
            _ => 0,
        };
        known.extend(node.outputs.iter().map(|name| (*name, before + own)));
    }
    known.get(to).copied().filter(|reach| (1..200).contains(reach))
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
                    + node.number("kernel_shape")?.checked_sub(1)? as f64 * number("dilations")
                        / 2.0
                        / rate,
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
    ((2.0..10_000.0).contains(&rate) && reach < 200.0)
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
        flow: flow(&graph, latent, speaker),
        latent: latent.to_owned(),
        speaker: speaker.map(str::to_owned),
        hop,
        reach,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::protobuf::put;
    use super::super::super::protobuf::put_number;
    use super::*;

    fn node(operator: &str, inputs: &[&str], output: &str, numbers: &[(&str, u64)]) -> Vec<u8> {
        let mut node = Vec::new();
        inputs.iter().for_each(|input| put(&mut node, 1, input.as_bytes()));
        put(&mut node, 2, output.as_bytes());
        put(&mut node, 4, operator.as_bytes());
        for (name, value) in numbers {
            let mut attribute = Vec::new();
            put(&mut attribute, 1, name.as_bytes());
            put_number(&mut attribute, 8, *value);
            put(&mut node, 5, &attribute);
        }
        node
    }

    fn named(number: u64, name: &str) -> Vec<u8> {
        let mut message = Vec::new();
        put(&mut message, number, name.as_bytes());
        message
    }

    /// A network with the bones of VITS; `middle` stands between its first convolution and the first transposed one.
    fn model(middle: &[Vec<u8>]) -> Vec<u8> {
        let conv = [("kernel_shape", 7), ("strides", 1), ("dilations", 2)];
        let up = [("kernel_shape", 16), ("strides", 8)];
        let mut nodes = vec![
            node("Gather", &["emb", "input"], "z", &[]),
            node("Conv", &["z", "w"], "pre", &conv),
        ];
        nodes.extend_from_slice(middle);
        nodes.push(node("ConvTranspose", &["mid", "w"], "up", &up));
        nodes.push(node("Conv", &["up", "w"], "post", &conv));
        nodes.push(node("Tanh", &["post"], "output", &[]));
        let mut graph = Vec::new();
        nodes.iter().for_each(|node| put(&mut graph, 1, node));
        for name in ["emb", "w"] {
            put(&mut graph, 5, &named(8, name));
        }
        for name in ["input", "sid"] {
            put(&mut graph, 11, &named(1, name));
        }
        put(&mut graph, 12, &named(1, "output"));
        let mut model = Vec::new();
        put_number(&mut model, 1, 8);
        put(&mut model, 7, &graph);
        model
    }

    fn operators(model: &[u8]) -> Vec<String> {
        let graph = Graph::read(model).unwrap();
        graph.nodes.iter().map(|node| node.operator.to_owned()).collect()
    }

    #[test]
    fn the_decoder_is_found_by_its_shape() {
        let cut = cut(&model(&[node("LeakyRelu", &["pre"], "mid", &[])])).unwrap();
        assert_eq!((cut.latent.as_str(), &cut.speaker), ("z", &None));
        // Six frames of the first convolution, two of the transposed one, less than one of the last.
        assert_eq!((cut.hop, cut.reach), (8, 10));
        assert_eq!(operators(&cut.parts.head), ["Gather"]);
        assert_eq!(
            operators(&cut.parts.tail),
            ["Conv", "LeakyRelu", "ConvTranspose", "Conv", "Tanh"]
        );
    }

    #[test]
    fn a_speaker_is_handed_over() {
        let speaker = [
            node("Gather", &["emb", "sid"], "g", &[]),
            node("Conv", &["g", "w"], "cond", &[("kernel_shape", 1)]),
            node("Add", &["cond", "pre"], "sum", &[]),
            node("LeakyRelu", &["sum"], "mid", &[]),
        ];
        let cut = cut(&model(&speaker)).unwrap();
        assert_eq!((cut.latent.as_str(), cut.speaker.as_deref()), ("z", Some("g")));
        assert_eq!(operators(&cut.parts.head), ["Gather", "Gather"]);
    }

    #[test]
    fn other_networks_stay_whole() {
        for middle in [
            // Looks at everything at once.
            node("ReduceMean", &["pre"], "mid", &[]),
            node("Mul", &["pre", "input"], "mid", &[]),
        ] {
            assert!(cut(&model(&[middle])).is_none());
        }
        // Kernels of nothing, in the decoder and in the flow.
        let empty = [("kernel_shape", 0), ("strides", 1)];
        assert!(cut(&model(&[node("Conv", &["pre", "w"], "mid", &empty)])).is_none());
        let graph = model(&[node("Conv", &["pre", "w"], "mid", &empty)]);
        let graph = Graph::read(&graph).unwrap();
        let (nodes, _) = graph.needed(&["mid"], &["pre"]);
        assert_eq!(neighbourhood(&graph, &nodes, "pre", "mid"), None);
        assert!(cut(b"").is_none());
        assert!(cut(b"not a network").is_none());
    }

    proptest! {
        #[test]
        fn damaged_networks_are_refused_or_cut(at in 0usize..400, byte in any::<u8>()) {
            let mut model = model(&[node("LeakyRelu", &["pre"], "mid", &[])]);
            let at = at % model.len();
            model[at] = byte;
            let _ = cut(&model);
            let _ = cut(&model[..at]);
        }
    }
}
