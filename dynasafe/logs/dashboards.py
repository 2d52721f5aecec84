"""Dashboards of the metrics, for CloudWatch and for Grafana with Prometheus."""

from __future__ import annotations

import json
import re
from typing import Any

from dynasafe.logs.alarms import NAMESPACE, metric_of
from dynasafe.logs.signatures import Level

_WIDTH, _HEIGHT = 12, 6

_ROWS = (
    ("Was it written?", ("OutcomeUnknown", "CancelledAfterSend")),
    ("Failed calls", ("CallFailed",)),
    ("Failed attempts and throttles", ("AttemptFailed", "Throttled")),
    ("Circuits opened", ("CircuitOpened",)),
    ("Calls and attempts", ("Calls", "Attempts")),
)
"""Panels of the metrics that `EmfHook` writes."""


def cloudwatch_dashboard(service: str, *, region: str) -> str:
    """The body of a CloudWatch dashboard: errors in logs, and the metrics of `EmfHook`."""
    levels = [[NAMESPACE, metric_of(level)] for level in Level]
    panels: list[tuple[str, list[Any], str]] = [("Known errors in logs, by level", levels, "Sum")]
    panels += [
        (title, [[NAMESPACE, name, "service", service] for name in names], "Sum")
        for title, names in _ROWS
    ]
    panels.append(
        ("Duration in milliseconds, p99", [[NAMESPACE, "Duration", "service", service]], "p99")
    )
    widgets = [
        {
            "type": "metric",
            "x": number % 2 * _WIDTH,
            "y": number // 2 * _HEIGHT,
            "width": _WIDTH,
            "height": _HEIGHT,
            "properties": {
                "title": title,
                "metrics": metrics,
                "stat": statistic,
                "period": 300,
                "region": region,
                "view": "timeSeries",
            },
        }
        for number, (title, metrics, statistic) in enumerate(panels)
    ]
    return json.dumps({"widgets": widgets}, indent=2) + "\n"


_PROMETHEUS = (
    ("Was it written? Unknown outcomes in 5 min", "dynasafe.outcome.unknown", "increase"),
    ("Failed attempts per second, by code", "dynasafe.attempt.failures", "rate by (dynasafe_code)"),
    ("Throttles per second", "dynasafe.throttles", "rate by (db_collection_name)"),
    ("Circuits: 0 closed, 1 half-open, 2 open", "dynasafe.circuit.state", "max"),
    ("Duration in seconds, p99", "db.client.operation.duration", "p99"),
    ("Wait for a connection slot in seconds, p99", "dynasafe.slot.wait", "p99"),
    ("Attempts per second", "dynasafe.attempts", "rate by (db_operation_name)"),
    (
        "Consumed capacity units per second",
        "dynasafe.consumed_capacity",
        "rate by (db_collection_name)",
    ),
)
"""Panels of the metrics of `OtelHook`."""


def grafana_dashboard() -> str:
    """A Grafana dashboard with the metrics of `OtelHook` from Prometheus."""
    panels = [
        {
            "id": number + 1,
            "type": "timeseries",
            "title": title,
            "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "gridPos": {"x": number % 2 * 12, "y": number // 2 * 8, "w": 12, "h": 8},
            "targets": [{"refId": "A", "expr": _expression(metric, how)}],
        }
        for number, (title, metric, how) in enumerate(_PROMETHEUS)
    ]
    return (
        json.dumps(
            {
                "title": "DynamoDB calls",
                "tags": ["dynasafe"],
                "schemaVersion": 39,
                "refresh": "1m",
                "time": {"from": "now-6h", "to": "now"},
                "templating": {
                    "list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]
                },
                "panels": panels,
            },
            indent=2,
        )
        + "\n"
    )


def _expression(metric: str, how: str) -> str:
    """PromQL for a metric, with the names that OpenTelemetry's Prometheus exporter uses."""
    name = re.sub(r"\W", "_", metric)
    kind, _, rest = how.partition(" ")
    match kind:
        case "increase":
            return f"sum(increase({name}_total[5m]))"
        case "rate":
            return f"sum {rest} (rate({name}_total[5m]))"
        case "p99":
            return f"histogram_quantile(0.99, sum by (le) (rate({name}_seconds_bucket[5m])))"
        case _:
            return f"max by (dynasafe_circuit_name) ({name})"
