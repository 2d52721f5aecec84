"""The guard in front of clients and resources of every kind, on DynamoDB Local."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aioboto3
import boto3
import botocore.session
import pytest
from boto3.dynamodb.conditions import Attr, Key
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, ParamValidationError

from dynasafe import guard, unguard
from dynasafe.errors import InvalidRequestError, InvalidValueError
from dynasafe.events import Event, RequestRepaired
from dynasafe.testing.engines import Engine
from tests.integration.conftest import CREDENTIALS, REGION, boto3_client, boto3_resource, key_schema

TABLE = "guarded"
WIRE = {
    "TableName": TABLE,
    "Key": {"id": {"S": "a"}},
    "UpdateExpression": "SET email = :e",
    "ExpressionAttributeValues": {":e": {"S": "x"}},
}
PLAIN = {
    "Key": {"id": "a"},
    "UpdateExpression": "SET email = :e",
    "ExpressionAttributeValues": {":e": "x"},
}


@pytest.fixture
def local(dynamodb_local: Engine) -> Iterator[Engine]:
    client = boto3_client(dynamodb_local)
    client.create_table(TableName=TABLE, BillingMode="PAY_PER_REQUEST", **key_schema(id="S"))
    yield dynamodb_local
    client.delete_table(TableName=TABLE)


def options(engine: Engine) -> dict[str, Any]:
    return {"region_name": REGION, "endpoint_url": engine.endpoint_url, **CREDENTIALS}


@pytest.mark.parametrize("empty", [{}, None])
def test_guard_refuses_the_incident(local: Engine, empty: Any) -> None:
    """A guarded client refuses empty names before they are sent."""
    client = guard(boto3_client(local))

    with pytest.raises(InvalidRequestError) as caught:
        client.update_item(**WIRE, ExpressionAttributeNames=empty)

    assert caught.value.findings[0].code == "DYS103"
    client.update_item(**WIRE)


@pytest.mark.parametrize("empty", [{}, None])
def test_repaired_incident_is_reported(local: Engine, empty: Any) -> None:
    """A guard in repair mode leaves out empty names and reports it."""
    seen: list[Event] = []
    table = guard(boto3_resource(local).Table(TABLE), mode="repair", hooks=[seen.append])

    table.update_item(**PLAIN, ExpressionAttributeNames=empty)

    assert table.get_item(Key={"id": "a"})["Item"] == {"id": "a", "email": "x"}
    assert seen == [
        RequestRepaired(
            operation="UpdateItem", table_name=TABLE, members=("ExpressionAttributeNames",)
        )
    ]


def test_guard_takes_boto3_conditions(local: Engine) -> None:
    """A guarded table accepts boto3's conditions and refuses wrong values and expressions."""
    table = guard(boto3_resource(local).Table(TABLE))

    table.put_item(Item={"id": "a", "n": 1}, ConditionExpression=Attr("id").not_exists())
    found = table.query(
        KeyConditionExpression=Key("id").eq("a"), FilterExpression=Attr("n").between(0, 3)
    )

    assert found["Count"] == 1
    with pytest.raises(InvalidRequestError, match="DynamoDB has no empty set"):
        table.put_item(Item={"id": "a", "n": set()})
    with pytest.raises(InvalidRequestError, match="Two document paths overlap"):
        table.update_item(Key={"id": "a"}, UpdateExpression="REMOVE a, a.b")


@pytest.mark.parametrize("guards_session", [False, True])
def test_values_that_look_typed(local: Engine, guards_session: bool) -> None:
    """A dict that looks like a wire value is a map for a table and a value for a client."""
    session = boto3.Session()
    if guards_session:
        guard(session)
    table = session.resource("dynamodb", **options(local)).Table(TABLE)
    client = session.client("dynamodb", **options(local))
    if not guards_session:
        guard(table)
        guard(client)

    table.put_item(Item={"id": "a", "looks": {"S": "x"}, "typed": {"B": None}})

    assert table.meta.client.get_item(TableName=TABLE, Key={"id": "a"})["Item"] == {
        "id": "a",
        "looks": {"S": "x"},
        "typed": {"B": None},
    }
    with pytest.raises(InvalidRequestError, match=r"write a map with one member, its type"):
        client.put_item(TableName=TABLE, Item={"id": "a"})


def test_warning_guard_sends_the_request(local: Engine, caplog: pytest.LogCaptureFixture) -> None:
    """A guard in warn mode logs the finding and sends the request."""
    client = guard(boto3_client(local), mode="warn")

    with pytest.raises(ClientError, match="must not be empty"):
        client.update_item(**WIRE, ExpressionAttributeNames={})

    assert "ExpressionAttributeNames must not be empty [DYS103]" in caplog.text


@pytest.mark.parametrize(
    ("empty", "error"), [("", ClientError), (None, ParamValidationError)], ids=["empty", "none"]
)
def test_repaired_empty_update_is_refused(
    local: Engine, empty: Any, error: type[Exception]
) -> None:
    """A guard in repair mode keeps an empty UpdateExpression, which is refused."""
    client = guard(boto3_client(local), mode="repair")

    with pytest.raises(error):
        client.update_item(TableName=TABLE, Key={"id": {"S": "ghost"}}, UpdateExpression=empty)

    assert "Item" not in client.get_item(TableName=TABLE, Key={"id": {"S": "ghost"}})


@pytest.mark.parametrize("empty", [{}, None])
def test_repaired_parts_of_transactions(local: Engine, empty: Any) -> None:
    """A guard repairs parts of transactions and batches, and keeps the caller's dicts."""
    seen: list[Event] = []
    client = guard(boto3_client(local), mode="repair", hooks=[seen.append])
    entries = [{"Update": {**WIRE, "ExpressionAttributeNames": empty}}]
    tables = {TABLE: {"Keys": [WIRE["Key"]], "ExpressionAttributeNames": empty}}

    client.transact_write_items(TransactItems=entries)
    found = client.batch_get_item(RequestItems=tables)

    assert found["Responses"][TABLE] == [{"id": {"S": "a"}, "email": {"S": "x"}}]
    assert [event.members for event in seen if isinstance(event, RequestRepaired)] == [
        ("TransactItems[0].Update.ExpressionAttributeNames",),
        (f"RequestItems.{TABLE}.ExpressionAttributeNames",),
    ]
    assert entries[0]["Update"]["ExpressionAttributeNames"] is empty  # the caller's own
    assert tables[TABLE]["ExpressionAttributeNames"] is empty


def test_repaired_start_key(local: Engine) -> None:
    """A guard in repair mode leaves out an empty start key and an empty filter."""
    client = guard(boto3_client(local), mode="repair")
    client.put_item(TableName=TABLE, Item={"id": {"S": "a"}})

    scanned = client.scan(TableName=TABLE, ExclusiveStartKey={}, FilterExpression="")

    assert scanned["Count"] == 1


def test_repairs_expressions(local: Engine) -> None:
    """Reserved words become placeholders; placeholders that nothing uses are left out."""
    seen: list[Event] = []
    client = guard(boto3_client(local), mode="repair", hooks=[seen.append])
    names = {"#Name": "other", "#unused": "unused"}
    values = {":v": {"S": "x"}, ":map": {"M": {}}, ":unused": {"S": "x"}}

    client.update_item(
        TableName=TABLE,
        Key=WIRE["Key"],
        UpdateExpression="SET Name = :v, #Name = :v, #Name_2 = :v, size = :map, status = :v",
        ConditionExpression="attribute_not_exists(Name)",
        ExpressionAttributeNames={**names, "#Name_2": "third"},
        ExpressionAttributeValues=values,
    )
    client.get_item(TableName=TABLE, Key=WIRE["Key"], ExpressionAttributeNames={"#a": "a"})
    found = client.get_item(
        TableName=TABLE,
        Key=WIRE["Key"],
        ProjectionExpression="Name, #Name, size, status",
        ExpressionAttributeNames={"#Name": "other"},
    )

    stored = {"Name": "x", "other": "x", "status": "x"}
    assert found["Item"] == {**{name: {"S": "x"} for name in stored}, "size": {"M": {}}}
    repaired = [event.members for event in seen if isinstance(event, RequestRepaired)]
    assert repaired == [
        (
            "ConditionExpression",
            "UpdateExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
        ),
        ("ExpressionAttributeNames",),
        ("ProjectionExpression", "ExpressionAttributeNames"),
    ]
    assert names == {"#Name": "other", "#unused": "unused"}  # the caller's own
    assert len(values) == 3


def test_unguard_ends_every_guard(local: Engine) -> None:
    """After unguard a client that was guarded twice is as before."""
    client = guard(guard(boto3_client(local), mode="warn"))
    with pytest.raises(InvalidRequestError):
        client.update_item(**WIRE, ExpressionAttributeNames={})

    unguard(unguard(client))

    with pytest.raises(ClientError):
        client.update_item(**WIRE, ExpressionAttributeNames={})


@pytest.mark.parametrize("make", [boto3.Session, botocore.session.get_session])
def test_guarded_session_guards_its_clients(local: Engine, make: Any) -> None:
    """The clients of a guarded session are guarded."""
    session = guard(make())
    create = getattr(session, "create_client", None) or session.client
    client = create("dynamodb", **options(local))

    with pytest.raises(InvalidRequestError):
        client.update_item(**WIRE, ExpressionAttributeNames={})


async def test_guards_aioboto3(local: Engine) -> None:
    """Clients, resources and sessions of aioboto3 can be guarded."""
    async with aioboto3.Session().client("dynamodb", **options(local)) as client:
        guard(client)
        with pytest.raises(InvalidRequestError):
            await client.update_item(**WIRE, ExpressionAttributeNames={})
        await client.update_item(**WIRE)
    async with aioboto3.Session().resource("dynamodb", **options(local)) as resource:
        table = guard(await resource.Table(TABLE), mode="repair")
        await table.update_item(**PLAIN, ExpressionAttributeNames=None)
    async with guard(aioboto3.Session()).client("dynamodb", **options(local)) as client:
        with pytest.raises(InvalidRequestError):
            await client.update_item(**WIRE, ExpressionAttributeNames={})


def test_guard_checks_keys_by_schema(local: Engine) -> None:
    """A guard with a schema checks keys."""
    plain = boto3_client(local)
    client = guard(boto3_client(local), schema=plain.describe_table(TableName=TABLE))

    with pytest.raises(InvalidRequestError, match="does not match the schema"):
        client.get_item(TableName=TABLE, Key={"id": {"N": "1"}})


def test_guard_has_schemas_by_table(local: Engine) -> None:
    """A guard with schemas by table checks keys of these tables only."""
    schemas = {TABLE: boto3_client(local).describe_table(TableName=TABLE)}
    client = guard(boto3_client(local), schema=schemas)

    with pytest.raises(InvalidRequestError, match="does not match the schema"):
        client.get_item(TableName=TABLE, Key={"id": {"N": "1"}})
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_item(TableName="other", Key={"id": {"N": "1"}})


def test_guard_refuses_wrong_arguments(local: Engine) -> None:
    """A guard refuses other objects, modes and schemas."""
    with pytest.raises(InvalidValueError, match="a client, resource, Table or session"):
        guard(object())
    with pytest.raises(InvalidValueError, match="'raise', 'repair' or 'warn', not 'fix'"):
        guard(boto3_client(local), mode="fix")  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="an Item class, a DescribeTable answer"):
        guard(boto3_client(local), schema="described")


def described(client: Any, *, refusing: str | None = None) -> list[str]:
    """The tables that the client describes, from now on; each answer may be a refusal."""
    names: list[str] = []

    def note(params: dict[str, Any], **_: Any) -> Any:
        names.append(json.loads(params["body"])["TableName"])
        if refusing is None:
            return None
        answer = {"Error": {"Code": refusing, "Message": "no"}, "ResponseMetadata": {}}
        return AWSResponse("", 400, {}, None), answer

    client.meta.events.register("before-call.dynamodb.DescribeTable", note)
    return names


WRONG_KEY: dict[str, Any] = {"TableName": TABLE, "Key": {"id": {"N": "1"}}}
RIGHT_KEY: dict[str, Any] = {"TableName": TABLE, "Key": {"id": {"S": "1"}}}


def test_describes_once(local: Engine) -> None:
    """A table is described when it is first used, and once more before its schema refuses."""
    client = guard(boto3_client(local), schema="describe")
    names = described(client)

    assert names == []
    for _ in range(3):
        client.get_item(**RIGHT_KEY)
    client.batch_get_item(RequestItems={TABLE: {"Keys": [RIGHT_KEY["Key"]]}})
    assert names == [TABLE]
    with pytest.raises(InvalidRequestError, match="does not match the schema"):
        client.get_item(**WRONG_KEY)
    assert names == [TABLE, TABLE]
    with pytest.raises(InvalidRequestError, match="paths overlap"):
        client.get_item(**RIGHT_KEY, ProjectionExpression="a, a.b")
    assert names == [TABLE, TABLE]


def test_describes_anew(local: Engine) -> None:
    """A table that is made again, with another key, is no false alarm."""
    client = guard(boto3_client(local), schema="describe")
    client.get_item(**RIGHT_KEY)
    client.delete_table(TableName=TABLE)
    client.create_table(TableName=TABLE, BillingMode="PAY_PER_REQUEST", **key_schema(id="N"))

    client.get_item(**WRONG_KEY)

    with pytest.raises(InvalidRequestError, match="does not match the schema"):
        client.get_item(**RIGHT_KEY)


def test_describes_a_missing_table(local: Engine) -> None:
    """A table that does not exist yet is described when it does."""
    client = guard(boto3_client(local), schema="describe")
    names = described(client)
    wrong: dict[str, Any] = {**WRONG_KEY, "TableName": "later"}

    for _ in range(2):
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.get_item(**wrong)
    assert names == ["later", "later"]
    client.create_table(TableName="later", BillingMode="PAY_PER_REQUEST", **key_schema(id="S"))
    with pytest.raises(InvalidRequestError):
        client.get_item(**wrong)
    client.delete_table(TableName="later")


@pytest.mark.parametrize(
    ("code", "asked"), [("AccessDeniedException", 1), ("ThrottlingException", 3)]
)
def test_describes_without_permission(
    local: Engine, code: str, asked: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a description the keys are not checked, and a warning says so."""
    client = guard(boto3_client(local), schema="describe")
    names = described(client, refusing=code)

    for _ in range(5):
        client.get_item(**RIGHT_KEY)

    assert names == [TABLE] * asked
    assert [record.getMessage() for record in caplog.records if "check" in record.message] == [
        f"DescribeTable of '{TABLE}' failed ({code}): its keys and indexes are not checked. "
        "Fix: allow dynamodb:DescribeTable, or give the guard a schema."
    ]


async def test_describes_with_async_clients(local: Engine) -> None:
    """Calls at the same time wait for one description, which outlives a cancelled one."""
    async with aioboto3.Session().client("dynamodb", **options(local)) as client:
        names = described(guard(client, schema="describe"))
        first = asyncio.create_task(client.get_item(**RIGHT_KEY))
        while not names:  # noqa: ASYNC110
            await asyncio.sleep(0)
        first.cancel()

        answers = await asyncio.gather(
            *(client.get_item(**key) for key in [RIGHT_KEY, WRONG_KEY] * 3), return_exceptions=True
        )

        assert [isinstance(each, InvalidRequestError) for each in answers] == [False, True] * 3
        assert 1 <= len(names) - 1 <= 3  # before each refusal
        with pytest.raises(asyncio.CancelledError):
            await first


def test_describes_from_threads(local: Engine) -> None:
    """Calls from several threads wait for one description."""
    client = guard(boto3_client(local), schema="describe")
    names = described(client)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.get_item(**RIGHT_KEY), range(16)))

    assert names == [TABLE]
