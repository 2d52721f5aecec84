"""The handlers of a guarded client that check each request before it is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Mapping
from typing import Any
from weakref import ref

from dynasafe.errors import InvalidRequestError
from dynasafe.events import RequestRefused, RequestRepaired
from dynasafe.findings.finding import Finding
from dynasafe.guard.places import Sightings, caller_place, log_line
from dynasafe.guard.repair import Repairs, drop_empty, repair_expressions
from dynasafe.guard.schemas import DescribedTables
from dynasafe.guard.settings import Settings, Switch
from dynasafe.hooks import emit, logger
from dynasafe.operations import OPERATIONS, table_names
from dynasafe.validation import Form, check_request
from dynasafe.validation.check import CHECKED_OPERATIONS

_OF_ITEMS = frozenset(
    {
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "GetItem",
        "PutItem",
        "Query",
        "Scan",
        "SearchVectors",
        "TransactGetItems",
        "TransactWriteItems",
        "UpdateItem",
    }
)
"""The operations whose checks depend on the table's keys and indexes."""

_Question = tuple[tuple[str, ...], bool]
"""The tables to describe, and whether to describe known ones again."""


# `__tracebackhide__` hides a function's frames in pytest: the traceback of a refusal ends at the
# caller's line and botocore's.


class RequestChecks:
    """Checks the requests of one client."""

    def __init__(self, client: Any, switch: Switch) -> None:
        self._switch = switch
        self._tables = DescribedTables(ref(client))

    def before_others(self, params: dict[str, Any], model: Any, **_: Any) -> Awaitable[None] | None:
        __tracebackhide__ = True
        settings = self._switch.settings
        if settings is None:
            return None
        if settings.mode == "repair":
            _report_repairs(model, params, drop_empty(params), settings, self._switch.sightings)
        elif _has_none(params):
            return self._judge(model, params, None, settings)
        return None

    def after_others(self, params: dict[str, Any], model: Any, **_: Any) -> Awaitable[None] | None:
        __tracebackhide__ = True
        settings = self._switch.settings
        if settings is None or _has_none(params):  # already checked
            return None
        if settings.mode == "repair":
            findings = check_request(model.name, params, form="client")
            repairs = repair_expressions(model.name, params, findings)
            _report_repairs(model, params, repairs, settings, self._switch.sightings)
        return self._judge(model, params, "client", settings)

    def _judge(
        self, model: Any, params: Mapping[str, Any], form: Form | None, settings: Settings
    ) -> Awaitable[None] | None:
        __tracebackhide__ = True
        if model.name not in CHECKED_OPERATIONS:
            return None
        if settings.schema == "describe" and model.name not in _OF_ITEMS:
            findings = check_request(model.name, params, form=form)
        elif settings.schema == "describe":
            return self._described(self._judge_described(model, params, form, settings))
        else:
            findings = check_request(model.name, params, schema=settings.schema, form=form)
        if findings:
            _report(model, params, findings, settings, self._switch.sightings)
        return None

    def _judge_described(
        self, model: Any, params: Mapping[str, Any], form: Form | None, settings: Settings
    ) -> Iterator[_Question]:
        """Check the request. Yields the tables that must be described first."""
        __tracebackhide__ = True
        names = table_names(OPERATIONS[model.name], params)
        yield names, False
        findings = self._findings(model, params, names, form)
        if findings and findings != check_request(model.name, params, form=form):
            yield names, True
            findings = self._findings(model, params, names, form)
        if findings:
            _report(model, params, findings, settings, self._switch.sightings)

    def _findings(
        self, model: Any, params: Mapping[str, Any], names: tuple[str, ...], form: Form | None
    ) -> tuple[Finding, ...]:
        return check_request(model.name, params, schema=self._tables.schema(names), form=form)

    def _described(self, judging: Iterator[_Question]) -> Awaitable[None] | None:
        __tracebackhide__ = True
        for names, again in judging:
            waiting = self._tables.ask(names, again=again)
            if waiting is not None:
                return self._described_later(judging, waiting)
        return None

    async def _described_later(
        self, judging: Iterator[_Question], waiting: Awaitable[None]
    ) -> None:
        __tracebackhide__ = True
        await waiting
        for names, again in judging:
            answered = self._tables.ask(names, again=again)
            if answered is not None:
                await answered


def _has_none(params: Mapping[str, Any]) -> bool:
    for value in params.values():  # noqa: SIM110 - faster than any() with a generator
        if value is None:
            return True
    return False


def _report(
    model: Any,
    params: Mapping[str, Any],
    findings: tuple[Finding, ...],
    settings: Settings,
    sightings: Sightings,
) -> None:
    __tracebackhide__ = True
    operation, place = model.name, caller_place()
    counts = sightings.add(operation, findings, place)
    is_refused = settings.mode == "raise"
    event = RequestRefused(
        operation=operation,
        table_name=_table_name(params),
        findings=findings,
        place=place,
        count=max(counts),
        is_sent=not is_refused,
    )
    emit(settings.hooks, event)
    if is_refused:
        raise _refusal(model, params, findings, settings)
    for finding, count in zip(findings, counts, strict=True):
        if count == 1:
            logger().warning("DynamoDB guard: %s: %s\n  at %s", operation, finding, place)


def _report_repairs(
    model: Any,
    params: Mapping[str, Any],
    repairs: Repairs,
    settings: Settings,
    sightings: Sightings,
) -> None:
    if not repairs.members:
        return
    operation, place = model.name, caller_place()
    counts = sightings.add(operation, repairs.changes, place)
    event = RequestRepaired(
        operation=operation, table_name=_table_name(params), members=tuple(repairs.members)
    )
    emit(settings.hooks, event)
    for repair, count in zip(repairs.changes, counts, strict=True):
        if count == 1:
            logger().warning("%s", log_line(operation, repair, place))


def _table_name(params: Mapping[str, Any]) -> str | None:
    table_name = params.get("TableName")
    return table_name if isinstance(table_name, str) else None


def _refusal(
    model: Any, params: Mapping[str, Any], findings: tuple[Finding, ...], settings: Settings
) -> InvalidRequestError:
    if settings.errors == "dynasafe":
        return InvalidRequestError(model.name, findings)
    from dynasafe.guard.refusals import refusal

    return refusal(model.name, findings, params, model.input_shape)
