//! The tensors of a Whisper, and what each format calls them.

use super::checkpoint::Shape;

/// One tensor of the ggml file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// whisper.cpp's name.
    pub(super) name: String,
    /// Outermost first, as the file must have it.
    pub(super) shape: Vec<u64>,
    /// Where a faster-whisper file has it.
    pub(super) ctranslate2: Place,
    /// What Hugging Face calls it, without `model.` in front.
    pub(super) transformers: String,
}

/// A tensor, or one of the equal slices that are stored as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) part: u64,
    pub(super) of: u64,
}

fn whole(name: String) -> Place {
    Place { name, part: 0, of: 1 }
}

/// Every tensor that whisper.cpp reads, in the order in which they are written.
pub(super) fn wanted(s: &Shape) -> Vec<Wanted> {
    let mut all = Vec::new();
    let mut add = |name: String, shape: Vec<u64>, ctranslate2: Place, transformers: String| {
        all.push(Wanted { name, shape, ctranslate2, transformers });
    };
    let d = s.width;
    for (side, positions) in [("encoder", s.audio_positions), ("decoder", s.text_positions)] {
        add(
            format!("{side}.positional_embedding"),
            vec![positions, d],
            whole(format!("{side}/position_encodings/encodings")),
            format!("{side}.embed_positions.weight"),
        );
        if side == "encoder" {
            for (n, inputs) in [(1, s.mels), (2, d)] {
                add(
                    format!("encoder.conv{n}.weight"),
                    vec![d, inputs, 3],
                    whole(format!("encoder/conv{n}/weight")),
                    format!("encoder.conv{n}.weight"),
                );
                add(
                    format!("encoder.conv{n}.bias"),
                    vec![d, 1],
                    whole(format!("encoder/conv{n}/bias")),
                    format!("encoder.conv{n}.bias"),
                );
            }
        } else {
            add(
                "decoder.token_embedding.weight".into(),
                vec![s.vocabulary, d],
                whole("decoder/embeddings/weight".into()),
                "decoder.embed_tokens.weight".into(),
            );
        }
        let layers = if side == "encoder" { s.audio_layers } else { s.text_layers };
        for i in 0..layers {
            block(side, i, d, &mut add);
        }
        let last = if side == "encoder" { "ln_post" } else { "ln" };
        for (ours, ct2) in [("weight", "gamma"), ("bias", "beta")] {
            add(
                format!("{side}.{last}.{ours}"),
                vec![d],
                whole(format!("{side}/layer_norm/{ct2}")),
                format!("{side}.layer_norm.{ours}"),
            );
        }
    }
    all
}

fn block(side: &str, i: u64, d: u64, add: &mut impl FnMut(String, Vec<u64>, Place, String)) {
    let ours = format!("{side}.blocks.{i}");
    let theirs = format!("{side}/layer_{i}");
    let hf = format!("{side}.layers.{i}");
    let norm = |add: &mut dyn FnMut(String, Vec<u64>, Place, String), a: &str, b: &str, c: &str| {
        for (w, ct2) in [("weight", "gamma"), ("bias", "beta")] {
            add(
                format!("{ours}.{a}.{w}"),
                vec![d],
                whole(format!("{theirs}/{b}/{ct2}")),
                format!("{hf}.{c}.{w}"),
            );
        }
    };
    let linear = |add: &mut dyn FnMut(String, Vec<u64>, Place, String),
                  a: &str,
                  (b, part, of): (&str, u64, u64),
                  c: &str,
                  (rows, columns): (u64, u64)| {
        for (w, shape) in [("weight", vec![rows, columns]), ("bias", vec![rows])] {
            // Whisper's keys have no bias; a fused one holds zeros in its place.
            if w == "bias" && a.ends_with(".key") {
                continue;
            }
            add(
                format!("{ours}.{a}.{w}"),
                shape,
                Place { name: format!("{theirs}/{b}/{w}"), part, of },
                format!("{hf}.{c}.{w}"),
            );
        }
    };
    norm(add, "attn_ln", "self_attention/layer_norm", "self_attn_layer_norm");
    let fused = "self_attention/linear_0";
    linear(add, "attn.query", (fused, 0, 3), "self_attn.q_proj", (d, d));
    linear(add, "attn.key", (fused, 1, 3), "self_attn.k_proj", (d, d));
    linear(add, "attn.value", (fused, 2, 3), "self_attn.v_proj", (d, d));
    linear(add, "attn.out", ("self_attention/linear_1", 0, 1), "self_attn.out_proj", (d, d));
    if side == "decoder" {
        norm(add, "cross_attn_ln", "attention/layer_norm", "encoder_attn_layer_norm");
        let fused = "attention/linear_1";
        linear(
            add,
            "cross_attn.query",
            ("attention/linear_0", 0, 1),
            "encoder_attn.q_proj",
            (d, d),
        );
        linear(add, "cross_attn.key", (fused, 0, 2), "encoder_attn.k_proj", (d, d));
        linear(add, "cross_attn.value", (fused, 1, 2), "encoder_attn.v_proj", (d, d));
        linear(
            add,
            "cross_attn.out",
            ("attention/linear_2", 0, 1),
            "encoder_attn.out_proj",
            (d, d),
        );
    }
    norm(add, "mlp_ln", "ffn/layer_norm", "final_layer_norm");
    linear(add, "mlp.0", ("ffn/linear_0", 0, 1), "fc1", (4 * d, d));
    linear(add, "mlp.2", ("ffn/linear_1", 0, 1), "fc2", (d, 4 * d));
}
