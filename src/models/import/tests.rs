//! A tiny Whisper, made here in both formats.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use half::{bf16, f16};
use proptest::prelude::*;

use super::checkpoint::Shape;
use super::quantize::tests::{block_bytes, unpack};
use super::{convert, ggml, mel, names};
use crate::models::catalogue::{Catalogue, Quantize};
use crate::models::{ModelError, ModelStore};

const TINY: Shape = Shape {
    vocabulary: 40,
    audio_positions: 6,
    width: 32,
    heads: 2,
    audio_layers: 2,
    text_positions: 5,
    text_layers: 1,
    mels: 80,
};

/// The weight at a place of a tensor: repeatable, uneven, exact in 16 bits.
fn weight(name: &str, i: u64) -> f32 {
    let seed = name.bytes().fold(17_u64, |h, b| h.wrapping_mul(31).wrapping_add(u64::from(b)));
    let x = (seed ^ i.wrapping_mul(2_654_435_761)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    f16::from_f32((x % 2_001) as f32 / 1_000.0 - 1.0).to_f32()
}

fn values(name: &str, shape: &[u64]) -> Vec<f32> {
    (0..shape.iter().product()).map(|i| weight(name, i)).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Number {
    F32,
    F16,
    Bf16,
}

fn raw(values: &[f32], number: Number) -> Vec<u8> {
    values
        .iter()
        .flat_map(|v| match number {
            Number::F32 => v.to_le_bytes().to_vec(),
            Number::F16 => f16::from_f32(*v).to_le_bytes().to_vec(),
            Number::Bf16 => bf16::from_f32(*v).to_le_bytes().to_vec(),
        })
        .collect()
}

fn write_vocabulary(folder: &Path) {
    let vocab: HashMap<String, u64> =
        (0..26).map(|i| (char::from(b'a' + i).to_string(), u64::from(i))).collect();
    let added = serde_json::json!([{ "content": "<|endoftext|>" }]);
    let tokenizer = serde_json::json!({ "model": { "vocab": vocab }, "added_tokens": added });
    fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
}

/// The numbered slices of one joined tensor.
type Slices = Vec<(u64, Vec<f32>)>;

/// CTranslate2 joins queries, keys and values; so this gathers the slices again.
fn ctranslate2_bytes(number: Number) -> Vec<u8> {
    let mut parts: Vec<(String, Slices, Vec<u64>)> = Vec::new();
    for w in names::wanted(&TINY) {
        let slice = (w.ctranslate2.part, values(&w.name, &w.shape));
        match parts.iter_mut().find(|(name, ..)| *name == w.ctranslate2.name) {
            Some((_, slices, _)) => slices.push(slice),
            None => {
                let mut shape = w.shape.clone();
                shape[0] *= w.ctranslate2.of;
                // The bias of a convolution has one dimension in this format.
                if w.name.contains("conv") && w.name.ends_with("bias") {
                    shape.truncate(1);
                }
                parts.push((w.ctranslate2.name.clone(), vec![slice], shape));
            }
        }
    }
    let mut variables: Vec<(String, Vec<u64>, u8, Vec<u8>)> = parts
        .into_iter()
        .map(|(name, mut slices, shape)| {
            let full: u64 = shape.iter().product();
            // Keys have no bias of their own; their place in the joined one holds zeros.
            if name.ends_with("linear_0/bias") && slices.len() == 2 {
                slices.push((1, vec![0.0; (full / 3) as usize]));
            } else if name.ends_with("attention/linear_1/bias") && slices[0].0 == 1 {
                slices.push((0, vec![0.0; (full / 2) as usize]));
            }
            slices.sort_by_key(|(part, _)| *part);
            let all: Vec<f32> = slices.into_iter().flat_map(|(_, v)| v).collect();
            assert_eq!(all.len() as u64, full, "{name}");
            let code = match number {
                Number::F32 => 0,
                Number::F16 => 4,
                Number::Bf16 => 5,
            };
            (name, shape, code, raw(&all, number))
        })
        .collect();
    variables.push(("encoder/num_heads".into(), vec![], 2, 2_i16.to_le_bytes().to_vec()));
    variables.push(("decoder/alignment_heads".into(), vec![1, 2], 2, vec![0; 4]));

    let mut out = 6_u32.to_le_bytes().to_vec();
    let string = |out: &mut Vec<u8>, s: &str| {
        out.extend((s.len() as u16 + 1).to_le_bytes());
        out.extend(s.bytes());
        out.push(0);
    };
    string(&mut out, "WhisperSpec");
    out.extend(3_u32.to_le_bytes());
    out.extend((variables.len() as u32).to_le_bytes());
    for (name, shape, code, data) in variables {
        string(&mut out, &name);
        out.push(shape.len() as u8);
        shape.iter().for_each(|&d| out.extend((d as u32).to_le_bytes()));
        out.push(code);
        out.extend((data.len() as u32).to_le_bytes());
        out.extend(data);
    }
    out.extend(1_u32.to_le_bytes());
    string(&mut out, "decoder/projection/weight");
    string(&mut out, "decoder/embeddings/weight");
    out
}

fn write_ctranslate2(folder: &Path, number: Number) {
    fs::create_dir_all(folder).unwrap();
    write_vocabulary(folder);
    fs::write(folder.join("model.bin"), ctranslate2_bytes(number)).unwrap();
}

fn safetensors_bytes(number: Number, keep: impl Fn(&str) -> bool) -> Vec<u8> {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for w in names::wanted(&TINY) {
        let name = format!("model.{}", w.transformers);
        if !keep(&name) {
            continue;
        }
        let shape: Vec<u64> = if name.contains("conv") && name.ends_with("bias") {
            vec![TINY.width]
        } else {
            w.shape.clone()
        };
        let bytes = raw(&values(&w.name, &w.shape), number);
        let dtype = match number {
            Number::F32 => "F32",
            Number::F16 => "F16",
            Number::Bf16 => "BF16",
        };
        let offsets = [data.len(), data.len() + bytes.len()];
        header.insert(
            name,
            serde_json::json!({ "dtype": dtype, "shape": shape, "data_offsets": offsets }),
        );
        data.extend(bytes);
    }
    let header = serde_json::Value::Object(header).to_string();
    let mut out = (header.len() as u64).to_le_bytes().to_vec();
    out.extend(header.bytes());
    out.extend(data);
    out
}

fn write_config(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    write_vocabulary(folder);
    let config = serde_json::json!({
        "model_type": "whisper", "d_model": TINY.width, "encoder_layers": TINY.audio_layers,
        "decoder_layers": TINY.text_layers, "encoder_attention_heads": TINY.heads,
        "num_mel_bins": TINY.mels, "vocab_size": TINY.vocabulary,
        "max_source_positions": TINY.audio_positions, "max_target_positions": TINY.text_positions,
    });
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

fn write_safetensors(folder: &Path, number: Number) {
    write_config(folder);
    fs::write(folder.join("model.safetensors"), safetensors_bytes(number, |_| true)).unwrap();
}

fn converted(from: &Path, quantize: Option<Quantize>) -> Result<Vec<u8>, ModelError> {
    let out = tempfile::NamedTempFile::new().unwrap();
    convert(from, None, quantize, out.as_file(), out.path())?;
    Ok(fs::read(out.path()).unwrap())
}

/// Name, type, shape (outermost first) and data of every tensor of a ggml file of [`TINY`].
fn tensors(file: &[u8]) -> HashMap<String, (i32, Vec<u64>, Vec<u8>)> {
    let number = |at: usize| i32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let mut at = 4 + 13 * 4 + TINY.mels as usize * mel::BINS * 4;
    let tokens = number(at);
    at += 4;
    for _ in 0..tokens {
        at += 4 + number(at) as usize;
    }
    let mut found = HashMap::new();
    while at < file.len() {
        let (rank, length, kind) = (number(at) as usize, number(at + 4) as usize, number(at + 8));
        at += 12;
        let mut shape: Vec<u64> = (0..rank).map(|i| number(at + 4 * i) as u64).collect();
        shape.reverse();
        at += 4 * rank;
        let name = String::from_utf8(file[at..at + length].to_vec()).unwrap();
        at += length;
        let elements = shape.iter().product::<u64>() as usize;
        let bytes = match kind {
            0 => elements * 4,
            1 => elements * 2,
            7 => elements / 32 * 24,
            8 => elements / 32 * 34,
            other => panic!("{name} has the type {other}"),
        };
        found.insert(name, (kind, shape, file[at..at + bytes].to_vec()));
        at += bytes;
    }
    found
}

#[test]
fn both_formats_and_all_number_formats_give_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    for quantize in [None, Some(Quantize::Q8_0), Some(Quantize::Q5_1)] {
        let mut files = Vec::new();
        for (i, number) in [Number::F16, Number::F32].into_iter().enumerate() {
            let (a, b) = (folder.path().join(format!("c{i}")), folder.path().join(format!("s{i}")));
            write_ctranslate2(&a, number);
            write_safetensors(&b, number);
            files.push(converted(&a, quantize).unwrap());
            files.push(converted(&b, quantize).unwrap());
        }
        assert!(files.windows(2).all(|two| two[0] == two[1]), "{quantize:?}");
    }
    // Brain floats lose digits on the way in, alike in both formats.
    let (a, b) = (folder.path().join("cb"), folder.path().join("sb"));
    write_ctranslate2(&a, Number::Bf16);
    write_safetensors(&b, Number::Bf16);
    assert_eq!(converted(&a, None).unwrap(), converted(&b, None).unwrap());
}

#[test]
fn every_tensor_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    write_ctranslate2(folder.path(), Number::F16);
    let file = converted(folder.path(), None).unwrap();
    assert_eq!(file[..4], ggml::MAGIC.to_le_bytes());
    let found = tensors(&file);
    let wanted = names::wanted(&TINY);
    assert_eq!(found.len(), wanted.len());
    for w in &wanted {
        let (kind, shape, data) = &found[&w.name];
        assert_eq!(*shape, w.shape, "{}", w.name);
        let number = if *kind == 0 { Number::F32 } else { Number::F16 };
        assert!(*data == raw(&values(&w.name, &w.shape), number), "{} differs", w.name);
        let full = w.shape.len() == 1
            || w.name.contains("positional")
            || w.name.contains("conv") && w.name.ends_with("bias");
        assert_eq!(*kind == 0, full, "{} has the type {kind}", w.name);
    }
}

#[test]
fn quantised_tensors_stay_near() {
    let folder = tempfile::tempdir().unwrap();
    write_safetensors(folder.path(), Number::F32);
    // Half a step of the widest block, with what 16-bit scales add.
    for (quantize, code, allowed) in [(Quantize::Q8_0, 8, 0.006), (Quantize::Q5_1, 7, 0.036)] {
        let found = tensors(&converted(folder.path(), Some(quantize)).unwrap());
        let mut seen = 0;
        for w in names::wanted(&TINY) {
            let (kind, _, data) = &found[&w.name];
            let matrix =
                w.shape.len() == 2 && !w.name.contains("conv") && !w.name.contains("positional");
            assert_eq!(*kind == code, matrix, "{}", w.name);
            if !matrix {
                continue;
            }
            seen += 1;
            let got = data.chunks(block_bytes(quantize)).flat_map(|b| unpack(quantize, b));
            for (i, (got, want)) in got.zip(values(&w.name, &w.shape)).enumerate() {
                assert!((got - want).abs() <= allowed, "{}[{i}]: {want} became {got}", w.name);
            }
        }
        assert!(seen > 20);
    }
}

#[test]
fn shards_are_read_together() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    write_safetensors(&whole, Number::F16);
    let cut = folder.path().join("cut");
    write_config(&cut);
    let first = |name: &str| name.contains("encoder.layers");
    fs::write(cut.join("model-1.safetensors"), safetensors_bytes(Number::F16, first)).unwrap();
    fs::write(cut.join("model-2.safetensors"), safetensors_bytes(Number::F16, |n| !first(n)))
        .unwrap();
    let map: HashMap<String, &str> = names::wanted(&TINY)
        .into_iter()
        .map(|w| format!("model.{}", w.transformers))
        .map(|n| (n.clone(), if first(&n) { "model-1.safetensors" } else { "model-2.safetensors" }))
        .collect();
    let index = cut.join("model.safetensors.index.json");
    fs::write(&index, serde_json::json!({ "weight_map": map }).to_string()).unwrap();
    assert_eq!(converted(&cut, None).unwrap(), converted(&whole, None).unwrap());
    fs::write(&index, r#"{"weight_map":{"a":"../model-1.safetensors"}}"#).unwrap();
    let error = converted(&cut, None).unwrap_err().to_string();
    assert!(error.contains("out of the folder"), "{error}");
}

#[test]
fn a_ready_file_is_taken_as_it_is_and_a_damaged_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    write_ctranslate2(&folder.path().join("c"), Number::F16);
    let good = converted(&folder.path().join("c"), None).unwrap();
    let path = folder.path().join("ggml.bin");
    fs::write(&path, &good).unwrap();
    assert_eq!(converted(&path, None).unwrap(), good);
    let error = converted(&path, Some(Quantize::Q8_0)).unwrap_err().to_string();
    assert!(error.contains("cannot be quantised"), "{error}");
    for length in [4, 60, 1_000, 70_000, good.len() - 1] {
        fs::write(&path, &good[..length]).unwrap();
        let error = converted(&path, None).unwrap_err().to_string();
        assert!(error.contains("ends too early"), "{length} bytes: {error}");
    }
    let tail = good.len() - 4 * TINY.width as usize - "decoder.ln.bias".len() - 16;
    fs::write(&path, &good[..tail]).unwrap();
    let error = converted(&path, None).unwrap_err().to_string();
    assert!(error.contains("decoder.ln.bias"), "{error}");
}

#[test]
fn what_is_no_whisper_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let good = ctranslate2_bytes(Number::F16);
    let replaced = |from: &[u8], to: &[u8]| {
        let at = good.windows(from.len()).position(|w| w == from).unwrap();
        [&good[..at], to, &good[at + from.len()..]].concat()
    };
    let eight_bit = {
        // The type code of the first matrix of a layer, after its name, rank and shape.
        let name = b"encoder/layer_0/self_attention/linear_0/weight\0";
        let at = good.windows(name.len()).position(|w| w == name).unwrap() + name.len() + 9;
        let mut file = good.clone();
        file[at] = 1;
        file
    };
    let mut long = good.clone();
    long.extend([0; 7]);
    for (file, part) in [
        (Vec::new(), "fewer than 4 bytes"),
        (b"PK\x03\x04 a zip file".to_vec(), "not a model.bin of CTranslate2"),
        (replaced(b"WhisperSpec", b"Transformer"), "\"Transformer\""),
        (replaced(b"encoder/conv1/weight", b"encoder/conv9/weight"), "encoder/conv1/weight"),
        (
            replaced(b"decoder/layer_0/ffn/linear_1/bias", b"decoder/layer_0/ffn/linear_9/bias"),
            "decoder/layer_0/ffn/linear_1/bias",
        ),
        (eight_bit, "linear_0/weight"),
        (long, "7 bytes after its end"),
        (good[..good.len() / 2].to_vec(), "ends too early"),
    ] {
        let path = folder.path().join("model.bin");
        fs::write(&path, file).unwrap();
        write_vocabulary(folder.path());
        let error = converted(&path, None).unwrap_err().to_string();
        assert!(error.contains(part) && error.contains("model.bin"), "want {part:?}: {error}");
    }
    fs::remove_file(folder.path().join("tokenizer.json")).unwrap();
    fs::write(folder.path().join("model.bin"), &good).unwrap();
    let error = converted(folder.path(), None).unwrap_err().to_string();
    assert!(error.contains("tokenizer.json"), "{error}");

    let hf = folder.path().join("hf");
    write_safetensors(&hf, Number::F16);
    let tensors = fs::read(hf.join("model.safetensors")).unwrap();
    let config = fs::read_to_string(hf.join("config.json")).unwrap();
    for (file, settings, part) in [
        (tensors[..tensors.len() - 1].to_vec(), config.clone(), "ends too early"),
        (u64::MAX.to_le_bytes().to_vec(), config.clone(), "header claims 18446744073709551615"),
        (vec![1, 2, 3], config.clone(), "3 bytes"),
        (tensors.clone(), config.replace("whisper", "wav2vec2"), "\"wav2vec2\""),
        (tensors.clone(), config.replace("\"d_model\":32", "\"d_model\":64"), "shape"),
        (
            tensors.clone(),
            config.replace("\"encoder_layers\":2", "\"encoder_layers\":3"),
            "encoder.layers.2",
        ),
        (
            tensors.clone(),
            config.replace("\"encoder_layers\":2", "\"encoder_layers\":99999999999"),
            "99999999999",
        ),
        (tensors, "{".into(), "settings of a Whisper"),
    ] {
        fs::write(hf.join("model.safetensors"), file).unwrap();
        fs::write(hf.join("config.json"), settings).unwrap();
        let error = converted(&hf, None).unwrap_err().to_string();
        assert!(error.contains(part), "want {part:?}: {error}");
    }
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert!(converted(&empty, None).unwrap_err().to_string().contains("model.bin"));
    fs::write(empty.join("pytorch_model.bin"), "pickle").unwrap();
    assert!(converted(&empty, None).unwrap_err().to_string().contains("pickled"));
}

#[test]
fn numbers_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_safetensors(folder.path(), Number::F32);
    let path = folder.path().join("model.safetensors");
    let good = fs::read(&path).unwrap();
    for (value, part) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (1e6, "1000000")] {
        // The last matrix in the file lies before three vectors of the width.
        let mut file = good.clone();
        let header = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
        let header: serde_json::Value = serde_json::from_slice(&file[8..8 + header]).unwrap();
        let fc2 = header["model.decoder.layers.0.fc2.weight"]["data_offsets"][0].as_u64().unwrap();
        let at = 8 + header.to_string().len() + fc2 as usize;
        file[at..at + 4].copy_from_slice(&value.to_le_bytes());
        fs::write(&path, file).unwrap();
        let error = converted(folder.path(), None).unwrap_err().to_string();
        assert!(error.contains(part) && error.contains("decoder.blocks.0.mlp.2.weight"), "{error}");
    }
}

#[test]
fn an_import_becomes_an_entry_and_goes_again() {
    let folder = tempfile::tempdir().unwrap();
    let (models, from) = (folder.path().join("models"), folder.path().join("c"));
    write_ctranslate2(&from, Number::F16);
    let store = ModelStore::open(Some(&models)).unwrap();
    let made = store.import(&from, "mine", Some(Quantize::Q8_0)).unwrap();
    assert!(!made.multilingual);
    // Who opens the store from now on finds it like any other model.
    let store = ModelStore::open(Some(&models)).unwrap();
    assert_eq!(store.path_of("mine").unwrap(), made.path);
    assert!(store.verify("mine").unwrap().iter().all(|(_, v)| *v == crate::models::Verdict::Good));
    // A second import under the same name replaces the first.
    let again = store.import(&from, "mine", None).unwrap();
    let store = ModelStore::open(Some(&models)).unwrap();
    assert_ne!(again.sha256, made.sha256);
    assert!(store.is_installed("mine"));
    assert!(store.remove("mine").unwrap());
    assert!(ModelStore::open(Some(&models)).unwrap().entry("mine").is_err());
    for (id, part) in [
        ("../x", "a-z"),
        ("", "1 to 64"),
        ("silero-vad", "detector"),
        ("whisper-base", "another model"),
    ] {
        let error = store.import(&from, id, None).unwrap_err().to_string();
        assert!(error.contains(part), "{id:?}: {error}");
        assert!(!store.is_installed("whisper-base"));
    }
    assert!(Catalogue::shipped().unwrap().entry("mine").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_cut_and_no_flipped_byte_makes_the_readers_panic(
        cut in 0.0_f64..1.0,
        flips in prop::collection::vec((0.0_f64..1.0, any::<u8>()), 0..4),
        early in any::<bool>(),
        hugging in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (name, mut file) = if hugging {
            write_config(folder.path());
            ("model.safetensors", safetensors_bytes(Number::F16, |_| true))
        } else {
            write_vocabulary(folder.path());
            ("model.bin", ctranslate2_bytes(Number::F16))
        };
        // The interesting bytes are the ones between the data, most of all in front.
        let reach = if early { 3_000.min(file.len()) } else { file.len() };
        for (at, byte) in &flips {
            file[(at * reach as f64) as usize] = *byte;
        }
        let whole = file.len();
        file.truncate(((cut * 2.0).min(1.0) * whole as f64) as usize);
        let shortened = file.len() < whole;
        fs::write(folder.path().join(name), file).unwrap();
        let result = converted(folder.path(), None);
        prop_assert!(!(shortened && result.is_ok()), "a file cut to {cut} was taken");
    }

    #[test]
    fn no_cut_and_no_flipped_byte_makes_the_ggml_check_panic(
        cut in 0.0_f64..2.0, at in 0.0_f64..1.0, byte in any::<u8>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        write_ctranslate2(folder.path(), Number::F16);
        let mut file = converted(folder.path(), None).unwrap();
        let whole = file.len();
        file[(at * whole as f64) as usize] = byte;
        file.truncate((cut.min(1.0) * whole as f64) as usize);
        let path = folder.path().join("ggml.bin");
        fs::write(&path, &file).unwrap();
        let result = ggml::check(&path);
        prop_assert!(!(file.len() < whole && result.is_ok()), "a file cut to {cut} was taken");
    }
}
