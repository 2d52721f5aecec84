"""Matches: the signatures of a record, and the facts that are safe to show.

A fact is shown only if it is of a kind that cannot be an attribute value: an operation of
DynamoDB, the name of a table in an ARN, a reserved word, a number of retries, a place in code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dynasafe.expressions.reserved_words import RESERVED_WORDS
from dynasafe.logs.gate import WORDS, pattern_of, word_of
from dynasafe.logs.operation_names import ONLY_DYNAMODB, SHARED, words
from dynasafe.logs.records import Record
from dynasafe.logs.signatures import SIGNATURES, Evidence, Needle, Signature

_BY_METHOD = {
    re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): name for name in ONLY_DYNAMODB | SHARED
}
_PARAMETERS = words(
    "AttributeDefinitions AttributeUpdates AttributesToGet BillingMode ConditionExpression "
    "ConsistentRead ExclusiveStartKey Expected ExpressionAttributeNames "
    "ExpressionAttributeValues FilterExpression GlobalSecondaryIndexes IndexName Item "
    "KeyConditionExpression KeyConditions KeySchema LocalSecondaryIndexes ProjectionExpression "
    "QueryFilter RequestItems ReturnConsumedCapacity ReturnItemCollectionMetrics ReturnValues "
    "ReturnValuesOnConditionCheckFailure ScanFilter ScanIndexForward TableName TransactItems "
    "UpdateExpression"
)
"""Parameters that identify a DynamoDB operation."""

_OPERATION = re.compile(r"when calling the (\w+) operation")
_METHOD = re.compile(r"\b([a-z_]+)\(\) only accepts keyword arguments")
_CALL = re.compile(r"\.((?:batch_|transact_)?(?:get|put|update|delete|write)_items?)\(")
_OWN_OPERATION = re.compile(
    r"\b([A-Z][A-Za-z]+)(?: on table '[^']*')? (?:was (?:not )?sent|stopped half-way)"
)
_GUARDED = re.compile(
    r"DynamoDB guard: (\w+)(?: repaired)?: [^\n]*\[(DYS\d{3})\](?: at (\S[^\n]*?):(\d+)\b)?"
)
_GUARDED_AT = re.compile(r"(?m)^  at (\S[^\n]*?):(\d+)\b")
"""The place in what a guard logs is in the first line, or in one of its own."""
_PARAMETER = re.compile(
    r"(?:type for parameter |parameter in \S+ \\*\"?|required parameter in [^\"]*\")([A-Za-z_]\w*)"
)
_ALLOWED = re.compile(r"must be one of: (\w+)")
_HOST = re.compile(r"https?://([\w.-]+)")
_POOL = re.compile(r"discarding connection: ([\w.-]+)")
_TABLE = re.compile(r":table/([\w.-]{3,255})|\bon table '([\w.-]{3,255})'")
_CLIENT_WORDS = (
    "boto3", "botocore", "aiobotocore", "dynasafe", "dynamodb", "DynamoDB", "AioBaseClient",
    "'ResponseMetadata'", "An HTTP Client raised", "when calling the",
)  # fmt: skip
_SERVICE_WORDS = ("dynamodb", "DynamoDB", "transform.py", "ExpressionAttribute")
_FRAME = re.compile(r'File "([^"\n]+)", line (\d+), in ([\w.<>]+)')
_WARNING = re.compile(r"(?m)^\s*(\S+\.py):(\d+): \w*Warning: ")
_LIBRARIES = (
    "site-packages", "dist-packages", "/opt/python", "/var/lang", "/lib/python", "<frozen",
    "/var/runtime",
)  # fmt: skip
_CLIENT_FILES = ("/boto3/", "/botocore/", "/aioboto3/", "/aiobotocore/")
_SLOTS: dict[str, tuple[re.Pattern[str], frozenset[str] | None]] = {
    "reserved word": (re.compile(r"reserved keyword: (\w+)"), frozenset(RESERVED_WORDS)),
    "retries": (re.compile(r"\(reached max retries: (\d{1,3})\)"), None),
    "reasons": (re.compile(r"specific reasons (\[[A-Z][A-Za-z, ]{0,400}\])"), None),
    "action": (re.compile(r"not authorized to perform: (dynamodb:[A-Z]\w{2,60})"), None),
    "coroutine": (re.compile(r"coroutine '([A-Za-z_][\w.<>]{0,100})' was never awaited"), None),
    "findings": (re.compile(r"\[(DYS\d{3})\]"), None),
    "seconds": (re.compile(r"> took (\d+\.\d+) seconds"), None),
}
_SLOTS_OF = {
    "DYS412": ("reserved word",),
    "DYS431": ("reasons",),
    "DYS435": ("action",),
    "DYS440": ("retries",),
    "DYS441": ("retries",),
    "DYS450": ("coroutine",),
    "DYS461": ("coroutine",),
    "DYS482": ("findings",),
}


@dataclass(frozen=True, slots=True)
class Place:
    """The place in the code that a record is about. It has no line number, so it is stable."""

    file: str
    function: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.function}" if self.function else self.file


@dataclass(frozen=True, slots=True)
class Match:
    """A signature in a record. `is_certain`: it is about DynamoDB, not another service."""

    signature: Signature
    is_certain: bool
    operation: str | None
    table: str | None
    place: Place | None
    slots: tuple[tuple[str, str], ...] = ()


_Needles = tuple[tuple[Signature, Needle], ...]


def _by_word() -> tuple[tuple[str, re.Pattern[str], _Needles], ...]:
    """The needles of each word of the gate, and a pattern that one of them must match."""
    groups: dict[str, list[tuple[Signature, Needle]]] = {word: [] for word in WORDS}
    for signature in SIGNATURES:
        for needle in signature.needles:
            groups[word_of(needle)[0]].append((signature, needle))
    return tuple(
        (word, re.compile(pattern_of(word, [word_of(each)[1] for _, each in needles])), (*needles,))
        for word, needles in groups.items()
    )


_NEEDLES = _by_word()


def matches(record: Record) -> tuple[Match, ...]:
    """All signatures of a record, in the order of the catalogue."""
    raw = record.raw
    text = ""
    candidates: dict[str, Signature] = {}
    for word, pattern, needles in _NEEDLES:
        if word in raw:
            text = text or record.text
            if pattern.search(text) is None:
                continue
            for signature, needle in needles:
                for part in needle:
                    if part not in text:
                        break
                else:
                    candidates[signature.code] = signature
    if not candidates:
        return ()
    operation = operation_of(text)
    found: dict[str, bool] = {}
    for signature in candidates.values():
        certainty = _certainty(signature, text, operation)
        if certainty is not None:
            found[signature.code] = certainty
    if "[DYS" in text:  # a finding of dynasafe quotes the service's words
        found = {code: is_certain for code, is_certain in found.items() if code not in _QUOTED}
    if not found:
        return ()
    operation, table, place = operation or _called(text), _table(text), place_of(text)
    return tuple(
        _guarded(signature, text)
        if signature.code == _OF_GUARD
        else Match(
            signature, found[signature.code], operation, table, place, _slots(signature, text)
        )
        for signature in SIGNATURES
        if signature.code in found and not signature.unless & found.keys()
    )


_OF_GUARD = "DYS486"


def _guarded(signature: Signature, text: str) -> Match:
    """A line of a guard, which names its operation and place itself, without a traceback."""
    found = _GUARDED.search(text)
    if found is None:
        return Match(signature, True, None, None, None)
    operation, code, file, line = found.groups()
    if file is None and (at := _GUARDED_AT.search(text, found.end())) is not None:
        file, line = at.groups()
    return Match(
        signature,
        True,
        operation if operation in ONLY_DYNAMODB | SHARED else None,
        None,
        None if file is None else Place(_short(file), "", int(line)),
        (("finding", code if file is None else f"{code} at line {line}"),),
    )


_QUOTED = frozenset(f"DYS{number}" for number in [*range(402, 405), *range(410, 430), 438])


def operation_of(text: str) -> str | None:
    """The operation that failed, or the name of another service's."""
    operations = _OPERATION.findall(text)
    for known in (ONLY_DYNAMODB, SHARED, operations):
        for operation in operations:
            if operation in known:
                return str(operation)
    found = _METHOD.search(text)
    if found is not None:
        return _BY_METHOD.get(found[1], found[1])
    found = _OWN_OPERATION.search(text)
    if found is not None and found[1] in ONLY_DYNAMODB | SHARED:
        return found[1]
    return None


def _called(text: str) -> str | None:
    """The operation whose method is called in a traceback."""
    methods = [each for each in _CALL.findall(text) if each in _BY_METHOD]
    return _BY_METHOD[methods[-1]] if methods else None


def _has(text: str, words: tuple[str, ...]) -> bool:
    return any(word in text for word in words)


def _certainty(signature: Signature, text: str, operation: str | None) -> bool | None:
    """Whether the record is certainly about DynamoDB; None if it is about another service."""
    if operation is None or signature.evidence not in _OF_ONE_SERVICE:
        return _by_evidence(signature, text)
    if operation in ONLY_DYNAMODB:
        return True
    if operation not in SHARED:
        return None
    return signature.evidence is Evidence.WORDS or _has(text, _SERVICE_WORDS)


_OF_ONE_SERVICE = (Evidence.OPERATION, Evidence.SERVICE, Evidence.WORDS)


def _by_evidence(signature: Signature, text: str) -> bool | None:
    match signature.evidence:
        case Evidence.WORDS:
            return True
        case Evidence.OPERATION:
            return _has(text, _SERVICE_WORDS) or None
        case Evidence.SERVICE:
            return _has(text, _SERVICE_WORDS)
        case Evidence.CLIENT:
            return _has(text, _CLIENT_WORDS)
        case Evidence.PARAMETER:
            names = {*_PARAMETER.findall(text), *_ALLOWED.findall(text)}
            if names & _PARAMETERS or _has(text, _SERVICE_WORDS):
                return True
            return False if "Parameter validation failed" in text else None
        case Evidence.ENDPOINT:
            hosts = [*_HOST.findall(text), *_POOL.findall(text)]
            return any(_is_dynamodbs(host) for host in hosts) or _has(text, ("dynamodb",))


def _is_dynamodbs(host: str) -> bool:
    return host.startswith(("dynamodb.", "streams.dynamodb.", "dynamodb-")) or ".ddb." in host


def _table(text: str) -> str | None:
    found = _TABLE.search(text)
    return None if found is None else found[1] or found[2]


def frames(text: str) -> list[Place]:
    """The places of the tracebacks in a text, outermost first."""
    return [Place(file, function, int(line)) for file, line, function in _FRAME.findall(text)]


def place_of(text: str) -> Place | None:
    """The innermost place outside of libraries, with at most two folders of its path."""
    own = [each for each in frames(text) if not _has(each.file, _LIBRARIES)]
    if own:
        return Place(_short(own[-1].file), own[-1].function, own[-1].line)
    found = _WARNING.search(text)
    if found is not None and not _has(found[1], _LIBRARIES):
        return Place(_short(found[1]), "", int(found[2]))
    return None


def _short(path: str) -> str:
    _, _, below = path.replace("\\", "/").partition("/var/task/")
    return below or "/".join(path.replace("\\", "/").strip("/").split("/")[-2:])


def ends_in_client(text: str) -> bool:
    """Whether the last place of a text is in boto3, botocore, aioboto3 or aiobotocore."""
    all_frames = frames(text)
    return bool(all_frames) and _has(all_frames[-1].file.replace("\\", "/"), _CLIENT_FILES)


def _slots(signature: Signature, text: str) -> tuple[tuple[str, str], ...]:
    slots: list[tuple[str, str]] = []
    for name in _SLOTS_OF.get(signature.code, ()):
        pattern, allowed = _SLOTS[name]
        found = pattern.search(text)
        if found is not None and (allowed is None or found[1].upper() in allowed):
            slots.append((name, found[1]))
    return tuple(slots)
