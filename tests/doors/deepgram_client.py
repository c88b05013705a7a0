"""Transcribes with Deepgram's SDK against a Hearken server. Prints one JSON object a step.

deepgram_client.py HTTP TOKEN COMMAND.wav
"""

import json
import pathlib
import sys
import wave

from deepgram import DeepgramClient
from deepgram.listen.v1 import types
from deepgram.environment import DeepgramClientEnvironment

import strict

http, token, command = sys.argv[1:4]
server = DeepgramClientEnvironment(base=f"http://{http}", production=f"ws://{http}", agent=f"ws://{http}", agent_rest=f"http://{http}")
client = DeepgramClient(api_key=token, environment=server)


def tell(step, **values):
    print(json.dumps({"step": step, **values}, ensure_ascii=False), flush=True)


def ulaw(sample):
    """One sample by G.711."""
    sign, sample = (0x80, min(-sample, 32635)) if sample < 0 else (0, min(sample, 32635))
    sample += 0x84
    exponent = sample.bit_length() - 8
    return ~(sign | exponent << 4 | sample >> (exponent + 3) & 0x0F) & 0xFF


def receive(connection):
    raw = connection._websocket.recv()
    message = json.loads(raw)
    kinds = {"Results": "ListenV1Results", "Metadata": "ListenV1Metadata", "SpeechStarted": "ListenV1SpeechStarted",
             "UtteranceEnd": "ListenV1UtteranceEnd"}
    return strict.read(getattr(types, kinds[message["type"]]), raw)


def hear(step, data, *, piece=3200, finalize=False, **options):
    options = {"model": "nova-3", "language": "en-US", "vad_events": "true", "utterance_end_ms": "1000", **options}
    with client.listen.v1.connect(**options) as connection:
        connection.send_keep_alive()
        for at in range(0, len(data), piece):
            connection.send_media(data[at : at + piece])
        texts, kinds = [], []
        if finalize:
            # Several turns over one connection, and then one in which nothing was said.
            connection.send_finalize()
            while True:
                message = receive(connection)
                kinds.append(message.type)
                if message.type == "Results" and message.is_final and message.from_finalize:
                    break
            texts.append(message.channel.alternatives[0].transcript)
            connection.send_finalize()
            silent = receive(connection)
            while silent.type != "Results":
                silent = receive(connection)
            texts.append(silent.channel.alternatives[0].transcript)
            for at in range(0, len(data), piece):
                connection.send_media(data[at : at + piece])
        connection.send_close_stream()
        while True:
            message = receive(connection)
            kinds.append(message.type)
            if message.type == "Results" and message.is_final:
                texts.append(message.channel.alternatives[0].transcript)
                words = [word.word for word in message.channel.alternatives[0].words]
            if message.type == "Metadata":
                break
        tell(step, texts=texts, kinds=kinds, words=words, duration=message.duration)


with wave.open(command, "rb") as wav:
    samples = wav.readframes(wav.getnframes())
shorts = memoryview(samples).cast("h")
hear("linear16", samples, encoding="linear16", sample_rate="16000")
hear("interim", samples, encoding="linear16", sample_rate="16000", interim_results="true", endpointing="300")
hear("mulaw", bytes(ulaw(value) for value in shorts[::2]), encoding="mulaw", sample_rate="8000", piece=160)
hear("wav", pathlib.Path(command).read_bytes(), piece=1000)
hear("turns", samples, encoding="linear16", sample_rate="16000", finalize=True)
for step, options in [("encoding", {"encoding": "opus", "sample_rate": "16000"}), ("language", {"language": "tlh"})]:
    try:
        hear(step, samples, **options)
    except Exception as error:
        tell(step, error=str(error))
try:
    stranger = DeepgramClient(api_key="wrong", environment=server)
    with stranger.listen.v1.connect(model="nova-3"):
        tell("stranger", error=None)
except Exception as error:
    tell("stranger", error=str(error))
