"""The server put together: catalog, engines and wire, from start to a clean stop."""

import asyncio
import hashlib
import logging
import secrets
import signal
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from catalog.answers import AnswerStore
from catalog.database import Database
from catalog.jobs import JobStore
from catalog.journal import Journal
from catalog.projects import Projects
from catalog.records import UserRecord
from catalog.secrets import Vault, read_or_make_key
from catalog.sources.outside import Outside
from catalog.sources.sources import Sources
from catalog.store import Store
from catalog.tunings import TuningStore
from catalog.usage import UsageStore
from engines.base import Environment
from engines.http.model_card import ModelCards
from engines.secrets import ServerSecrets
from proxy.execute.engine_pool import EnginePool
from proxy.execute.source_arguments import opened
from proxy.jobs.schedule import Schedule
from proxy.money.budgets import Budgets
from proxy.session import Session
from proxy.settings import Settings
from proxy.state import House
from proxy.tuning.watch import Pace
from proxy.tuning.workshop import Workshop
from proxy.variables import VERSION, Value, global_variables
from proxy.wire.accounts import Account
from proxy.wire.auth import make_account, verify_clear
from proxy.wire.limits import Limits
from proxy.wire.listener import Listener
from proxy.wire.processes import Processes
from proxy.wire.tls import Keys, given_context, rsa_key, self_signed_context

logger = logging.getLogger("modelwire")

LOOPBACK = "127.0.0.1"


class StoredAccounts:
    """The wire's Accounts, from the catalog."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, user: str) -> Account | None:
        """The account of that name, or None."""
        record = self._store.user(user)
        return Account(record.name, record.native, record.salted) if record else None


async def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, then stop: running statements get shutdown_grace seconds,
    and the catalog is closed clean.

    Raises CatalogError, OSError, ValueError for what cannot start."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(settings) as (host, port):
        logger.info("modelwire is ready on %s:%d", host, port)
        await stop.wait()
        logger.info("modelwire is stopping")
    logger.info("modelwire has stopped")


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[tuple[str, int]]:
    """A server that listens while the context lasts: its host and port. What was opened is closed
    again, the last first, whatever goes wrong with another."""
    directory = settings.directory
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        store = Store(directory / "catalog.duckdb", Vault(_secret_key(settings, directory)))
        stack.callback(store.close)
        journal = Journal(store.connection())
        stack.push_async_callback(journal.close)
        jobs = JobStore(journal)
        house = await _house(settings, store, journal, jobs, stack)
        if settings.password is not None:
            await _put_user(store, settings.user, settings.password)
        lacks_user = _lacks_user(settings, store)
        host = LOOPBACK if lacks_user else settings.host
        if host != settings.host:
            logger.warning("No password is configured: listening on %s only", host)

        def make_session(processes: Processes) -> Session:
            return Session(house(processes))

        listener = _listener(settings, directory, store, make_session)
        port = await _listen(listener, host, settings.port)
        stack.push_async_callback(listener.stop)
        schedule = Schedule(jobs, make_session, listener.processes)
        stack.push_async_callback(schedule.close)
        schedule.start()
        if lacks_user:
            await _make_user(settings, store)
        yield host, port


async def _house(
    settings: Settings, store: Store, journal: Journal, jobs: JobStore, stack: AsyncExitStack
) -> Callable[[Processes], House]:
    """What all sessions share, as soon as it is known which processes there are; what of it is to
    be closed goes onto the stack."""
    directory = settings.directory
    usage = UsageStore(journal)
    database = Database(
        directory / "data.duckdb",
        spill_dir=directory / "spill",
        memory_limit=settings.memory_limit,
        source_dirs=settings.source_dirs,
    )
    stack.callback(database.close)
    engines = EnginePool(store, _environment(settings, directory))
    stack.push_async_callback(engines.aclose)
    tunings = TuningStore(store.connection())
    stack.callback(tunings.close)
    workshop = Workshop(store, tunings, engines, _pace(settings))
    stack.push_async_callback(workshop.close)
    projects = Projects(database, lambda: (source.name for source in store.sources))
    await projects.open()
    workshop.resume()
    outside = Outside()
    stack.callback(outside.close)
    return partial(
        House,
        store,
        projects,
        engines,
        variables=_variables(settings),
        answers=AnswerStore(journal),
        usage=usage,
        budgets=Budgets(store, usage),
        jobs=jobs,
        workshop=workshop,
        sources=Sources(
            store,
            database,
            outside,
            partial(opened, secrets=_server_secrets(settings)),
            _mark(settings, directory),
        ),
        cards=ModelCards(settings.model_card_site),
    )


async def _listen(listener: Listener, host: str, port: int) -> int:
    try:
        return await listener.start(host, port)
    except OSError as error:
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error


def _listener(
    settings: Settings,
    directory: Path,
    store: Store,
    make_session: Callable[[Processes], Session],
) -> Listener:
    limits = Limits(
        max_connections=settings.max_connections,
        max_allowed_packet=settings.max_allowed_packet,
        connect_timeout=settings.connect_timeout,
        shutdown_grace=settings.shutdown_grace,
        require_secure_transport=settings.require_secure_transport,
    )
    return Listener(
        make_session,
        StoredAccounts(store),
        Keys(rsa_key(directory / "rsa-key.pem"), _tls(settings, directory)),
        VERSION,
        limits,
    )


def _variables(settings: Settings) -> dict[str, Value]:
    return global_variables(
        {
            "port": settings.port,
            "max_connections": settings.max_connections,
            "max_allowed_packet": settings.max_allowed_packet,
            "connect_timeout": int(settings.connect_timeout),
            "wait_timeout": settings.wait_timeout,
            "interactive_timeout": settings.wait_timeout,
            "max_execution_time": settings.max_execution_time,
        }
    )


def _pace(settings: Settings) -> Pace:
    return Pace(settings.finetune_poll_seconds, settings.finetune_poll_max_seconds)


def _tls(settings: Settings, directory: Path) -> ssl.SSLContext:
    if settings.tls_cert is None:
        return self_signed_context(directory)
    return given_context(settings.tls_cert, settings.tls_key or settings.tls_cert)


def _secret_key(settings: Settings, directory: Path) -> str:
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    return read_or_make_key(directory / "secret.key")


def _mark(settings: Settings, directory: Path) -> str:
    """What tells this server from all others that write into the same data source."""
    return hashlib.sha256(_secret_key(settings, directory).encode()).hexdigest()[:8]


def _server_secrets(settings: Settings) -> ServerSecrets:
    return ServerSecrets(settings.secret_variables, settings.secret_env, settings.secret_files)


def _environment(settings: Settings, directory: Path) -> Environment:
    keys = {
        "anyscale_endpoints": settings.anyscale_endpoints_api_key,
        "openai": settings.openai_api_key,
    }
    bases = {
        "anyscale_endpoints": settings.anyscale_endpoints_api_base,
        "openai": settings.openai_api_base,
    }
    return Environment(
        data_dir=directory,
        api_keys={name: key.get_secret_value() for name, key in keys.items() if key},
        api_bases={name: base for name, base in bases.items() if base},
        secrets=_server_secrets(settings),
        local_model_path=settings.local_model,
        local_threads=settings.local_threads,
        report=logger.info,
    )


def _lacks_user(settings: Settings, store: Store) -> bool:
    """Whether a user is wanted that nobody gave a password: the first one, or one that is named."""
    named = "user" in settings.model_fields_set and store.user(settings.user) is None
    return settings.password is None and (named or not store.users)


async def _make_user(settings: Settings, store: Store) -> None:
    """Make that user, with a password that is shown once. Only when the server listens: one that
    cannot start must not use it up."""
    password = secrets.token_urlsafe(12)
    await _put_user(store, settings.user, SecretStr(password))
    # Not through the log: it goes to files, and this is shown once.
    print(f"First user '{settings.user}' has the password {password}", flush=True)


async def _put_user(store: Store, name: str, password: SecretStr) -> None:
    text = password.get_secret_value()
    known = store.user(name)
    if known is not None:
        account = Account(known.name, known.native, known.salted)
        if verify_clear(account, text.encode()):
            return
    made = make_account(name, text)
    await store.put_user(UserRecord(made.user, made.native, made.salted))
