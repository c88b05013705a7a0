"""Talks to a Hearken server with OpenAI's SDK. Prints one JSON object a step."""

import base64
import io
import json
import sys
import time
import wave

import openai
from openai.types import Model
from openai.types.audio import (
    Transcription,
    TranscriptionTextDeltaEvent,
    TranscriptionTextDoneEvent,
    TranscriptionVerbose,
    TranslationVerbose,
)

import strict

base_url, token, command, folder = sys.argv[1:5]
client = openai.OpenAI(base_url=base_url, api_key=token, max_retries=0, timeout=60)


def tell(step, **values):
    print(json.dumps({"step": step, **values}, ensure_ascii=False), flush=True)


def wrong(step, call):
    try:
        call()
    except openai.APIStatusError as error:
        tell(step, status=error.status_code, message=error.message, code=error.code, param=error.param)
    else:
        raise RuntimeError(f"{step}: no error")


def transcribe(**more):
    with open(command, "rb") as file:
        return client.audio.transcriptions.create(file=file, **{"model": "whisper-1", "language": "en", **more})


tell("models", ids=[model.id for model in client.models.list()])
tell("model", id=client.models.retrieve("whisper-1").id)
wrong("no_model", lambda: client.models.retrieve("gpt-9"))

plain = transcribe()
tell("json", text=plain.text, raw=json.loads(plain.model_dump_json()))
tell("text", text=transcribe(response_format="text"))
tell("srt", text=transcribe(response_format="srt"))
tell("vtt", text=transcribe(response_format="vtt"))
verbose = transcribe(response_format="verbose_json", timestamp_granularities=["word", "segment"])
tell("verbose", raw=json.loads(verbose.model_dump_json()), words=[word.word for word in verbose.words])
events = list(transcribe(model="gpt-4o-transcribe", stream=True))
deltas = "".join(event.delta for event in events if event.type == "transcript.text.delta")
tell("stream", deltas=deltas, last=events[-1].type, text=events[-1].text)
with open(command, "rb") as file:
    tell("translate", text=client.audio.translations.create(file=file, model="whisper-1").text)

# All of it once more, read strictly.
with open(command, "rb") as file:
    sound = file.read()


def raw(**more):
    asked = {"file": ("a.wav", sound), "model": "whisper-1", "language": "en", **more}
    return client.audio.transcriptions.with_raw_response.create(**asked).text


strict.read(Transcription, raw(), "CreateTranscriptionResponseJson")
verbose = raw(response_format="verbose_json", timestamp_granularities=["word", "segment"])
strict.read(TranscriptionVerbose, verbose, "CreateTranscriptionResponseVerboseJson")
with client.audio.transcriptions.with_streaming_response.create(
    file=("a.wav", sound), model="whisper-1", stream=True
) as response:
    lines = [line[6:] for line in response.iter_lines() if line.startswith("data: {")]
for line in lines[:-1]:
    strict.read(TranscriptionTextDeltaEvent, line, "TranscriptTextDeltaEvent")
strict.read(TranscriptionTextDoneEvent, lines[-1], "TranscriptTextDoneEvent")
translation = client.audio.translations.with_raw_response.create(
    file=("a.wav", sound), model="whisper-1", response_format="verbose_json"
)
strict.read(TranslationVerbose, translation.text, "CreateTranslationResponseVerboseJson")
for model in strict.described("ListModelsResponse", client.models.with_raw_response.list().text)["data"]:
    strict.read(Model, json.dumps(model))
tell("strict", events=len(lines))

wrong("wrong_format", lambda: transcribe(response_format="diarized_json"))
wrong("wrong_model", lambda: transcribe(model="nonsense"))
wrong("wrong_language", lambda: transcribe(language="xx"))
noise = io.BytesIO(b"this is no sound at all")
noise.name = "a.wav"
wrong("no_sound", lambda: client.audio.transcriptions.create(file=noise, model="whisper-1"))


def speak(**more):
    asked = {"model": "tts-1", "voice": "alloy", "input": "The kitchen light is on.", **more}
    return client.audio.speech.create(**asked)


path = f"{folder}/speech.wav"
with client.audio.speech.with_streaming_response.create(
    model="tts-1", voice="alloy", input="The kitchen light is on.", response_format="wav"
) as response:
    kind = response.headers["content-type"]
    response.stream_to_file(path)
with open(path, "rb") as file:
    tell("wav", kind=kind, bytes=len(file.read()))
tell("pcm", bytes=len(speak(response_format="pcm").content))
tell("fast", bytes=len(speak(response_format="pcm", speed=2.0).content))
with io.BytesIO(speak(response_format="opus").content) as file:
    file.name = "a.ogg"
    again = client.audio.transcriptions.create(file=file, model="whisper-1", language="en")
    tell("opus_heard", text=again.text)
for form in ["flac", "opus"]:
    sound = speak(response_format=form).content
    open(f"{folder}/speech.{form}", "wb").write(sound)
    tell(form, bytes=len(sound), head=sound[:4].decode("latin-1"))
tell("chinese", bytes=len(speak(input="现在是下午三点。", response_format="pcm").content))
with client.audio.speech.with_streaming_response.create(
    model="tts-1", voice="alloy", input="The kitchen light is on.", response_format="mp3"
) as response:
    kind = response.headers["content-type"]
    response.stream_to_file(f"{folder}/speech.mp3")
# What a client gets that names no format.
tell("mp3", kind=kind, usual=speak().content[:2].hex())
wrong("aac", lambda: speak(response_format="aac"))
wrong("no_voice", lambda: speak(voice="../../etc/passwd"))
wrong("too_long", lambda: speak(input="a" * 5000))
wrong("too_fast", lambda: speak(speed=9))
with client.audio.speech.with_streaming_response.create(
    model="tts-1", voice="alloy", input="The kitchen light is on.", response_format="pcm",
    extra_body={"stream_format": "sse"},
) as response:
    lines = [json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: ")]
sound = b"".join(base64.b64decode(line["audio"]) for line in lines if line["type"] == "speech.audio.delta")
for line in lines[:-1]:
    assert set(line) == {"type", "audio"}, line
assert set(lines[-1]) == {"type", "usage"}, lines[-1]
tell("sse", bytes=len(sound), last=lines[-1]["type"], raw=lines[-1])
began = time.monotonic()
long = "The first sentence is here. " + "And another sentence comes after it, which takes its time. " * 12
with client.audio.speech.with_streaming_response.create(
    model="tts-1", voice="alloy", input=long, response_format="pcm"
) as response:
    parts = response.iter_bytes(4096)
    next(parts)
    first = time.monotonic() - began
    for _ in parts:
        pass
tell("flows", first=first, whole=time.monotonic() - began)

stranger = openai.OpenAI(base_url=base_url, api_key="wrong", max_retries=0)
wrong("no_token", lambda: stranger.models.list())
