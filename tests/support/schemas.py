"""How an endpoint can be held to a JSON schema, and the ways in which servers differ there.

True: response_format json_schema; False: no response_format at all, other fields are ignored;
None: whatever is asked for is ignored. A name: `structured_outputs` or `guided_json` (vLLM, new and
old) or `json_object`, and what is above it on the ladder is refused; `plain` refuses bounds and
patterns in a strict schema, as OpenAI's fine-tuned models do; `none` refuses every such field.
"""

import json
from typing import Any, Literal, TypeAlias

Schemas: TypeAlias = (
    bool | Literal["structured_outputs", "guided_json", "json_object", "plain", "none"] | None
)
_NARROWING = ("minimum", "maximum", "pattern", "maxLength")
_FIELDS = ("response_format", "structured_outputs", "guided_json")


def refusal(body: dict[str, Any], takes: Schemas) -> str | None:
    """The message with which the endpoint refuses the request; None where it takes it."""
    if takes is None or takes is True:
        return None
    kind = body.get("response_format", {}).get("type")
    if takes == "plain":
        found = [f"'{word}'" for word in _NARROWING if f'"{word}"' in json.dumps(body)]
        return f"Invalid schema: {found[0]} is not permitted." if found else None
    if kind == "json_object" and takes == "json_object":
        told = json.dumps(body["messages"]).lower()
        return None if "json" in told else "'messages' must contain the word 'json'"
    if kind is not None:
        return f"response_format of type {kind} is not supported"
    if takes is False:
        return None
    unknown = [field for field in _FIELDS if field in body and field != takes]
    return f"Unrecognized request argument supplied: {unknown[0]}" if unknown else None


def schema_of(body: dict[str, Any], takes: Schemas) -> dict[str, Any] | None:
    """The schema that the endpoint holds its answer to, if any."""
    schema: dict[str, Any] | None = None
    if takes is True or takes == "plain":
        schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
    elif takes == "structured_outputs":
        schema = body.get("structured_outputs", {}).get("json")
    elif takes == "guided_json":
        schema = body.get("guided_json")
    return schema
