#!/usr/bin/env python3
"""Makes tests/data/openai_schemas.json: of OpenAI's description of its interface (MIT) what answers are held against.

    scripts/openai-schemas.py openapi.json

Texts for people are left out, and what OpenAPI says in its own way is said as JSON Schema does.
"""
import json
import pathlib
import sys

ROOTS = [
    "CreateTranscriptionResponseJson", "CreateTranscriptionResponseVerboseJson", "CreateTranslationResponseVerboseJson",
    "TranscriptTextDeltaEvent", "TranscriptTextDoneEvent", "Model", "ListModelsResponse", "ErrorResponse",
]
DROPPED = {"description", "title", "example", "examples", "default", "deprecated", "discriminator", "format"}
every = json.loads(pathlib.Path(sys.argv[1]).read_text())["components"]["schemas"]
ROOTS += [name for name in every if name.startswith("RealtimeServerEvent") and "MCP" not in name]


def plain(value, properties=False):
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {
        # Inside `properties` the keys are names, whatever they are.
        key: plain(one, key == "properties" and not properties)
        for key, one in value.items()
        if properties or not (key in DROPPED or key.startswith("x-") or key == "nullable")
    }
    if not properties and value.get("nullable"):
        return {"anyOf": [kept, {"type": "null"}]}
    return kept


def names(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rsplit("/", 1)[-1]
        for one in value.values():
            yield from names(one)
    elif isinstance(value, list):
        for one in value:
            yield from names(one)


needed, waiting = {}, list(ROOTS)
while waiting:
    name = waiting.pop()
    if name not in needed:
        needed[name] = plain(every[name])
        waiting += names(needed[name])
target = pathlib.Path(__file__).parents[1] / "tests/data/openai_schemas.json"
document = {"$comment": "From OpenAI's openapi.json (MIT) by scripts/openai-schemas.py.", "components": {"schemas": dict(sorted(needed.items()))}}
target.write_text(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")
print(f"{len(needed)} schemas, {target.stat().st_size} bytes")
