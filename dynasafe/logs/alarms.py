"""The metric filters and alarms to deploy, as a model that `templates` writes as text.

Limits of CloudWatch Logs, from botocore's model of the API: 100 filters for a log group, 1,024
characters for a pattern, one metric for a filter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from dynasafe.logs.patterns import filter_patterns
from dynasafe.logs.signatures import SIGNATURES, Level, Signature

NAMESPACE = "dynasafe"
MAX_FILTERS = 100
MAX_RESOURCES = 500
"""The most resources of a CloudFormation stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFilter:
    """Counts the events of a log group that match a pattern."""

    name: str
    group: str
    pattern: str
    metric: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Alarms if the metric reaches `threshold` in `breaching` of the last `periods` periods of 5
    min."""

    name: str
    metric: str
    threshold: int
    breaching: int
    periods: int
    description: str
    dimensions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """All filters and alarms, the topic that the alarms notify, and the catalogue's version."""

    filters: tuple[MetricFilter, ...]
    alarms: tuple[Alarm, ...]
    topic: str | None
    version: str


_AT_ONCE = (1, 1, 1)
_OFTEN = (10, 2, 3)
_RULES: dict[Level, tuple[int, int, int] | None] = {
    Level.BUG: _AT_ONCE,
    Level.OWN: _AT_ONCE,
    Level.SETUP: _AT_ONCE,
    Level.OUTAGE: _OFTEN,
    Level.CAPACITY: _OFTEN,
    Level.STATE: None,
    Level.LEAK: None,
}
"""Threshold, breaching periods and periods by level. None: a metric without an alarm."""

_OWN_ALARMS = (
    ("outcome-unknown", "OutcomeUnknown", _AT_ONCE, "DYS480: a write may have been applied."),
    ("circuit-opened", "CircuitOpened", _AT_ONCE, "DYS481: a circuit breaker opened."),
    ("throttled", "Throttled", _OFTEN, "DYS440: DynamoDB throttles requests."),
)
"""Alarms on the metrics of `dynasafe.integrations.emf`."""


def catalogue_version() -> str:
    """Eight hex digits, which change if any needle changes."""
    text = repr([(each.code, each.level.value, each.needles) for each in SIGNATURES])
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def metric_of(level: Level) -> str:
    """The metric that counts a level: DynamoDBBug."""
    return f"DynamoDB{level.value.capitalize()}"


def deployment(
    groups: Sequence[str],
    *,
    topic: str | None = None,
    per_code: bool = False,
    own: str | None = None,
) -> Deployment:
    """The filters and alarms for some log groups.

    Args:
        per_code: make a filter, a metric and an alarm for each code, not for each level.
        own: the name of a service, as given to `EmfHook`, whose own metrics get alarms too.

    Raises:
        ValueError: there are more resources than a CloudFormation stack may have.
    """
    filters: list[MetricFilter] = []
    alarms: list[Alarm] = []
    for name, metric, signatures in _per_code() if per_code else _per_level():
        patterns = filter_patterns(signatures)
        for group in groups:
            filters += [
                MetricFilter(
                    name=name if len(patterns) == 1 else f"{name}-{number}",
                    group=group,
                    pattern=pattern,
                    metric=metric,
                )
                for number, pattern in enumerate(patterns, 1)
            ]
        rule = _RULES[signatures[0].level]
        if rule is not None:
            what = signatures[0].title if per_code else f"Errors of level {signatures[0].level}"
            alarms.append(
                _alarm(name, metric, rule, f"{what}. `dynasafe logs cloudwatch` shows them.")
            )
    if own is not None:
        alarms += [
            _alarm(f"dynasafe-{own}-{name}", metric, rule, text, (("service", own),))
            for name, metric, rule, text in _OWN_ALARMS
        ]
    if len(filters) + len(alarms) > MAX_RESOURCES:
        raise ValueError(
            f"{len(filters) + len(alarms)} resources, but a stack may have at most "
            f"{MAX_RESOURCES}. Fix: give fewer log groups, or leave --per-code out."
        )
    return Deployment(
        filters=tuple(filters), alarms=tuple(alarms), topic=topic, version=catalogue_version()
    )


def _alarm(
    name: str,
    metric: str,
    rule: tuple[int, int, int],
    description: str,
    dimensions: tuple[tuple[str, str], ...] = (),
) -> Alarm:
    threshold, breaching, periods = rule
    return Alarm(
        name=name,
        metric=metric,
        threshold=threshold,
        breaching=breaching,
        periods=periods,
        description=description,
        dimensions=dimensions,
    )


def _per_level() -> list[tuple[str, str, list[Signature]]]:
    return [
        (f"dynasafe-{level}", metric_of(level), [s for s in SIGNATURES if s.level is level])
        for level in Level
    ]


def _per_code() -> list[tuple[str, str, list[Signature]]]:
    return [(f"dynasafe-{each.code}", each.code, [each]) for each in SIGNATURES]
