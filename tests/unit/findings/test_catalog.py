"""What a page calls wrong has its code, and what it calls right has no finding."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dynasafe import Item, UpdateBuilder, attr, attribute, check_request
from dynasafe.errors import InvalidRequestError
from dynasafe.findings.answers import SERVICE_ANSWERS, WITH_DYNASAFE
from dynasafe.findings.catalog import EXPLANATIONS
from dynasafe.items.attributes import Attr


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str]
    email: Attr[str | None] = attribute(default=None)
    first_name: Attr[str] = attribute(name="firstName", default="")
    is_admin: Attr[bool] = attribute(default=False, patchable=False)


KEYS = {"pk": "S", "sk": "N", "city": "S", "email": "S"}
TABLE: dict[str, Any] = {
    "TableName": "some-table",
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": type_name} for name, type_name in KEYS.items()
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": f"by_{name}",
            "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        for name in ("city", "email")
    ],
}
NAMED = {"TableName": "some-table"}
KEY = {"pk": {"S": "a"}, "sk": {"N": "1"}}
PLACEHOLDERS = {":p": {"S": "a"}, ":q": {"S": "b"}, ":c": {"S": "a"}, ":prefix": {"S": "a"}}
LISTS = {"DYS203": {":l": {"L": []}}, "DYS227": {":nine": {"N": "9"}}}


def findings(operation: str, params: dict[str, Any], *, schema: Any = None) -> list[str]:
    return [each.code for each in check_request(operation, params, schema=schema, form="client")]


# Expressions

UPDATES = ["DYS201", "DYS203", "DYS204", "DYS206", "DYS210"]
CONDITIONS = ["DYS202", "DYS205", "DYS207", "DYS208", "DYS209", "DYS224", "DYS227"]
KEY_CONDITIONS = ["DYS151", "DYS153", "DYS155", "DYS156", "DYS157"]
MEMBERS = {
    **dict.fromkeys(UPDATES, ("UpdateItem", "UpdateExpression")),
    **dict.fromkeys(CONDITIONS, ("Scan", "FilterExpression")),
    **dict.fromkeys(KEY_CONDITIONS, ("Query", "KeyConditionExpression")),
}


def found_in_expression(code: str, text: str) -> list[str]:
    operation, params = request_of_expression(code, text)
    return findings(operation, params, schema=TABLE)


def request_of_expression(code: str, text: str) -> tuple[str, dict[str, Any]]:
    operation, member = MEMBERS[code]
    params: dict[str, Any] = {**NAMED, member: text}
    used = set(re.findall(r":\w+", text))
    values = {**PLACEHOLDERS, **LISTS.get(code, {})}
    if used:
        params["ExpressionAttributeValues"] = {
            each: values.get(each, {"N": "1"}) for each in sorted(used)
        }
    if operation == "UpdateItem":
        params["Key"] = KEY
    if code == "DYS156":
        params["IndexName"] = "by_city"
    return operation, params


@pytest.mark.parametrize("code", MEMBERS)
def test_expressions_of_pages(code: str) -> None:
    """In an expression page, the wrong example has its finding and the correct one has none."""
    it = EXPLANATIONS[code]

    assert code in found_in_expression(code, it.wrong)
    assert found_in_expression(code, it.right) == []


# Values

VALUES = ["DYS110", "DYS111", "DYS112", "DYS113", "DYS116", "DYS118", "DYS119"]


@pytest.mark.parametrize("code", VALUES)
def test_values_of_pages(code: str) -> None:
    """In a value page, the wrong example has its finding and the correct one has none."""
    it = EXPLANATIONS[code]

    wrong, right = ({**NAMED, "Item": {**KEY, "a": eval(each)}} for each in (it.wrong, it.right))
    assert code in findings("PutItem", wrong)
    assert findings("PutItem", right) == []


# Members

UPDATE = {
    "Key": KEY,
    "UpdateExpression": "SET a = :a",
    "ExpressionAttributeValues": {":a": {"N": "1"}},
}
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "DYS102": ("UpdateItem", UPDATE),
    "DYS105": ("UpdateItem", UPDATE),
    "DYS108": ("GetItem", {"Key": KEY}),
    "DYS132": ("GetItem", {}),
    "DYS138": ("Scan", {}),
    "DYS161": ("Scan", {}),
    "DYS162": ("Scan", {}),
    "DYS163": ("Scan", {}),
    "DYS164": ("Scan", {}),
    "DYS165": ("Scan", {}),
    "DYS216": ("Scan", {"FilterExpression": "attribute_exists(#status)"}),
    "DYS217": ("Scan", {"FilterExpression": "attribute_exists(#a)"}),
}


@pytest.mark.parametrize("code", REQUESTS)
def test_members_of_pages(code: str) -> None:
    """In a request page, the wrong example has its finding and the correct one has none."""
    it = EXPLANATIONS[code]
    operation, members = REQUESTS[code]
    schema = Person if code in ("DYS132", "DYS138") else TABLE

    wrong, right = ({**NAMED, **members, **eval(f"dict({each})")} for each in (it.wrong, it.right))
    assert code in findings(operation, wrong, schema=schema)
    assert findings(operation, right, schema=schema) == []


# Patches


@pytest.mark.parametrize("code", ["DYS141", "DYS142", "DYS143", "DYS144"])
def test_patches_of_pages(code: str) -> None:
    """In a patch page, the wrong example is refused with its code and the correct one is not."""
    it = EXPLANATIONS[code]

    def names() -> dict[str, Any]:
        return {
            "UpdateBuilder": UpdateBuilder,
            "Person": Person,
            "builder": UpdateBuilder(Person),
        }

    with pytest.raises(InvalidRequestError) as refusal:
        eval(it.wrong, names())
    assert [each.code for each in refusal.value.findings] == [code]
    assert not eval(it.right, names()).is_empty


# What DynamoDB answers, and what dynasafe offers


ANSWERED = [code for code in SERVICE_ANSWERS if code in {*MEMBERS, *VALUES}]


@pytest.mark.parametrize("code", ANSWERED)
def test_the_answer_is_the_findings_message(code: str) -> None:
    """A page shows the words that check_request has for what the page calls wrong."""
    wrong = EXPLANATIONS[code].wrong
    if code in MEMBERS:
        operation, params = request_of_expression(code, wrong)
    else:
        operation, params = "PutItem", {**NAMED, "Item": {**KEY, "a": eval(wrong)}}

    found = check_request(operation, params, schema=TABLE, form="client")

    assert SERVICE_ANSWERS[code] in [each.message for each in found if each.code == code]


BUILT = [
    code for code, line in WITH_DYNASAFE.items() if line.startswith(("attr(", "UpdateBuilder()"))
]


@pytest.mark.parametrize("code", BUILT)
def test_what_dynasafe_offers_is_accepted(code: str) -> None:
    """What a page recommends can be written, and has no finding."""
    made = eval(WITH_DYNASAFE[code], {"attr": attr, "UpdateBuilder": UpdateBuilder})

    update = (
        made if isinstance(made, UpdateBuilder) else UpdateBuilder().set("z", 1).condition(made)
    )
    params = update.build_client(table_name="some-table", key={"pk": "a", "sk": 1})
    assert check_request("UpdateItem", params, form="client") == ()


# The guard


def test_a_guard_that_repairs_is_in_that_mode() -> None:
    """A page that says that a guard repairs gives it the mode: the default is "raise"."""
    texts = [(code, str(it)) for code, it in EXPLANATIONS.items()]
    calls = [
        (code, given)
        for code, text in texts
        for given in re.findall(r"\bguard(?:_process)?\(([^)]*)\) repairs", text)
    ]

    assert calls == [("DYS401", 'client, "repair"')]
