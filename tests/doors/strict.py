"""Reads what a server sent with the SDK's own models, strictly: the SDK itself takes anything."""

import json

import pydantic

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


def read(model, raw):
    """The value, whose every field has the type that the model says, and no other field stands there."""
    value = model.model_validate(json.loads(raw), strict=True)
    strange = {path for path in unknown(value, model.__name__) if not path.endswith(DESCRIBED)}
    if strange:
        raise ValueError(f"fields that {model.__name__} does not have: {sorted(strange)}")
    return value
