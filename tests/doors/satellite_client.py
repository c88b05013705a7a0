"""Plays Home Assistant to a Wyoming satellite, with the reference library. Prints one JSON object a step."""

import asyncio
import json
import math
import struct
import sys
import time

from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.pipeline import RunPipeline
from wyoming.satellite import PauseSatellite, RunSatellite

uri = sys.argv[1]


def tell(step, **values):
    print(json.dumps({"step": step, **values}, ensure_ascii=False), flush=True)


async def until(client, kind):
    events = []
    while True:
        event = await asyncio.wait_for(client.read_event(), 30)
        if event is None or Error.is_type(event.type):
            raise RuntimeError(f"{event and event.data} after {[e.type for e in events]}")
        events.append(event)
        if event.type == kind:
            return events


async def main():
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Describe().event())
        satellite = Info.from_event((await until(client, "info"))[-1]).satellite
        tell("describe", name=satellite.name, area=satellite.area, has_vad=satellite.has_vad)
        await client.write_event(RunSatellite().event())
        events = await until(client, "run-pipeline")
        run = RunPipeline.from_event(events[-1])
        tell("pipeline", start=run.start_stage.value, end=run.end_stage.value)
        await client.write_event(Ping(text="still?").event())
        events = await until(client, "audio-stop")
        chunks = [AudioChunk.from_event(event) for event in events if AudioChunk.is_type(event.type)]
        pongs = [Pong.from_event(event).text for event in events if Pong.is_type(event.type)]
        sound = b"".join(chunk.audio for chunk in chunks)
        loud = max(memoryview(sound).cast("h"))
        tell("heard", rate=chunks[0].rate, seconds=len(sound) / 32000, loud=loud, pongs=pongs)
        await client.write_event(Transcript(text="lock the front door").event())
        began = time.monotonic()
        await client.write_event(AudioStart(22050, 2, 1).event())
        for block in range(22):
            values = (int(12000 * math.sin(i / 8)) for i in range(block * 1024, (block + 1) * 1024))
            audio = b"".join(struct.pack("<h", value) for value in values)
            await client.write_event(AudioChunk(22050, 2, 1, audio).event())
        await client.write_event(AudioStop().event())
        await until(client, "played")
        tell("played", seconds=time.monotonic() - began)
        await client.write_event(PauseSatellite().event())
        await client.write_event(Ping(text="yes").event())
        await until(client, "pong")
        tell("paused")


asyncio.run(main())
