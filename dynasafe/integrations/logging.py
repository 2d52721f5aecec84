"""Structured logs of calls, with stable field names.

Works with the standard library's loggers, with AWS Lambda Powertools' Logger, and with structlog.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import fields as _fields
from typing import Any, Protocol

from dynasafe.events import (
    AttemptFailed,
    CallCancelled,
    CallEvent,
    CallFailed,
    CircuitRateExceeded,
    CircuitTransition,
    Event,
    RequestRepaired,
    UnknownErrorCode,
)

__all__ = ["LogHook", "StructlogHook", "fields", "level"]

_ANSWERS = frozenset({"ConditionalCheckFailedError", "VersionConflictError"})
"""Errors that are an expected answer."""


def fields(event: Event) -> dict[str, Any]:
    """The facts of an event, by field name.

    All names start with `dynamodb_`, so none is the same as a logger's own field.
    """
    facts = {_NAMES.get(each.name, each.name): getattr(event, each.name) for each in _fields(event)}
    return {f"dynamodb_{name}": value for name, value in facts.items() if value is not None}


_NAMES = {"table_name": "table", "name": "circuit"}


def level(event: Event) -> int:
    """The log level of an event, as in the standard library."""
    match event:
        case CallFailed():
            return logging.INFO if event.error in _ANSWERS else logging.ERROR
        case CallCancelled():
            return logging.ERROR if event.may_be_applied else logging.INFO
        case CircuitTransition():
            return logging.ERROR if event.to_state == "open" else logging.WARNING
        case AttemptFailed() | UnknownErrorCode() | RequestRepaired() | CircuitRateExceeded():
            return logging.WARNING
        case _:
            return logging.DEBUG


class LogHook:
    """Logs each event: `AsyncDynamoDB.connect(hooks=[LogHook(logging.getLogger("people"))])`.

    The message is the event's name and operation. Its facts are in `extra`, where JSON formatters
    and Powertools' Logger expect them.

    Args:
        logger: a logger of the standard library or of Powertools.
        minimum: the level below which nothing is logged.
    """

    def __init__(self, logger: _Logger, *, minimum: int = logging.INFO) -> None:
        self._logger = logger
        self._minimum = minimum

    def __call__(self, event: Event) -> None:
        importance = level(event)
        if importance >= self._minimum:
            write: _Write = getattr(self._logger, logging.getLevelName(importance).lower())
            write(_message(event), extra=fields(event))


class StructlogHook:
    """Logs each event with structlog: `StructlogHook(structlog.get_logger())`.

    Args:
        logger: of structlog.
        minimum: the level below which nothing is logged.
    """

    def __init__(self, logger: Any, *, minimum: int = logging.INFO) -> None:
        self._logger = logger
        self._minimum = minimum

    def __call__(self, event: Event) -> None:
        importance = level(event)
        if importance >= self._minimum:
            write: Callable[..., Any] = getattr(
                self._logger, logging.getLevelName(importance).lower()
            )
            write(_message(event), **fields(event))


class _Write(Protocol):
    def __call__(self, msg: str, *, extra: dict[str, Any]) -> Any: ...


class _Logger(Protocol):
    """The common interface of loggers of the standard library and Powertools."""

    @property
    def debug(self) -> _Write: ...

    @property
    def info(self) -> _Write: ...

    @property
    def warning(self) -> _Write: ...

    @property
    def error(self) -> _Write: ...


def _message(event: Event) -> str:
    name = type(event).__name__
    return f"{name} {event.operation}" if isinstance(event, CallEvent) else name
