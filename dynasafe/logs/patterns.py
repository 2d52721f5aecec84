"""Needles as filter patterns of CloudWatch Logs and as queries of Logs Insights.

A filter pattern tests one event, and can only join terms by "or". So each needle is sent as its
longest fragment, which may match more than the signature does.

Source: "Filter pattern syntax for metric filters, subscription filters, filter log events, and
Live Tail", Amazon CloudWatch Logs User Guide; the limits are those of botocore's model of the API.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from dynasafe.logs.signatures import Needle, Signature

MAX_PATTERN_CHARS = 1024
MAX_QUERY_CHARS = 10_000
MAX_RESULTS = 10_000

_QUERY_HEAD = "fields @timestamp, @message, @logStream, @log | filter "
_QUERY_TAIL = f" | sort @timestamp asc | limit {MAX_RESULTS}"


def term(needle: Needle) -> str:
    """The fragment that represents a needle in a pattern."""
    return max(needle, key=len)


def _terms(signatures: Iterable[Signature]) -> list[str]:
    """The terms of the signatures, each once, without terms that contain another one."""
    terms = dict.fromkeys(
        text
        for each in signatures
        for text in (*each.heads, *(term(needle) for needle in each.needles))
    )
    return [
        each
        for each in terms
        if not any(
            other != each and other in each and re.search(rf"(?<!\w){re.escape(other)}(?!\w)", each)
            for other in terms
        )
    ]


def filter_patterns(signatures: Iterable[Signature]) -> list[str]:
    """The fewest patterns that have room for all terms: `?"a" ?"b"`."""
    return _packed([f'?"{each}"' for each in _terms(signatures)], " ", MAX_PATTERN_CHARS)


def insights_queries(signatures: Sequence[Signature]) -> list[str]:
    """The fewest queries that have room for all needles."""
    clauses = dict.fromkeys(
        " and ".join(f'@message like "{part}"' for part in needle)
        for each in signatures
        for needle in each.needles
    )
    room = MAX_QUERY_CHARS - len(_QUERY_HEAD) - len(_QUERY_TAIL)
    wrapped = [f"({each})" if " and " in each else each for each in clauses]
    return [f"{_QUERY_HEAD}{each}{_QUERY_TAIL}" for each in _packed(wrapped, " or ", room)]


def _packed(parts: list[str], separator: str, room: int) -> list[str]:
    packed: list[str] = []
    for part in parts:
        if packed and len(packed[-1]) + len(separator) + len(part) <= room:
            packed[-1] += separator + part
        else:
            packed.append(part)
    return packed
