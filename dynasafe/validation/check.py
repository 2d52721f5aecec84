"""check_request: all errors that are visible from the request alone.

Sources: the operations' pages in the Amazon DynamoDB API Reference; the words and the order of the
messages are the service's, where public evidence shows them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import cache
from typing import Any, Literal, get_args

from dynasafe.errors import InvalidRequestError
from dynasafe.findings.finding import Finding
from dynasafe.limits import MAX_BATCH_GET_KEYS, MAX_BATCH_WRITES
from dynasafe.operations import OPERATIONS, suggestion

# Rules for operations on more than one item are loaded with the first such request.
from dynasafe.validation.batch_rules import (
    Identities,
    Payload,
    check_count,
    key_of,
    only_action,
    only_write,
)
from dynasafe.validation.expression_rules import Expressions, check_expressions
from dynasafe.validation.key_rules import (
    check_item_keys,
    check_item_size,
    check_key,
    check_key_paths,
    check_updated_attributes,
    check_updated_keys,
    check_values,
    mismatch,
)
from dynasafe.validation.legacy_rules import (
    check_attribute_updates,
    check_attributes_to_get,
    check_conditional_operator,
    check_expected,
    check_filter_conditions,
    check_forms,
    check_mixture,
    check_need,
)
from dynasafe.validation.member_rules import check_members, check_strays
from dynasafe.validation.report import Context, Known, Report
from dynasafe.validation.seen import likeness, remember_fine, was_fine
from dynasafe.validation.table_schema import TableSchema, table_schema
from dynasafe.validation.update_rules import check_sums, check_update_size
from dynasafe.validation.vector_item_rules import check_item_vectors, check_updated_vectors
from dynasafe.validation.words import HISTORY, Words, wording
from dynasafe.values.arguments import require_choice

Form = Literal["wire", "client", "resource"]
_FORMS: tuple[Form, ...] = get_args(Form)
_Params = Mapping[str, Any]
_Check = Iterator[None]
_EXPECTED = ["Expected", "ConditionalOperator"]


def check_request(
    operation: str,
    params: Mapping[str, Any],
    *,
    schema: object = None,
    form: Form | None = None,
) -> tuple[Finding, ...]:
    """The findings of a request that DynamoDB would refuse, in the order in which it checks.

    Args:
        operation: as in the API Reference: "UpdateItem". An unknown operation is a finding. For
            operations that are not about items or tables, members, types and constraints are
            checked.
        params: the parameters, in one of the forms below.
        schema: makes it check keys and indexes too: an Item class; a DescribeTable answer, its
            `Table` part, or a CloudFormation resource's properties; or a mapping from table names
            to any of these.
        form: the form of `params`.
            "client": AttributeValues, as a client of boto3 takes them. Text for type B is written
            in UTF-8. What botocore refuses is a finding.
            "resource": as a Table of boto3 takes them: Python values, conditions of
            boto3.dynamodb.conditions, no TableName. What boto3 does not serialize is a finding.
            "wire": the JSON that is sent. Type B is base64. Members that the service ignores are
            no finding.
            None: the values decide between "client" and "resource". A request without values
            counts as "client", and `{"S": "x"}` as an AttributeValue.

    Raises:
        UnsupportedTypeError: the schema is not one of these.
        ValueOutOfRangeError: the form is not one of these.
    """
    if form is not None and (type(form) is not str or form not in _FORMS):
        require_choice("form", form, _FORMS)
    is_plain = isinstance(operation, str) and form not in ("resource", "wire")
    like = likeness(operation, params, schema) if is_plain else None
    if like is not None and was_fine(like):
        return ()
    findings = check_from_scratch(operation, params, schema=schema, form=form)
    if like is not None and not findings:
        remember_fine(like)
    return findings


def check_from_scratch(
    operation: str,
    params: Mapping[str, Any],
    *,
    schema: object = None,
    form: Form | None = None,
    words: Words = HISTORY[-1],
    known: Known | None = None,
) -> tuple[Finding, ...]:
    """As `check_request`, but without the results of earlier requests."""
    if not isinstance(operation, str) or operation not in OPERATIONS:
        nothing = Report()
        nothing.add("DYS100", _no_operation(operation), "operation", suggestion(operation))
        return tuple(nothing.findings)
    report = Report(context=_context(operation, form == "wire", words.since), known=known)
    check = _CHECKS.get(operation, _check_members_only)
    if form in (None, "resource") and isinstance(params, Mapping):
        from dynasafe.validation.resource_form import from_resource_form, is_resource_form

        if form is None and is_resource_form(operation, params):
            form = "resource"
        if form == "resource":
            params = from_resource_form(operation, params, report)
    fine = check_members(operation, params, report)
    start = len(report.findings)
    steps = check(fine, schema, report)
    next(steps)
    if report.context.wording.is_enveloped:
        report.envelop(start)
    for _ in steps:
        pass
    check_strays(operation, params, report)
    return (*report.findings, *report.overlooked)


def require_fine(
    operation: str, params: Mapping[str, Any], schema: object, like: Hashable | None
) -> None:
    """As `require_valid` of the client's form, without comparing it with earlier requests.

    Args:
        like: what a request that is alike has too; None if this one is not remembered.

    Raises:
        InvalidRequestError: with all findings.
    """
    findings = check_from_scratch(operation, params, schema=schema, form="client")
    if findings:
        raise InvalidRequestError(operation, findings)
    if like is not None:
        remember_fine(like)


def read_request(
    operation: str, params: Mapping[str, Any], known: Known | None = None
) -> dict[str, Any]:
    """A request of the client's form that is fine, as the service reads it.

    Text for B becomes bytes, as botocore writes it, and members that are None are left out.
    """
    return check_members(operation, params, Report(known=known))


def require_valid(
    operation: str,
    params: Mapping[str, Any],
    *,
    schema: object = None,
    form: Form | None = None,
) -> None:
    """Refuse a request that DynamoDB would refuse; see `check_request`.

    Raises:
        InvalidRequestError: with all findings.
    """
    findings = check_request(operation, params, schema=schema, form=form)
    if findings:
        raise InvalidRequestError(operation, findings)


@cache
def _context(operation: str, is_wire: bool, since: str) -> Context:
    words = next(each for each in HISTORY if each.since == since)
    return Context(is_wire=is_wire, wording=wording(operation, words))


def _no_operation(name: object) -> str:
    if isinstance(name, str):
        return f"DynamoDB has no operation {name!r}"
    return f"The operation's name is of type {type(name).__name__}"


def _check_members_only(params: _Params, schema: object, report: Report) -> _Check:
    """Check the members, types and constraints of other operations."""
    yield


def _schema_of(schema: object, params: _Params) -> TableSchema | None:
    return table_schema(schema, params.get("TableName"))


# One item
#
# Each check stops once: before it looks at what depends on the table. The entries of a batch or a
# transaction all come to this point before one of them goes on.


def _check_get(params: _Params, schema: object, report: Report) -> _Check:
    check_forms(params, ["ProjectionExpression"], ["AttributesToGet"], report)
    has_key = check_values(params, "Key", report)
    check_attributes_to_get(params, report)
    expressions = check_expressions(params, ["ProjectionExpression"], report)
    yield
    _check_key_of(params, has_key, expressions, schema, report)


def _check_put(params: _Params, schema: object, report: Report) -> _Check:
    check_forms(params, ["ConditionExpression"], _EXPECTED, report)
    has_item = check_values(params, "Item", report)
    _check_return_values(params, report)
    if has_item:
        check_item_size(params["Item"], "Item", report)
    _check_expected(params, report)
    expressions = check_expressions(params, ["ConditionExpression"], report)
    yield
    known = _schema_of(schema, params)
    if has_item and known is not None:
        check_item_keys(params["Item"], "Item", known, report)
        check_item_vectors(params["Item"], "Item", known, report)
    check_key_paths(expressions, known, report)


def _check_delete(params: _Params, schema: object, report: Report) -> _Check:
    check_forms(params, ["ConditionExpression"], _EXPECTED, report)
    has_key = check_values(params, "Key", report)
    _check_return_values(params, report)
    _check_expected(params, report)
    expressions = check_expressions(params, ["ConditionExpression"], report)
    yield
    _check_key_of(params, has_key, expressions, schema, report)


def _check_update(params: _Params, schema: object, report: Report) -> _Check:
    members = ["UpdateExpression", "ConditionExpression"]
    check_forms(params, members, ["AttributeUpdates", *_EXPECTED], report)
    has_key = check_values(params, "Key", report)
    check_attribute_updates(params, report)
    _check_expected(params, report)
    expressions = check_expressions(params, members, report)
    yield
    known = _schema_of(schema, params)
    key = params.get("Key", {})
    if has_key:
        check_key(key, "Key", known, report)
    check_updated_keys(expressions, known, key, report)
    updates = params.get("AttributeUpdates", {})
    check_updated_attributes(updates, known, key, report)
    check_updated_vectors(expressions, updates, known, report)
    check_key_paths(expressions, known, report)
    check_sums(expressions, report)
    if not (report.has_about("Key") or report.has_about("AttributeUpdates")):
        check_update_size(params, expressions, report)


def _check_key_of(
    params: _Params, has_key: bool, expressions: Expressions, schema: object, report: Report
) -> None:
    known = _schema_of(schema, params)
    if has_key:
        check_key(params["Key"], "Key", known, report)
    check_key_paths(expressions, known, report)


def _check_expected(params: _Params, report: Report) -> None:
    check_expected(params, report)
    check_conditional_operator(params, "Expected", report)


def _check_return_values(params: _Params, report: Report) -> None:
    if params.get("ReturnValues") in ("ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"):
        report.add(
            "DYS109",
            "ReturnValues can only be ALL_OLD or NONE",
            "ReturnValues",
            "use ALL_OLD, or read the item afterwards",
        )


# Queries, scans and searches


def _check_query(params: _Params, schema: object, report: Report) -> _Check:
    from dynasafe.validation.key_conditions import fit_keys, key_conditions
    from dynasafe.validation.query_rules import (
        check_filters,
        check_index,
        check_projected,
        check_select,
        check_start,
        check_start_bounds,
        check_start_values,
    )

    members = ["ProjectionExpression", "FilterExpression", "KeyConditionExpression"]
    legacy = ["AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"]
    check_forms(params, members, legacy, report)
    check_filter_conditions(params, "QueryFilter", report)
    check_attributes_to_get(params, report)
    check_start_values(params, report)
    if "KeyConditions" not in params and "KeyConditionExpression" not in params:
        report.add(
            "DYS160",
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the "
            "request.",
            "KeyConditionExpression",
            "give the partition key with =",
        )
    check_conditional_operator(params, "QueryFilter", report)
    order = ["KeyConditionExpression", "FilterExpression", "ProjectionExpression"]
    expressions = check_expressions(params, order, report)
    check_filter_conditions(params, "KeyConditions", report)
    conditions = key_conditions(params, expressions, report)
    yield
    known = _schema_of(schema, params)
    keys = check_index(params, known, report)
    is_start_fine = check_start(params, known, keys, report, is_query=True)
    indexes = {} if known is None or "IndexName" in params else known.indexes
    if fit_keys(params, conditions, expressions, keys, indexes, report) and is_start_fine:
        check_start_bounds(params, conditions, keys, report)
    check_key_paths(expressions, known, report, "ProjectionExpression")
    key_names = (
        [each.name for each in keys.attributes]
        if keys is not None
        else expressions.named("KeyConditionExpression")
    )
    check_filters(params, expressions, key_names, report)
    check_select(params, report)
    check_projected(params, expressions, keys, report, is_query=True)
    check_key_paths(expressions, known, report, "FilterExpression")


def _check_scan(params: _Params, schema: object, report: Report) -> _Check:
    from dynasafe.validation.query_rules import (
        check_index,
        check_projected,
        check_segments,
        check_select,
        check_start,
        check_start_values,
    )

    members = ["ProjectionExpression", "FilterExpression"]
    check_forms(params, members, ["AttributesToGet", "ScanFilter", "ConditionalOperator"], report)
    check_attributes_to_get(params, report)
    check_filter_conditions(params, "ScanFilter", report)
    check_conditional_operator(params, "ScanFilter", report)
    check_start_values(params, report)
    check_segments(params, report)
    expressions = check_expressions(params, ["FilterExpression", "ProjectionExpression"], report)
    yield
    known = _schema_of(schema, params)
    keys = check_index(params, known, report)
    check_start(params, known, keys, report, is_query=False)
    check_select(params, report)
    check_projected(params, expressions, keys, report, is_query=False)
    check_key_paths(expressions, known, report, "ProjectionExpression", "FilterExpression")


def _check_search_vectors(params: _Params, schema: object, report: Report) -> _Check:
    from dynasafe.validation.vector_rules import (
        check_against_index,
        check_search,
        search_conditions,
    )

    members = ["SearchConditionExpression", "ProjectionExpression"]
    check_need(params, members, report)
    check_search(params, report)
    expressions = check_expressions(params, members, report)
    conditions = search_conditions(expressions, report)
    yield
    check_against_index(params, conditions, _schema_of(schema, params), report)


# Batches


def _check_batch_get(params: _Params, schema: object, report: Report) -> _Check:
    identities = Identities("Provided list of item keys contains duplicates")
    tables = params.get("RequestItems", {})
    forms = ["ProjectionExpression"], ["AttributesToGet"]
    legacy = next((table for table, entry in tables.items() if "AttributesToGet" in entry), None)
    members = {member for entry in tables.values() for member in entry}
    check_mixture(members, *forms, report.inside(f"RequestItems.{legacy}"))
    rest = [
        _check_keys_of(table, entry, identities, schema, report.inside(f"RequestItems.{table}"))
        for table, entry in tables.items()
    ]
    _all_to_the_table(rest)
    count = sum(len(entry.get("Keys", ())) for entry in tables.values())
    check_count(count, MAX_BATCH_GET_KEYS, "BatchGetItem", report)
    yield
    _finish(rest)


def _check_keys_of(
    table: str, entry: _Params, identities: Identities, schema: object, report: Report
) -> _Check:
    check_need(entry, ["ProjectionExpression"], report)
    check_attributes_to_get(entry, report)
    expressions = check_expressions(entry, ["ProjectionExpression"], report)
    fine = {}
    for index, key in enumerate(entry.get("Keys", ())):
        place = f"Keys[{index}]"
        if key is not None and check_values({place: key}, place, report):
            identities.add(table, key, place, report)
            fine[place] = key
    yield
    known = table_schema(schema, table)
    for place, key in fine.items():
        check_key(key, place, known, report)
    check_key_paths(expressions, known, report)


def _check_batch_write(params: _Params, schema: object, report: Report) -> _Check:
    identities = Identities("Provided list of item keys contains duplicates")
    rest = []
    tables = params.get("RequestItems", {})
    for table, entries in tables.items():
        known = table_schema(schema, table)
        places = [f"RequestItems.{table}[{index}]" for index in range(len(entries))]
        writes = [
            (entry, place, only_write(entry, place, report))
            for entry, place in zip(entries, places, strict=True)
        ]
        rest += [
            _check_write(table, entry[member], member, place, identities, known, report)
            for entry, place, member in writes
            if member is not None
        ]
    _all_to_the_table(rest)
    check_count(sum(map(len, tables.values())), MAX_BATCH_WRITES, "BatchWriteItem", report)
    yield
    _finish(rest)


def _check_write(
    table: str,
    write: _Params,
    member: str,
    place: str,
    identities: Identities,
    schema: TableSchema | None,
    report: Report,
) -> _Check:
    inside = report.inside(f"{place}.{member}")
    part = "Item" if member == "PutRequest" else "Key"
    is_fine = check_values(write, part, inside)
    if is_fine and part == "Item":
        check_item_size(write[part], part, inside)
    yield
    if not is_fine:
        return
    if part == "Key":
        check_key(write[part], part, schema, inside)
        identities.add(table, write[part], place, report)
    else:
        if schema is not None:
            _check_item_of_batch(write[part], schema, inside)
        identities.add(table, key_of(write[part], schema), place, report)


def _check_item_of_batch(item: _Params, schema: TableSchema, report: Report) -> None:
    inner = report.aside(prefix=report.prefix)
    check_item_keys(item, "Item", schema, inner)
    # In a batch the service has one message for a missing key and for a key of the wrong type.
    of_table = [
        finding
        for finding in inner.findings
        if finding.code == "DYS131" or "Type mismatch for key" in finding.message
    ]
    if of_table:
        mismatch("Item", report)
    report.findings += [each for each in inner.findings if each not in of_table]
    check_item_vectors(item, "Item", schema, report)


def _all_to_the_table(checks: list[_Check]) -> None:
    for each in checks:
        next(each)


def _finish(checks: list[_Check]) -> None:
    for each in checks:
        next(each, None)


# Transactions


def _check_transact_get(params: _Params, schema: object, report: Report) -> _Check:
    yield from _check_transaction(params, ("Get",), schema, report)


def _check_transact_write(params: _Params, schema: object, report: Report) -> _Check:
    actions = ("ConditionCheck", "Put", "Delete", "Update")
    yield from _check_transaction(params, actions, schema, report)


# Tables and statements


def _check_create_table(params: _Params, schema: object, report: Report) -> _Check:
    from dynasafe.validation.table_rules import check_new_table

    check_new_table(params, report)
    yield


def _check_update_table(params: _Params, schema: object, report: Report) -> _Check:
    from dynasafe.validation.table_rules import check_changed_table

    check_changed_table(params, report)
    yield


def _check_one_statement(params: _Params, schema: object, report: Report) -> _Check:
    from dynasafe.validation.statement_rules import check_statement

    check_statement(params, schema, report)
    yield


def _check_statements(params: _Params, schema: object, report: Report) -> _Check:
    from dynasafe.validation.statement_rules import check_statement

    member = "Statements" if "Statements" in params else "TransactStatements"
    for index, statement in enumerate(params.get(member, ())):
        check_statement(statement or {}, schema, report.inside(f"{member}[{index}]"))
    yield


def _check_transaction(
    params: _Params, actions: tuple[str, ...], schema: object, report: Report
) -> _Check:
    identities = Identities("Transaction request cannot include multiple operations on one item")
    payload = Payload()
    rest = []
    for index, entry in enumerate(params.get("TransactItems", ())):
        place = f"TransactItems[{index}]"
        action = only_action(entry, actions, place, report)
        if action is None:
            continue
        inside = report.inside(place, entry=index)
        check = _check_entry(action, entry[action], identities, schema, inside)
        next(check)
        payload.add(entry[action], place, report)
        rest.append(check)
    yield
    _finish(rest)
    report.findings.sort(key=_rank_in_transaction)


def _rank_in_transaction(finding: Finding) -> int:
    """The rank of a finding. Findings that cancel a running transaction come last."""
    if finding.reason_index is not None:
        return len(_FIRST_IN_TRANSACTION) + 1
    return _FIRST_IN_TRANSACTION.get(finding.code, len(_FIRST_IN_TRANSACTION))


def _check_entry(
    action: str, part: _Params, identities: Identities, schema: object, report: Report
) -> _Check:
    yield from _TRANSACTED[action](part, schema, report.inside(action))
    member = "Item" if action == "Put" else "Key"
    key = part.get(member)
    if action == "Put" and key is not None:
        key = key_of(key, _schema_of(schema, part))
    if not report.has_about(f"{action}.{member}"):
        identities.add(part.get("TableName", ""), key, action, report)


_FIRST_IN_TRANSACTION = {
    code: rank for rank, code in enumerate(("DYS102", "DYS110", "DYS105", "DYS218", "DYS115"))
}
_TRANSACTED: dict[str, Callable[[_Params, object, Report], _Check]] = {
    "Get": _check_get,
    "ConditionCheck": _check_delete,
    "Put": _check_put,
    "Delete": _check_delete,
    "Update": _check_update,
}
_CHECKS: dict[str, Callable[[_Params, object, Report], _Check]] = {
    "GetItem": _check_get,
    "PutItem": _check_put,
    "UpdateItem": _check_update,
    "DeleteItem": _check_delete,
    "Query": _check_query,
    "Scan": _check_scan,
    "BatchGetItem": _check_batch_get,
    "BatchWriteItem": _check_batch_write,
    "TransactGetItems": _check_transact_get,
    "TransactWriteItems": _check_transact_write,
    "SearchVectors": _check_search_vectors,
    "CreateTable": _check_create_table,
    "UpdateTable": _check_update_table,
    "ExecuteStatement": _check_one_statement,
    "BatchExecuteStatement": _check_statements,
    "ExecuteTransaction": _check_statements,
}
CHECKED_OPERATIONS = frozenset(OPERATIONS)
"""The operations that `check_request` checks in full."""
