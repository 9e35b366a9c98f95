"""OK, EOF and ERR: the packets that end an answer.

mysql-mimic 3.0.5's own carry no info text, and an affected count in result terminators that crashes
MariaDB Connector/J 2.x (tests/wire/test_results.py::test_the_end_of_rows_carries_no_affected_rows).
"""

from mysql_mimic.types import ServerStatus, str_len, uint_2, uint_len

from proxy.errors import code_of, text_of
from proxy.result import Done
from proxy.wire.charsets import UTF8MB4, Charset
from proxy.wire.dialect import Dialect


def ok(done: Done, status: ServerStatus, warnings: int, charset: Charset = UTF8MB4) -> bytes:
    """The info text has its length in front: the page below does not say so, but servers write it
    and clients read it (tests/wire/test_local_infile.py).

    https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html
    """
    return b"".join(
        (
            b"\x00",
            uint_len(done.affected_rows),
            uint_len(done.last_insert_id),
            uint_2(status),
            uint_2(min(warnings, 0xFFFF)),
            str_len(charset.encode(done.info)) if done.info else b"",
        )
    )


def end(dialect: Dialect, status: ServerStatus, warnings: int) -> bytes:
    """The end of a result's rows: an OK packet that begins as EOF does, for clients that know it.

    https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_eof_packet.html
    """
    warnings = min(warnings, 0xFFFF)
    if dialect.deprecates_eof:
        return b"\xfe\x00\x00" + uint_2(status) + uint_2(warnings)
    return eof(status, warnings)


def eof(status: ServerStatus, warnings: int = 0) -> bytes:
    """The classic EOF packet."""
    return b"\xfe" + uint_2(warnings) + uint_2(status)


def error(failure: Exception, charset: Charset = UTF8MB4) -> bytes:
    """https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_err_packet.html"""
    code = code_of(failure)
    text = charset.encode(text_of(failure))
    return b"\xff" + uint_2(code.code) + b"#" + code.sqlstate.encode() + text


def early_error(failure: Exception) -> bytes:
    """ERR in place of the greeting: without SQLSTATE, for capabilities are not negotiated yet.

    https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
    """
    return b"\xff" + uint_2(code_of(failure).code) + UTF8MB4.encode(text_of(failure))
