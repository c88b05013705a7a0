"""Recognises and speaks once over Wyoming. Prints one JSON object a step."""

import asyncio
import json
import sys
import wave

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, wav_to_chunks
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.tts import Synthesize

uri, path = sys.argv[1:3]


async def until(client, kind, take=lambda event: None):
    while True:
        event = await client.read_event()
        if event is None or Error.is_type(event.type):
            raise RuntimeError(event and Error.from_event(event).text)
        take(event)
        if event.type == kind:
            return event


async def main():
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Transcribe(language="en").event())
        with wave.open(path, "rb") as wav:
            for chunk in wav_to_chunks(wav, 1024, start_event=True, stop_event=True):
                await client.write_event(chunk.event())
        text = Transcript.from_event(await until(client, "transcript")).text
        print(json.dumps({"step": "transcribe", "text": text}), flush=True)
        chunks = []
        take = lambda event: chunks.append(event) if AudioChunk.is_type(event.type) else None
        await client.write_event(Synthesize(text="Hello.").event())
        await until(client, "audio-stop", take)
        sound = b"".join(chunk.payload for chunk in chunks)
        loud = max(memoryview(sound).cast("h"))
        rate = chunks[0].data["rate"]
        print(json.dumps({"step": "speak", "rate": rate, "samples": len(sound) // 2, "loud": loud}), flush=True)


asyncio.run(main())
