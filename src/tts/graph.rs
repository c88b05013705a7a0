//! A network's graph (ONNX, onnx.ai) as far as it takes to cut it: which node makes what of what.

use std::collections::HashMap;
use std::collections::HashSet;

use super::protobuf;
use super::protobuf::Field;
use super::protobuf::Value;

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

/// How deep graphs may lie in one another; networks have three or four.
const DEEPEST: usize = 16;

/// A step of a network.
#[derive(Debug)]
pub(super) struct Node<'a> {
    raw: &'a [u8],
    pub(super) operator: &'a str,
    pub(super) inputs: Vec<&'a str>,
    pub(super) outputs: Vec<&'a str>,
    attributes: Vec<&'a [u8]>,
}

impl<'a> Node<'a> {
    /// `depth` is how many graphs it lies in besides the network's own; none when they are too many.
    fn read(raw: &'a [u8], message: &'a [u8], depth: usize) -> Option<Self> {
        if depth > DEEPEST {
            return None;
        }
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
                    inner_inputs(field.bytes()?, &mut node.inputs, depth)?;
                }
                _ => {}
            }
        }
        Some(node)
    }

    /// The first value of a list of numbers among the attributes.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
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
fn inner_inputs<'a>(attribute: &'a [u8], inputs: &mut Vec<&'a str>, depth: usize) -> Option<()> {
    for field in protobuf::fields(attribute)? {
        if !matches!(field.number, ATTRIBUTE_GRAPH | ATTRIBUTE_GRAPHS) {
            continue;
        }
        for inner in protobuf::fields(field.bytes()?)? {
            if inner.number == GRAPH_NODE {
                inputs.extend(Node::read(inner.raw, inner.bytes()?, depth + 1)?.inputs);
            }
        }
    }
    Some(())
}

/// A network.
pub(super) struct Graph<'a> {
    /// What is copied as it is: the fields of the model except the graph.
    about: Vec<Field<'a>>,
    pub(super) nodes: Vec<Node<'a>>,
    initializers: Vec<(&'a str, &'a [u8])>,
    inputs: Vec<(&'a str, &'a [u8])>,
    pub(super) output: (&'a str, &'a [u8]),
    /// Which node makes a value.
    made_by: HashMap<&'a str, usize>,
}

impl<'a> Graph<'a> {
    /// The graph in the bytes of an ONNX file, none when there is none.
    pub(super) fn read(model: &'a [u8]) -> Option<Self> {
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
                GRAPH_NODE => nodes.push(Node::read(field.raw, field.bytes()?, 0)?),
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

    /// The node that makes a value.
    pub(super) fn maker(&self, value: &str) -> Option<&Node<'a>> {
        self.nodes.get(*self.made_by.get(value)?)
    }

    /// Which nodes and which values from outside are needed for `wanted` when `given` is there already.
    pub(super) fn needed(
        &self,
        wanted: &[&'a str],
        given: &[&'a str],
    ) -> (HashSet<usize>, HashSet<&'a str>) {
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

    /// The nodes that take a value.
    pub(super) fn takers<'g>(&'g self, value: &'g str) -> impl Iterator<Item = &'g Node<'a>> {
        self.nodes.iter().filter(move |node| node.inputs.contains(&value))
    }

    /// A model that makes `wanted` of the values `given` (f32) and of nothing else; none when it would take more.
    pub(super) fn between(&self, given: &[&'a str], wanted: &'a str) -> Option<Vec<u8>> {
        let mut output = Vec::new();
        protobuf::put(&mut output, GRAPH_OUTPUT, &value(wanted));
        self.behind(given, (wanted, output), &[])
    }

    /// A model that makes an output, with its field, of the values `given` (f32). `also` names inputs that it may take
    /// as well; none when it would take others.
    fn behind(
        &self,
        given: &[&'a str],
        (wanted, output): (&'a str, Vec<u8>),
        also: &[&str],
    ) -> Option<Vec<u8>> {
        let (nodes, outside) = self.needed(&[wanted], given);
        let initial: HashSet<&str> = self.initializers.iter().map(|(name, _)| *name).collect();
        let allowed =
            |name: &&str| initial.contains(*name) || name.is_empty() || also.contains(name);
        if !outside.iter().all(allowed) {
            return None;
        }
        let values: Vec<Vec<u8>> = given.iter().map(|name| value(name)).collect();
        Some(self.part(&nodes, &outside, &values, &[output]))
    }

    /// A model that makes `wanted` of the network's inputs.
    pub(super) fn until(&self, wanted: &[&'a str]) -> Vec<u8> {
        let (nodes, outside) = self.needed(wanted, &[]);
        let output = |name: &&str| {
            let mut field = Vec::new();
            protobuf::put(&mut field, GRAPH_OUTPUT, &value(name));
            field
        };
        let outputs: Vec<Vec<u8>> = wanted.iter().map(output).collect();
        self.part(&nodes, &outside, &[], &outputs)
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

    /// Cuts at the values `given`: a model that makes them, and one that makes the output of them. `also` names inputs
    /// that the second may take from outside as well. None when it would take others.
    pub(super) fn cut(&self, given: &[&'a str], also: &[&str]) -> Option<Parts> {
        let (output, field) = self.output;
        let tail = self.behind(given, (output, field.to_vec()), also)?;
        Some(Parts { head: self.until(given), tail })
    }
}

/// A network in two parts, each the bytes of a model of its own.
#[derive(Debug)]
pub(super) struct Parts {
    /// From the inputs to the cut.
    pub(super) head: Vec<u8>,
    /// From the cut to the output.
    pub(super) tail: Vec<u8>,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A network with a loop in a loop in a loop, `depth` times.
    fn nested(depth: usize) -> Vec<u8> {
        let mut node = Vec::new();
        protobuf::put(&mut node, NODE_INPUT, b"innermost");
        for _ in 0..depth {
            let (mut graph, mut attribute, mut outer) = (Vec::new(), Vec::new(), Vec::new());
            protobuf::put(&mut graph, GRAPH_NODE, &node);
            protobuf::put(&mut attribute, ATTRIBUTE_GRAPH, &graph);
            protobuf::put(&mut outer, NODE_ATTRIBUTE, &attribute);
            node = outer;
        }
        let (mut graph, mut model) = (Vec::new(), Vec::new());
        protobuf::put(&mut graph, GRAPH_NODE, &node);
        protobuf::put(&mut graph, GRAPH_OUTPUT, &value("output"));
        protobuf::put(&mut model, MODEL_GRAPH, &graph);
        model
    }

    #[test]
    fn graphs_in_graphs_are_read_as_deep_as_networks_have_them() {
        for depth in [0, 3, DEEPEST] {
            let model = nested(depth);
            let graph = Graph::read(&model).unwrap();
            assert_eq!(graph.nodes[0].inputs, ["innermost"], "{depth}");
        }
        for depth in [DEEPEST + 1, 3_000] {
            assert!(Graph::read(&nested(depth)).is_none(), "{depth}");
        }
    }
}
