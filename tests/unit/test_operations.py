"""The table of operations, and what it says of an unknown name."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dynasafe import check_request, require_valid
from dynasafe.errors import (
    InvalidRequestError,
    NotSentError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
)
from dynasafe.operations import OPERATIONS, Repeat, is_read, is_select, suggestion, table_names
from dynasafe.testing import Fault, FaultPlan
from dynasafe.testing.memory import MemoryTransport
from tests.support.people import Person


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_suggestion_of_another_spelling(name: str) -> None:
    """An operation is found again from snake_case, from lower case and with a letter missing."""
    snake_case = "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
    for spelling in (snake_case, name.lower(), name.replace("e", "", 1)):
        assert suggestion(spelling) == f"did you mean {name}?"


@pytest.mark.parametrize("name", ["", "frobnicate", "§", None, 3, b"GetItem"])
def test_suggestion_of_nothing_like_it(name: object) -> None:
    """Without a likely operation, the fix says what a name looks like."""
    assert suggestion(name) == 'give its name in the API Reference, as in "UpdateItem"'


def test_token() -> None:
    """What is repeated by a token has a member for it, and nothing else has."""
    for operation in OPERATIONS.values():
        assert (operation.token_member is not None) is (operation.repeat is Repeat.BY_TOKEN)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ('SELECT * FROM "t"', True),
        ("\n select id FROM t", True),
        ("SELECT\t*\tFROM t", True),
        ("SELECTED", False),
        ("INSERT INTO t VALUE {'id': 'SELECT'}", False),
        ("EXISTS(SELECT * FROM t)", False),
        ("-- SELECT\nDELETE FROM t WHERE id = ?", False),
        ("", False),
        (None, False),
    ],
)
def test_is_select(statement: object, expected: bool) -> None:
    """Only a statement that begins with SELECT reads."""
    assert is_select(statement) is expected


@pytest.mark.parametrize(
    ("name", "params", "expected"),
    [
        ("GetItem", {}, True),
        ("PutItem", {}, False),
        ("ExecuteStatement", {"Statement": "SELECT * FROM t"}, True),
        ("ExecuteStatement", {"Statement": "DELETE FROM t WHERE id = ?"}, False),
        ("ExecuteStatement", {}, False),
        ("BatchExecuteStatement", {"Statements": [{"Statement": "SELECT 1"}] * 2}, True),
        ("BatchExecuteStatement", {"Statements": [{"Statement": "SELECT 1"}, {}]}, False),
        ("BatchExecuteStatement", {"Statements": []}, False),
        ("BatchExecuteStatement", {"Statements": None}, False),
        ("ExecuteTransaction", {"TransactStatements": [{"Statement": "SELECT 1"}]}, True),
        ("ExecuteTransaction", {"TransactStatements": ["SELECT 1"]}, False),
    ],
)
def test_is_read(name: str, params: dict[str, Any], expected: bool) -> None:
    """A PartiQL request reads when each of its statements does."""
    assert is_read(OPERATIONS[name], params) is expected


@pytest.mark.parametrize(
    ("name", "params", "expected"),
    [
        ("UpdateItem", {"TableName": "t"}, ("t",)),
        ("UpdateItem", {}, ()),
        ("UpdateItem", {"TableName": None}, ()),
        ("ListTables", {}, ()),
        ("BatchGetItem", {"RequestItems": {"a": {}, "b": {}}}, ("a", "b")),
        ("BatchGetItem", {"RequestItems": None}, ()),
        (
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "a"}},
                    {"Update": {"TableName": "b"}},
                    {"Delete": {"TableName": "a"}, "Put": None},
                    None,
                ]
            },
            ("a", "b"),
        ),
        ("TransactGetItems", {"TransactItems": "t"}, ()),
        ("ImportTable", {"TableCreationParameters": {"TableName": "t"}}, ("t",)),
        (
            "RestoreTableToPointInTime",
            {"SourceTableName": "a", "TargetTableName": "b"},
            ("a", "b"),
        ),
    ],
)
def test_table_names(name: str, params: dict[str, Any], expected: tuple[str, ...]) -> None:
    """The tables of a request, wherever their names stand."""
    assert table_names(OPERATIONS[name], params) == expected


# Who asks the table


def test_check_of_an_unknown_operation() -> None:
    """An unknown operation is one finding, whatever the parameters are."""
    (finding,) = check_request("update_item", {"anything": None})

    assert str(finding) == (
        "DynamoDB has no operation 'update_item' [DYS100]\n"
        "  in operation\n"
        "  Fix: did you mean UpdateItem?"
    )
    with pytest.raises(NotSentError, match="did you mean PutItem"):
        require_valid("PutItm", {})


def test_check_of_a_name_of_another_type() -> None:
    """An operation's name that is not a str is a finding, which does not show it."""
    for name in (b"secret", ["secret"], None):
        (finding,) = check_request(name, {})  # type: ignore[arg-type]
        assert finding.message == f"The operation's name is of type {type(name).__name__}"


@pytest.mark.parametrize("form", ["clinet", "", "CLIENT", 1])
def test_unknown_form(form: Any) -> None:
    """An unknown form is refused before anything is looked at."""
    with pytest.raises(ValueOutOfRangeError, match=r"^form: 'wire' or .* is expected, not '"):
        check_request("GetItem", {}, form=form)


async def test_memory() -> None:
    """An unknown operation is not sent; one without tables in memory is refused as by DynamoDB."""
    transport = MemoryTransport({"people": Person})

    with pytest.raises(InvalidRequestError, match="did you mean UpdateItem"):
        await transport.send("update_item", {"TableName": "people"}, timeout_s=None)
    with pytest.raises(Exception, match="UnknownOperationException"):
        await transport.send("UpdateContinuousBackups", {"TableName": "people"}, timeout_s=None)


async def test_memory_reads_as_botocore_writes() -> None:
    """Text for binary is its UTF-8, in the tables in memory as well."""
    transport = MemoryTransport({"people": Person})
    item = {"id": {"S": "p1"}, "name": {"S": "Ada"}, "photo": {"B": "text!"}}

    await transport.send("PutItem", {"TableName": "people", "Item": item}, timeout_s=None)
    key = {"TableName": "people", "Key": {"id": {"S": "p1"}}}
    answer = await transport.send("GetItem", key, timeout_s=None)

    assert answer["Item"]["photo"] == {"B": b"text!"}


async def test_memory_cancels_transactions() -> None:
    """What cancels a transaction at the service cancels it in memory, with the reason's index."""
    transport = MemoryTransport({"people": Person})
    deletes = [
        {"Delete": {"TableName": "people", "Key": {"id": id_}}} for id_ in ({"S": "a"}, {"N": "1"})
    ]

    with pytest.raises(Exception, match=re.escape("reasons [None, ValidationError]")):
        await transport.send("TransactWriteItems", {"TransactItems": deletes}, timeout_s=None)


@pytest.mark.parametrize(
    ("members", "error", "words"),
    [
        ({"operations": {"update_item"}}, ValueOutOfRangeError, "did you mean UpdateItem?"),
        ({"operations": {"UpdateItem", 3}}, ValueOutOfRangeError, "no operation 3"),
        ({"operations": "UpdateItem"}, UnsupportedTypeError, "a set of names is expected, not str"),
        ({"rates": {"throttle": 1.0}}, UnsupportedTypeError, "did you mean Fault.THROTTLE?"),
        ({"rates": {"RESET_AFTR": 1.0}}, UnsupportedTypeError, "did you mean Fault.RESET_AFTER?"),
        ({"rates": {3: 1.0}}, UnsupportedTypeError, "give a member of Fault"),
        ({"rates": {Fault.HANG: 1.1}}, ValueOutOfRangeError, "from 0 to 1 together, not 1.1"),
        ({"rates": {Fault.HANG: float("nan")}}, ValueOutOfRangeError, "not nan"),
        ({"script": ["throttle"]}, UnsupportedTypeError, "did you mean Fault.THROTTLE?"),
    ],
)
def test_misspelt_fault_plan(members: dict[str, Any], error: type[Exception], words: str) -> None:
    """A plan that would inject nothing is refused."""
    with pytest.raises(error, match=re.escape(words)):
        FaultPlan(**members)
