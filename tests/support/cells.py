"""How a value stands in a `.test` file: tests/slt/README.md describes it.

It only writes; nothing is compared here.
"""


def as_cell(value: str | bytes | None) -> str:
    r"""A value as it stands in a file: NULL, (empty), x'…' for bytes.

    Tabs, line ends and backslashes are written \t, \n, \r, \\; quotes stand where the text
    alone would lose its outer spaces or mean something else.
    """
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if not value:
        return "(empty)"
    for sign, written in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        value = value.replace(sign, written)
    return f"'{value}'" if value != value.strip() or value in {"NULL", "(empty)"} else value
