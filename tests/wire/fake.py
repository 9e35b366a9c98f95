"""A Handler that answers a few fixed statements and writes down what the wire did to it."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass

from proxy.errors import SyntaxFault
from proxy.result import Batch, Batches, ClientFile, Column, Done, FieldType, Result, Rows
from proxy.wire.accounts import Account
from proxy.wire.handler import Client, Parameter
from proxy.wire.processes import Processes, Progress

PROGRESS = Progress(1, 2, 0.123456, "Predicting: 120 of 1000 rows, ☃")


class UnknownDatabase(SyntaxFault):
    pass


@dataclass(frozen=True)
class FakePrepared:
    sql: str

    @property
    def parameters(self) -> int:
        return self.sql.count("?")


class FakeAccounts:
    def __init__(self, *accounts: Account) -> None:
        self.accounts = {account.user: account for account in accounts}

    def find(self, user: str) -> Account | None:
        return self.accounts.get(user)


def batches(rows: Batch) -> Batches:
    async def once() -> AsyncGenerator[Batch, None]:
        yield rows

    return Batches(once())


async def _none() -> AsyncGenerator[Batch, None]:
    raise AssertionError("nobody reads this")
    yield []


def one(value: str | bytes | None, name: str = "value") -> Rows:
    return Rows((Column(name),), batches([(value,)]))


class FakeHandler:
    """`log` is shared by all handlers of a server: what happened, in order."""

    wait_timeout = 60.0

    def __init__(self, processes: Processes, log: list[object]) -> None:
        self.processes = processes
        self.log = log
        self.client: Client | None = None
        self.in_transaction = False
        self.autocommit = True
        self.warning_count = 0
        self.progress: Progress | None = PROGRESS
        self.ended_at: float | None = None
        """When a statement was cut off, by the clock of time.monotonic."""

    async def open(self, client: Client) -> None:
        if client.database == "missing":
            raise SyntaxFault("Unknown database 'missing'")
        self.client = client
        self.log.append(("open", client.user, client.database))

    def split(self, sql: str) -> list[str]:
        return [part.strip() for part in sql.split(";") if part.strip()]

    async def query(self, sql: str) -> Result:
        if sql.lower().startswith(("set ", "commit", "rollback")):
            return Done()
        self.log.append(("query", sql))
        assert self.client is not None
        self.processes.publish(self.client.connection_id, sql[:6])
        word, _, rest = sql.partition(" ")
        answer = getattr(self, f"_{word.lower()}", None)
        if answer is None:
            raise SyntaxFault(f"near '{word}'")
        return await answer(rest)

    def prepare(self, sql: str) -> FakePrepared:
        if sql == "bad":
            raise SyntaxFault("near 'bad'")
        return FakePrepared(sql)

    async def columns(self, prepared: FakePrepared) -> tuple[Column, ...]:
        return typed_rows().columns if prepared.sql.startswith("types") else ()

    async def execute(self, prepared: FakePrepared, parameters: Sequence[Parameter]) -> Result:
        self.log.append(("execute", prepared.sql, tuple(parameters)))
        if prepared.sql.startswith("types"):
            return typed_rows()
        if prepared.sql.startswith("insert"):
            return Done(1, 7)
        if prepared.sql.startswith("predict"):
            return await self._predict(prepared.sql.partition(" ")[2])
        return Rows(
            tuple(Column(f"p{at}") for at in range(len(parameters))),
            batches([tuple(None if value is None else repr(value) for value in parameters)]),
        )

    async def use(self, database: str) -> None:
        if database == "missing":
            raise SyntaxFault("Unknown database 'missing'")
        self.log.append(("use", database))

    async def fields(self, table: str) -> tuple[Column, ...]:
        return (Column("id", FieldType.LONGLONG, table=table), Column("text", table=table))

    async def reset(self) -> None:
        self.log.append("reset")

    async def close(self) -> None:
        self.log.append("close")

    async def _select(self, text: str) -> Result:
        return one(text)

    async def _null(self, text: str) -> Result:
        return one(None)

    async def _user(self, text: str) -> Result:
        assert self.client is not None
        return one(f"{self.client.user}@{self.client.database}")

    async def _insert(self, text: str) -> Result:
        return Done(3, 41, "Records: 3")

    async def _begin(self, text: str) -> Result:
        self.in_transaction, self.autocommit = True, False
        return Done()

    async def _warn(self, text: str) -> Result:
        self.warning_count = 2
        return Done()

    async def _types(self, text: str) -> Result:
        return typed_rows()

    async def _rows(self, text: str) -> Result:
        """`rows 1000 20`: that many rows of that many characters."""
        count, width = map(int, text.split())
        return Rows((Column("id"), Column("text")), Batches(self._many(count, width)))

    async def _many(self, count: int, width: int) -> AsyncGenerator[Batch, None]:
        try:
            for start in range(0, count, 500):
                stop = min(start + 500, count)
                self.log.append(("batch", start))
                yield [(str(at), "x" * width) for at in range(start, stop)]
        finally:
            self.ended_at = time.monotonic()
            self.log.append("batches closed")

    async def _late(self, text: str) -> Result:
        """`late 0.2`: endless rows that must be out after so many seconds."""
        deadline = asyncio.get_running_loop().time() + float(text)
        return Rows((Column("id"), Column("text")), Batches(self._many(10**9, 100)), deadline)

    def _cut_off(self) -> None:
        self.ended_at = time.monotonic()
        self.log.append("cancelled")

    async def _break(self, text: str) -> Result:
        """Fails after the first row."""

        async def rows() -> AsyncGenerator[Batch, None]:
            yield [("1",)]
            raise SyntaxFault("broken in the middle")

        return Rows((Column("id"),), Batches(rows()))

    async def _bug(self, text: str) -> Result:
        raise RuntimeError("secret of the house")

    async def _upstream(self, text: str) -> Result:
        raise ConnectionResetError("an endpoint, not the client")

    async def _sleep(self, text: str) -> Result:
        self.log.append("sleeping")
        try:
            await asyncio.sleep(float(text))
        except asyncio.CancelledError:
            self._cut_off()
            raise
        return one("0")

    async def _load(self, text: str) -> Result:
        """`load name all`, or what goes wrong: `refuse` before the file is read, `fail` or `hang`
        at its first piece, `ignore` and read nothing."""
        name, how = text.split()

        async def load(pieces: AsyncIterator[bytes]) -> Done:
            if how == "refuse":
                raise SyntaxFault("the table refuses")
            return Done(0 if how == "ignore" else await self._read(pieces, how), info="Records: 1")

        return ClientFile(name, load)

    async def _read(self, pieces: AsyncIterator[bytes], how: str) -> int:
        size = 0
        try:
            async for piece in pieces:
                self.log.append(("piece", len(piece)))
                size += len(piece)
                if how == "fail":
                    raise SyntaxFault("row 1 is wrong")
                if how == "hang":
                    await asyncio.sleep(60)
        except asyncio.CancelledError:
            self._cut_off()
            raise
        return size

    async def _predict(self, text: str) -> Result:
        """`predict 5`: silent so many seconds, with progress; then a row, silence, and a row."""
        assert self.client is not None
        self.processes.watch(self.client.connection_id, lambda: self.progress)
        await asyncio.sleep(float(text))

        async def rows() -> AsyncGenerator[Batch, None]:
            yield [("first",)]
            await asyncio.sleep(float(text))
            yield [("second",)]

        return Rows((Column("value"),), Batches(rows()))

    async def _drip(self, text: str) -> Result:
        """`drip 3`: so many rows, each a batch of its own, and then nothing more."""

        async def rows() -> AsyncGenerator[Batch, None]:
            try:
                for at in range(int(text)):
                    await asyncio.sleep(0.01)
                    yield [(str(at),)]
                self.log.append("dry")
                await asyncio.Event().wait()
            finally:
                self._cut_off()

        return Rows((Column("value"),), Batches(rows()))

    async def _unsent(self, text: str) -> Result:
        """A result whose first column cannot even be described."""

        async def release() -> None:
            self.log.append("released")

        return Rows((Column("value", FieldType.NULL, length=-1),), Batches(_none(), release))

    async def _kill(self, text: str) -> Result:
        """`kill 7` or `kill query 7`."""
        assert self.client is not None
        *query, victim = text.split()
        target = self.client.connection_id if victim == "me" else int(victim)
        self.processes.kill(target, query_only=bool(query), by=self.client.user)
        return Done()

    async def _show(self, text: str) -> Result:
        rows = [
            (str(p.connection_id), p.user, p.host, p.database, p.command, str(p.seconds), p.info)
            for p in self.processes.list()
        ]
        names = ("Id", "User", "Host", "db", "Command", "Time", "Info")
        return Rows(tuple(map(Column, names)), batches(rows))


TYPED: tuple[tuple[Column, str | bytes | None], ...] = (
    (Column("tiny", FieldType.TINY), "-128"),
    (Column("utiny", FieldType.TINY, unsigned=True), "255"),
    (Column("small", FieldType.SHORT), "-32768"),
    (Column("int", FieldType.LONG), "-2147483648"),
    (Column("big", FieldType.LONGLONG), "-9223372036854775808"),
    (Column("ubig", FieldType.LONGLONG, unsigned=True), "18446744073709551615"),
    (Column("float", FieldType.FLOAT), "1.5"),
    (Column("double", FieldType.DOUBLE), "-2.25"),
    (Column("decimal", FieldType.NEWDECIMAL, decimals=2), "12.50"),
    (Column("year", FieldType.YEAR), "2024"),
    (Column("date", FieldType.DATE), "2024-02-29"),
    (Column("datetime", FieldType.DATETIME), "2024-02-29 01:02:03"),
    (Column("precise", FieldType.DATETIME, decimals=6), "2024-02-29 01:02:03.000004"),
    (Column("zero", FieldType.DATETIME), "0000-00-00 00:00:00"),
    (Column("time", FieldType.TIME), "-838:59:59"),
    (Column("fraction", FieldType.TIME, decimals=6), "25:00:00.500000"),
    (Column("text"), "naïve ☃"),
    (Column("blob", FieldType.BLOB), b"\x00\xff"),
    (Column("json", FieldType.JSON), '{"a": 1}'),
    (Column("nothing"), None),
)


def typed_rows() -> Rows:
    return Rows(tuple(c for c, _ in TYPED), batches([tuple(cell for _, cell in TYPED)]))
