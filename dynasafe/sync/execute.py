"""The sync driver: carries out the commands of plans and of the retry loop in the caller's thread.

It has everything that one client's calls share: transport, connection slots, retry quota and
circuit breakers. Any number of threads may call at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from typing import Any, NoReturn, TypeVar

from dynasafe.calls.options import DEFAULT_MAX_CONNECTIONS, Settings
from dynasafe.calls.plans import Aside, CallState, Plan, Sleep, observed
from dynasafe.calls.requests import Request
from dynasafe.errors import (
    CircuitOpenError,
    ClientClosedError,
    DynasafeError,
    ForkedProcessError,
    OutcomeUnknownError,
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
from dynasafe.resilience.boundary import TransportError
from dynasafe.sync.clock import Clock, SystemClock
from dynasafe.sync.slots import Slots
from dynasafe.sync.state import ThreadSafeState
from dynasafe.sync.transport import Transport

T = TypeVar("T")

_FAILURES = (TransportError, DynasafeError)
"""The exceptions of transports. Others come from outside: KeyboardInterrupt, gevent.Timeout, and
those that a signal handler raises, such as Celery's SoftTimeLimitExceeded."""


class _Interruption(BaseException):
    """An exception from outside, for the loop of attempts."""


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
        self.state: ThreadSafeState = ThreadSafeState(new_id=_new_id, draw=self.clock.draw)
        self._transport = transport
        self._pid: int = os.getpid()

    def open(self, transport: Transport) -> None:
        """Open the client in this process."""
        self.slots = Slots(self.slots.count)
        self._pid = os.getpid()
        self._transport = transport

    def close(self) -> None:
        """Refuse all further calls, and calls that wait for a slot."""
        self._transport = None
        self.slots.refuse_waiting(ClientClosedError())

    def call(
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
            return self._drive(plan, state)
        except OutcomeUnknownError as error:
            self._offer(error, settings)
            raise
        except _FAILURES:
            raise
        except BaseException as interruption:
            # The exception may have come between the end of a request and the release of its slot.
            self.slots.release(state)
            state.explain(interruption)
            if isinstance(interruption.__cause__, OutcomeUnknownError):
                self._offer(interruption.__cause__, settings)
            raise

    def resolve(self, error: OutcomeUnknownError, settings: Settings) -> Any:
        """Find out whether a write was applied."""
        plan_of = error.__dict__.get("_resolve_plan")
        if plan_of is None:
            raise error
        return self.call(error.operation, error.table_name, settings, plan_of)

    def _offer(self, error: OutcomeUnknownError, settings: Settings) -> None:
        if error.__dict__.get("_resolve_plan") is not None:
            error._run_plan = lambda error: self.resolve(error, settings)

    def _drive(self, plan: Plan[T], state: CallState) -> T:
        try:
            command = next(plan)
            while True:
                try:
                    if isinstance(command, Request):
                        reply: Any = self._run(command, state)
                    elif isinstance(command, Aside):
                        reply = command.work()
                        state.now_s = self.clock.now_s()
                    else:
                        reply = None
                        if isinstance(command, Sleep):
                            self.clock.sleep(command.delay_s)
                        # In a Pause the interpreter runs other threads by itself.
                except BaseException as error:
                    state.now_s = self.clock.now_s()
                    command = plan.throw(error)
                else:
                    if reply is None:
                        state.now_s = self.clock.now_s()
                    command = plan.send(reply)
        except StopIteration as stop:
            result: T = stop.value
            return result

    def _run(self, request: Request, state: CallState) -> Success:
        """One request of a plan, with its retries."""
        transport = self._require_open()
        permits = self.state.prepare(request, state)
        slots, call = self.slots, request.call
        now_s = self.clock.now_s()

        def make_loop(permits: Permits | None) -> Generator[Command, Any, Success]:
            return self.state.loop(request, state, permits, now_s=now_s)

        deadline = state.deadline
        left_s = None if deadline is None else deadline.at_s - now_s
        was_applied = state.is_applied
        try:
            if (
                not FirstAttempt.suits(call)
                or state.is_observed  # the loop reports each attempt
                or (left_s is not None and left_s <= 0.0)
                or not slots.try_take(state)
            ):
                return self._go_on(make_loop(permits), None, request, state)
            try:
                first = FirstAttempt(permits, state.quota, state, now_s)
            except CircuitOpenError as refusal:
                assert permits is not None
                slots.release(state)
                held = make_loop(Held(permits, refusal))
                return self._go_on(held, None, request, state)
            timeout_s = state.settings.attempt_timeout_s
            if left_s is not None:
                timeout_s = left_s if timeout_s is None else min(timeout_s, left_s)
            try:
                # Before the request: an exception from outside may come right after its answer.
                state.is_applied = was_applied or call.is_write
                response = transport.send(call.operation, request.params, timeout_s=timeout_s)
            except _FAILURES as error:
                state.is_applied = was_applied
                reply = Raised(error, self.clock.now_s(), self.clock.draw())
            except BaseException as interruption:
                state.is_applied = was_applied  # the loop decides
                _interrupt(first.go_on(make_loop), interruption)
            else:
                return first.succeed(response, self.clock.now_s())
            slots.release(state)
            return self._go_on(first.go_on(make_loop), reply, request, state)
        finally:
            slots.release(state)

    def _go_on(
        self,
        loop: Generator[Command, Any, Success],
        reply: Reply | None,
        request: Request,
        state: CallState,
    ) -> Success:
        """Carry out the commands of the loop of attempts, to its end. The caller releases the
        slot."""
        slots = self.slots
        try:
            command: Command = loop.send(reply)
            while True:
                try:
                    match command:
                        case TakeSlot():
                            reply = self._take_slot(slots, command, state)
                        case Send():
                            reply = self._send(request, command, state)
                            slots.release(state)
                        case Refresh():
                            reply = self._refresh(command)
                        case _:
                            self.clock.sleep(command.delay_s)
                            reply = Woke(self.clock.now_s())
                except BaseException as interruption:
                    _interrupt(loop, interruption)
                command = loop.send(reply)
        except StopIteration as stop:
            success: Success = stop.value
            return success

    def _require_open(self) -> Transport:
        transport = self._transport
        if transport is None:
            raise ClientClosedError
        if self._pid != os.getpid():
            self._start_in_child(transport)
        return transport

    def _start_in_child(self, transport: Transport) -> None:
        """After a fork: use new connections of this process, if the transport can."""
        start_in_child = getattr(transport, "start_in_child", None)
        if start_in_child is None:
            raise ForkedProcessError
        with self.state.lock:  # only one of the child's threads does it
            if self._pid != os.getpid():
                start_in_child()
                self.slots = Slots(self.slots.count)
                self._pid = os.getpid()

    def _take_slot(self, slots: Slots, command: TakeSlot, state: CallState) -> Reply:
        try:
            was_awaited = slots.take(state, command.timeout_s)
        except (TimeoutError, ClientClosedError) as error:
            return Raised(error, self.clock.now_s(), self.clock.draw())
        return SlotTaken(self.clock.now_s(), was_awaited)

    def _send(self, request: Request, command: Send, state: CallState) -> Reply:
        was_applied = state.is_applied
        try:
            transport = self._require_open()
            state.is_applied = was_applied or request.call.is_write
            response = transport.send(
                request.call.operation, request.params, timeout_s=command.timeout_s
            )
        except _FAILURES as error:
            state.is_applied = was_applied
            return Raised(error, self.clock.now_s(), self.clock.draw())
        except BaseException:
            state.is_applied = was_applied  # the loop decides
            raise
        return Answered(response, self.clock.now_s())

    def _refresh(self, command: Refresh) -> Reply:
        try:
            transport = self._require_open()
            is_new = transport.refresh_credentials(timeout_s=command.timeout_s)
        except _FAILURES as error:
            return Raised(error, self.clock.now_s(), self.clock.draw())
        return Refreshed(is_new, self.clock.now_s())


def _interrupt(loop: Generator[Command, Any, Success], interruption: BaseException) -> NoReturn:
    """Let the loop give its permit back, and raise the exception from outside.

    Its cause is an OutcomeUnknownError, if the call is a write that may have been applied.
    """
    carrier = _Interruption()
    carrier.__cause__ = interruption.__cause__  # a NotSent means that nothing was sent
    try:
        loop.throw(carrier)
    except _Interruption as thrown:
        interruption.__cause__ = thrown.__cause__
    raise interruption


def _new_id() -> str:
    from uuid import uuid4  # few calls need it, and it takes milliseconds to load

    return str(uuid4())
