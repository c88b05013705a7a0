"""Reads what a server sent with the SDK's own models, strictly (the SDK itself takes anything), and holds it against
OpenAI's own description of its interface."""

import json
import pathlib

import jsonschema
import pydantic

SCHEMAS = json.loads((pathlib.Path(__file__).parents[1] / "data/openai_schemas.json").read_text())

# Fields that OpenAI's description of its interface has and the SDK's models lack.
DESCRIBED = (".session.id", ".session.object", "TranscriptionVerbose.task", "TranslationVerbose.task")


def unknown(value, path=""):
    """The places of fields that the model does not have."""
    if isinstance(value, pydantic.BaseModel):
        for name in value.model_extra or {}:
            yield f"{path}.{name}"
        for name in type(value).model_fields:
            yield from unknown(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from unknown(one, f"{path}[]")


def read(model, raw, schema=None):
    """The value, whose every field has the type that the model says, and no other field stands there; it is also as the
    description's schema of that name has it, where one is named."""
    if schema:
        described(schema, raw)
    value = model.model_validate(json.loads(raw), strict=True)
    strange = {path for path in unknown(value, model.__name__) if not path.endswith(DESCRIBED)}
    if strange:
        raise ValueError(f"fields that {model.__name__} does not have: {sorted(strange)}")
    return value


def validator(name):
    schema = {"$ref": f"#/components/schemas/{name}", **SCHEMAS}
    return jsonschema.Draft202012Validator(schema)


def kinds():
    """The schemas of Realtime's events, by the types of the events."""
    for name, schema in SCHEMAS["components"]["schemas"].items():
        kind = schema.get("properties", {}).get("type", {})
        for value in [kind["const"]] if "const" in kind else kind.get("enum", []):
            if name.startswith("RealtimeServerEvent"):
                yield value, name


EVENTS = dict(kinds())


def described(name, raw):
    """What was sent, which is as the description's schema of that name has it."""
    value = json.loads(raw)
    # Of schemas that may be one or the other the nearest is told.
    wrong = jsonschema.exceptions.best_match(validator(name).iter_errors(value))
    if wrong:
        raise ValueError(f"{name}: {wrong.json_path}: {wrong.message[:300]}")
    return value


def event(model, raw):
    """An event of Realtime, read so."""
    return read(model, raw, EVENTS[json.loads(raw)["type"]])
