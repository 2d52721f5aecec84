"""The words of the service that changed, by date: data, easy to change when AWS changes them.

In 2026 the service moved its operations, one by one and region by region, to a newer layer of
validation. The verdicts are the same; the words are not. The contract of a finding is its verdict,
its code and its exception; its words are those of the newest row here, which nearly all regions
say. What the newer layer is not known to say differently, is said as before.

Source: the answers of the service that paritysuite/dynamodb-conformance has recorded in 33 regions:
captures/2026-06-09-validation-rewording.json, captures/cross-region-latest.json of 2026-09-20,
captures/2026-10-07-sweep-follow-up.json, and registry/splits.json.
"""

from __future__ import annotations

from typing import Final, NamedTuple

HIDDEN = "..."
"""What stands in place of a value that the service prints: it may be personal data."""
ONE_ERROR = "1 validation error detected: "
_AT_LEAST_ONE = "failed to satisfy constraint: Member must have length greater than or equal to 1"
_RETURN_VALUES = (
    "Failed to satisfy constraint: Member must satisfy enum value set: "
    "[ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]"
)
_NO_REQUESTS = "The requestItems parameter is required for {operation}"


class Sentence(NamedTuple):
    """What an operation says of one broken constraint."""

    operations: frozenset[str]
    place: str
    """The member, as older messages name it; `*` stands for a table's name."""
    constraint: str
    """How the older sentence goes on: "Member must have length greater"."""
    words: str
    """With `{operation}`, `{member}`, and `{name}` for what `*` stands for."""
    is_alone: bool = True
    """Whether it hides what else is broken, unless a member is missing: then all is as before."""
    is_counted: bool = True
    """Whether it begins with "1 validation error detected: "."""


class Words:
    """What the service says since a date."""

    __slots__ = ("enveloped", "newer", "sentences", "since")

    def __init__(
        self,
        *,
        since: str,
        newer: frozenset[str],
        enveloped: frozenset[str],
        sentences: tuple[Sentence, ...],
    ) -> None:
        self.since: Final = since
        self.newer: Final = newer
        """The operations of the newer layer. It leaves out "ExpressionAttributeValues contains
        invalid value", and words duplicates in a number set and exponents of ten digits in
        another way."""
        self.enveloped: Final = enveloped
        """Those that begin with "1 validation error detected: " what is found before the table."""
        self.sentences: Final = sentences


_OF_TABLES = (
    Sentence(
        frozenset({"CreateTable", "UpdateTable", "DeleteTable", "DescribeTable"}),
        "tableName",
        "Member must not be null",
        "The parameter '{member}' is required but was not present in the request",
        is_counted=False,
    ),
)
_OF_SEARCHES = tuple(
    Sentence(
        frozenset({"SearchVectors"}),
        f"{member[0].lower()}{member[1:]}",
        start,
        f"Value at '{member}' failed to satisfy constraint: {start} than or equal to {bound}",
    )
    for member, start, bound in (
        ("IndexName", "Member must have length greater", 3),
        ("SearchVector", "Member must have length greater", 1),
        ("SearchVector", "Member must have length less", 4096),
        ("TopK", "Member must have value greater", 1),
    )
)
_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
_READS = frozenset({"GetItem", "Query", "BatchGetItem"})
_BATCHES = frozenset({"BatchGetItem", "BatchWriteItem"})
_OF_READS = (
    Sentence(
        frozenset({"BatchGetItem"}),
        "requestItems.*.member.keys",
        "Member must have length less",
        "Value at 'RequestItems.{name}.member.Keys' failed to satisfy constraint: Member must have "
        "length less than or equal to 100",
    ),
    Sentence(
        frozenset({"Query"}),
        "limit",
        "Member must have value greater",
        "Value at 'Limit' failed to satisfy constraint: Member must have value greater than or "
        "equal to 1",
    ),
)

HISTORY: tuple[Words, ...] = (
    # Of the API's version, as the emulators still say them.
    Words(since="2012-08-10", newer=frozenset(), enveloped=frozenset(), sentences=_OF_TABLES),
    Words(
        since="2026-05-14",
        newer=_READS,
        enveloped=frozenset(),
        sentences=(
            *_OF_TABLES,
            *_OF_READS,
            Sentence(
                _BATCHES,
                "requestItems",
                "Member must have length greater",
                _NO_REQUESTS,
                is_counted=False,
            ),
        ),
    ),
    Words(
        since="2026-10-07",
        newer=_READS | _WRITES | {"SearchVectors"},
        enveloped=_WRITES,
        sentences=(
            *_OF_TABLES,
            *_OF_SEARCHES,
            Sentence(
                _WRITES | _READS,
                "tableName",
                "Member must have length greater",
                f"Value at 'TableName' {_AT_LEAST_ONE}",
            ),
            *_OF_READS,
            Sentence(
                frozenset({"BatchGetItem"}),
                "requestItems",
                "Member must have length greater",
                f"Value at 'RequestItems' {_AT_LEAST_ONE}",
            ),
            Sentence(
                frozenset({"BatchWriteItem"}),
                "requestItems",
                "Member must have length greater",
                _NO_REQUESTS,
                is_counted=False,
            ),
            Sentence(
                frozenset({"TransactWriteItems"}),
                "clientRequestToken",
                "Member must have length less",
                "Value at 'ClientRequestToken' failed to satisfy constraint: Member must have "
                "length less than or equal to 36",
            ),
            Sentence(
                frozenset({"Query"}),
                "conditionalOperator",
                "Member must satisfy enum",
                "Failed to satisfy constraint: Member must satisfy enum value set: [ALL, OR]",
                is_counted=False,
            ),
            Sentence(
                frozenset({"UpdateItem"}),
                "returnValues",
                "Member must satisfy enum",
                _RETURN_VALUES,
            ),
            Sentence(
                frozenset({"PutItem", "DeleteItem"}),
                "returnValues",
                "Member must satisfy enum",
                _RETURN_VALUES,
                is_alone=False,
            ),
        ),
    ),
)


class Split(NamedTuple):
    """Where some regions say something else; where verdicts differ, a request is not refused."""

    observed: str
    what: str
    regions: tuple[str, ...]


SPLITS: tuple[Split, ...] = (
    Split(
        "2026-10-07",
        "puts, updates and deletes are of the older layer, without the number of errors in front",
        ("eu-south-2", "me-central-1"),
    ),
    Split(
        "2026-10-08",
        "TransactWriteItems is of the newer layer: \"Value at 'TransactItems'\", and a value that "
        "is nested too deep is refused, in a condition too",
        ("ap-northeast-2", "eu-north-1", "eu-west-2"),
    ),
    Split(
        "2026-09-02",
        "BatchGetItem without requests is reported as its requestItems parameter being required",
        ("me-central-1",),
    ),
    Split(
        "2026-08-22",
        "BatchWriteItem without requests is reported as \"Value at 'RequestItems'\"",
        ("eu-north-1",),
    ),
)
"""Source: registry/splits.json and the captures of these days."""


class Wording:
    """How one operation words its findings."""

    __slots__ = ("is_enveloped", "is_newer", "sentences")

    def __init__(
        self,
        *,
        is_newer: bool = False,
        is_enveloped: bool = False,
        sentences: dict[tuple[str, str], Sentence] | None = None,
    ) -> None:
        self.is_newer: Final = is_newer
        self.is_enveloped: Final = is_enveloped
        self.sentences: dict[tuple[str, str], Sentence] = {} if sentences is None else sentences
        """By place and constraint, in the order in which one that is alone is chosen."""

    def sentence(self, place: str, constraint: str) -> Sentence | None:
        """What is said of a constraint, if it is not what was said before."""
        for (of_place, start), sentence in self.sentences.items():
            if of_place == place and constraint.startswith(start):
                return sentence
        return None


def wording(operation: str, words: Words) -> Wording:
    """The words of one operation."""
    return Wording(
        is_newer=operation in words.newer,
        is_enveloped=operation in words.enveloped,
        sentences={
            (each.place, each.constraint): each
            for each in words.sentences
            if operation in each.operations
        },
    )
