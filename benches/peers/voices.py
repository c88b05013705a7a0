#!/usr/bin/env python3
"""Time to the first sound and RTF beside piper-tts and kokoro-onnx: the same voices, the same threads, in turns.

    python3 -m venv venv && venv/bin/pip install piper-tts==1.8.0 kokoro-onnx==0.6.1 numpy onnxruntime
    cargo build --release --example voices
    venv/bin/python benches/peers/voices.py target/release/examples/voices MODELS [ROUNDS]

MODELS is Hearken's folder of models. Each round lets every engine speak each text once after a warm-up, so that a busy
machine is busy for all of them. What is compared: the time until the caller holds the first samples. Hearken's begin
with audible sound, the others' with silence, which is not counted against them.
"""
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnxruntime
from kokoro_onnx import Kokoro
from piper import PiperVoice

example, models = sys.argv[1], pathlib.Path(sys.argv[2])
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
PIPER, KOKORO = "piper-en-us-joe-medium", "kokoro-af-heart"
source = pathlib.Path(__file__).parents[2] / "examples/voices.rs"
# The texts stand in the example: name, English, Chinese.
TEXTS = dict(re.findall(r'\(\s*"(short|sentence|paragraph)",\s*"([^"]+)"', source.read_text()))

piper = PiperVoice.load(next((models / PIPER).glob("*.onnx")))
style = np.fromfile(models / KOKORO / "af_heart.bin", np.float32).reshape(510, 1, 256)
npz = pathlib.Path(tempfile.mkdtemp()) / "voices.npz"
np.savez(npz, af_heart=style)
kokoro = Kokoro(str(next((models / "kokoro-82m").glob("*.onnx"))), str(npz))


def by_piper(text):
    return ((chunk.audio_float_array, chunk.sample_rate) for chunk in piper.synthesize(text))


def by_kokoro(text):
    yield kokoro.create(text, voice="af_heart", lang="en-us")


def measure(engine, text):
    began, first, seconds = time.perf_counter(), None, 0.0
    for samples, rate in engine(text):
        first = first or time.perf_counter() - began
        seconds += len(samples) / rate
    return first * 1000, (time.perf_counter() - began) / seconds


times = {}
for engine in (by_piper, by_kokoro):
    measure(engine, "One.")
for _ in range(rounds):
    run = subprocess.run([example, PIPER, KOKORO, "--runs", "1", "--json"], capture_output=True, text=True, check=True)
    ours = json.loads(run.stdout.splitlines()[-1])
    for name, text in TEXTS.items():
        for voice, peer, engine in ((PIPER, "piper-tts", by_piper), (KOKORO, "kokoro-onnx", by_kokoro)):
            mine = ours[voice][name]
            times.setdefault((voice, name, "hearken"), []).append((mine["ttfa_ms"], mine["rtf"]))
            times.setdefault((voice, name, peer), []).append(measure(engine, text))

print(f"onnxruntime {onnxruntime.__version__}, medians of {rounds} rounds")
print(f"{'voice':<26}{'text':<11}{'engine':<13}{'first ms':>9}{'RTF':>8}")
for (voice, name, engine), runs in times.items():
    first, rtf = (statistics.median(run[i] for run in runs) for i in (0, 1))
    print(f"{voice:<26}{name:<11}{engine:<13}{first:>9.0f}{rtf:>8.3f}")
