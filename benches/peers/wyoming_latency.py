#!/usr/bin/env python3
"""Latencies over Wyoming beside wyoming-faster-whisper and wyoming-piper: the same models, the same threads, in turns.

    python3 -m venv target/peers
    target/peers/bin/pip install wyoming wyoming-faster-whisper==3.8.1 wyoming-piper==2.5.2
    cargo build --release
    target/peers/bin/python benches/peers/wyoming_latency.py target/release/hearken MODELS CT2 [ROUNDS]

MODELS is Hearken's folder of models; CT2 is a folder with Whisper base as CTranslate2 has it, from which ours was made
(`hub = "Systran/faster-whisper-base"` in voices/whisper-base.toml). Each round asks every server each question once, so
that a busy machine is busy for all of them. Speech is sent at its own speed; what is measured is the time from its end to the
transcript, and from a text to the first and the last of its sound. `whole` sends the recording at once.
"""
import asyncio
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.info import Describe
from wyoming.tts import Synthesize, SynthesizeVoice

hearken, models, ct2 = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 5
root = pathlib.Path(__file__).parents[2]
VOICE = "en_US-joe-medium"
TEXTS = {
    "short": "Turned on the light.",
    "sentence": "It is twenty-one and a half degrees in the living room, and the front door is locked.",
    "paragraph": "Good morning. It is seven o'clock, and the sun is about to rise. "
    "It will be a cold day with some rain in the afternoon, so take a coat with you. "
    "The heating is on, the garage is closed, and there is one thing in your calendar: a visit to the dentist at ten.",
}
work = pathlib.Path(tempfile.mkdtemp())


def free():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def recordings():
    """PCM of the recorded commands, by Hearken's own decoder of files."""
    from faster_whisper.audio import decode_audio

    for name in ["1", "4", "5"]:
        samples = decode_audio(str(root / f"examples/recordings/{name}.flac"), 16000)
        yield name, (samples * 32767).astype("<i2").tobytes()


async def describe(uri):
    async with AsyncClient.from_uri(uri) as client:
        began = time.monotonic()
        await client.write_event(Describe().event())
        await client.read_event()
        return time.monotonic() - began


async def transcribe(uri, sound, at_its_speed):
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Transcribe(language="en").event())
        await client.write_event(AudioStart(16000, 2, 1).event())
        began = time.monotonic()
        for at in range(0, len(sound), 1920):
            if at_its_speed:
                await asyncio.sleep(max(0, began + at / 32000 - time.monotonic()))
            await client.write_event(AudioChunk(16000, 2, 1, sound[at : at + 1920]).event())
        await client.write_event(AudioStop().event())
        ended = time.monotonic()
        while True:
            event = await client.read_event()
            assert event is not None and not Error.is_type(event.type), event
            if event.type == "transcript":
                return time.monotonic() - ended, event.data["text"].strip()


async def speak(uri, text, voice):
    async with AsyncClient.from_uri(uri) as client:
        began, first = time.monotonic(), None
        await client.write_event(Synthesize(text=text, voice=SynthesizeVoice(name=voice)).event())
        while True:
            event = await client.read_event()
            assert event is not None and not Error.is_type(event.type), event
            if AudioChunk.is_type(event.type):
                first = first or time.monotonic() - began
            if AudioStop.is_type(event.type):
                return first, time.monotonic() - began


async def main():
    data = work / "piper"
    data.mkdir()
    for suffix in [".onnx", ".onnx.json"]:
        (data / f"{VOICE}{suffix}").symlink_to((models / f"piper-en-us-joe-medium/{VOICE}{suffix}").resolve())
    ports = [free() for _ in range(4)]
    config = work / "hearken.toml"
    config.write_text(f'[serve]\nwyoming = "127.0.0.1:{ports[0]}"\nhttp = "127.0.0.1:{ports[1]}"\n[tts]\ncache_mb = 0\n')
    python = pathlib.Path(sys.executable)
    threads = str(min(os.cpu_count(), 4))
    environment = {**os.environ, "HEARKEN_MODELS": str(models), "HF_HUB_OFFLINE": "1", "XDG_STATE_HOME": str(work)}
    commands = [
        [hearken, "serve", "--config", config],
        [python, "-m", "wyoming_faster_whisper", "--uri", f"tcp://127.0.0.1:{ports[2]}", "--model", ct2,
         "--data-dir", work, "--language", "en", "--beam-size", "1", "--cpu-threads", threads, "--compute-type", "float32"],
        [python, "-m", "wyoming_piper", "--uri", f"tcp://127.0.0.1:{ports[3]}", "--voice", VOICE,
         "--data-dir", data, "--download-dir", data],
    ]
    log = open(work / "log", "w")
    servers = [subprocess.Popen([str(word) for word in command], env=environment, stdout=log, stderr=log) for command in commands]
    ours, whisper, piper = (f"tcp://127.0.0.1:{ports[i]}" for i in (0, 2, 3))
    try:
        for uri in (ours, whisper, piper):
            for _ in range(600):
                try:
                    await describe(uri)
                    break
                except (ConnectionRefusedError, OSError):
                    await asyncio.sleep(0.1)
            else:
                raise RuntimeError(f"{uri} does not come up; see {work}/log")
        found, texts = {}, {}
        sounds = dict(recordings())
        for turn in range(-1, rounds):
            def note(what, who, seconds):
                if turn >= 0:
                    found.setdefault(what, {}).setdefault(who, []).append(seconds)

            for who, uri in [("ours", ours), ("theirs", whisper)]:
                note("describe, ASR", who, await describe(uri))
            for name, sound in sounds.items():
                for live in (True, False):
                    for who, uri in [("ours", ours), ("theirs", whisper)]:
                        seconds, text = await transcribe(uri, sound, live)
                        note(f"transcript of {name}.flac, {'live' if live else 'whole'}", who, seconds)
                        texts[name, who] = text
            for name, text in TEXTS.items():
                for who, uri, voice in [("ours", ours, "piper-en-us-joe-medium"), ("theirs", piper, VOICE)]:
                    first, last = await speak(uri, text, voice)
                    note(f"{name}, first sound", who, first)
                    note(f"{name}, last sound", who, last)
        print("| what | Hearken | wyoming-faster-whisper, wyoming-piper | ratio |\n|---|---|---|---|")
        for what, by in found.items():
            a, b = (statistics.median(by[who]) * 1000 for who in ("ours", "theirs"))
            print(f"| {what} | {a:.0f} ms | {b:.0f} ms | {a / b:.2f} |")
        print(json.dumps({f"{name} {who}": text for (name, who), text in texts.items()}), file=sys.stderr)
    finally:
        for server in servers:
            server.terminate()


asyncio.run(main())
