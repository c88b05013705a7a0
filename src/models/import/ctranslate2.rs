//! Reads the `model.bin` of faster-whisper: CTranslate2's format, versions 5 and 6.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::checkpoint::{Checkpoint, Dtype, Shape, Stored};
use super::{names, vocabulary};
use crate::models::ModelError;

/// More variables than any Whisper has.
const MOST_VARIABLES: u32 = 20_000;

/// A variable of the file: a tensor, or a number whose bytes were kept.
struct Variable {
    stored: Option<Stored>,
    /// CTranslate2's number of the format.
    dtype: u8,
    number: Option<i64>,
    shape: Vec<u64>,
}

/// Reads a file from its beginning and says where it stopped making sense.
struct Reader {
    file: BufReader<File>,
    at: u64,
    length: u64,
    path: PathBuf,
}

impl Reader {
    fn open(path: &Path) -> Result<Self, ModelError> {
        let file = File::open(path).map_err(ModelError::io("open", path))?;
        let length = file.metadata().map_err(ModelError::io("read", path))?.len();
        Ok(Self { file: BufReader::new(file), at: 0, length, path: path.to_owned() })
    }

    fn fail(&self, reason: String) -> ModelError {
        ModelError::Import { path: self.path.clone(), reason }
    }

    fn needs(&self, bytes: u64, what: &str) -> Result<(), ModelError> {
        if bytes > self.length - self.at {
            return Err(self.fail(format!(
                "ends too early: {what} needs {bytes} bytes at offset {} and the file has {}",
                self.at, self.length
            )));
        }
        Ok(())
    }

    fn bytes<const N: usize>(&mut self, what: &str) -> Result<[u8; N], ModelError> {
        self.needs(N as u64, what)?;
        let mut raw = [0; N];
        self.file.read_exact(&mut raw).map_err(ModelError::io("read", &self.path))?;
        self.at += N as u64;
        Ok(raw)
    }

    fn u32(&mut self, what: &str) -> Result<u32, ModelError> {
        Ok(u32::from_le_bytes(self.bytes(what)?))
    }

    /// A length of 16 bits that counts the final NUL, and the characters.
    fn string(&mut self, what: &str) -> Result<String, ModelError> {
        let length = u16::from_le_bytes(self.bytes(what)?);
        self.needs(u64::from(length), what)?;
        let mut raw = vec![0; usize::from(length)];
        self.file.read_exact(&mut raw).map_err(ModelError::io("read", &self.path))?;
        self.at += u64::from(length);
        if raw.pop() != Some(0) || raw.contains(&0) {
            return Err(self.fail(format!(
                "is damaged: {what} before offset {} is not a string that ends in NUL",
                self.at
            )));
        }
        String::from_utf8(raw).map_err(|_| {
            self.fail(format!("is damaged: {what} before offset {} is not text", self.at))
        })
    }

    fn skip(&mut self, bytes: u64) -> Result<(), ModelError> {
        self.at += bytes;
        self.file.seek(SeekFrom::Start(self.at)).map_err(ModelError::io("read", &self.path))?;
        Ok(())
    }
}

/// Opens `model.bin` and the vocabulary beside it.
///
/// # Errors
/// When the file is not CTranslate2's, not a Whisper, cut short or damaged.
pub(super) fn open(path: &Path) -> Result<Checkpoint, ModelError> {
    let mut r = Reader::open(path)?;
    let version = r.u32("the version")?;
    if !(5..=6).contains(&version) {
        return Err(r.fail(format!(
            "is not a model.bin of CTranslate2 in version 5 or 6: it begins with {version}"
        )));
    }
    let spec = r.string("the name of the model's kind")?;
    if spec != "WhisperSpec" {
        return Err(r.fail(format!(
            "holds a {spec:?} and no Whisper; only Whisper models can be imported"
        )));
    }
    let _revision = r.u32("the revision")?;
    let mut variables = variables(&mut r)?;
    aliases(&mut r, &mut variables)?;
    if r.at != r.length {
        return Err(r.fail(format!(
            "has {} bytes after its end at offset {}; it is damaged or another format",
            r.length - r.at,
            r.at
        )));
    }
    let shape = shape(&r, &variables)?;
    let mut tensors = HashMap::new();
    for wanted in names::wanted(&shape) {
        let place = &wanted.ctranslate2;
        let variable = find(&r, &variables, &place.name)?;
        let stored = variable.stored.as_ref().ok_or_else(|| no_float(&r, &place.name, variable))?;
        // A convolution's bias has one dimension here and two in ggml.
        let flat = wanted.shape.iter().filter(|&&n| n != 1);
        let slice = stored.slice(place.part, place.of).ok_or_else(|| {
            r.fail(format!(
                "the tensor {} of shape {:?} cannot be cut into {} equal parts",
                place.name, stored.shape, place.of
            ))
        })?;
        if !flat.eq(slice.shape.iter().filter(|&&n| n != 1)) {
            return Err(r.fail(format!(
                "the tensor {} has the shape {:?}; for {} it must be {:?} in {} parts",
                place.name, stored.shape, wanted.name, wanted.shape, place.of
            )));
        }
        tensors.insert(wanted.name, Stored { shape: wanted.shape, ..slice });
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let tokens = vocabulary::read(folder, shape.vocabulary)?;
    Ok(Checkpoint { files: vec![(path.to_owned(), r.file.into_inner())], shape, tokens, tensors })
}

fn variables(r: &mut Reader) -> Result<HashMap<String, Variable>, ModelError> {
    let count = r.u32("the number of variables")?;
    if count > MOST_VARIABLES {
        return Err(
            r.fail(format!("claims {count} variables; a Whisper has at most {MOST_VARIABLES}"))
        );
    }
    let mut all = HashMap::new();
    for i in 0..count {
        let name = r.string(&format!("the name of variable {i} of {count}"))?;
        let [rank] = r.bytes(&format!("the rank of {name}"))?;
        if rank > 4 {
            return Err(
                r.fail(format!("the variable {name} claims {rank} dimensions; at most 4 can be"))
            );
        }
        let mut shape = Vec::with_capacity(usize::from(rank));
        for _ in 0..rank {
            shape.push(u64::from(r.u32(&format!("the shape of {name}"))?));
        }
        let [dtype] = r.bytes(&format!("the type of {name}"))?;
        let length = u64::from(r.u32(&format!("the length of {name}"))?);
        r.needs(length, &format!("the variable {name}"))?;
        let size = match dtype {
            0 | 3 => 4,
            1 => 1,
            2 | 4 | 5 => 2,
            other => {
                return Err(r.fail(format!("the variable {name} has the unknown type {other}")));
            }
        };
        let elements = shape.iter().try_fold(1_u64, |n, &d| n.checked_mul(d));
        if elements.and_then(|n| n.checked_mul(size)) != Some(length) {
            return Err(r.fail(format!(
                "the variable {name} of shape {shape:?} and {size} bytes a value claims {length} bytes"
            )));
        }
        let float = match dtype {
            0 => Some(Dtype::F32),
            4 => Some(Dtype::F16),
            5 => Some(Dtype::Bf16),
            _ => None,
        };
        let stored =
            float.map(|dtype| Stored { file: 0, offset: r.at, dtype, shape: shape.clone() });
        let number = match (rank, dtype) {
            (0, 1) => Some(i64::from(i8::from_le_bytes(r.bytes(&name)?))),
            (0, 2) => Some(i64::from(i16::from_le_bytes(r.bytes(&name)?))),
            (0, 3) => Some(i64::from(i32::from_le_bytes(r.bytes(&name)?))),
            _ => {
                r.skip(length)?;
                None
            }
        };
        all.insert(name, Variable { stored, dtype, number, shape });
    }
    Ok(all)
}

/// A second name of a variable; they close the file.
fn aliases(r: &mut Reader, variables: &mut HashMap<String, Variable>) -> Result<(), ModelError> {
    let count = r.u32("the number of aliases")?;
    if count > MOST_VARIABLES {
        return Err(
            r.fail(format!("claims {count} aliases; a Whisper has at most {MOST_VARIABLES}"))
        );
    }
    for i in 0..count {
        let alias = r.string(&format!("alias {i} of {count}"))?;
        let name = r.string(&format!("the variable of the alias {alias}"))?;
        let known = variables.get(&name).map(|v| Variable {
            stored: v.stored.clone(),
            dtype: v.dtype,
            number: v.number,
            shape: v.shape.clone(),
        });
        if let Some(variable) = known {
            variables.entry(alias).or_insert(variable);
        }
    }
    Ok(())
}

fn find<'a>(
    r: &Reader,
    variables: &'a HashMap<String, Variable>,
    name: &str,
) -> Result<&'a Variable, ModelError> {
    variables
        .get(name)
        .ok_or_else(|| r.fail(format!("has no tensor {name}; it is not a whole Whisper")))
}

fn no_float(r: &Reader, name: &str, variable: &Variable) -> ModelError {
    let kind = match variable.dtype {
        1 => "8-bit",
        2 => "16-bit",
        _ => "32-bit",
    };
    r.fail(format!(
        "the tensor {name} is stored as {kind} integers; import the float16 or float32 form of the model and use --quantize"
    ))
}

fn shape(r: &Reader, variables: &HashMap<String, Variable>) -> Result<Shape, ModelError> {
    let dimensions = |name: &str, rank: usize| {
        let shape = &find(r, variables, name)?.shape;
        if shape.len() != rank {
            return Err(r.fail(format!(
                "the tensor {name} has the shape {shape:?}; {rank} dimensions must be"
            )));
        }
        Ok(shape.clone())
    };
    let layers = |side: &str| {
        let has = |i: &u64| {
            variables.contains_key(&format!("{side}/layer_{i}/self_attention/linear_0/weight"))
        };
        (0..u64::from(MOST_VARIABLES)).take_while(has).count() as u64
    };
    let embedding = dimensions("decoder/embeddings/weight", 2)?;
    let conv = dimensions("encoder/conv1/weight", 3)?;
    // Files before the number of heads was written have Whisper's 64 columns a head.
    let heads = match variables.get("encoder/num_heads").and_then(|v| v.number) {
        Some(n) => u64::try_from(n)
            .map_err(|_| r.fail(format!("encoder/num_heads is {n}; it must be positive")))?,
        None => embedding[1] / 64,
    };
    let shape = Shape {
        vocabulary: embedding[0],
        audio_positions: dimensions("encoder/position_encodings/encodings", 2)?[0],
        width: embedding[1],
        heads,
        audio_layers: layers("encoder"),
        text_positions: dimensions("decoder/position_encodings/encodings", 2)?[0],
        text_layers: layers("decoder"),
        mels: conv[1],
    };
    match shape.problem() {
        None => Ok(shape),
        Some(reason) => Err(r.fail(reason)),
    }
}
