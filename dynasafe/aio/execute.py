"""The async driver: carries out the commands of plans and of the retry loop.

It has everything that one client's calls share: transport, connection slots, retry quota and
circuit breakers.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from dynasafe.aio.aside import aside
from dynasafe.aio.clock import Clock, SystemClock
from dynasafe.aio.transport import Transport
from dynasafe.calls.options import DEFAULT_MAX_CONNECTIONS, Settings
from dynasafe.calls.plans import (
    Aside,
    CallState,
    ClientState,
    Plan,
    Sleep,
    observed,
)
from dynasafe.calls.requests import Large, Request
from dynasafe.errors import (
    CircuitOpenError,
    ClientClosedError,
    DynasafeError,
    ForkedProcessError,
    OutcomeUnknownError,
    WrongEventLoopError,
)
from dynasafe.resilience.attempts import (
    Answered,
    Command,
    FirstAttempt,
    Held,
    Permits,
    Raised,
    Refresh,
    Refreshed,
    Reply,
    Send,
    SlotTaken,
    Success,
    TakeSlot,
    Woke,
)
from dynasafe.resilience.boundary import NotSent
from dynasafe.resilience.settings_rules import require_count
from dynasafe.values.wire import holds_many

T = TypeVar("T")


class Slots:
    """Connection slots: they limit concurrent requests. The others wait in order."""

    def __init__(self, count: int) -> None:
        require_count("max_connections", count)
        self.count = count
        self.in_flight: int = 0
        self._waiters: deque[asyncio.Future[None]] = deque()

    async def take(self, timeout_s: float | None) -> bool:
        """Take a slot. Returns whether it had to wait.

        Raises:
            TimeoutError: no slot became free in time.
            ClientClosedError: the client was closed meanwhile.
        """
        if self.in_flight < self.count:
            self.in_flight += 1
            return False
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                await waiter
        except BaseException:
            # A slot may have been handed over at the same moment.
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.release()
            raise
        return True

    def release(self) -> None:
        """Hand the slot to the longest waiting request, or keep it free."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self.in_flight -= 1

    def refuse_waiting(self, error: Exception) -> None:
        """Raise this error in all waiting requests."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(error)


class Executor:
    """Makes the calls of one client."""

    def __init__(
        self,
        transport: Transport | None,
        *,
        clock: Clock | None = None,
        max_connections: int = DEFAULT_MAX_CONNECTIONS,
    ) -> None:
        self.clock: Clock = SystemClock() if clock is None else clock
        self.slots: Slots = Slots(max_connections)
        self.state: ClientState = ClientState(new_id=_new_id, draw=self.clock.draw)
        self._transport = transport
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid: int = os.getpid()

    def open(self, transport: Transport) -> None:
        """Open the client, on the running loop and in this process."""
        self.slots = Slots(self.slots.count)
        self._loop = asyncio.get_running_loop()
        self._pid = os.getpid()
        self._transport = transport

    def close(self) -> None:
        """Refuse all further calls, and calls that wait for a slot."""
        self._transport = None
        self._loop = None
        self.slots.refuse_waiting(ClientClosedError())

    async def call(
        self,
        operation: str,
        table_name: str | None,
        settings: Settings,
        plan_of: Callable[[CallState], Plan[T]],
    ) -> T:
        """Carry out a plan, and return its result.

        Raises:
            DynasafeError: the plan raised it.
        """
        state = self.state.begin(operation, table_name, settings, now_s=self.clock.now_s())
        plan = plan_of(state)
        if state.is_observed:
            plan = observed(plan, state)
        try:
            command = next(plan)
            while True:
                try:
                    if isinstance(command, Request):
                        reply: Any = await self._run(command, state)
                        if command.call.is_write:
                            state.is_applied = True
                    else:
                        reply = None
                        if isinstance(command, Sleep):
                            await self.clock.sleep(command.delay_s)
                        elif isinstance(command, Aside):
                            reply = await aside(command.work)
                        else:
                            await asyncio.sleep(0)
                        state.now_s = self.clock.now_s()
                except BaseException as error:
                    state.now_s = self.clock.now_s()
                    command = plan.throw(error)
                else:
                    command = plan.send(reply)
        except StopIteration as stop:
            result: T = stop.value
            return result
        except OutcomeUnknownError as error:
            self._offer(error, settings)
            raise
        except DynasafeError:
            raise
        except BaseException as interruption:
            state.explain(interruption)
            if isinstance(interruption.__cause__, OutcomeUnknownError):
                self._offer(interruption.__cause__, settings)
            raise

    async def resolve(self, error: OutcomeUnknownError, settings: Settings) -> Any:
        """Find out whether a write was applied."""
        plan_of = error.__dict__.get("_resolve_plan")
        if plan_of is None:
            raise error
        return await self.call(error.operation, error.table_name, settings, plan_of)

    def _offer(self, error: OutcomeUnknownError, settings: Settings) -> None:
        if error.__dict__.get("_resolve_plan") is not None:
            error._run_plan = lambda error: self.resolve(error, settings)

    async def _run(self, request: Request, state: CallState) -> Success:
        """One request of a plan, with its retries."""
        transport = self._require_open()
        # What is not checked here may be large too.
        is_large = (request.is_checked or not state.settings.validate) and holds_many(
            request.params
        )
        long_check = self.state.check(request, state)
        if long_check is not None:
            is_large = True
            await aside(long_check)
        if is_large and getattr(transport, "writes_in_steps", False):
            request.params = Large(request.params)
        permits = self.state.breaker(state.settings.breaker, request.call)
        slots, call = self.slots, request.call
        now_s = self.clock.now_s()
        deadline = state.deadline
        left_s = None if deadline is None else deadline.at_s - now_s
        if (
            slots.in_flight >= slots.count
            or not FirstAttempt.suits(call)
            or state.is_observed  # the loop reports each attempt
            or (left_s is not None and left_s <= 0.0)
        ):
            loop = self.state.loop(request, state, permits, now_s=now_s)
            return await self._go_on(loop, None, request)
        try:
            first = FirstAttempt(permits, state.quota, state, now_s)
        except CircuitOpenError as refusal:
            assert permits is not None
            loop = self.state.loop(request, state, Held(permits, refusal), now_s=now_s)
            return await self._go_on(loop, None, request)
        slots.in_flight += 1
        timeout_s = state.settings.attempt_timeout_s
        if left_s is not None and (timeout_s is None or left_s < timeout_s):
            timeout_s = left_s
        try:
            response = await transport.send(call.operation, request.params, timeout_s=timeout_s)
        except Exception as error:
            reply = Raised(error, self.clock.now_s(), self.clock.draw())
        except BaseException as cancellation:
            first.go_on(self._loop_of(request, state, now_s)).throw(cancellation)
            raise
        else:
            return first.succeed(response, self.clock.now_s())
        finally:
            slots.release()
        return await self._go_on(first.go_on(self._loop_of(request, state, now_s)), reply, request)

    def _loop_of(
        self, request: Request, state: CallState, now_s: float
    ) -> Callable[[Permits | None], Generator[Command, Any, Success]]:
        return lambda permits: self.state.loop(request, state, permits, now_s=now_s)

    async def _go_on(
        self, loop: Generator[Command, Any, Success], reply: Reply | None, request: Request
    ) -> Success:
        """Carry out the commands of the loop of attempts, to its end."""
        slots = self.slots
        holds_slot = False
        try:
            command: Command = loop.send(reply)
            while True:
                try:
                    match command:
                        case TakeSlot():
                            reply = await self._take_slot(slots, command)
                            holds_slot = isinstance(reply, SlotTaken)
                        case Send():
                            reply = await self._send(request, command)
                            slots.release()
                            holds_slot = False
                        case Refresh():
                            reply = await self._refresh(command)
                        case _:
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
                slots.release()

    def _require_open(self) -> Transport:
        transport = self._transport
        if transport is None:
            raise ClientClosedError
        if self._pid != os.getpid():
            self._start_in_child(transport)
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            if self._loop is not None and getattr(transport, "is_bound_to_loop", True):
                raise WrongEventLoopError
            self.slots = Slots(self.slots.count)
            self._loop = loop
        return transport

    def _start_in_child(self, transport: Transport) -> None:
        """After a fork: use new connections of this process, if the transport can.

        A loop that was made before the fork belongs to the parent too: both would take each other's
        events from one selector.
        """
        start_in_child = getattr(transport, "start_in_child", None)
        loop = asyncio._get_running_loop()
        if start_in_child is None or loop is None or loop is self._loop:
            raise ForkedProcessError
        start_in_child(loop)
        self.slots = Slots(self.slots.count)
        self._loop = loop
        self._pid = os.getpid()

    async def _take_slot(self, slots: Slots, command: TakeSlot) -> Reply:
        try:
            was_awaited = await slots.take(command.timeout_s)
        except (TimeoutError, ClientClosedError) as error:
            return Raised(error, self.clock.now_s(), self.clock.draw())
        return SlotTaken(self.clock.now_s(), was_awaited)

    async def _send(self, request: Request, command: Send) -> Reply:
        try:
            transport = self._require_open()
            response = await transport.send(
                request.call.operation, request.params, timeout_s=command.timeout_s
            )
        except Exception as error:
            return Raised(error, self.clock.now_s(), self.clock.draw())
        return Answered(response, self.clock.now_s())

    async def _refresh(self, command: Refresh) -> Reply:
        try:
            transport = self._require_open()
            async with asyncio.timeout(command.timeout_s):
                is_new = await transport.refresh_credentials()
        except TimeoutError:
            late = NotSent("they were not fetched in time", provider="refresh", limit="timeout_s")
            return Raised(late, self.clock.now_s(), self.clock.draw())
        except Exception as error:
            return Raised(error, self.clock.now_s(), self.clock.draw())
        return Refreshed(is_new, self.clock.now_s())


def _new_id() -> str:
    from uuid import uuid4  # few calls need it, and it takes milliseconds to load

    return str(uuid4())
