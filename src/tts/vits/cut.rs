//! Cuts a VITS network in two: the head makes the latent frames of a whole clause, the tail (HiFi-GAN, Kong et al.,
//! 2020) makes sound of any stretch of them. So the sound can begin before the clause is decoded.
//!
//! The place is found by the shape of the graph and not by names, which differ between exports: the decoder is the only
//! part with transposed convolutions, and it begins with the convolution before the first of them.

use std::collections::HashMap;
use std::collections::HashSet;

use super::protobuf;
use super::protobuf::Field;
use super::protobuf::Value;

/// A network in two parts, each a model of its own.
#[derive(Debug)]
pub(super) struct Cut {
    /// From the phonemes to the latent frames.
    pub(super) head: Vec<u8>,
    /// From latent frames to samples.
    pub(super) tail: Vec<u8>,
    /// The name of the frames, f32 [1, channels, frames]: an output of the head and an input of the tail.
    pub(super) latent: String,
    /// The name of the speaker's vector, in voices with several speakers; goes from head to tail too.
    pub(super) speaker: Option<String>,
    /// Samples per frame.
    pub(super) hop: usize,
    /// How many frames on each side a sample depends on.
    pub(super) reach: usize,
}

// Field numbers of onnx.proto.
const MODEL_GRAPH: u64 = 7;
const GRAPH_NODE: u64 = 1;
const GRAPH_NAME: u64 = 2;
const GRAPH_INITIALIZER: u64 = 5;
const GRAPH_INPUT: u64 = 11;
const GRAPH_OUTPUT: u64 = 12;
const NODE_INPUT: u64 = 1;
const NODE_OUTPUT: u64 = 2;
const NODE_OPERATOR: u64 = 4;
const NODE_ATTRIBUTE: u64 = 5;
const ATTRIBUTE_NAME: u64 = 1;
const ATTRIBUTE_GRAPH: u64 = 6;
const ATTRIBUTE_INTS: u64 = 8;
const ATTRIBUTE_GRAPHS: u64 = 11;
const TENSOR_NAME: u64 = 8;
const VALUE_NAME: u64 = 1;

#[derive(Debug)]
struct Node<'a> {
    raw: &'a [u8],
    operator: &'a str,
    inputs: Vec<&'a str>,
    outputs: Vec<&'a str>,
    attributes: Vec<&'a [u8]>,
}

impl<'a> Node<'a> {
    fn read(raw: &'a [u8], message: &'a [u8]) -> Option<Self> {
        let mut node = Self {
            raw,
            operator: "",
            inputs: Vec::new(),
            outputs: Vec::new(),
            attributes: Vec::new(),
        };
        for field in protobuf::fields(message)? {
            match field.number {
                NODE_INPUT => node.inputs.push(field.text()?),
                NODE_OUTPUT => node.outputs.push(field.text()?),
                NODE_OPERATOR => node.operator = field.text()?,
                NODE_ATTRIBUTE => {
                    node.attributes.push(field.bytes()?);
                    inner_inputs(field.bytes()?, &mut node.inputs)?;
                }
                _ => {}
            }
        }
        Some(node)
    }

    /// The first value of a list of numbers among the attributes.
    fn number(&self, name: &str) -> Option<usize> {
        for attribute in &self.attributes {
            let fields = protobuf::fields(attribute)?;
            if !fields.iter().any(|f| f.number == ATTRIBUTE_NAME && f.text() == Some(name)) {
                continue;
            }
            let ints = fields.iter().find(|f| f.number == ATTRIBUTE_INTS)?;
            let value = match ints.value {
                Value::Number(value) => value,
                Value::Bytes(mut packed) => protobuf::varint(&mut packed)?,
                Value::Other => return None,
            };
            return usize::try_from(value).ok().filter(|v| *v < 10_000);
        }
        None
    }
}

/// Adds what the graphs inside an attribute (branches and bodies of loops) take from outside.
fn inner_inputs<'a>(attribute: &'a [u8], inputs: &mut Vec<&'a str>) -> Option<()> {
    for field in protobuf::fields(attribute)? {
        if !matches!(field.number, ATTRIBUTE_GRAPH | ATTRIBUTE_GRAPHS) {
            continue;
        }
        for inner in protobuf::fields(field.bytes()?)? {
            if inner.number == GRAPH_NODE {
                inputs.extend(Node::read(inner.raw, inner.bytes()?)?.inputs);
            }
        }
    }
    Some(())
}

struct Graph<'a> {
    /// What is copied as it is: the fields of the model except the graph.
    about: Vec<Field<'a>>,
    nodes: Vec<Node<'a>>,
    initializers: Vec<(&'a str, &'a [u8])>,
    inputs: Vec<(&'a str, &'a [u8])>,
    output: (&'a str, &'a [u8]),
    /// Which node makes a value.
    made_by: HashMap<&'a str, usize>,
}

impl<'a> Graph<'a> {
    fn read(model: &'a [u8]) -> Option<Self> {
        let mut about = protobuf::fields(model)?;
        let graph = about.iter().find(|f| f.number == MODEL_GRAPH)?.bytes()?;
        about.retain(|f| f.number != MODEL_GRAPH);
        let (mut nodes, mut initializers) = (Vec::new(), Vec::new());
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        for field in protobuf::fields(graph)? {
            let named = |number| {
                let fields = protobuf::fields(field.bytes()?)?;
                Some((fields.iter().find(|f| f.number == number)?.text()?, field.raw))
            };
            match field.number {
                GRAPH_NODE => nodes.push(Node::read(field.raw, field.bytes()?)?),
                GRAPH_INITIALIZER => initializers.push(named(TENSOR_NAME)?),
                GRAPH_INPUT => inputs.push(named(VALUE_NAME)?),
                GRAPH_OUTPUT => outputs.push(named(VALUE_NAME)?),
                _ => {}
            }
        }
        let made_by = nodes
            .iter()
            .enumerate()
            .flat_map(|(i, node)| node.outputs.iter().map(move |name| (*name, i)))
            .collect();
        let output = *outputs.first()?;
        Some(Self { about, nodes, initializers, inputs, output, made_by })
    }

    fn maker(&self, value: &str) -> Option<&Node<'a>> {
        self.nodes.get(*self.made_by.get(value)?)
    }

    /// Which nodes and which values from outside are needed for `wanted` when `given` is there already.
    fn needed(&self, wanted: &[&'a str], given: &[&'a str]) -> (HashSet<usize>, HashSet<&'a str>) {
        let (mut nodes, mut outside) = (HashSet::new(), HashSet::new());
        let mut open: Vec<&str> = wanted.to_vec();
        while let Some(value) = open.pop() {
            match self.made_by.get(value) {
                _ if given.contains(&value) => {}
                Some(node) if nodes.insert(*node) => {
                    open.extend(self.nodes.get(*node).into_iter().flat_map(|n| &n.inputs));
                }
                Some(_) => {}
                None => {
                    outside.insert(value);
                }
            }
        }
        (nodes, outside)
    }

    /// A model of some of the nodes, in their order.
    fn part(
        &self,
        nodes: &HashSet<usize>,
        outside: &HashSet<&str>,
        inputs: &[Vec<u8>],
        outputs: &[Vec<u8>],
    ) -> Vec<u8> {
        let mut graph = Vec::new();
        for (i, node) in self.nodes.iter().enumerate() {
            if nodes.contains(&i) {
                graph.extend_from_slice(node.raw);
            }
        }
        protobuf::put(&mut graph, GRAPH_NAME, b"part");
        for (_, raw) in self.initializers.iter().filter(|(name, _)| outside.contains(name)) {
            graph.extend_from_slice(raw);
        }
        let own = self.inputs.iter().filter(|(name, _)| outside.contains(name));
        own.for_each(|(_, raw)| graph.extend_from_slice(raw));
        inputs.iter().for_each(|input| protobuf::put(&mut graph, GRAPH_INPUT, input));
        outputs.iter().for_each(|output| graph.extend_from_slice(output));
        let mut model = Vec::with_capacity(graph.len() + 256);
        self.about.iter().for_each(|field| model.extend_from_slice(field.raw));
        protobuf::put(&mut model, MODEL_GRAPH, &graph);
        model
    }

    /// The latent frames, and the vector of the speaker if one is added behind the first convolution.
    fn place(&self) -> Option<(&'a str, Option<&'a str>)> {
        let first = self.nodes.iter().find(|n| n.operator == "ConvTranspose")?;
        let mut value = *first.inputs.first()?;
        // A handful of steps at most: an activation, a sum, the convolution.
        for _ in 0..8 {
            let node = self.maker(value)?;
            match node.operator {
                "LeakyRelu" | "Relu" | "Identity" => value = node.inputs.first()?,
                "Conv" => return Some((node.inputs.first()?, None)),
                "Add" => {
                    let [left, right] = node.inputs.as_slice() else { return None };
                    let (left, right) = (self.maker(left)?, self.maker(right)?);
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
    fn span(&self, tail: &HashSet<usize>, latent: &str) -> Option<(usize, usize)> {
        let mut known: HashMap<&str, (f64, f64)> = HashMap::from([(latent, (1.0, 0.0))]);
        for (i, node) in self.nodes.iter().enumerate() {
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
                        + (node.number("kernel_shape")? - 1) as f64 * number("dilations")
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
        let (rate, reach) = *known.get(self.output.0)?;
        (rate >= 2.0 && rate < 10_000.0 && reach < 200.0)
            .then_some((rate as usize, reach.ceil() as usize + 1))
    }
}

/// A value of f32 with whatever shape.
fn value(name: &str) -> Vec<u8> {
    const TENSOR_TYPE: u64 = 1;
    const ELEMENT: u64 = 1;
    const FLOAT: u64 = 1;
    const VALUE_TYPE: u64 = 2;
    let (mut tensor, mut kind, mut value) = (Vec::new(), Vec::new(), Vec::new());
    protobuf::put_number(&mut tensor, ELEMENT, FLOAT);
    protobuf::put(&mut kind, TENSOR_TYPE, &tensor);
    protobuf::put(&mut value, VALUE_NAME, name.as_bytes());
    protobuf::put(&mut value, VALUE_TYPE, &kind);
    value
}

/// The two parts of `model`, the bytes of an ONNX file; none when it is not built as VITS is.
pub(super) fn cut(model: &[u8]) -> Option<Cut> {
    let graph = Graph::read(model)?;
    let (latent, speaker) = graph.place()?;
    let given: Vec<&str> = [latent].into_iter().chain(speaker).collect();
    let (tail, tail_outside) = graph.needed(&[graph.output.0], &given);
    let initial: HashSet<&str> = graph.initializers.iter().map(|(name, _)| *name).collect();
    // The tail must hang on the frames alone.
    if tail_outside.iter().any(|name| !initial.contains(name) && !name.is_empty()) {
        return None;
    }
    let (hop, reach) = graph.span(&tail, latent)?;
    let (head, head_outside) = graph.needed(&given, &[]);
    let values: Vec<Vec<u8>> = given.iter().map(|name| value(name)).collect();
    let outputs: Vec<Vec<u8>> = values
        .iter()
        .map(|value| {
            let mut field = Vec::new();
            protobuf::put(&mut field, GRAPH_OUTPUT, value);
            field
        })
        .collect();
    Some(Cut {
        head: graph.part(&head, &head_outside, &[], &outputs),
        tail: graph.part(&tail, &tail_outside, &values, &[graph.output.1.to_vec()]),
        latent: latent.to_owned(),
        speaker: speaker.map(str::to_owned),
        hop,
        reach,
    })
}
