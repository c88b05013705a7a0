"""Talks to a Hearken server with the reference library of Wyoming. Prints one JSON object a step."""

import asyncio
import json
import sys
import time
import wave

from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.audio import AudioChunk, AudioStart, AudioStop, wav_to_chunks
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.handle import Handled, NotHandled
from wyoming.info import Describe, Info
from wyoming.intent import Intent, NotRecognized, Recognize
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.ping import Ping, Pong
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)
from wyoming.vad import VoiceStarted, VoiceStopped


def tell(step, **values):
    print(json.dumps({"step": step, **values}, ensure_ascii=False), flush=True)


async def describe(uri):
    async with AsyncClient.from_uri(uri) as client:
        began = time.monotonic()
        await client.write_event(Describe().event())
        info = Info.from_event(await client.read_event())
        took = time.monotonic() - began
        tell(
            "describe",
            seconds=took,
            asr_languages=info.asr[0].models[0].languages,
            asr_streaming=info.asr[0].supports_transcript_streaming,
            voices=[voice.name for voice in info.tts[0].voices],
            tts_streaming=info.tts[0].supports_synthesize_streaming,
            intents=len(info.intent),
            handlers=len(info.handle),
        )
        await client.write_event(Ping(text="here?").event())
        tell("ping", text=Pong.from_event(await client.read_event()).text)


async def transcribe(uri, path, language, step):
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Transcribe(language=language).event())
        kinds, chunks = [], ""
        with wave.open(path, "rb") as wav:
            for chunk in wav_to_chunks(wav, 1024, start_event=True, stop_event=True):
                await client.write_event(chunk.event())
        began = time.monotonic()
        while True:
            event = await client.read_event()
            if event is None:
                raise RuntimeError(f"closed after {kinds}")
            kinds.append(event.type)
            if Error.is_type(event.type):
                raise RuntimeError(Error.from_event(event).text)
            if TranscriptChunk.is_type(event.type):
                chunks += TranscriptChunk.from_event(event).text
            if Transcript.is_type(event.type):
                transcript = Transcript.from_event(event)
            if TranscriptStop.is_type(event.type):
                break
        tell(
            step,
            text=transcript.text,
            language=transcript.language,
            chunks=chunks,
            seconds=time.monotonic() - began,
            kinds=kinds,
        )


async def hear(client, until):
    """The audio up to an event of the type, as (rate, samples, starts, stops)."""
    rate = samples = starts = stops = 0
    loud = 0
    began, first = time.monotonic(), None
    while True:
        event = await client.read_event()
        if event is None:
            raise RuntimeError("closed")
        if Error.is_type(event.type):
            raise RuntimeError(Error.from_event(event).text)
        if AudioStart.is_type(event.type):
            starts += 1
        if AudioChunk.is_type(event.type):
            chunk = AudioChunk.from_event(event)
            first = first or time.monotonic() - began
            rate = chunk.rate
            samples += len(chunk.audio) // 2
            values = memoryview(chunk.audio).cast("h")
            loud = max(loud, max(values, default=0))
        if AudioStop.is_type(event.type):
            stops += 1
        if event.type == until:
            return dict(rate=rate, samples=samples, starts=starts, stops=stops, loud=loud, first=first)


async def speak(uri):
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Synthesize(text="The kitchen light is on.").event())
        tell("synthesize", **await hear(client, "audio-stop"))
        voice = SynthesizeVoice(name="kokoro-zf-xiaobei")
        await client.write_event(Synthesize(text="灯开了。", voice=voice).event())
        tell("synthesize_voice", **await hear(client, "audio-stop"))
        await client.write_event(SynthesizeStart(voice=SynthesizeVoice(language="en-US")).event())
        text = "It is twenty-one point five degrees. The door is locked."
        for i in range(0, len(text), 7):
            await client.write_event(SynthesizeChunk(text=text[i : i + 7]).event())
        await client.write_event(Synthesize(text=text).event())
        await client.write_event(SynthesizeStop().event())
        tell("synthesize_stream", **await hear(client, "synthesize-stopped"))
        wrong = SynthesizeVoice(name="../../etc/passwd")
        await client.write_event(Synthesize(text="No.", voice=wrong).event())
        event = await client.read_event()
        tell("no_voice", kind=event.type, text=Error.from_event(event).text)


async def understand(uri):
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Recognize(text="turn on the kitchen light").event())
        intent = Intent.from_event(await client.read_event())
        entities = {entity.name: entity.value for entity in intent.entities}
        tell("recognize", name=intent.name, entities=entities)
        await client.write_event(Recognize(text="colourless green ideas").event())
        tell("not_recognized", kind=(await client.read_event()).type)
        context = {"conversation_id": "c1", "area": "Kitchen"}
        for step, text, language in [
            ("handle", "turn on the light", "en"),
            ("handle_zh", "打开书房的灯", "zh-CN"),
            ("not_handled", "colourless green ideas", "en"),
        ]:
            event = Transcript(text=text, language=language, context=context).event()
            await client.write_event(event)
            event = await client.read_event()
            tell(step, kind=event.type, text=event.data.get("text"), context=event.data.get("context"))


async def satellite(uri, path):
    """Sends sound as a satellite does, without saying where the command ends."""
    async with AsyncClient.from_uri(uri) as client:
        pipeline = RunPipeline(start_stage=PipelineStage.ASR, end_stage=PipelineStage.TTS)
        await client.write_event(pipeline.event())
        with wave.open(path, "rb") as wav:
            sound = wav.readframes(wav.getnframes()) + bytes(2 * 24000)
        for at in range(0, len(sound), 2048):
            await client.write_event(AudioChunk(16000, 2, 1, sound[at : at + 2048]).event())
        kinds = []
        while "audio-stop" not in kinds:
            event = await client.read_event()
            if event is None or Error.is_type(event.type):
                raise RuntimeError(f"{event} after {kinds}")
            if event.type not in kinds:
                kinds.append(event.type)
            if Handled.is_type(event.type):
                text = Handled.from_event(event).text
        tell("satellite", kinds=kinds, text=text)


async def main():
    uri, command, chinese = sys.argv[1:4]
    await describe(uri)
    await transcribe(uri, command, "en", "transcribe")
    await transcribe(uri, chinese, "zh-CN", "transcribe_zh")
    await speak(uri)
    await understand(uri)
    await satellite(uri, command)


asyncio.run(main())
