"""Every public exception, in one tree that answers "did the write happen?".

- `NotSentError`: no. Nothing reached DynamoDB.
- `ServiceError`: no. DynamoDB answered, and refused.
- `NoAnswerError`: no. It was a read.
- `StoredValueError`: yes, if it was a write. Only its answer could not be read.
- `BatchIncompleteError`: in part.
- `OutcomeUnknownError`: perhaps. The request was sent and no usable answer came back.

Each error has its facts as attributes, survives pickle, and prints no attribute values, which may
be personal data.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Self

from dynasafe.findings.finding import Finding, Span, underline
from dynasafe.findings.quoting import MAX_NAMES, cut, printable, quoted
from dynasafe.records import Record, assign


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """` Did you mean 'city'?`, or an empty text if no known name is similar."""
    from difflib import get_close_matches  # needed only for an error

    near = get_close_matches(str(name), list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


_MOST_FINDINGS = 20
"""The most findings in one message."""


def _named(name: object) -> str:
    """The name of a table (perhaps an ARN) or of a circuit, for a message."""
    return quoted(name, 320)


def _words(text: str | None) -> str:
    """The words of another program, which may quote attribute values."""
    return "None" if text is None else printable(text, 1000)


class DynasafeError(Exception):
    """Anything that dynasafe raises on purpose."""

    is_retryable: bool = False
    """Whether the same call may succeed later, and repeating it cannot apply a write twice."""

    @property
    def public_message(self) -> str:
        """A text that you may show to a caller from outside.

        It names what the caller sent, if that is wrong. It does not name tables or classes.
        """
        return "The request could not be completed"

    def __repr__(self) -> str:
        # Not from its arguments: they may hold items, and any number of findings.
        return f"{type(self).__name__}('{printable(str(self), 1000)}')"

    def __reduce__(self) -> tuple[Any, ...]:
        # Facts live in __dict__; rebuilding without __init__ keeps keyword-only signatures free.
        return (_rebuild, (type(self), self.args, _picklable(self.__dict__)))


def _picklable(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        name: fact
        for name, fact in facts.items()
        if not name.startswith("_") or name == "__notes__"
    }


def _rebuild(
    cls: type[DynasafeError], args: tuple[Any, ...], facts: dict[str, Any]
) -> DynasafeError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(facts)
    return error


def _hide_what_it_came_from(error: DynasafeError) -> None:
    # Like `from None`, which mypyc ignores: Python's own errors quote values.
    error.__suppress_context__ = True


class NotSentError(DynasafeError):
    """Nothing reached DynamoDB."""


class _PlacedError(DynasafeError):
    """An error about one value, with its document path.

    `path` may contain keys of maps, which are data like values, so messages show `*` for them. A
    long path is cut.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path: str = cut(path)
        self.reason: str = reason
        self._set_shown(self.path)
        _hide_what_it_came_from(self)

    def _set_shown(self, shown: str) -> None:
        self.shown_path: str = shown
        self.args: tuple[Any, ...] = (shown, self.reason)  # what a repr shows

    def within(self, part: str | int, *, is_key: bool = False) -> Self:
        """The same error, for the list or map around the value.

        Args:
            part: the position of the value in it: an index, a name, or the key of a map.
            is_key: whether `part` is a key of a map.
        """
        self.path = _joined(part, self.path)
        self._set_shown(_joined("*" if is_key else part, self.shown_path))
        return self

    def __str__(self) -> str:
        return f"{printable(self.shown_path)}: {self.reason}" if self.shown_path else self.reason


def _joined(part: str | int, rest: str) -> str:
    head = f"[{part}]" if isinstance(part, int) else cut(part)
    return cut(head + rest if not rest or rest[0] == "[" else f"{head}.{rest}")


class InvalidValueError(_PlacedError, NotSentError):
    """A Python value that DynamoDB cannot store, with its document path."""

    @property
    def public_message(self) -> str:
        """The message for the sender of the value: with the whole path, but without the fix."""
        reason = self.reason.partition(". Fix: ")[0]
        return f"{printable(self.path)}: {reason}" if self.path else reason


class UnsupportedTypeError(InvalidValueError, TypeError):
    """A value of a Python type that has no codec."""


class ValueOutOfRangeError(InvalidValueError, ValueError):
    """A value of a supported type that DynamoDB cannot store: NaN, an empty set, 39 digits."""


class InvalidPathError(ValueOutOfRangeError):
    """Text that is not a document path."""


class InvalidRequestError(NotSentError):
    """A request that DynamoDB would refuse: every finding, not only the first."""

    def __init__(self, operation: str, findings: Sequence[Finding]) -> None:
        # If it is not an operation, one of the findings says so.
        operation = printable(operation) if isinstance(operation, str) else type(operation).__name__
        super().__init__(operation, tuple(findings))
        self.operation: str = operation
        self.findings: tuple[Finding, ...] = tuple(findings)

    def __str__(self) -> str:
        more = len(self.findings) - _MOST_FINDINGS
        lines = [f"{self.operation} was not sent.", *map(str, self.findings[:_MOST_FINDINGS])]
        return "\n".join([*lines, f"and {more:,} more findings"] if more > 0 else lines)

    @property
    def public_message(self) -> str:
        """The findings without their fixes, which are for developers."""
        shown = [printable(each.message, 1000) for each in self.findings[:_MOST_FINDINGS]]
        return "; ".join(shown) or super().public_message


class InvalidPatchError(InvalidRequestError, InvalidValueError):
    """A patch that sets a field that it may not set, or to a value of another type.

    `problems` has one message for each field, which you may show to the sender of the patch.
    """

    def __init__(self, findings: Sequence[Finding], problems: Mapping[str, str]) -> None:
        InvalidRequestError.__init__(self, "UpdateItem", findings)
        self.problems: Mapping[str, str] = dict(problems)
        self.path = self.shown_path = "patch"
        self.reason: str = "; ".join(finding.message for finding in self.findings)

    @property
    def public_message(self) -> str:
        """The problems as one text, for the sender of the patch."""
        problems = islice(self.problems.items(), MAX_NAMES)
        shown = [f"{printable(name)}: {why}" for name, why in problems]
        more = len(self.problems) - len(shown)
        return "; ".join(shown) + (f" and {more:,} more" if more else "")


class ExpressionSyntaxError(InvalidRequestError):
    """An expression that does not parse, with the place underlined."""

    def __init__(self, reason: str, text: str, span: Span, fix: str) -> None:
        NotSentError.__init__(self, reason, text, span, fix)
        self.reason = reason
        self.text = text
        self.span = span
        self.fix = fix
        self.operation = "Expression"
        self.findings: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        reason = printable(self.reason, 1000)
        return f"{reason}\n{underline(self.text, self.span)}\nFix: {self.fix}"


class EmptyUpdateError(InvalidRequestError):
    """An update without actions, which would create an empty item if the item is missing."""

    def __init__(self) -> None:
        NotSentError.__init__(self)
        self.operation = "UpdateItem"
        self.findings: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        return (
            "UpdateItem was not sent: the update has no actions, and would create an empty item. "
            "Fix: check `update.is_empty` first, or add an action."
        )


class CircuitOpenError(NotSentError):
    """The circuit breaker refused the call; nothing was sent to DynamoDB.

    `retry_after_s` is infinite for a breaker that was opened with `force_open()`.
    """

    is_retryable = True

    def __init__(self, name: str, retry_after_s: float) -> None:
        super().__init__(name, retry_after_s)
        self.name = name
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        if self.retry_after_s == math.inf:
            return (
                f"Call not sent: the circuit {_named(self.name)} was opened by hand. "
                "Fix: serve a fallback, or reset() it."
            )
        return (
            f"Call not sent: the circuit {_named(self.name)} is open. "
            f"Fix: retry in {self.retry_after_s:.1f} s, or serve a fallback."
        )


class DeadlineExceededError(NotSentError):
    """The call's time ran out before anything was sent.

    Args:
        timeout_s: the limit that ran out, in seconds.
        waiting_for: what took the time.
        limit: the setting that raises the limit.
    """

    is_retryable = True

    def __init__(
        self, operation: str, timeout_s: float, waiting_for: str, limit: str = "timeout_s"
    ) -> None:
        super().__init__(operation, timeout_s, waiting_for, limit)
        self.operation = operation
        self.timeout_s = timeout_s
        self.waiting_for = waiting_for
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"{self.operation} was not sent: {self.limit}={self.timeout_s:g} ran out waiting for "
            f"{self.waiting_for}. Fix: raise {self.limit} or max_connections, or send less at once."
        )


class ConnectionNotMadeError(NotSentError):
    """No connection to DynamoDB could be made, so nothing was sent.

    `limit` is the setting whose time ran out, if any: "connect_timeout_s", "attempt_timeout_s".
    """

    is_retryable = True

    def __init__(
        self, operation: str, attempts: int, reason: str, *, limit: str | None = None
    ) -> None:
        super().__init__(operation, attempts, reason)
        self.operation = operation
        self.attempts = attempts
        self.reason = reason
        self.limit = limit

    def __str__(self) -> str:
        limit = f", or raise {self.limit}" if self.limit else ""
        return (
            f"{self.operation} was not sent: {_words(self.reason)} (attempts: {self.attempts}). "
            f"Fix: check the endpoint, the network and the region{limit}."
        )


NO_CREDENTIALS = "no credentials were found"
"""The reason where no source has any."""


class CredentialsError(NotSentError):
    """No usable credentials, so nothing was sent. (DynamoDB did not refuse anything.)

    `provider` is their configured source: "assume-role", "iam-role",
    "container-role", "sso", "env" ...
    """

    def __init__(self, operation: str, provider: str, reason: str) -> None:
        super().__init__(operation, provider, reason)
        self.operation = operation
        self.provider = provider
        self.reason = reason

    def __str__(self) -> str:
        fix = "check that source of credentials, its permissions and the network"
        if self.reason == NO_CREDENTIALS:
            fix = (
                "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the "
                "process a role. An engine on this machine takes any keys: connect(client_options="
                "{'aws_access_key_id': 'test', 'aws_secret_access_key': 'test'})"
            )
        return (
            f"{self.operation} was not sent: no credentials from {printable(self.provider)}: "
            f"{_words(self.reason)}. Fix: {fix}."
        )


class ClientRetriesError(NotSentError):
    """A client that repeats requests by itself, which could count an increment twice."""

    def __init__(self, retries: str) -> None:
        super().__init__(retries)
        self.retries = retries

    def __str__(self) -> str:
        return (
            f"This client repeats requests by itself (retries={self.retries}), which would apply "
            "a timed-out increment twice. Fix: make it with config=dynasafe.client_config(), or "
            "use connect()."
        )


class ForkedProcessError(NotSentError):
    """A client was opened before a fork, and used in the child process.

    Both processes would read each other's answers from the same connections.
    """

    def __str__(self) -> str:
        return (
            "Call not sent: this client was opened before this process was forked. "
            "Fix: open one in each process, after the fork."
        )


class WrongEventLoopError(NotSentError):
    """An AsyncDynamoDB was used from an event loop other than its own."""

    def __str__(self) -> str:
        return (
            "Call not sent: this AsyncDynamoDB belongs to another event loop. "
            "Fix: make one per event loop, with `async with AsyncDynamoDB.connect() as db:`; in "
            "tests, give a fixture that uses it the loop_scope of the test."
        )


class ClientClosedError(NotSentError):
    """A client was used before it was opened, or after it was closed."""

    def __str__(self) -> str:
        return (
            "Call not sent: this client is not open. Fix: use it inside "
            "`async with AsyncDynamoDB.connect() as db:` or `with DynamoDB.connect() as db:`."
        )


class GuardUnavailableError(DynasafeError):
    """`guard_process` does not work with this version of botocore, so no client is guarded."""

    def __init__(self, botocore_version: str) -> None:
        super().__init__(botocore_version)
        self.botocore_version = botocore_version

    def __str__(self) -> str:
        return (
            f"The process is not guarded: botocore {self.botocore_version} registers no built-in "
            "handlers with its sessions. Fix: guard each client or session with "
            "dynasafe.guard(), or install a botocore that dynasafe is tested with."
        )


class StoredValueError(_PlacedError, ValueError):
    """DynamoDB answered with a value that does not fit its annotation.

    If the call was a write, it was applied.

    Attributes:
        table_name: the item's table, if it has one.
        key: its primary key, if the Item class has it.
        item: the whole item in wire form. Messages do not show it: it may be personal data.
    """

    table_name: str | None = None
    key: Mapping[str, Any] | None = None
    item: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, error: InvalidValueError) -> Self:
        """The same error, for a value that was read."""
        stored = cls(error.path, error.reason)
        stored._set_shown(error.shown_path)
        return stored


class ServiceError(DynasafeError):
    """DynamoDB answered and refused the request: it was not applied.

    `error_class` is the kind of refusal: "throttled", "conflict", "condition_failed",
    "credentials" or "final". `is_retryable` is true for throttles and conflicts.
    """

    def __init__(
        self,
        operation: str,
        code: str,
        message: str,
        *,
        error_class: str,
        table_name: str | None = None,
        http_status: int | None = None,
        request_id: str | None = None,
        attempts: int = 1,
    ) -> None:
        super().__init__(operation, code, message)
        self.operation = operation
        self.code = code
        self.message = message
        self.error_class = error_class
        self.is_retryable: bool = error_class in ("throttled", "conflict")
        self.table_name = table_name
        self.http_status = http_status
        self.request_id = request_id
        self.attempts = attempts

    def __str__(self) -> str:
        table = f" on table {_named(self.table_name)}" if self.table_name else ""
        return (
            f"{self.operation}{table} was refused: {printable(self.code)}: {_words(self.message)} "
            f"(attempts: {self.attempts}, request id: {self.request_id})"
        )


class ConditionalCheckFailedError(ServiceError):
    """The condition was false, so nothing was written.

    `item` is the stored item, if the request had ReturnValuesOnConditionCheckFailure=ALL_OLD, as
    the requests of tables have, and the item fits the item class. Otherwise it is None.
    """

    item: Any | None = None


class VersionConflictError(ConditionalCheckFailedError):
    """The item was changed since it was read: its version is not the expected one."""

    expected_version: int | None = None
    stored_version: int | None = None

    def __str__(self) -> str:
        return (
            f"{super().__str__()}; expected version {self.expected_version}, stored version "
            f"{self.stored_version}. Fix: read the item again and redo the change."
        )


class CancellationReason(Record):
    """Why one operation cancelled a transaction. The code is "None" if it was not the cause."""

    __slots__ = __match_args__ = ("operation", "code", "message", "item")
    operation: str
    code: str
    message: str | None
    item: Any

    def __init__(
        self, *, operation: str, code: str, message: str | None = None, item: Any = None
    ) -> None:
        assign(self, "operation", operation)
        assign(self, "code", code)
        assign(self, "message", message)
        assign(self, "item", item)

    def _shown(self) -> tuple[str, ...]:
        return ("operation", "code", "message")  # not the item: its values may be personal data


class TransactionCanceledError(ServiceError):
    """The whole transaction was cancelled; `reasons` are in request order."""

    reasons: tuple[CancellationReason, ...] = ()

    def __str__(self) -> str:
        lines = [
            f"  {index}: {reason.operation}: {printable(reason.code)}: {_words(reason.message)}"
            for index, reason in enumerate(self.reasons)
            if reason.code != "None"
        ]
        return "\n".join([super().__str__(), *lines])


class ItemTooLargeError(ServiceError):
    """The item would exceed 400 KB with this write, so nothing was written.

    Source: "Service, account, and table quotas in Amazon DynamoDB".
    """


class ThrottledError(ServiceError):
    """DynamoDB refused the request because of its rate; `reasons` are its ThrottlingReasons."""

    reasons: tuple[str, ...] = ()


class NoAnswerError(DynasafeError):
    """A read was sent, and no usable answer came back. Nothing can have changed."""

    is_retryable = True

    def __init__(
        self, operation: str, *, table_name: str | None = None, attempts: int = 1, reason: str
    ) -> None:
        super().__init__(operation, reason)
        self.operation = operation
        self.table_name = table_name
        self.attempts = attempts
        self.reason = reason

    def __str__(self) -> str:
        table = f" on table {_named(self.table_name)}" if self.table_name else ""
        return (
            f"{self.operation}{table} was sent {self.attempts} time(s) without a usable answer: "
            f"{_words(self.reason)}. Fix: read again; raise attempt_timeout_s if the table is slow."
        )


APPLIED = "it was applied, but "
"""How the reason begins where the result alone is unknown."""


class OutcomeUnknownError(DynasafeError):
    """The write was sent and got no usable answer: it may have been applied or not.

    If the call had a ClientRequestToken, or the item has a `write_id=True` attribute,
    `await db.resolve(error)` finds out; `await error.resolve()` does the same. With `DynamoDB`,
    leave out the `await`.

    Attributes:
        client_request_token: the token of the call, if it had one.
        key: the key of the written item, with DynamoDB's names, if it was one item.
        write_id: the id that the item has if the write was applied.
        item: the stored item, if it was returned or read.
    """

    def __init__(
        self,
        operation: str,
        *,
        table_name: str | None = None,
        attempts: int = 1,
        reason: str,
        request_id: str | None = None,
        client_request_token: str | None = None,
        item: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(operation, reason)
        self.operation = operation
        self.table_name = table_name
        self.attempts = attempts
        self.reason = reason
        self.request_id = request_id
        self.client_request_token = client_request_token
        self.item = item
        self.key: Mapping[str, Any] | None = None
        self.write_id: str | None = None
        # Functions that find out: the plan of the core, and the client that runs it.
        self._resolve_plan: Any = None
        self._run_plan: Any = None

    def __str__(self) -> str:
        table = f" on table {_named(self.table_name)}" if self.table_name else ""
        can_resolve = self.client_request_token or self.__dict__.get("_resolve_plan")
        fix = (
            "db.resolve(error) finds out."
            if can_resolve
            else "read the item before you repeat the write, or use exactly_once=True."
        )
        outcome = (
            "; " if self.reason.startswith(APPLIED) else " and may or may not have been applied: "
        )
        return (
            f"{self.operation}{table} was sent {self.attempts} time(s){outcome}"
            f"{_words(self.reason)}. Fix: {fix}"
        )

    def resolve(self) -> Any:
        """Find out: returns the call's result, or raises its error. Await it if the call was async.

        Raises:
            OutcomeUnknownError: it is still unknown, or the error has neither a token nor an id.
        """
        run_plan = self.__dict__.get("_run_plan")
        if run_plan is None:
            raise self
        return run_plan(self)


class BatchIncompleteError(DynasafeError):
    """A batch stopped half-way. `__cause__` is the error that stopped it.

    The three lists have the entries as you gave them: the keys of a read; the items to put and the
    keys to delete of a write.

    Args:
        processed: answered; empty for an iterator. After a read, `items` has the found items.
        unprocessed: not sent, or handed back by DynamoDB: not applied.
        unknown: sent in a request without an answer, or with an answer that could not be read.
        processed_count: the number of entries that were answered.
    """

    def __init__(
        self,
        operation: str,
        *,
        table_name: str,
        processed: Sequence[Any],
        unprocessed: Sequence[Any],
        unknown: Sequence[Any] = (),
        items: Sequence[Any] = (),
        processed_count: int | None = None,
    ) -> None:
        super().__init__(operation, table_name)
        self.operation = operation
        self.table_name = table_name
        self.processed: tuple[Any, ...] = tuple(processed)
        self.unprocessed: tuple[Any, ...] = tuple(unprocessed)
        self.unknown: tuple[Any, ...] = tuple(unknown)
        self.items: tuple[Any, ...] = tuple(items)
        self.processed_count: int = (
            len(self.processed) if processed_count is None else processed_count
        )

    def __str__(self) -> str:
        return (
            f"{self.operation} on table {_named(self.table_name)} stopped half-way: "
            f"{self.processed_count} processed, {len(self.unprocessed)} not, "
            f"{len(self.unknown)} unknown. Fix: send error.unprocessed again, later; see "
            "error.__cause__ for the reason."
        )
