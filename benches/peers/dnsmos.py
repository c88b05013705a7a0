#!/usr/bin/env python3
"""How good a voice sounds, as DNSMOS (Microsoft, P.835) judges it: 1 to 5, the mean over WAV files.

    python3 -m venv venv && venv/bin/pip install speechmos==0.0.1.1 librosa onnxruntime soundfile
    cargo run --release --example round_trip -- DATA --out spoken
    venv/bin/python benches/peers/dnsmos.py spoken

The files are grouped by their names without the number at the end.
"""
import collections
import pathlib
import sys

import librosa
from speechmos import dnsmos

groups = collections.defaultdict(list)
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.wav")):
    samples, _ = librosa.load(path, sr=16000)
    groups[path.stem.rsplit("-", 1)[0]].append(dnsmos.run(samples, sr=16000))
for name, scores in groups.items():
    mean = {key: sum(score[key] for score in scores) / len(scores) for key in ("ovrl_mos", "sig_mos", "bak_mos")}
    print(f"{name:<28} overall {mean['ovrl_mos']:.2f}, speech {mean['sig_mos']:.2f}, "
          f"background {mean['bak_mos']:.2f} ({len(scores)} files)")
