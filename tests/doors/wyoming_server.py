"""A Wyoming server of the reference library that recognises and speaks as it is told, for a test.

Prints its port. `broken` as an argument has it fail, `silent` say nothing, and `empty` offer nothing.
"""

import asyncio
import math
import struct
import sys

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import AsrModel, AsrProgram, Attribution, Describe, Info, TtsProgram, TtsVoice
from wyoming.server import AsyncEventHandler, AsyncTcpServer
from wyoming.tts import Synthesize

manner = sys.argv[1] if len(sys.argv) > 1 else "well"
about = dict(attribution=Attribution(name="test", url=""), installed=True, description=None, version=None)
info = Info(
    asr=[AsrProgram(name="t", models=[AsrModel(name="tiny", languages=["en"], **about)], **about)],
    tts=[TtsProgram(name="t", voices=[TtsVoice(name="beep", languages=["en"], **about)], **about)],
)
if manner == "empty":
    info = Info()


class Handler(AsyncEventHandler):
    language = None
    samples = 0

    async def handle_event(self, event: Event) -> bool:
        if Describe.is_type(event.type):
            await self.write_event(info.event())
        elif manner == "silent":
            return True
        elif manner == "broken":
            await self.write_event(Error(text="out of order", code="x").event())
        elif Transcribe.is_type(event.type):
            self.language = Transcribe.from_event(event).language
        elif AudioChunk.is_type(event.type):
            self.samples += len(AudioChunk.from_event(event).audio) // 2
        elif AudioStop.is_type(event.type):
            assert self.samples > 16000
            await self.write_event(Transcript(text=" Turn on the kitchen light.").event())
            return False
        elif Synthesize.is_type(event.type):
            assert Synthesize.from_event(event).voice.name == "beep"
            await self.write_event(AudioStart(rate=22050, width=2, channels=2).event())
            for block in range(10):
                tone = (int(9000 * math.sin(i / 10)) for i in range(block * 2205, (block + 1) * 2205))
                audio = b"".join(struct.pack("<hh", value, value) for value in tone)
                await self.write_event(AudioChunk(22050, 2, 2, audio).event())
            await self.write_event(AudioStop().event())
        return True


async def main():
    server = AsyncTcpServer("127.0.0.1", 0)
    await server.start(Handler)
    print(server._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
