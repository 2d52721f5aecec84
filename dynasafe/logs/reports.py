"""Reports of a scan as text, JSON or GitHub annotations.

Reports show no lines of the log. They describe each group by its signature and safe facts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dynasafe.logs.grouping import Group, Tally, is_new
from dynasafe.logs.signatures import Level

VERSION = 1


def json_report(tally: Tally, *, min_count: int, days: float) -> str:
    """The report as JSON, which is also a baseline for later scans."""
    return json.dumps(
        {
            "version": VERSION,
            "complete": tally.is_complete,
            "gaps": tally.gaps,
            "events": tally.events,
            "days": round(days, 3),
            "groups": [_as_json(each) for each in tally.sorted_groups(min_count=min_count)],
            "cut_off": tally.cut_off,
            "unknown": [{"name": name, "count": n} for name, n in tally.unknown.most_common()],
        },
        indent=2,
    )


def _as_json(group: Group) -> dict[str, Any]:
    signature = group.signature
    return {
        "code": signature.code,
        "key": group.key,
        "level": str(signature.level),
        "title": signature.title,
        "certain": group.is_certain,
        "count": group.count,
        "first": _iso(group.first_ms),
        "last": _iso(group.last_ms),
        "operation": group.operation,
        "table": group.table,
        "place": group.place,
        "line": group.line,
        "slots": [
            {"name": name, "value": value, "count": count}
            for (name, value), count in group.slots.most_common()
        ],
        "streams": len(group.streams),
        "examples": [
            {"stream": stream, "time": _iso(time_ms)} for stream, time_ms in group.examples
        ],
        "fix": signature.fix,
        "page": f"findings/{signature.code}.md",
        **({"raw": group.raw} if group.raw else {}),
    }


def text_report(
    tally: Tally, *, min_count: int, baseline: Mapping[str, float] | None, days: float, source: str
) -> str:
    """The report for people: each group in a few lines, and a summary."""
    lines: list[str] = []
    groups = tally.sorted_groups(min_count=min_count)
    code = None
    for group in groups:
        signature = group.signature
        if signature.code != code:
            code = signature.code
            total = sum(each.count for each in groups if each.signature.code == code)
            lines += [f"{code}  {signature.title:<52} {signature.level:>9} {total:>8,}"]
        new = "" if baseline is None or not is_new(group, baseline, days) else "new: "
        where = " in ".join(filter(None, (group.operation, _place(group)))) or "place unknown"
        table = f", table {group.table}" if group.table else ""
        lines.append(f"        {new}{where}{table}: {group.count:,}{_span(group)}")
        lines += [
            f"        {name} {value} ({count:,})"
            for (name, value), count in group.slots.most_common(5)
        ]
        if not group.is_certain:
            lines.append("        may be from another service or library")
        lines += [f"        | {line}" for raw in group.raw for line in raw.splitlines()]
        if group is [each for each in groups if each.signature.code == code][-1]:
            lines.append(f"        Fix: {signature.fix}")
    lines += [""] if lines else []
    lines += [f"unknown: {name} ({count:,})" for name, count in tally.unknown.most_common()]
    codes = len({each.signature.code for each in groups})
    state = "complete" if tally.is_complete else "INCOMPLETE"
    lines.append(f"{tally.events:,} {source}, {state}. {_many(codes, 'signature')}.")
    lines += [f"Missing: {gap}" for gap in tally.gaps]
    if tally.cut_off:
        lines.append(f"{_many(tally.cut_off, 'record')} cut off before the error.")
    if groups:
        lines.append(f"`dynasafe explain {groups[0].signature.code}` says more.")
    return "\n".join(lines)


def github_report(tally: Tally, *, min_count: int, fail_on: frozenset[Level]) -> str:
    """Annotations for GitHub Actions: an error if the level fails the scan, else a warning."""
    lines = []
    for group in tally.sorted_groups(min_count=min_count):
        signature = group.signature
        kind = "error" if signature.level in fail_on and group.is_certain else "warning"
        where = " in ".join(filter(None, (group.operation, _place(group))))
        text = f"{where or 'place unknown'}: {group.count}{_span(group)}. Fix: {signature.fix}"
        title = f"{signature.code} {signature.title}".replace(",", "%2C").replace(":", "%3A")
        lines.append(f"::{kind} title={title}::{text.replace('%', '%25')}")
    lines += [f"::error title=Scan incomplete::{gap}" for gap in tally.gaps]
    return "\n".join(lines)


def _place(group: Group) -> str | None:
    if group.place is None:
        return None
    file, colon, function = group.place.partition(":")
    return f"{file}:{group.line}{f' {function}' if colon else ''}"


def _span(group: Group) -> str:
    streams = f", {len(group.streams)} streams" if len(group.streams) > 1 else ""
    if group.first_ms is None or group.last_ms is None:
        return streams
    first, last = _at(group.first_ms), _at(group.last_ms)
    if first == last:
        return f", {first:%Y-%m-%d %H:%M} UTC{streams}"
    end = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M}"
    return f", {first:%Y-%m-%d %H:%M} to {end} UTC{streams}"


def _at(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC).replace(second=0, microsecond=0)


def _iso(time_ms: int | None) -> str | None:
    if time_ms is None:
        return None
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
