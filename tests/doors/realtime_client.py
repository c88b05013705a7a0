"""Holds Realtime sessions with a Hearken server through OpenAI's SDK. Prints one JSON object a step."""

import base64
import json
import sys
import time
import wave

import openai

import strict

base_url, token, command = sys.argv[1:4]
client = openai.OpenAI(base_url=base_url, api_key=token, max_retries=0)


def tell(step, **values):
    print(json.dumps({"step": step, **values}, ensure_ascii=False), flush=True)


def sound(path):
    """24 kHz, from a file at 16 kHz: every second sample twice."""
    with wave.open(path, "rb") as wav:
        data = memoryview(wav.readframes(wav.getnframes())).cast("h")
    out = bytearray()
    for i, value in enumerate(data):
        out += int(value).to_bytes(2, "little", signed=True) * (1 + i % 2)
    return bytes(out)


def receive(connection):
    """The next event, read strictly."""
    raw = connection.recv_bytes()
    return strict.event(type(connection.parse_event(raw)), raw)


def until(connection, last):
    """All events up to one of the type."""
    events = []
    end = time.monotonic() + 60
    while True:
        event = receive(connection)
        events.append(event)
        if event.type == last:
            return events
        if event.type == "error" and last != "error":
            raise RuntimeError(event.error.message)
        if time.monotonic() > end:
            raise RuntimeError(f"no {last} in {[e.type for e in events]}")


def first(events, kind):
    return next(event for event in events if event.type == kind)


def append(connection, data):
    for i in range(0, len(data), 9600):
        connection.input_audio_buffer.append(audio=base64.b64encode(data[i : i + 9600]).decode())


def pcm(events):
    deltas = [event.delta for event in events if event.type == "response.output_audio.delta"]
    return sum(len(base64.b64decode(delta)) for delta in deltas)


speech, silence = sound(command), bytes(48000 * 2)

secret = client.realtime.client_secrets.create(
    session={"type": "realtime", "model": "gpt-realtime", "audio": {"output": {"voice": "echo"}}}
)
tell("secret", value=secret.value, session=secret.session.type)
page = openai.OpenAI(base_url=client.base_url, api_key=secret.value, max_retries=0)
try:
    page.models.list()
    tell("pass", refused=False)
except openai.PermissionDeniedError as error:
    with page.realtime.connect(model="gpt-realtime") as connection:
        tell("pass", refused=True, why=str(error), voice=receive(connection).session.audio.output.voice)

with client.realtime.connect(model="gpt-realtime") as connection:
    created = receive(connection)
    tell("created", kind=created.type, session=created.session.type)
    connection.session.update(session={
        "type": "realtime",
        "audio": {"input": {"transcription": {"model": "whisper-1", "language": "en"}}},
    })
    tell("updated", kind=receive(connection).type)
    append(connection, speech + silence)
    events = until(connection, "response.done")
    said = first(events, "conversation.item.input_audio_transcription.completed")
    answer = first(events, "response.output_audio_transcript.done")
    tell("spoken", kinds=[event.type for event in events], transcript=said.transcript,
         answer=answer.transcript, bytes=pcm(events), status=events[-1].response.status)

    # Somebody speaks into the answer: it is cancelled, and what was heard of it stays.
    connection.conversation.item.create(item={
        "type": "message", "role": "user",
        "content": [{"type": "input_text", "text": "what is the temperature in the bedroom"}],
    })
    connection.response.create()
    events = until(connection, "response.output_audio.delta")
    item = events[-1].item_id
    append(connection, speech)
    events = until(connection, "input_audio_buffer.speech_started")
    rest = until(connection, "response.done") if not any(e.type == "response.done" for e in events) else events
    done = first(rest, "response.done").response
    tell("interrupted", status=done.status, id=done.id)
    connection.conversation.item.truncate(item_id=item, content_index=0, audio_end_ms=50)
    tell("truncated", ms=until(connection, "conversation.item.truncated")[-1].audio_end_ms)

with client.realtime.connect(model="gpt-realtime") as connection:
    receive(connection)
    connection.session.update(session={
        "type": "realtime", "output_modalities": ["text"],
        "audio": {"input": {"format": {"type": "audio/pcm", "rate": 24000}, "turn_detection": None}},
        "tools": [{"type": "function", "name": "HassTurnOn", "description": "Turns on", "parameters": {"type": "object"}}],
    })
    receive(connection)
    connection.input_audio_buffer.commit()
    tell("empty", code=until(connection, "error")[-1].error.code)
    append(connection, speech)
    connection.input_audio_buffer.commit()
    connection.response.create()
    events = until(connection, "response.done")
    call = first(events, "response.function_call_arguments.done")
    tell("function", name=call.name, arguments=json.loads(call.arguments),
         outputs=[output.type for output in events[-1].response.output])
    connection.conversation.item.create(item={
        "type": "function_call_output", "call_id": call.call_id, "output": json.dumps({"text": "It is locked."}),
    })
    connection.response.create()
    events = until(connection, "response.done")
    tell("output", text=first(events, "response.output_text.done").text)
    connection.send({"type": "nonsense", "event_id": "mine"})
    error = until(connection, "error")[-1].error
    tell("wrong", code=error.code, event_id=error.event_id)

with client.realtime.connect(model="gpt-realtime", extra_headers={"OpenAI-Beta": "realtime=v1"}) as connection:
    connection.recv()
    connection.send({"type": "session.update", "session": {
        "modalities": ["audio", "text"], "turn_detection": None, "output_audio_format": "g711_ulaw"}})
    connection.recv()
    connection.send({"type": "conversation.item.create", "item": {
        "type": "message", "role": "user", "content": [{"type": "input_text", "text": "turn on the kitchen light"}]}})
    connection.send({"type": "response.create"})
    kinds = []
    while "response.done" not in kinds:
        kinds.append(json.loads(connection.recv_bytes())["type"])
    tell("older", kinds=sorted(set(kinds)))
