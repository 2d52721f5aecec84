"""Rules about CreateTable and UpdateTable: keys, attribute definitions, indexes and capacity.

Sources: "CreateTable", "UpdateTable", Amazon DynamoDB API Reference; "Creating and searching vector
indexes", Amazon DynamoDB Developer Guide; the words are the service's, as the authors of dynalite
and of paritysuite/dynamodb-conformance recorded them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dynasafe.limits import (
    MAX_INDEX_KEY_ATTRIBUTES,
    MAX_INLINE_FILTERS,
    MAX_KEY_ATTRIBUTES,
    MAX_LOCAL_INDEXES,
    MAX_VECTOR_DIMENSIONS,
)
from dynasafe.validation.report import INVALID_VALUES, Report

_Part = Mapping[str, Any]
_LOCAL, _GLOBAL, _VECTOR = "LocalSecondaryIndexes", "GlobalSecondaryIndexes", "VectorIndexes"
_ON_DEMAND, _PROVISIONED = "PAY_PER_REQUEST", "PROVISIONED"
_MAX_CAPACITY_UNITS = 1_000_000_000_000


def check_new_table(params: _Part, report: Report) -> None:
    """A CreateTable whose members have their types."""
    if "GlobalTableSourceArn" in params:
        return  # the keys are the source's
    missing = [name for name in ("AttributeDefinitions", "KeySchema") if name not in params]
    for name in missing:
        report.add(
            "DYS180",
            f"The parameter '{name}' is required but was not present in the request",
            name,
            "give the key's attributes, and the type of each",
        )
    if missing:
        return
    mode = params.get("BillingMode", _PROVISIONED)
    _check_capacity(mode, params.get("ProvisionedThroughput"), "ProvisionedThroughput", report)
    defined = _names(params["AttributeDefinitions"])
    keys = params["KeySchema"]
    is_defined = _check_defined(keys, defined, "KeySchema", report)
    if is_defined and _check_roles(keys, "KeySchema", report, most_of_each=1):
        _check_indexes(params, defined, mode, report)
        _check_all_used(params, defined, report)


def check_changed_table(params: _Part, report: Report) -> None:
    """An UpdateTable whose members have their types."""
    if not params.keys() - {"TableName", "AttributeDefinitions"}:
        report.add(
            "DYS184",
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
            "GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required",
            "parameters",
            "give what is to change",
        )
    mode, throughput = params.get("BillingMode"), params.get("ProvisionedThroughput")
    if mode is not None:
        _check_capacity(mode, throughput, "ProvisionedThroughput", report)
    # The request itself defines the key of a new index, whatever the table has defined.
    defined = _names(params.get("AttributeDefinitions", ()))
    _check_changes(params, "GlobalSecondaryIndexUpdates", ("Update", "Create", "Delete"), report)
    _check_changes(params, "VectorIndexUpdates", ("Create", "Delete"), report)
    for place, index in _created(params, "GlobalSecondaryIndexUpdates"):
        _check_index(index, defined, place, report)
        if mode == _PROVISIONED:
            where = f"{place}.ProvisionedThroughput"
            _check_capacity(mode, index.get("ProvisionedThroughput"), where, report)
    for place, index in _created(params, "VectorIndexUpdates"):
        _check_vector_index(index, defined, place, report)


def _parts(params: _Part, member: str) -> list[tuple[str, _Part]]:
    """The entries of a list that have their type, each with its place."""
    entries = enumerate(params.get(member, ()))
    return [(f"{member}[{index}]", entry) for index, entry in entries if entry is not None]


def _names(elements: Iterable[_Part | None]) -> list[str]:
    return [each.get("AttributeName", "") for each in elements if each is not None]


# Keys


def _check_defined(
    keys: Sequence[_Part], defined: Sequence[str], place: str, report: Report
) -> bool:
    """Whether each attribute of a key is defined."""
    names = _names(keys)
    if set(names) <= set(defined) and len(names) <= len(defined):
        return True
    if place == "KeySchema" and len(names) > len(defined):
        message = "Invalid KeySchema: Some index key attribute have no definition"
    else:
        message = (
            f"{INVALID_VALUES}Some index key attributes are not defined in AttributeDefinitions. "
            f"Keys: [{', '.join(names)}], AttributeDefinitions: [{', '.join(defined)}]"
        )
    report.add("DYS181", message, place, "define each attribute of a key in AttributeDefinitions")
    return False


def _check_roles(keys: Sequence[_Part], place: str, report: Report, *, most_of_each: int) -> bool:
    """Whether the attributes of a key are HASH first, then RANGE, each named once."""
    names = _names(keys)
    kinds = [each.get("KeyType") for each in keys if each is not None]
    message = None
    if not kinds:
        return False  # found before
    if len(set(names)) < len(names):
        message = "Both the Hash Key and the Range Key element in the KeySchema have the same name"
    elif kinds[0] != "HASH":
        message = "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"
    elif most_of_each == 1 and kinds[1:] not in ([], ["RANGE"]):
        message = "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"
    elif kinds != sorted(kinds, key=str) or max(Counter(kinds).values()) > most_of_each:
        message = f"Invalid KeySchema: at most {most_of_each} HASH, then {most_of_each} RANGE"
    if message is not None:
        report.add("DYS180", message, place, "name the partition key first, then the sort key")
    return message is None


def _check_all_used(params: _Part, defined: Sequence[str], report: Report) -> None:
    """Definitions are for keys only."""
    members = [member for member in (_LOCAL, _GLOBAL, _VECTOR) if member in params]
    used = _names(params["KeySchema"])
    for member in members:
        for _, index in _parts(params, member):
            used += _names(index.get("SearchSchema" if member == _VECTOR else "KeySchema", ()))
    if set(used) == set(defined) and len(set(defined)) == len(defined):
        return
    if not set(used) <= set(defined):
        return  # found before
    message = (
        f"{INVALID_VALUES}Some AttributeDefinitions are not used. AttributeDefinitions: "
        f"[{', '.join(defined)}], keys used: [{', '.join(dict.fromkeys(used))}]"
        if members
        else f"{INVALID_VALUES}Number of attributes in KeySchema does not exactly match number of "
        "attributes defined in AttributeDefinitions"
    )
    fix = "define the attributes of keys only; other attributes need no definition"
    report.add("DYS181", message, "AttributeDefinitions", fix)


# Indexes


def _check_indexes(params: _Part, defined: Sequence[str], mode: str, report: Report) -> None:
    for member in (_LOCAL, _GLOBAL):
        if params.get(member) == []:
            message = f"{INVALID_VALUES}List of {member} is empty"
            report.add("DYS182", message, member, "leave it out")
    if params.get(_LOCAL):
        _check_local_indexes(params, defined, report)
    for place, index in _parts(params, _GLOBAL):
        _check_index(index, defined, place, report)
        throughput = index.get("ProvisionedThroughput")
        if mode == _ON_DEMAND and throughput is not None:
            report.add(
                "DYS183",
                f"{INVALID_VALUES}ProvisionedThroughput should not be specified for index: "
                f"{index.get('IndexName')} when BillingMode is PAY_PER_REQUEST",
                f"{place}.ProvisionedThroughput",
                "leave it out",
            )
        elif mode == _PROVISIONED:
            _check_capacity(mode, throughput, f"{place}.ProvisionedThroughput", report)
    for place, index in _parts(params, _VECTOR):
        _check_vector_index(index, defined, place, report)
    if params.get(_VECTOR) and mode != _ON_DEMAND:
        message = f"{INVALID_VALUES}Vector indexes need the BillingMode PAY_PER_REQUEST"
        report.add("DYS183", message, "BillingMode", "give BillingMode='PAY_PER_REQUEST'")
    _check_index_names(params, report)


def _check_index_names(params: _Part, report: Report) -> None:
    names = Counter(
        index.get("IndexName")
        for member in (_LOCAL, _GLOBAL, _VECTOR)
        for _, index in _parts(params, member)
    )
    for name, count in names.items():
        if count > 1 and name is not None:
            message = f"{INVALID_VALUES}Duplicate index name: {name}"
            report.add("DYS182", message, "IndexName", "give each index a name of its own")


def _check_local_indexes(params: _Part, defined: Sequence[str], report: Report) -> None:
    keys, indexes = params["KeySchema"], _parts(params, _LOCAL)
    if len(keys) != MAX_KEY_ATTRIBUTES:
        report.add(
            "DYS182",
            f"{INVALID_VALUES}Table KeySchema does not have a range key, which is required when "
            "specifying a LocalSecondaryIndex",
            _LOCAL,
            "give the table a sort key, or make a global index",
        )
        return
    table_hash = _names(keys)[0]
    for place, index in indexes:
        if not _check_index(index, defined, place, report, most_of_each=1):
            continue
        names = _names(index.get("KeySchema", ()))
        message, index_name = None, index.get("IndexName")
        if len(names) != MAX_KEY_ATTRIBUTES:
            message = f"Index KeySchema does not have a range key for index: {index_name}"
        elif names[0] != table_hash:
            message = (
                "Index KeySchema does not have the same leading hash key as table KeySchema for "
                f"index: {index_name}. index hash key: {names[0]}, table hash key: "
                f"{table_hash}"
            )
        if message is not None:
            fix = "a local index has the table's partition key, and a sort key of its own"
            report.add("DYS182", INVALID_VALUES + message, f"{place}.KeySchema", fix)
    if len(indexes) > MAX_LOCAL_INDEXES:
        report.add(
            "DYS182",
            f"{INVALID_VALUES}Number of LocalSecondaryIndexes exceeds per-table limit of "
            f"{MAX_LOCAL_INDEXES}",
            _LOCAL,
            "make global indexes of the others",
        )


def _check_index(
    index: _Part,
    defined: Sequence[str],
    place: str,
    report: Report,
    *,
    most_of_each: int = MAX_INDEX_KEY_ATTRIBUTES,
) -> bool:
    """Whether an index's key is fine; its projection is checked as well."""
    keys = index.get("KeySchema", ())
    where = f"{place}.KeySchema"
    is_fine = bool(keys) and _check_defined(keys, defined, where, report)
    if is_fine:
        is_fine = _check_roles(keys, where, report, most_of_each=most_of_each)
    _check_projection(index.get("Projection"), place, report)
    return is_fine


def _check_projection(projection: _Part | None, place: str, report: Report) -> None:
    if projection is None:
        return
    kind = projection.get("ProjectionType")
    message = None
    if kind is None:
        message = "Unknown ProjectionType: null"
    elif kind != "INCLUDE" and "NonKeyAttributes" in projection:
        message = f"ProjectionType is {kind}, but NonKeyAttributes is specified"
    elif kind == "INCLUDE" and "NonKeyAttributes" not in projection:
        message = "ProjectionType is INCLUDE, but NonKeyAttributes is not specified"
    if message is not None:
        fix = "give ALL or KEYS_ONLY alone, or INCLUDE with NonKeyAttributes"
        report.add("DYS182", INVALID_VALUES + message, f"{place}.Projection", fix)


def _check_vector_index(index: _Part, defined: Sequence[str], place: str, report: Report) -> None:
    schema = index.get("SearchSchema", ())
    kinds = Counter(each.get("SearchSchemaElementType") for each in schema if each is not None)
    message, fix = None, ""
    if not set(_names(schema)) <= set(defined):
        message = "One element in SearchSchema is not defined in attribute definitions"
        fix = "define each attribute of the SearchSchema in AttributeDefinitions"
    elif kinds["HASH"] > 1 or kinds["INLINE_FILTER"] > MAX_INLINE_FILTERS:
        message = "A SearchSchema has one HASH element and 20 INLINE_FILTER elements at most"
        fix = "take some out"
    elif index.get("Dimensions", 1) > MAX_VECTOR_DIMENSIONS:
        message = f"Dimensions are at most {MAX_VECTOR_DIMENSIONS}"
        fix = "use an embedding of fewer dimensions"
    if message is not None:
        report.add("DYS182", message, place, fix)
    _check_projection(index.get("Projection"), place, report)


# Changes


def _check_changes(params: _Part, member: str, actions: Sequence[str], report: Report) -> None:
    """Each change is one action, on an index of its own."""
    seen = set()
    for place, change in _parts(params, member):
        given = [action for action in actions if action in change]
        kind = member.removesuffix("s")
        if not given:
            names = ", ".join(f"{kind}.{action}" for action in actions)
            message = f"{INVALID_VALUES}One of {names} must not be null"
            report.add("DYS184", message, place, f"give one of {', '.join(actions)}")
        elif len(given) > 1:
            message = f"{INVALID_VALUES}Only one of {', '.join(given)} is allowed in one {kind}"
            report.add("DYS184", message, place, "make an entry of each")
        name = change[given[0]].get("IndexName") if given else None
        if name is not None and name in seen:
            report.add(
                "DYS184",
                f"{INVALID_VALUES}Only one global secondary index update per index is allowed "
                f"simultaneously. Index: {name}",
                place,
                "change it again when the first change is done",
            )
        seen.add(name)


def _created(params: _Part, member: str) -> Iterator[tuple[str, _Part]]:
    for place, change in _parts(params, member):
        if "Create" in change:
            yield f"{place}.Create", change["Create"]


# Capacity


def _check_capacity(mode: str, throughput: _Part | None, place: str, report: Report) -> None:
    """Capacity units are given where they are provisioned, and only there."""
    message = None
    if mode == _ON_DEMAND and throughput is not None:
        message = (
            f"{INVALID_VALUES}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified "
            "when BillingMode is PAY_PER_REQUEST"
        )
    elif mode == _PROVISIONED and throughput is None:
        message = (
            f"{INVALID_VALUES}ReadCapacityUnits and WriteCapacityUnits must both be specified when "
            "BillingMode is PROVISIONED"
        )
    for name, units in (throughput or {}).items():
        if message is None and units > _MAX_CAPACITY_UNITS:
            message = f"Given value {units} for {name} is out of bounds"
    if message is not None:
        fix = "give BillingMode='PAY_PER_REQUEST' alone, or ProvisionedThroughput alone"
        report.add("DYS183", message, place, fix)
