"""What tests of handlers use: tables in memory, mocks, assertions, and what they forbid."""

from __future__ import annotations

import asyncio
import gc
import re
import warnings
from contextlib import aclosing, suppress
from datetime import datetime
from enum import Enum
from typing import Any, Literal
from weakref import ref

import boto3
import pytest

from dynasafe import AsyncDynamoDB, AsyncTable, Attr, Item, UpdateBuilder, attr, attribute
from dynasafe.aio.table import QueryOptions, ScanOptions, WriteOptions
from dynasafe.calls.options import CallOptions
from dynasafe.errors import (
    ConditionalCheckFailedError,
    InvalidRequestError,
    InvalidValueError,
    ServiceError,
    TransactionCanceledError,
    UnsupportedTypeError,
)
from dynasafe.testing import (
    BlockingCallError,
    ManualClock,
    ScriptedTransport,
    UnawaitedError,
    assert_all_awaited,
    assert_no_empty_parameters,
    assert_valid_request,
    fake_database,
    fake_table,
    forbid_blocking,
    forbid_unawaited,
    ok,
    record_requests,
    spec_mock,
    table_description,
)
from dynasafe.testing.scripted import NoReplyLeftError, throttled
from dynasafe.testing.watched import keeping_mocks
from tests.support.people import Address, Order, Person

# Descriptions


class Colour(Enum):
    RED = "red"


class Mixed(Enum):
    ONE = 1
    TWO = "two"


class Thing(Item):
    colour: Attr[Colour] = attribute(key="partition")
    at: Attr[datetime] = attribute(key="sort")
    email: Attr[str | None] = attribute(default=None)
    size: Attr[Literal[1, 2]] = attribute(default=1)
    mixed: Attr[Mixed] = attribute(default=Mixed.ONE)
    tags: Attr[set[str]] = attribute(default_factory=set)


def test_converted_keys_have_their_wire_type() -> None:
    """Keys of converted types have their wire type in a table description."""
    description = table_description(Thing, indexes={"a": ("email", "size"), "b": ("size",)})

    types = {
        each["AttributeName"]: each["AttributeType"] for each in description["AttributeDefinitions"]
    }
    assert types == {"colour": "S", "at": "S", "email": "S", "size": "N"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mixed", "mixed: a key is a str, a number or bytes, which an Attr[Mixed] is not for sure"),
        (
            "tags",
            "tags: a key is a str, a number or bytes, which an Attr[set[str]] is not for sure",
        ),
        ("nope", "nope: Thing has no such attribute"),
    ],
)
def test_other_key_types_are_refused(name: str, words: str) -> None:
    """An index key that is unknown, or may have a type other than a key's, is refused."""
    with pytest.raises(UnsupportedTypeError, match=f"^{re.escape(words)}"):
        table_description(Thing, indexes={"a": (name,)})


# Keywords of mocks

MISSPELT: list[Any] = [
    lambda t: t.put_item(Person(id="a", name="x"), conditon=None),
    lambda t: t.get_item({"id": "a"}, consistant_read=True),
    lambda t: t.update_item({"id": "a"}, UpdateBuilder(Person).set("name", "x"), exactly_one=True),
    lambda t: t.delete_item({"id": "a"}, timeout=3),
    lambda t: t.query(Person.id == "a", filtr=None),
    lambda t: t.scan(segments=3),
    lambda t: t.batch_write_item(puts=[]),
]


@pytest.mark.parametrize("call", MISSPELT)
async def test_mock_refuses_misspelt_keywords(mock: Any, call: Any) -> None:
    """The mock refuses a misspelt keyword, as the table does."""
    with pytest.raises(TypeError):
        await call(mock)
    with pytest.raises((TypeError, InvalidValueError)):
        await call(fake_table(Person))


OPTIONS: list[tuple[str, tuple[Any, ...], Any]] = [
    ("get_item", ({"id": "a"},), CallOptions),
    ("put_item", (Person(id="a", name="x"),), WriteOptions),
    ("update_item", ({"id": "a"}, UpdateBuilder(Person).set("name", "x")), WriteOptions),
    ("delete_item", ({"id": "a"},), WriteOptions),
    ("query", (Person.id == "a",), QueryOptions),
    ("scan", (), ScanOptions),
    ("batch_get_item", ([{"id": "a"}],), CallOptions),
    ("batch_write_item", (), CallOptions),
]


@pytest.fixture(scope="module")
def mock() -> Any:
    """One for all keywords, since it takes long to make."""
    return spec_mock(AsyncTable)


@pytest.mark.parametrize(
    ("method", "arguments", "option"),
    [
        pytest.param(method, arguments, option, id=f"{method}-{option}")
        for method, arguments, options in OPTIONS
        for option in options.__annotations__
    ],
)
async def test_mock_takes_each_option(
    mock: Any, method: str, arguments: tuple[Any, ...], option: str
) -> None:
    """The mock takes each option of the table and refuses it without its last letter."""
    table = fake_table(Person)

    called = getattr(mock, method)(*arguments, **{option: None})
    if method not in ("query", "scan"):
        await called
    misspelt = {option[:-1]: None}
    with pytest.raises(TypeError, match=f"'{option[:-1]}'"):
        getattr(mock, method)(*arguments, **misspelt)
    with pytest.raises(UnsupportedTypeError, match=f"no keyword '{option[:-1]}'. Did you mean"):
        await getattr(table, method)(*arguments, **misspelt)


async def test_mock_takes_correct_keywords() -> None:
    """The mock takes keywords that are spelt correctly, and keeps them."""
    mock = spec_mock(AsyncTable)
    person, update = Person(id="a", name="x"), UpdateBuilder(Person).set("name", "x")
    condition = Person.id.exists()

    await mock.put_item(person, condition=condition, return_values="ALL_OLD", timeout_s=3)
    await mock.update_item({"id": "a"}, update, exactly_once=True, retry=None, validate=False)
    await mock.get_item({"id": "a"}, consistent_read=True, attempt_timeout_s=1, breaker=None)
    mock.query(Person.id == "a", filter=condition, index_name="i", max_items=3, limit=2)
    mock.scan(total_segments=4, select="COUNT")
    assert mock.put_item.await_args.kwargs["condition"] is condition
    assert isinstance(mock, AsyncTable)


# Dry runs


def test_update_applies_to_an_item() -> None:
    """An update applied to an item gives what DynamoDB stores, in a new item."""
    update = (
        UpdateBuilder(Person)
        .increment(Person.visits, 2)
        .append(Person.scores, [7])
        .add(Person.tags, {"new"})
        .remove(Person.email)
        .condition(Person.visits < 10)
    )
    person = Person(id="p1", name="Ada", email="a@example.org", visits=3)

    after = update.apply(person)

    assert (after.visits, after.scores, after.tags, after.email) == (5, [7], {"new"}, None)
    assert (person.visits, person.scores) == (3, [])
    assert update.matches(person)
    assert not update.matches(Person(id="p2", name="Bo", visits=10))
    assert UpdateBuilder(Person).matches(person)


def test_update_applies_to_plain_items() -> None:
    """An update applied to a dict gives plain Python values, or raises DynamoDB's finding."""
    update = UpdateBuilder().set("a.b[0]", "x").set("n", attr("n") - 1)

    assert update.apply({"a": {"b": [1, 2]}, "n": 3}) == {"a": {"b": ["x", 2]}, "n": 2}
    with pytest.raises(InvalidRequestError) as caught:
        update.apply({"n": 3})
    assert caught.value.findings[0].code == "DYS301"
    assert (attr("a") == 1).matches({"a": 1})
    assert attr("a").not_exists().matches({})


def test_absent_items() -> None:
    """Conditions without an item see no attributes, and an update starts from an empty one."""
    assert attr("a").not_exists().matches(None)
    assert not UpdateBuilder().set("a", 1).condition(attr("a") == 1).matches(None)
    assert UpdateBuilder().set("a", 1).apply({}) == {"a": 1}


@pytest.mark.parametrize("item", [3, "text", [1]])
def test_only_items_can_be_tried(item: Any) -> None:
    """Conditions and updates refuse what is not a mapping or an Item."""
    with pytest.raises(InvalidValueError, match="a mapping or an Item is expected"):
        attr("a").exists().matches(item)
    with pytest.raises(InvalidValueError, match="a mapping or an Item is expected"):
        UpdateBuilder().set("a", 1).apply(item)


def test_deepest_nesting_can_be_tried() -> None:
    """An update takes an item with the deepest nesting, and refuses one level more."""
    deepest: Any = 1
    for _ in range(31):
        deepest = [deepest]

    assert UpdateBuilder().set("b", 1).apply({"a": deepest}) == {"a": deepest, "b": 1}
    with pytest.raises(InvalidRequestError, match="Nesting Levels"):
        UpdateBuilder().set("b.c", attr("a")).apply({"a": deepest, "b": {}})


# Tables in memory


async def test_fake_index_has_items_with_its_key() -> None:
    """A query of an index gives the items that have its key, forwards or backwards."""
    items = [Person(id=f"p{n}", name="Ada" if n < 3 else "Bo", visits=n) for n in range(5)]
    people = fake_table(Person, indexes={"by_name": ("name", "visits")}, items=items)

    found = people.query((Person.name == "Ada") & (Person.visits >= 1), index_name="by_name")

    assert [person.id async for person in found] == ["p1", "p2"]
    backwards = people.query(Person.name == "Ada", index_name="by_name", scan_index_forward=False)
    assert [person.id async for person in backwards] == ["p2", "p1", "p0"]


async def test_fake_pages_give_each_item_once() -> None:
    """Pages of a query or a scan give each item once, in both directions."""
    orders = fake_table(
        Order, items=[Order(customer="c", number=n, total=n) for n in range(-3, 10)]
    )

    for forward in (True, False):
        query = orders.query(
            Order.customer == "c", limit=3, scan_index_forward=forward, filter=Order.total != 4
        )
        numbers = [order.number async for order in query]
        assert sorted(numbers) == [n for n in range(-3, 10) if n != 4]
        assert numbers == sorted(numbers, reverse=not forward)
    scanned = [order.number async for order in orders.scan(limit=2, total_segments=3)]
    assert sorted(scanned) == list(range(-3, 10))


async def test_fake_refuses_what_dynamodb_refuses() -> None:
    """A table in memory refuses what DynamoDB refuses, with its errors."""
    people = fake_table(Person, items=[Person(id="p1", name="Ada")])

    with pytest.raises(ConditionalCheckFailedError) as failed:
        await people.put_item(Person(id="p1", name="Bo"), condition=Person.id.not_exists())
    assert failed.value.item is not None
    with pytest.raises(ServiceError, match="document path"):
        await people.update_item({"id": "p1"}, UpdateBuilder().set("address.city", "Rome"))
    with pytest.raises(UnsupportedTypeError, match="no partition key"):
        fake_table(Address := type("Address", (Person.__mro__[1],), {}))  # noqa: F841


async def test_fake_checks_index_keys() -> None:
    """A table in memory refuses an index key of a wrong type that an update copies."""
    people = fake_table(
        Person, indexes={"by_name": ("name",)}, items=[Person(id="p1", name="Ada", visits=1)]
    )

    with pytest.raises(ServiceError, match="secondary index key to unsupported type"):
        await people.update_item({"id": "p1"}, UpdateBuilder().set("name", attr("visits")))


async def test_fake_checks_its_first_items() -> None:
    """The items that a table in memory starts with are checked."""
    with pytest.raises(InvalidRequestError, match="key"):
        fake_table(table_description(Person), items=[{"name": "Ada"}])
    with pytest.raises(UnsupportedTypeError, match="instance of Person"):
        fake_table(Person, items=[Order(customer="c", number=1)])


async def test_fake_needs_a_key() -> None:
    """A table description without a key is refused."""
    with pytest.raises(UnsupportedTypeError, match="people: the description has no KeySchema"):
        fake_database(people={})
    with pytest.raises(InvalidRequestError, match="'KeySchema' is required"):
        await fake_database().call("CreateTable", {"TableName": "people"})


async def test_version_of_a_first_item_advances() -> None:
    """The version of an item that a fake starts with advances with each write."""
    people = fake_table(Person, items=[Person(id="p1", name="Ada")])
    person = await people.get_item({"id": "p1"})
    assert person is not None

    await people.update_item(person, UpdateBuilder(Person).set(Person.name, "Bo"))
    person.visits = 7
    await people.put_item(person)

    assert await people.get_item({"id": "p1"}) == person
    assert person.version == 2


async def test_fake_tables_are_made_and_dropped() -> None:
    """Tables in memory are described, created, deleted and listed."""
    db = fake_database(people=table_description(Person, indexes={"by_name": ("name",)}))
    by_name = db.table("people", Person).query(Person.name == "Ada", index_name="by_name")

    assert await by_name.to_list() == []
    description = (await db.call("DescribeTable", {"TableName": "people"}))["Table"]
    assert description["TableStatus"] == "ACTIVE"
    with pytest.raises(ServiceError, match="ResourceInUseException"):
        await db.call("CreateTable", {**table_description(Person), "TableName": "people"})
    await db.call("DeleteTable", {"TableName": "people"})
    assert await db.call("ListTables", {}) == {"TableNames": []}


def test_description_has_no_empty_member() -> None:
    """The description of an item class has no empty member."""
    assert_no_empty_parameters(table_description(Person))
    with_index = table_description(Person, indexes={"by_name": ("name", "visits")})
    assert_no_empty_parameters(with_index)
    assert {each["AttributeName"] for each in with_index["AttributeDefinitions"]} == {
        "id",
        "name",
        "visits",
    }


async def test_fake_has_its_settings() -> None:
    """A table in memory takes the settings of a table, such as hooks."""
    events: list[object] = []
    people = fake_table(Person, hooks=[events.append], retry=None)

    await people.put_item(Person(id="p1", name="Ada"), return_consumed_capacity="TOTAL")

    assert events


async def test_fake_transaction_writes_all_or_nothing() -> None:
    """A transaction over two tables in memory writes all items or none."""
    db = fake_database(people=Person, orders=Order, clock=ManualClock())
    people, orders = db.table("people", Person), db.table("orders", Order)

    writes = [
        people.put(Person(id="p1", name="Ada")),
        orders.put(Order(customer="p1", number=1), condition=Order.customer.not_exists()),
    ]
    await db.transact_write_items(writes)
    with pytest.raises(TransactionCanceledError):
        await db.transact_write_items(
            [
                people.delete({"id": "p1"}),
                orders.put(Order(customer="p1", number=1), condition=Order.customer.not_exists()),
            ]
        )

    assert await people.get_item({"id": "p1"}) is not None
    assert len(await orders.scan().to_list()) == 1


async def test_fake_counts_a_token_once() -> None:
    """A transaction that is repeated under one token counts once in memory."""
    db = fake_database(people=Person)
    people = db.table("people", Person)
    await people.put_item(Person(id="p1", name="Ada"))
    write = people.update({"id": "p1"}, UpdateBuilder(Person).increment(Person.visits, 1))

    for _ in range(3):
        await db.transact_write_items([write], client_request_token="one")

    person = await people.get_item({"id": "p1"})
    assert person is not None
    assert person.visits == 1


# Mocks


async def test_mock_has_the_signatures() -> None:
    """The methods of a mock can be awaited, and their signatures are checked."""
    person = Person(id="p1", name="Ada")
    table = spec_mock(AsyncTable, get_item=person)

    assert await table.get_item({"id": "p1"}) is person
    table.get_item.assert_awaited_once_with({"id": "p1"})
    with pytest.raises(TypeError):
        table.get_item()
    with pytest.raises(AttributeError):
        _ = table.get_itme
    assert_all_awaited(table)


async def test_mock_reports_a_call_without_await() -> None:
    """A call of a mock that nobody awaits is reported."""
    table = spec_mock(AsyncTable)
    forgotten = table.put_item({"id": "p1"})

    with pytest.raises(AssertionError, match="put_item was called 1 times and awaited 0 times"):
        assert_all_awaited(table)
    await forgotten
    assert_all_awaited(table)


async def test_mock_of_a_database_has_tables() -> None:
    """Tables and pages of a mocked database have their spec as well."""
    db = spec_mock(AsyncDynamoDB)

    pages = db.table("people", Person).query(Person.id == "p1")
    forgotten = pages.to_list()

    with pytest.raises(AssertionError, match=r"table\(\).query\(\).to_list was called 1 times"):
        assert_all_awaited(db)
    await forgotten
    assert_all_awaited(db)


PEOPLE = [Person(id="p1", name="Ada"), Person(id="p2", name="Bo")]
READS: list[Any] = [
    lambda t: t.query(Person.id == "p1"),
    lambda t: t.scan(),
]


@pytest.mark.parametrize("read", READS, ids=["query", "scan"])
@pytest.mark.parametrize("people", [[], PEOPLE, tuple(PEOPLE)], ids=["none", "list", "tuple"])
async def test_mock_gives_items_as_pages(read: Any, people: Any) -> None:
    """A mock that is given items has them as pages, each time they are read."""
    table = spec_mock(AsyncTable, query=people, scan=people)
    real = fake_table(Person, items=people)

    for _ in range(2):
        assert [person async for person in read(table)] == list(people)
        assert await read(table).to_list() == list(people)
        assert await read(table).count() == len(people)
    (mocked,) = [page async for page in read(table).pages()]
    (page,) = [page async for page in real.scan().pages()]
    assert mocked == page.replaced(items=tuple(people))
    async with aclosing(read(table).pages()) as pages:
        assert await anext(aiter(pages)) == mocked
    assert_all_awaited(table)


@pytest.mark.parametrize("read", READS, ids=["query", "scan"])
async def test_mock_without_items_has_empty_pages(read: Any) -> None:
    """Without items, the pages of a mock are empty."""
    for table in (spec_mock(AsyncTable), spec_mock(AsyncDynamoDB).table("people", Person)):
        assert [person async for person in read(table)] == []
        assert await read(table).to_list() == []
        assert await read(table).count() == 0


async def test_mock_takes_answers_set_later() -> None:
    """Answers that are set on a mock later are those that its pages give."""
    table = spec_mock(AsyncTable, query=PEOPLE[:1])
    pages = table.query.return_value
    pages.__aiter__.return_value = pages.to_list.return_value = PEOPLE
    pages.count.return_value = 2

    read = table.query(Person.id == "p1")
    assert [person async for person in read] == await read.to_list() == PEOPLE
    assert await read.count() == 2


async def test_mock_keeps_given_pages() -> None:
    """A mock that is given pages returns them as they are."""
    pages = fake_table(Person, items=PEOPLE).scan()

    assert spec_mock(AsyncTable, scan=pages).scan() is pages


@pytest.mark.parametrize("name", ["query", "scan"])
@pytest.mark.parametrize("given", [PEOPLE[0], None, "Ada", {"id": "p1"}, iter(PEOPLE)])
def test_mock_refuses_pages_that_are_not_a_list(name: str, given: Any) -> None:
    """A mock refuses pages that are not a list, and says how to fix it."""
    with pytest.raises(UnsupportedTypeError, match=rf"^{name}: a list .*Fix: {name}=\[item\]"):
        spec_mock(AsyncTable, **{name: given})


async def test_mock_reports_pages_without_await() -> None:
    """A list of pages that nobody awaits is reported."""
    table = spec_mock(AsyncTable, query=PEOPLE)
    forgotten = table.query(Person.id == "p1").to_list()

    with pytest.raises(AssertionError, match=r"query\(\).to_list was called 1 times and awaited 0"):
        assert_all_awaited(table)
    assert await forgotten == PEOPLE


def test_nested_blocks_keep_their_mocks() -> None:
    """A mock lives until the end of the outer block."""
    with keeping_mocks():
        with keeping_mocks():
            pass  # without mocks, as the outer block so far
        mock = ref(spec_mock(Address))
        gc.collect()
        assert mock() is not None
    gc.collect()
    assert mock() is None


# What is forbidden


async def _save() -> None: ...


def test_forgotten_coroutine_has_its_line() -> None:
    """A coroutine that nobody awaits fails the block, with the line that made it."""

    def forget() -> None:
        with forbid_unawaited():
            _save()  # type: ignore[unused-coroutine]

    with pytest.raises(UnawaitedError, match=r"(?s)'_save' was never awaited.*in forget"):
        forget()


async def test_other_warnings_pass() -> None:
    """Other warnings pass through the block."""

    async def warn() -> None:
        with forbid_unawaited():
            await _save()
            warnings.warn("other", UserWarning, stacklevel=1)

    with pytest.warns(UserWarning, match="other"):
        await warn()


def test_error_in_a_block_gets_a_note() -> None:
    """An error in the block stays the error, with a note about the forgotten coroutine."""

    def forget() -> None:
        with forbid_unawaited():
            _save()  # type: ignore[unused-coroutine]
            raise KeyError("mine")

    with pytest.raises(KeyError) as caught:
        forget()
    assert any("never awaited" in note for note in caught.value.__notes__)


def _client() -> Any:
    return boto3.client(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


async def test_boto3_on_the_loop_is_refused() -> None:
    """A boto3 call on the event loop fails the block, even if its error is caught."""
    client = _client()

    def block() -> None:
        with forbid_blocking(), suppress(Exception):
            client.list_tables()

    with pytest.raises(BlockingCallError, match=r"ListTables of dynamodb .*in block"):
        block()


async def test_blocks_of_tasks_leave_nothing() -> None:
    """Blocks of two tasks that end in any order leave boto3 as it was."""
    client = _client()
    client.meta.events.register("before-send.dynamodb", lambda **_: _Answer())
    original = type(client)._make_api_call

    async def block(first: asyncio.Event, second: asyncio.Event) -> None:
        with forbid_blocking():
            first.set()
            await second.wait()

    one, other = asyncio.Event(), asyncio.Event()
    await asyncio.gather(block(one, other), block(other, one))

    assert type(client)._make_api_call is original
    assert client.list_tables()["TableNames"] == []


async def test_error_notes_a_blocking_call() -> None:
    """Another error in the block has a note about the blocking call."""
    client = _client()

    def block() -> None:
        with forbid_blocking():
            with suppress(Exception):
                client.list_tables()
            raise KeyError("mine")

    with pytest.raises(KeyError) as caught:
        block()
    assert any("ListTables of dynamodb" in note for note in caught.value.__notes__)


async def test_boto3_on_another_thread_is_fine() -> None:
    """A boto3 call on another thread passes the block."""
    client = _client()
    client.meta.events.register("before-send.dynamodb", lambda **_: _Answer())
    with forbid_blocking():
        answer = await asyncio.to_thread(client.list_tables)
    assert answer["TableNames"] == []


class _Answer:
    status_code = 200
    headers: dict[str, str] = {}  # noqa: RUF012
    content = b'{"TableNames": []}'


# Requests


def test_requests_are_recorded_and_checked() -> None:
    """Requests of a boto3 client are recorded, and empty parameters are found in them."""
    client = _client()
    client.meta.events.register("before-send.dynamodb", lambda **_: _Answer())
    with record_requests() as recorder:
        client.update_item(
            TableName="people",
            Key={"id": {"S": "p1"}},
            UpdateExpression="SET a = :a",
            ExpressionAttributeNames={},
            ExpressionAttributeValues={":a": {"S": "x"}},
        )

    (params,) = recorder.of("UpdateItem")
    with pytest.raises(AssertionError, match="empty parameters: ExpressionAttributeNames"):
        assert_no_empty_parameters(params)
    with pytest.raises(AssertionError, match="ExpressionAttributeNames must not be empty"):
        recorder.assert_all_valid()
    assert "x" not in repr(recorder.requests).replace("ExpressionA", "")


async def test_empty_script_is_not_a_lost_answer() -> None:
    """A script without replies left raises an error that is not retried."""
    transport = ScriptedTransport([throttled()])
    people = AsyncTable("people", transport=transport, clock=ManualClock())

    with pytest.raises(NoReplyLeftError, match="no reply left for request 2, UpdateItem"):
        await people.update_item({"id": "p1"}, UpdateBuilder().add("visits", 1))

    assert len(transport.calls) == 2


async def test_fake_requests_are_recorded() -> None:
    """Requests of tables in memory and of scripted transports are recorded."""
    people = fake_table(Person)
    scripted = AsyncTable("people", transport=ScriptedTransport([ok()]))
    with record_requests() as recorder:
        with pytest.raises(AssertionError, match="no request was recorded"):
            recorder.assert_all_valid()
        await people.put_item(Person(id="p1", name="Ada"))
        await scripted.delete_item({"id": "p1"})

    recorder.assert_all_valid(schema=Person)
    assert [each.operation for each in recorder.requests] == ["PutItem", "DeleteItem"]


def test_record_is_a_copy() -> None:
    """The record has what was sent, also if the caller changes it later."""
    client = _client()
    client.meta.events.register("before-send.dynamodb", lambda **_: _Answer())
    key = {"id": {"S": "p1"}}
    with record_requests() as recorder:
        client.get_item(TableName="people", Key=key)
        key["id"] = {"S": "p2"}
        client.get_item(TableName="people", Key=key)

    assert [each["Key"]["id"]["S"] for each in recorder.of("GetItem")] == ["p1", "p2"]


def test_built_parameters_have_no_empty_member() -> None:
    """Built parameters are valid and have no empty member."""
    params = UpdateBuilder().set("a", "").set("b", []).build(key={"id": "p1"})

    assert_no_empty_parameters(params)
    assert_valid_request(params)
    assert_no_empty_parameters({"TransactItems": [{"Put": {"Item": {"a": ""}}}]})
    with pytest.raises(AssertionError, match=r"TransactItems\[0\].Put.ConditionExpression"):
        assert_no_empty_parameters({"TransactItems": [{"Put": {"ConditionExpression": ""}}]})
    with pytest.raises(InvalidValueError):
        UpdateBuilder().set("a", set())


# Tables in memory, where they were silently wrong


async def test_fake_tables_are_listed_in_pages() -> None:
    """Tables in memory are listed page by page."""
    db = fake_database(orders=Order, people=Person, persons=Person)

    first = await db.call("ListTables", {"Limit": 2})
    second = await db.call("ListTables", {"ExclusiveStartTableName": "people", "Limit": 2})

    assert first == {"TableNames": ["orders", "people"], "LastEvaluatedTableName": "people"}
    assert second == {"TableNames": ["persons"]}


async def test_fake_refuses_legacy_parameters() -> None:
    """A database in memory refuses legacy parameters in a batch."""
    db = fake_database(people=Person)
    entry = {"Keys": [{"id": {"S": "a"}}], "AttributesToGet": ["name"]}

    with pytest.raises(ServiceError, match="do not know the legacy parameters AttributesToGet"):
        await db.call("BatchGetItem", {"RequestItems": {"people": entry}})


def test_fake_refuses_equal_keys() -> None:
    """A table in memory refuses two first items with the same key."""
    with pytest.raises(InvalidValueError, match=r"items\[1\].* has the key of an item before it"):
        fake_table(Person, items=[Person(id="a", name="x"), Person(id="a", name="y")])


async def test_unused_replies_fail_the_block() -> None:
    """A scripted transport with replies left fails its block."""
    with ScriptedTransport([ok()]) as transport:
        await AsyncTable("orders", transport=transport).put_item({"pk": "a"})
    with (
        pytest.raises(AssertionError, match="has replies left after 1 request"),
        ScriptedTransport([ok(), ok()]) as transport,
    ):
        await AsyncTable("orders", transport=transport).put_item({"pk": "a"})


def test_error_in_a_script_block_is_raised() -> None:
    """An error in the block of a scripted transport is raised as it is."""
    with pytest.raises(KeyError), ScriptedTransport([ok()]):
        raise KeyError
