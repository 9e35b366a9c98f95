"""DESCRIBE model.model_card: Hugging Face's own words of a model, or where to read them.

What is fetched, and for how long it is kept, is for engines/http/model_card.py.
"""

from catalog.records import ModelRecord
from engines.errors import EndpointUnreachable
from engines.http.model_card import MOST_BYTES, ModelCards, link_of
from proxy.errors import CODES
from proxy.execute.describe import text_rows
from proxy.result import Column, Rows
from proxy.warnings import Warnings

_COLUMNS = (Column("model_card", length=MOST_BYTES), Column("link"))


async def describe_card(model: ModelRecord, cards: ModelCards, warnings: Warnings) -> Rows:
    """One row: the card, NULL where it cannot be had, and its link. A note says what is missing.

    Takes 5 seconds at most; may be cancelled.
    """
    name = str(model.options.get("model_name", ""))
    card = await cards.card(name)
    if card.note is not None:
        warnings.add("Note", CODES[EndpointUnreachable].code, card.note)
    names = [column.name for column in _COLUMNS]
    return Rows(_COLUMNS, text_rows(names, [(card.text, link_of(name))]).batches)
