"""The async driver of the retry loop: it does what the loop decides.

Everything that one client's calls share lives here: its transport, connection slots, retry quota
and circuit breakers.
"""

from __future__ import annotations

import asyncio
from typing import Any

from dynasafe.aio.circuit_breaker import BreakerMap, CircuitBreaker
from dynasafe.aio.clock import Clock, SystemClock
from dynasafe.aio.settings import DEFAULT_MAX_CONNECTIONS, Settings
from dynasafe.aio.transport import Transport
from dynasafe.calls.requests import Request
from dynasafe.errors import ClientClosedError, WrongEventLoopError
from dynasafe.resilience.attempts import (
    Answered,
    Command,
    Raised,
    Reply,
    Send,
    SlotTaken,
    Success,
    TakeSlot,
    Woke,
    attempts,
)
from dynasafe.resilience.deadline import Deadline
from dynasafe.resilience.outcomes import ConnectionSlotTimeout
from dynasafe.resilience.retry import RetryPolicy, RetryQuota
from dynasafe.resilience.settings_rules import require_count
from dynasafe.validation import require_valid


class Slots:
    """Connection slots: as many requests at once, the others wait in order."""

    def __init__(self, count: int) -> None:
        require_count("max_connections", count)
        self.count = count
        self._semaphore = asyncio.Semaphore(count)

    async def take(self, timeout_s: float | None) -> bool:
        """Take a slot; whether that took a wait.

        Raises:
            ConnectionSlotTimeout: none came free in time.
        """
        semaphore = self._semaphore
        if not semaphore.locked():
            await semaphore.acquire()  # does not wait
            return False
        try:
            async with asyncio.timeout(timeout_s):
                await semaphore.acquire()
        except TimeoutError as error:
            raise ConnectionSlotTimeout("all connections are in use") from error
        return True

    def release(self) -> None:
        self._semaphore.release()


class Executor:
    """Makes the calls of one client."""

    def __init__(
        self,
        transport: Transport | None,
        *,
        clock: Clock | None = None,
        max_connections: int = DEFAULT_MAX_CONNECTIONS,
    ) -> None:
        self.transport = transport
        self.clock: Clock = SystemClock() if clock is None else clock
        self.slots: Slots = Slots(max_connections)
        self.breakers: BreakerMap = BreakerMap()
        self._quotas: dict[int, RetryQuota] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, request: Request, settings: Settings) -> Success:
        """Make one call.

        Raises:
            DynasafeError: see `dynasafe.resilience.attempts.attempts`.
        """
        if settings.validate:
            operation, params = request.call.operation, request.params
            require_valid(operation, params, schema=request.schema, form="client")
        transport = self._require_transport()
        now_s = self.clock.now_s()
        timeout_s = settings.timeout_s
        loop = attempts(
            request.call,
            now_s=now_s,
            policy=settings.retry,
            quota=self.quota(settings.retry),
            permits=self._breaker(request, settings),
            deadline=None if timeout_s is None else Deadline.after(timeout_s, now_s=now_s),
            attempt_timeout_s=settings.attempt_timeout_s,
            hooks=settings.hooks,
        )
        holds_slot = False
        try:
            command: Command = next(loop)
            while True:
                try:
                    if isinstance(command, TakeSlot):
                        reply: Reply = await self._take_slot(command)
                        holds_slot = isinstance(reply, SlotTaken)
                    elif isinstance(command, Send):
                        reply = await self._send(transport, request, command)
                        self.slots.release()
                        holds_slot = False
                    else:
                        await self.clock.sleep(command.delay_s)
                        reply = Woke(self.clock.now_s())
                except BaseException as cancellation:
                    loop.throw(cancellation)  # gives the permit back, and raises it again
                    raise
                command = loop.send(reply)
        except StopIteration as stop:
            success: Success = stop.value
            return success
        finally:
            if holds_slot:
                self.slots.release()

    def quota(self, policy: RetryPolicy | None) -> RetryQuota | None:
        """The quota that all calls under policies of the same size share."""
        if policy is None or policy.quota is None:
            return None
        quota = self._quotas.get(policy.quota)
        if quota is None:
            quota = self._quotas[policy.quota] = RetryQuota(policy.quota)
        return quota

    def _require_transport(self) -> Transport:
        if self.transport is None:
            raise ClientClosedError
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise WrongEventLoopError
        return self.transport

    def _breaker(self, request: Request, settings: Settings) -> CircuitBreaker | None:
        setting = settings.breaker
        if setting is None or isinstance(setting, CircuitBreaker):
            return setting
        call = request.call
        return self.breakers.get(
            setting, f"{call.table_name or '*'}/{'write' if call.is_write else 'read'}"
        )

    async def _take_slot(self, command: TakeSlot) -> Reply:
        try:
            was_awaited = await self.slots.take(command.timeout_s)
        except ConnectionSlotTimeout as error:
            return Raised(error, self.clock.now_s(), self.clock.draw())
        return SlotTaken(self.clock.now_s(), was_awaited)

    async def _send(self, transport: Transport, request: Request, command: Send) -> Reply:
        try:
            if command.with_fresh_credentials:
                await _refresh_credentials(transport)
            response = await transport.send(
                request.call.operation, request.params, timeout_s=command.timeout_s
            )
        except Exception as error:
            return Raised(error, self.clock.now_s(), self.clock.draw())
        return Answered(response, self.clock.now_s())


async def _refresh_credentials(transport: Any) -> None:
    refresh = getattr(transport, "refresh_credentials", None)
    if refresh is None:
        return
    try:
        await refresh()
    except Exception as error:
        from botocore.exceptions import CredentialRetrievalError

        # Nothing was sent, which the class of a foreign error would not say.
        raise CredentialRetrievalError(provider="refresh", error_msg=str(error)) from error
