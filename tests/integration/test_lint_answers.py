"""The example of each rule of `dynasafe lint`, run against boto3 or aioboto3 on Amazon's engine.

What a page calls wrong is answered as the page promises; what it calls right is not.
"""

# ruff: noqa: E501

from __future__ import annotations

import asyncio
import gc
import inspect
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from dynasafe.findings.source_code import PREAMBLE, SOURCE_CODE
from tests.integration.conftest import CREDENTIALS, REGION, Engines, boto3_client, key_schema
from tests.support.linting import problems

# What functions of examples are called with, by the names of their parameters.
SAMPLES: dict[str, Any] = {
    "names": {},
    "name": "Ada",
    "nickname": "Ada",
    "is_admin": False,
    "body": {"nickname": "Ada", "status": "new"},
    "missing_id": "none",
    "ids": [f"large{index}" for index in range(45)],
    "request_id": "r1",
    "event": {},
    "context": None,
}
BODIES = {"DYS324": {"first-name": "Ada"}}
# Items of 390 KB: more than 1 MB for a page, more than 16 MB for a batch.
LARGE = {"DYS331": 5, "DYS333": 45}
ADA = {
    "id": {"S": "a"},
    "age": {"N": "3"},
    "visits": {"N": "1"},
    "last_request": {"S": "r0"},
}


@dataclass
class Run:
    """What an example did: its result or its error, and the warnings."""

    namespace: dict[str, Any]
    result: Any = None
    error: BaseException | None = None
    warned: str = ""

    @property
    def text(self) -> str:
        error = self.error
        if isinstance(error, ClientError):
            return f"{error.response['Error']['Code']}: {error}"
        if error is None:
            return self.warned
        name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
        return f"{name}: {error}"

    def visits(self) -> int:
        return int(self.item()["visits"])

    def item(self, key: str = "a") -> dict[str, Any]:
        stored: dict[str, Any] = self.namespace["table"].get_item(Key={"id": key}).get("Item", {})
        return stored


@pytest.fixture(scope="module")
def empty_people(engines: Engines) -> Iterator[Any]:
    """A table `people`, which examples reach without configuration."""
    engine = engines.get("dynamodb-local")
    client = boto3_client(engine)
    # Another module's examples may have left theirs on the same engine.
    with suppress(client.exceptions.ResourceNotFoundException):
        client.delete_table(TableName="people")
    client.create_table(TableName="people", BillingMode="PAY_PER_REQUEST", **key_schema(id="S"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_DYNAMODB", engine.endpoint_url)
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        for name, value in CREDENTIALS.items():
            patch.setenv(name.upper(), value)
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        yield client
    _above.cache_clear()
    client.delete_table(TableName="people")


@pytest.fixture
def people(empty_people: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The table with one item, and with many large ones for rules about pages."""
    client = empty_people
    client.put_item(TableName="people", Item=ADA)
    text = "x" * 390_000
    for index in range(LARGE.get(request.node.callspec.params["code"], 0)):
        item = {"id": {"S": f"large{index}"}, "text": {"S": text}}
        client.put_item(TableName="people", Item=item)
    yield client
    pages = client.get_paginator("scan").paginate(TableName="people", ProjectionExpression="id")
    for key in [item for page in pages for item in page["Items"]]:
        client.delete_item(TableName="people", Key=key)


@cache
def _above() -> dict[str, Any]:
    """What stands above each example; its clients are made once."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(PREAMBLE, namespace)
    return namespace


def run(
    example: str,
    code: str,
    prepare: Callable[[dict[str, Any]], None] | None = None,
    samples: dict[str, Any] = SAMPLES,
) -> Run:
    """Run an example: the last function that it defines, or else the module."""
    namespace = dict(_above())
    done = Run(namespace)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()  # what the example before has left
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(compile(example, "example.py", "exec"), namespace)
        if prepare is not None:
            prepare(namespace)
        function = [each for each in namespace.values() if inspect.isfunction(each)][-1]
        given = {
            name: BODIES.get(code, samples[name]) if name == "body" else samples[name]
            for name in inspect.signature(function).parameters
        }
        try:
            result = function(**given)
            done.result = asyncio.run(result) if inspect.iscoroutine(result) else result
        except Exception as error:
            done.error = error
        gc.collect()
        done.warned = "\n".join(f"{each.category.__name__}: {each.message}" for each in caught)
    return done


ANSWERED = [code for code, page in SOURCE_CODE.items() if not page.answer.startswith("no error")]


@pytest.mark.parametrize("code", ANSWERED)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_answer(code: str, people: Any) -> None:
    """The wrong example is answered as promised."""
    page = SOURCE_CODE[code]

    done = run(page.wrong, code)

    kind, _, words = page.answer.partition(": ")
    assert kind.partition(" ")[0] in done.text
    assert words in done.text


@pytest.mark.parametrize("code", [code for code in SOURCE_CODE if code not in LARGE])
def test_right(code: str, people: Any) -> None:
    """The right example raises nothing and warns of nothing."""
    done = run(SOURCE_CODE[code].right, code)

    assert done.text == ""


# Other forms of what the pages show

VARIANTS: list[tuple[str, str]] = [
    ("values", "def f(v):\n    table.scan(FilterExpression='attribute_exists(a)', ExpressionAttributeValues=v or None)"),
    ("a limit", "def f(v):\n    table.scan(Limit=v if v else None)"),
    ("a client's names", "def f(v):\n    client.scan(TableName='people', ExpressionAttributeNames=v or None)"),
    ("a start key", "def f():\n    table.scan(ExclusiveStartKey={})"),
    ("a delete's key", "def f():\n    table.delete_item({'id': 'a'})"),
    ("a batch writer", "def f():\n    with table.batch_writer() as batch:\n        batch.put_item(item={'id': 'a'})"),
    ("a typed key", "def f():\n    table.get_item(Key={'id': {'S': 'a'}})"),
    ("a Python item", "def f():\n    client.put_item(TableName='people', Item={'id': 'a'})"),
    ("a condition for a client", "def f():\n    client.query(TableName='people', KeyConditionExpression=Key('id').eq('a'))"),
    ("a float in a list", "def f():\n    table.put_item(Item={'id': 'a', 'l': [1.5]})"),
    ("time", "def f():\n    table.put_item(Item={'id': 'a', 'at': time.time()})"),
    ("a float in a condition", "def f():\n    table.scan(FilterExpression=Attr('a').gt(1.5))"),
    ("an inexact Decimal", "def f():\n    table.put_item(Item={'id': 'a', 'n': Decimal(0.1)})"),
    ("a float in a batch", "def f():\n    with table.batch_writer() as batch:\n        batch.put_item(Item={'id': 'a', 'n': 1.5})"),
    ("a date", "def f():\n    table.put_item(Item={'id': 'a', 'd': datetime.date.today()})"),
    ("a UUID", "def f():\n    table.put_item(Item={'id': 'a', 'u': uuid.uuid4()})"),
    ("an enum", "from enum import Enum\nclass C(Enum):\n    RED = 'red'\ndef f():\n    table.put_item(Item={'id': 'a', 'c': C.RED})"),
    ("a dataclass", "from dataclasses import dataclass\n@dataclass\nclass C:\n    a: int\ndef f():\n    table.put_item(Item={'id': 'a', 'c': C(1)})"),
    ("a mixed set", "def f():\n    table.put_item(Item={'id': 'a', 's': {1, 'b'}})"),
    ("an empty set", "def f():\n    table.put_item(Item={'id': 'a', 's': set()})"),
    ("double quotes", "def f(name):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=f'SET a = \"{name}\"')"),
    ("not", "def f():\n    table.scan(FilterExpression=not Attr('a').eq(1))"),
    ("==", "def f():\n    table.query(KeyConditionExpression=Key('id') == 'a')"),
    ("!=", "def f():\n    table.scan(FilterExpression=Attr('a') != 1)"),
    ("<", "def f():\n    table.query(KeyConditionExpression=Key('id') < 'a')"),
    ("list_append", "def f(name):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET l = list_append(l, :v)', ExpressionAttributeValues={':v': [name]})"),
    ("a resource's exceptions", "def f():\n    try:\n        table.put_item(Item={'id': 'a'}, ConditionExpression='attribute_not_exists(id)')\n    except dynamodb.exceptions.ConditionalCheckFailedException:\n        raise"),
    ("a coroutine, subscripted", "async def f():\n    async with session.client('dynamodb') as c:\n        return c.get_item(TableName='people', Key={'id': {'S': 'a'}})['ResponseMetadata']"),
    ("a coroutine's get", "async def f():\n    async with session.client('dynamodb') as c:\n        answer = c.get_item(TableName='people', Key={'id': {'S': 'a'}})\n        return answer.get('Item')"),
    ("a client's coroutine", "async def f():\n    async with session.client('dynamodb') as c:\n        c.get_item(TableName='people', Key={'id': {'S': 'a'}})"),
    ("async pages in for", "async def f():\n    async with session.client('dynamodb') as c:\n        for page in c.get_paginator('scan').paginate(TableName='people'):\n            del page"),
    ("with a client", "async def f():\n    with session.client('dynamodb') as c:\n        return c"),
    ("with a resource", "async def f():\n    with session.resource('dynamodb') as c:\n        return c"),
    ("async with boto3's client", "async def f():\n    async with boto3.client('dynamodb') as c:\n        return c"),
    ("async with boto3's resource", "async def f():\n    async with boto3.resource('dynamodb') as c:\n        return c"),
    ("async with boto3's batch", "async def f():\n    async with table.batch_writer() as c:\n        return c"),
    ("a resource that is not entered", "async def f():\n    c = session.resource('dynamodb')\n    return await c.Table('people')"),
    ("await of a client", "async def f():\n    await client.delete_item(TableName='people', Key={'id': {'S': 'a'}})"),
    ("create_task", "async def f():\n    asyncio.create_task(table.get_item(Key={'id': 'a'}))"),
    ("wait_for", "async def f():\n    await asyncio.wait_for(table.get_item(Key={'id': 'a'}), 5)"),
    ("a reserved word", "def f(name):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET date = :d', ExpressionAttributeValues={':d': name})"),
    ("an undefined value", "def f():\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :b')"),
    ("an unused value", "def f(name):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='REMOVE a', ExpressionAttributeValues={':b': name})"),
    ("an empty map", "def f(name):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='REMOVE a', ExpressionAttributeNames={})"),
    ("an operand of another type", "def f(name):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': str(name)})"),
    ("ALL_NEW of a put", "def f():\n    table.put_item(Item={'id': 'a'}, ReturnValues='ALL_NEW')"),
    ("a query without a key", "def f():\n    table.query(Limit=1)"),
]  # fmt: skip


# Where DynamoDB Local has words of its own.
LOCAL_WORDS = {
    "a typed key": "Invalid attribute value type",
    "ALL_NEW of a put": "Return values set to invalid value",
}


@pytest.mark.parametrize(("name", "code"), VARIANTS, ids=[each[0] for each in VARIANTS])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_variant(name: str, code: str, people: Any) -> None:
    """Each form of a rule's example gets the answer that the rule says."""
    found = problems(code, before=PREAMBLE)
    (problem,) = [each for each in found if each.level == "error" or len(found) == 1]

    done = run(code, "", samples=SAMPLES | {"v": {}})

    # The fixture that looks for false alarms stands in the place of the client's method.
    text = done.text.replace(
        "false_alarms.<locals>.checked_call_async", "AioBaseClient._make_api_call"
    )
    kind, _, words = problem.answer.partition(": ")
    assert kind in text
    assert LOCAL_WORDS.get(name, words.removeprefix("1 validation error detected: ")) in text


# What happens without an error


def _wrong(code: str, prepare: Callable[[dict[str, Any]], None] | None = None) -> Run:
    return run(SOURCE_CODE[code].wrong, code, prepare)


def _right(code: str) -> Run:
    return run(SOURCE_CODE[code].right, code)


def other_table(people: Any) -> None:
    """DYS318: the call asks for the table that TableName names, and there is none."""
    assert "ResourceNotFoundException" in _wrong("DYS318").text


def legacy(people: Any) -> None:
    """DYS319: the legacy call works."""
    assert _wrong("DYS319").visits() == 2


def joined(people: Any) -> None:
    """DYS323: a child is among the adults."""
    assert [int(each["age"]) for each in _wrong("DYS323").result["Items"]] == [3]
    assert _right("DYS323").result["Items"] == []


def first_page(people: Any) -> None:
    """DYS331: fewer than the 6 items that there are."""
    assert _wrong("DYS331").result < 6
    assert _right("DYS331").result == 6


def empty_page(people: Any) -> None:
    """DYS332: the loop ends before it comes to the item with a nickname."""
    _one_nickname(people)
    assert _wrong("DYS332").result == []
    assert len(_right("DYS332").result) == 1


def _one_nickname(people: Any) -> None:
    """Give a nickname to the item that a scan comes to last."""
    for index in range(3):
        people.put_item(TableName="people", Item={"id": {"S": f"b{index}"}})
    last = people.scan(TableName="people")["Items"][-1]
    people.put_item(TableName="people", Item={**last, "nickname": {"S": "Ada"}})


def unprocessed(people: Any) -> None:
    """DYS333: 45 items of 390 KB do not fit into an answer."""
    assert len(_wrong("DYS333").result) < 45
    assert len(_right("DYS333").result) == 45


def limited(people: Any) -> None:
    """DYS334: the item with a nickname is not found."""
    _one_nickname(people)
    assert _wrong("DYS334").result == []
    assert len(_right("DYS334").result) == 1


def lost_update(people: Any) -> None:
    """DYS340: what another writer adds between the read and the put is lost."""

    def interleave(namespace: dict[str, Any]) -> None:
        table = namespace["table"]
        read = table.get_item

        def get_item(**params: Any) -> Any:
            answer = read(**params)
            table.update_item(
                Key={"id": "a"},
                UpdateExpression="SET visits = :v",
                ExpressionAttributeValues={":v": 100},
            )
            return answer

        table.get_item = get_item

    done = _wrong("DYS340", interleave)
    del done.namespace["table"].get_item
    assert done.visits() == 2


def counted_twice(people: Any) -> None:
    """DYS341: the same request, sent twice, counts twice; the right one counts once."""
    _wrong("DYS341")
    assert _wrong("DYS341").visits() == 3
    _right("DYS341")
    again = _right("DYS341")
    assert "ConditionalCheckFailedException" in again.text
    assert again.visits() == 4


def created(people: Any) -> None:
    """DYS342: the update of an item that is not there makes one."""
    assert _wrong("DYS342").item("none") == {"id": "none", "nickname": "Ada"}


def text_ttl(people: Any) -> None:
    """DYS344: the TTL is stored as text."""
    _wrong("DYS344")
    stored = people.get_item(TableName="people", Key={"id": {"S": "a"}})["Item"]
    assert set(stored["expires_at"]) == {"S"}


def never_equal(people: Any) -> None:
    """DYS350: the condition failed, and the comparison is False."""
    assert _wrong("DYS350").result is False
    assert _right("DYS350").result is True


def swallowed(people: Any) -> None:
    """DYS351: nothing was saved, and the function returns as if it were."""
    done = _wrong("DYS351")
    assert (done.error, done.result) == (None, None)


def quoted_code(people: Any) -> None:
    """DYS352: an error of another code that quotes the code counts too."""
    code = "ConditionalCheckFailedException"
    other = {"Error": {"Code": "ValidationException", "Message": f"no {code} here"}}
    assert _wrong("DYS352").result is True
    assert code in str(ClientError(other, "PutItem"))


def retried(people: Any) -> None:
    """DYS355: the decorator's two attempts count twice."""
    assert _wrong("DYS355").visits() == 3


def blocked(people: Any) -> None:
    """DYS362: a task that is ready does not run while boto3 waits; with to_thread it does."""

    def others_ran(example: str) -> bool:
        namespace = dict(_above())
        exec(example, namespace)

        async def both() -> bool:
            ran: list[bool] = []
            asyncio.get_running_loop().call_soon(ran.append, True)
            await namespace["load"]()
            return bool(ran)

        return asyncio.run(both())

    assert not others_ran(SOURCE_CODE["DYS362"].wrong)
    assert others_ran(SOURCE_CODE["DYS362"].right)


def one_each(people: Any) -> None:
    """DYS367: each call makes a client."""
    made: list[str] = []

    class Counting:
        def resource(self, name: str) -> Any:
            made.append(name)
            return boto3.resource("dynamodb")

    _wrong("DYS367", lambda namespace: namespace.update(boto3=Counting()))
    assert made == ["dynamodb"]


def lenient_mock(people: Any) -> None:
    """DYS371: the mock takes what boto3 refuses."""
    done = _wrong("DYS371")
    assert done.error is None
    with pytest.raises(Exception, match="Unknown parameter in input"):
        done.namespace["table"].put_item(item={"id": "a"})


PROOFS: dict[str, Callable[[Any], None]] = {
    (each.__doc__ or "")[:6]: each
    for each in (
        *(other_table, legacy, joined, first_page, empty_page, unprocessed, limited, lost_update),
        *(counted_twice, created, text_ttl, never_equal, swallowed, quoted_code, retried, blocked),
        *(one_each, lenient_mock),
    )
}


@pytest.mark.parametrize("code", PROOFS)
def test_happens(code: str, people: Any) -> None:
    """What a page says happens without an error, happens."""
    PROOFS[code](people)


def test_each_code_is_run() -> None:
    """Each code has an answer or a proof here; only DYS399, for useless comments, has none."""
    assert {*ANSWERED, *PROOFS, "DYS399"} == set(SOURCE_CODE)
