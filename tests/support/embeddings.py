"""The vectors of a played embedding model: words in common make them alike.

A text has always the same one: each of its words adds to a coordinate of its own, and the length
is 1.
"""

import json
import re
from collections.abc import Sequence
from hashlib import blake2b
from math import sqrt
from typing import Any

DIMENSIONS = 8


def vector(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """The vector of a text."""
    counts = [0.0] * dimensions
    for word in re.findall(r"\w+", text.casefold()) or [""]:
        digest = blake2b(word.encode(), digest_size=4).digest()
        counts[int.from_bytes(digest) % dimensions] += 1.0
    length = sqrt(sum(count * count for count in counts))
    return [round(count / length, 6) for count in counts]


def embedded(
    body: dict[str, Any], texts: Sequence[str], said: Sequence[str | None]
) -> dict[str, Any]:
    """The answer to a request for embeddings; what is `said` of a text is its vector."""
    dimensions = body.get("dimensions", DIMENSIONS)
    vectors = [
        vector(text, dimensions) if script is None else json.loads(script)
        for text, script in zip(texts, said, strict=True)
    ]
    tokens = sum(len(text.split()) for text in texts)
    return {
        "object": "list",
        "model": body.get("model"),
        "data": [
            {"object": "embedding", "index": place, "embedding": each}
            for place, each in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
