"""Settings of calls, on a client; a table or a call may override them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict

from dynasafe.errors import StoredValueError, UnsupportedTypeError
from dynasafe.findings.quoting import quoted
from dynasafe.items.conditions import ConditionLike
from dynasafe.items.updates import ReturnConsumedCapacity, ReturnItemCollectionMetrics
from dynasafe.resilience.circuit_breaker import Circuit
from dynasafe.resilience.retry import RetryPolicy
from dynasafe.resilience.settings_rules import require_hooks, require_seconds

if TYPE_CHECKING:
    from dynasafe.events import Hook

BreakerFactory = Callable[[str], Circuit]
"""Makes the circuit breaker of the given name, as in "orders/write"."""

OnInvalid = Literal["raise", "skip"] | Callable[[StoredValueError], object]
"""What to do with a stored item that does not fit its class: "raise" the error after the other
items of its page, "skip" the item, or call this function with the error and skip the item."""

Select = Literal["ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT"]

DEFAULT_TIMEOUT_S = 30.0
DEFAULT_ATTEMPT_TIMEOUT_S = 5.0
DEFAULT_CONNECT_TIMEOUT_S = 3.1
DEFAULT_MAX_CONNECTIONS = 50


class CallOptions(TypedDict, total=False):
    """Settings that one call may override."""

    retry: RetryPolicy | None
    """When to repeat a request; None: send it once. Default of a client: RetryPolicy()."""
    breaker: Circuit | BreakerFactory | None
    """One CircuitBreaker for all calls with this setting; or a factory, called once for the reads
    and once for the writes of each table; None: no breaker. Default of a client: a factory."""
    timeout_s: float | None
    """Seconds for the whole call: credentials, waits for a slot, all attempts and delays; None: no
    limit. Default of a client: 30."""
    attempt_timeout_s: float | None
    """Seconds for one attempt; None: no limit. Default of a client: 5."""
    validate: bool
    """Whether requests are checked before they are sent. Default of a client: True."""


class TableOptions(CallOptions, total=False):
    """Settings that a table may override."""

    hooks: Sequence[Hook]
    """Called with every event. Default of a client: no hooks."""


class WriteOptions(CallOptions, total=False):
    """Options of put_item, update_item and delete_item."""

    condition: ConditionLike | None
    """Must hold for the stored item, in addition to the builder's own condition."""
    return_consumed_capacity: ReturnConsumedCapacity | None
    """Whether DynamoDB reports the capacity that the call consumed."""
    return_item_collection_metrics: ReturnItemCollectionMetrics | None
    """Whether DynamoDB reports the size of the item collection."""
    exactly_once: bool
    """Send the write as a transaction with a token; see `AsyncTable.update_item`."""
    client_request_token: str | None
    """A token of your own; see `AsyncTable.update_item`."""


class ScanOptions(CallOptions, total=False):
    """Options of scan."""

    filter: ConditionLike | None
    """Leaves out items that do not match; you pay for reading them."""
    index_name: str | None
    """The index to read instead of the table."""
    consistent_read: bool | None
    """True: the read sees every write that was acknowledged before it. It costs twice as much."""
    limit: int | None
    """The number of items that one request reads, before the filter."""
    max_items: int | None
    """The largest number of items that you get, over all requests."""
    exclusive_start_key: Mapping[str, Any] | None
    """A page's `last_evaluated_key`, or its `last_evaluated_key_json`, to continue after it."""
    select: Select | None
    """The attributes to return; "COUNT" returns no items."""
    on_invalid: OnInvalid
    """What to do with an item that does not fit its class; the default is "raise"."""
    return_consumed_capacity: ReturnConsumedCapacity | None
    """Whether DynamoDB reports the capacity that the call consumed."""
    total_segments: int | None
    """Read this number of parts of the table at once. Items then come in no fixed order."""


class QueryOptions(CallOptions, total=False):
    """Options of query: those of scan without segments, and the sort order."""

    filter: ConditionLike | None
    """Leaves out items that do not match; you pay for reading them."""
    index_name: str | None
    """The index to read instead of the table."""
    consistent_read: bool | None
    """True: the read sees every write that was acknowledged before it. It costs twice as much."""
    scan_index_forward: bool | None
    """True: the lowest sort key first. False: the highest."""
    limit: int | None
    """The number of items that one request reads, before the filter."""
    max_items: int | None
    """The largest number of items that you get, over all requests."""
    exclusive_start_key: Mapping[str, Any] | None
    """A page's `last_evaluated_key`, to continue after it."""
    select: Select | None
    """The attributes to return; "COUNT" returns no items."""
    on_invalid: OnInvalid
    """What to do with an item that does not fit its class; the default is "raise"."""
    return_consumed_capacity: ReturnConsumedCapacity | None
    """Whether DynamoDB reports the capacity that the call consumed."""


_DEFAULT_RETRY: Final = RetryPolicy()


def default_breaker(name: str) -> Circuit:
    return Circuit(name=name)


class Settings:
    """All settings of a call.

    Raises:
        InvalidValueError: a setting has the wrong type, or is outside its range.
    """

    __slots__ = ("attempt_timeout_s", "breaker", "hooks", "retry", "timeout_s", "validate")

    def __init__(
        self,
        *,
        retry: RetryPolicy | None = _DEFAULT_RETRY,
        breaker: Circuit | BreakerFactory | None = default_breaker,
        timeout_s: float | None = DEFAULT_TIMEOUT_S,
        attempt_timeout_s: float | None = DEFAULT_ATTEMPT_TIMEOUT_S,
        validate: bool = True,
        hooks: Sequence[Hook] = (),
    ) -> None:
        if retry is not None and not isinstance(retry, RetryPolicy):
            raise UnsupportedTypeError(
                "retry", f"a RetryPolicy or None is expected, not {type(retry).__name__}"
            )
        if not (breaker is None or isinstance(breaker, Circuit) or callable(breaker)):
            raise UnsupportedTypeError(
                "breaker",
                f"a CircuitBreaker, a factory or None is expected, not {type(breaker).__name__}",
            )
        if timeout_s is not None:
            require_seconds("timeout_s", timeout_s)
        if attempt_timeout_s is not None:
            require_seconds("attempt_timeout_s", attempt_timeout_s)
        require_hooks("hooks", hooks)
        self.retry: Final = retry
        self.breaker: Final = breaker
        self.timeout_s: Final = timeout_s
        self.attempt_timeout_s: Final = attempt_timeout_s
        self.validate: Final = validate
        self.hooks: Final = hooks

    def overridden(self, options: Mapping[str, Any]) -> Settings:
        """The same settings, except for these."""
        own = {name: getattr(self, name) for name in self.__slots__}
        return Settings(**{**own, **options})


class Keywords:
    """The keywords of one method, which refuses other keywords.

    Args:
        method: the method's name, for the error.
        options: the TypedDict of its keywords.
        named: the keywords that the signature names.
    """

    __slots__ = ("_own", "_settings", "all", "method")

    def __init__(
        self, method: str, options: type[Any] = CallOptions, named: Collection[str] = ()
    ) -> None:
        self.method: str = method
        # A TypedDict has no bases at run time.
        settings = TableOptions if "hooks" in options.__annotations__ else CallOptions
        self._settings: frozenset[str] = frozenset(settings.__annotations__)
        self._own: frozenset[str] = frozenset(options.__annotations__) - self._settings
        self.all: tuple[str, ...] = tuple(sorted({*self._settings, *self._own, *named}))

    def split(
        self, options: Mapping[str, Any], settings: Settings
    ) -> tuple[Mapping[str, Any], Settings]:
        """The method's own options, and the settings with those that the call overrides.

        Raises:
            InvalidValueError: a keyword is unknown, or a setting is wrong.
        """
        if not options:
            return options, settings
        own: dict[str, Any] = {}
        overridden: dict[str, Any] = {}
        for name, value in options.items():
            if name in self._own:
                own[name] = value
            elif name in self._settings:
                overridden[name] = value
            else:
                raise self._unknown(name)
        if overridden:
            settings = settings.overridden(overridden)
        return own, settings

    def settings(self, options: Mapping[str, Any], settings: Settings) -> Settings:
        """The settings, with those that the call overrides."""
        return self.split(options, settings)[1] if options else settings

    def _unknown(self, name: str) -> UnsupportedTypeError:
        from difflib import get_close_matches  # only where something is wrong already

        near = get_close_matches(name, self.all, n=1, cutoff=0.4)
        suggestion = f" Did you mean {near[0]}=?" if near else ""
        if name.startswith("aws_") and "client_options" in self.all:
            suggestion = f" Fix: client_options={{{quoted(name)}: ...}}."
        return UnsupportedTypeError(
            f"{self.method}()",
            f"no keyword {quoted(name)}.{suggestion} Keywords: {', '.join(self.all)}",
        )


def require_on_invalid(on_invalid: object) -> None:
    """Refuse an invalid value of `on_invalid`.

    Raises:
        UnsupportedTypeError: it is not "raise", "skip" or a function.
    """
    is_word = isinstance(on_invalid, str) and on_invalid in ("raise", "skip")
    if not is_word and not callable(on_invalid):
        raise UnsupportedTypeError(
            "on_invalid", f"'raise', 'skip' or a function is expected, not {quoted(on_invalid)}"
        )


def report(invalid: Iterable[StoredValueError], on_invalid: OnInvalid) -> None:
    """Call the function, if there is one, with the error of each item that does not fit."""
    if callable(on_invalid):
        for error in invalid:
            on_invalid(error)
