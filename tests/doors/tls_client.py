"""Talks to an encrypted Hearken server with OpenSSL, by Python's ssl. Prints one JSON object a step."""

import asyncio
import hashlib
import json
import ssl
import sys

import openai
from wyoming.event import async_read_event, async_write_event
from wyoming.info import Describe

base_url, host, port, certificate = sys.argv[1:5]


def tell(step, **values):
    print(json.dumps({"step": step, **values}, ensure_ascii=False), flush=True)


trusting = ssl.create_default_context(cafile=certificate)
client = openai.OpenAI(
    base_url=base_url, api_key="any", max_retries=0, http_client=openai.DefaultHttpxClient(verify=trusting)
)
tell("models", ids=[model.id for model in client.models.list()])
try:
    openai.OpenAI(base_url=base_url, api_key="any", max_retries=0).models.list()
except openai.APIConnectionError as error:
    tell("stranger", why=str(error.__cause__))


async def wyoming():
    reader, writer = await asyncio.open_connection(host, int(port), ssl=trusting, server_hostname="localhost")
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    await async_write_event(Describe().event(), writer)
    event = await async_read_event(reader)
    tell("wyoming", kind=event.type, fingerprint=hashlib.sha256(shown).hexdigest().upper())
    writer.close()
    reader, writer = await asyncio.open_connection(host, int(port))
    await async_write_event(Describe().event(), writer)
    event = await async_read_event(reader)
    tell("plain", kind=event.type, text=event.data["text"])


asyncio.run(wyoming())
