"""The fake Tuner itself: builds the parts, serves them, and shows what arrived."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

from aiohttp import web

from ingestor.devkit.fake_tuner.admin import Admin
from ingestor.devkit.fake_tuner.background import Background, background
from ingestor.devkit.fake_tuner.fault_plan import FaultPlan
from ingestor.devkit.fake_tuner.faults import Refuse, Rule
from ingestor.devkit.fake_tuner.listener import Listener
from ingestor.devkit.fake_tuner.log import Entry, Log, Summary
from ingestor.devkit.fake_tuner.options import Options
from ingestor.devkit.fake_tuner.public import PATH, Public
from ingestor.devkit.fake_tuner.recording import BUCKET, Recording, Recordings
from ingestor.devkit.fake_tuner.service import Service
from ingestor.devkit.fake_tuner.store import Call, Store

# Requests are cancelled before this begins: it only bounds the closing of connections.
_CLOSING_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class _Serving:
    listener: Listener
    tasks: Background


class FakeTuner:
    """Stand in for Tuner, with faults on demand.

        async with FakeTuner(Options(duplicates="is_new_false")).serve() as tuner:
            ...  # post to tuner.url
        assert [call.call_id for call in tuner.calls] == ["a", "b"]

    What arrived outlives the serving: served again, it is a Tuner that was restarted.
    """

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self._store = Store(self.options.profile, self.options.keep_bodies)
        self._log = Log()
        self._plan = FaultPlan()
        self._recordings = Recordings(self.options.recording_max_bytes)
        self._service = Service(self.options, self._store, self._recordings)
        self._due: list[Rule] = list(self.options.faults)
        self._url = ""
        self._serving: _Serving | None = None

    @property
    def url(self) -> str:
        """The base URL of this or the last serving, without a slash at its end."""
        return self._url

    @property
    def calls(self) -> list[Call]:
        """The stored calls, in the order in which they were accepted."""
        return list(self._store)

    @property
    def requests(self) -> list[Entry]:
        """The log: every request outside the admin routes, in order of arrival."""
        return list(self._log.entries)

    @property
    def recordings(self) -> list[Recording]:
        """The recordings that were uploaded, the last one of each key."""
        return list(self._recordings.arrived.values())

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The fault rules in force, but for refusals of connections."""
        return self._plan.rules

    def summary(self) -> Summary:
        """Add up the log."""
        return self._log.summary(Counter(call.call_id for call in self._store))

    async def until(self, is_so: Callable[[], bool], within: float = 5.0) -> None:
        """Wait until *is_so*, asked whenever a request arrives, is served or is done with.

        Raise TimeoutError, with what did happen, after *within* seconds.
        """
        try:
            await self._log.news.until(is_so, within)
        except TimeoutError:
            so_far = self.summary()
            raise TimeoutError(
                f"not within {within} s: {so_far.requests} requests, {so_far.open} of them open, "
                f"{so_far.calls} calls, statuses {so_far.statuses}, faults {so_far.faults}"
            ) from None

    def add_faults(self, *rules: Rule) -> None:
        """Put *rules* in force behind those that are; while nothing is served, they are kept."""
        if self._serving is None:
            self._due += rules
            return
        for rule in rules:
            match rule:
                case Refuse():
                    self._serving.tasks.start(self._refuse(rule, self._serving.listener))
                case _:
                    self._plan.add((rule,), time.monotonic())

    def clear_faults(self) -> None:
        """Forget every rule and accept connections again."""
        self._plan.clear()
        self._due.clear()
        if self._serving is not None:
            self._serving.tasks.cancel()

    def reset(self) -> None:
        """Forget everything: calls, log, faults and recordings."""
        self.clear_faults()
        self._store.clear()
        self._log.clear()
        self._recordings.clear()

    @asynccontextmanager
    async def refusing_connections(self) -> AsyncIterator[None]:
        """Be unreachable: refuse new connections, reset open ones, and come back at the end.

        The port stays ours. Requests being served are finished, but nobody gets their answers.
        """
        if self._serving is None:
            raise RuntimeError("nothing is being served")
        async with self._serving.listener.refusing():
            yield

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Self]:
        """Serve until the block is left; port 0 takes a free one.

        The end is abrupt: requests being served are dropped where they stand.
        """
        public = Public(self.options, service=self._service, log=self._log, plan=self._plan)
        runner = web.AppRunner(
            self._application(public),
            access_log=None,
            # Tuner takes compressed bodies for what they are: unreadable.
            auto_decompress=False,
            shutdown_timeout=_CLOSING_SECONDS,
        )
        await runner.setup()
        try:
            async with self._listening(runner, host, port) as listener, background() as tasks:
                self._serving = _Serving(listener, tasks)
                due, self._due = self._due, []
                self.add_faults(*due)
                yield self
        finally:
            self._serving = None
            await public.drop()
            await runner.cleanup()

    @asynccontextmanager
    async def _listening(
        self, runner: web.AppRunner, host: str, port: int
    ) -> AsyncIterator[Listener]:
        listener = Listener(runner, self.options.tls)
        self._url = await listener.open(host, port)
        try:
            yield listener
        finally:
            await listener.close()

    async def _refuse(self, rule: Refuse, listener: Listener) -> None:
        await asyncio.sleep(rule.after)
        async with listener.refusing():
            await asyncio.sleep(rule.seconds)

    def _application(self, public: Public) -> web.Application:
        application = web.Application(client_max_size=self.options.max_body_bytes or 0)
        application.add_routes(Admin(self).routes())
        application.router.add_post(BUCKET, self._recordings.take)
        application.router.add_route("*", PATH, public.create_call)
        application.router.add_route("*", "/{path:.*}", public.elsewhere)
        return application
