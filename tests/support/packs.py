"""Requests with many items, as engines/chat/pack.py makes them: taken apart, answered by key.

What an item is answered is the script's; a script that is no mapping answers for the whole request.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

MISSING = "!missing"
_ITEMS = re.compile(r"(.*\n\nItems:\n)(\{.*\})", re.DOTALL)


def items_of(prompt: str, body: dict[str, Any]) -> dict[str, str]:
    """The items of a request by their keys, each as the prompt that asks for it alone; none where
    the request's schema is not that of numbered answers."""
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema", {})
    found = _ITEMS.fullmatch(prompt)
    if found is None or not all(key.isdigit() for key in schema.get("properties", "x")):
        return {}
    items = json.loads(found[2])
    return {key: found[1] + json.dumps({key: item}) for key, item in items.items()}


def packed(answers: Mapping[str, str]) -> str:
    """The reply that gives these answers; the key of one that is `!missing` is left out."""
    return json.dumps({key: answer for key, answer in answers.items() if answer != MISSING})
