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


def test_given_keys_of_converted_types_when_described_then_each_has_its_wire_type() -> None:
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
def test_given_a_key_of_no_key_type_when_described_then_it_is_refused(
    name: str, words: str
) -> None:
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
async def test_given_a_misspelt_keyword_then_the_mock_refuses_it_as_the_table_does(
    call: Any,
) -> None:
    with pytest.raises(TypeError):
        await call(spec_mock(AsyncTable))
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


@pytest.mark.parametrize(
    ("method", "arguments", "option"),
    [
        pytest.param(method, arguments, option, id=f"{method}-{option}")
        for method, arguments, options in OPTIONS
        for option in options.__annotations__
    ],
)
async def test_given_an_option_then_the_mock_takes_it_and_refuses_it_without_its_last_letter(
    method: str, arguments: tuple[Any, ...], option: str
) -> None:
    mock, table = spec_mock(AsyncTable), fake_table(Person)

    called = getattr(mock, method)(*arguments, **{option: None})
    if method not in ("query", "scan"):
        await called
    misspelt = {option[:-1]: None}
    with pytest.raises(TypeError, match=f"'{option[:-1]}'"):
        getattr(mock, method)(*arguments, **misspelt)
    with pytest.raises(UnsupportedTypeError, match=f"no keyword '{option[:-1]}'. Did you mean"):
        await getattr(table, method)(*arguments, **misspelt)


async def test_given_keywords_spelt_right_then_the_mock_takes_them() -> None:
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


def test_given_an_update_when_applied_to_an_item_then_it_is_what_dynamodb_stores() -> None:
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


def test_given_plain_items_when_applied_then_values_are_pythons() -> None:
    update = UpdateBuilder().set("a.b[0]", "x").set("n", attr("n") - 1)

    assert update.apply({"a": {"b": [1, 2]}, "n": 3}) == {"a": {"b": ["x", 2]}, "n": 2}
    with pytest.raises(InvalidRequestError) as caught:
        update.apply({"n": 3})
    assert caught.value.findings[0].code == "DYS301"
    assert (attr("a") == 1).matches({"a": 1})
    assert attr("a").not_exists().matches({})


def test_given_no_item_then_conditions_and_updates_tell_of_its_absence() -> None:
    assert attr("a").not_exists().matches(None)
    assert not UpdateBuilder().set("a", 1).condition(attr("a") == 1).matches(None)
    assert UpdateBuilder().set("a", 1).apply({}) == {"a": 1}


@pytest.mark.parametrize("item", [3, "text", [1]])
def test_given_what_is_no_item_when_tried_then_it_is_refused(item: Any) -> None:
    with pytest.raises(InvalidValueError, match="a mapping or an Item is expected"):
        attr("a").exists().matches(item)
    with pytest.raises(InvalidValueError, match="a mapping or an Item is expected"):
        UpdateBuilder().set("a", 1).apply(item)


def test_given_an_item_of_the_deepest_nesting_then_it_can_be_tried() -> None:
    deepest: Any = 1
    for _ in range(31):
        deepest = [deepest]

    assert UpdateBuilder().set("b", 1).apply({"a": deepest}) == {"a": deepest, "b": 1}
    with pytest.raises(InvalidRequestError, match="Nesting Levels"):
        UpdateBuilder().set("b.c", attr("a")).apply({"a": deepest, "b": {}})


# Tables in memory


async def test_given_an_index_when_queried_then_only_items_with_its_key_are_there() -> None:
    items = [Person(id=f"p{n}", name="Ada" if n < 3 else "Bo", visits=n) for n in range(5)]
    people = fake_table(Person, indexes={"by_name": ("name", "visits")}, items=items)

    found = people.query((Person.name == "Ada") & (Person.visits >= 1), index_name="by_name")

    assert [person.id async for person in found] == ["p1", "p2"]
    backwards = people.query(Person.name == "Ada", index_name="by_name", scan_index_forward=False)
    assert [person.id async for person in backwards] == ["p2", "p1", "p0"]


async def test_given_pages_when_followed_both_ways_then_each_item_comes_once() -> None:
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


async def test_given_what_dynamodb_refuses_then_memory_refuses_it() -> None:
    people = fake_table(Person, items=[Person(id="p1", name="Ada")])

    with pytest.raises(ConditionalCheckFailedError) as failed:
        await people.put_item(Person(id="p1", name="Bo"), condition=Person.id.not_exists())
    assert failed.value.item is not None
    with pytest.raises(ServiceError, match="document path"):
        await people.update_item({"id": "p1"}, UpdateBuilder().set("address.city", "Rome"))
    with pytest.raises(UnsupportedTypeError, match="no partition key"):
        fake_table(Address := type("Address", (Person.__mro__[1],), {}))  # noqa: F841


async def test_given_an_index_key_of_a_wrong_type_when_copied_then_it_is_refused() -> None:
    people = fake_table(
        Person, indexes={"by_name": ("name",)}, items=[Person(id="p1", name="Ada", visits=1)]
    )

    with pytest.raises(ServiceError, match="secondary index key to unsupported type"):
        await people.update_item({"id": "p1"}, UpdateBuilder().set("name", attr("visits")))


async def test_given_items_that_dynamodb_would_refuse_then_they_are_refused_at_first() -> None:
    with pytest.raises(InvalidRequestError, match="key"):
        fake_table(table_description(Person), items=[{"name": "Ada"}])
    with pytest.raises(UnsupportedTypeError, match="instance of Person"):
        fake_table(Person, items=[Order(customer="c", number=1)])


async def test_given_a_description_without_a_key_then_it_is_refused() -> None:
    with pytest.raises(UnsupportedTypeError, match="people: the description has no KeySchema"):
        fake_database(people={})
    with pytest.raises(InvalidRequestError, match="'KeySchema' is required"):
        await fake_database().call("CreateTable", {"TableName": "people"})


async def test_given_an_item_that_was_there_when_written_by_its_version_then_it_advances() -> None:
    people = fake_table(Person, items=[Person(id="p1", name="Ada")])
    person = await people.get_item({"id": "p1"})
    assert person is not None

    await people.update_item(person, UpdateBuilder(Person).set(Person.name, "Bo"))
    person.visits = 7
    await people.put_item(person)

    assert await people.get_item({"id": "p1"}) == person
    assert person.version == 2


async def test_given_tables_when_made_and_dropped_then_they_are_listed() -> None:
    db = fake_database(people=table_description(Person, indexes={"by_name": ("name",)}))
    by_name = db.table("people", Person).query(Person.name == "Ada", index_name="by_name")

    assert await by_name.to_list() == []
    description = (await db.call("DescribeTable", {"TableName": "people"}))["Table"]
    assert description["TableStatus"] == "ACTIVE"
    with pytest.raises(ServiceError, match="ResourceInUseException"):
        await db.call("CreateTable", {**table_description(Person), "TableName": "people"})
    await db.call("DeleteTable", {"TableName": "people"})
    assert await db.call("ListTables", {}) == {"TableNames": []}


def test_given_an_item_class_then_its_description_has_no_empty_member() -> None:
    assert_no_empty_parameters(table_description(Person))
    with_index = table_description(Person, indexes={"by_name": ("name", "visits")})
    assert_no_empty_parameters(with_index)
    assert {each["AttributeName"] for each in with_index["AttributeDefinitions"]} == {
        "id",
        "name",
        "visits",
    }


async def test_given_settings_then_a_table_in_memory_has_them() -> None:
    events: list[object] = []
    people = fake_table(Person, hooks=[events.append], retry=None)

    await people.put_item(Person(id="p1", name="Ada"), return_consumed_capacity="TOTAL")

    assert events


async def test_given_two_tables_when_written_together_then_all_or_nothing_is() -> None:
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


async def test_given_exactly_once_when_repeated_under_one_token_then_memory_counts_once() -> None:
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


async def test_given_a_spec_mock_then_methods_are_awaitable_and_signatures_are_checked() -> None:
    person = Person(id="p1", name="Ada")
    table = spec_mock(AsyncTable, get_item=person)

    assert await table.get_item({"id": "p1"}) is person
    table.get_item.assert_awaited_once_with({"id": "p1"})
    with pytest.raises(TypeError):
        table.get_item()
    with pytest.raises(AttributeError):
        _ = table.get_itme
    assert_all_awaited(table)


async def test_given_a_call_that_nobody_awaits_then_the_mock_tells() -> None:
    table = spec_mock(AsyncTable)
    forgotten = table.put_item({"id": "p1"})

    with pytest.raises(AssertionError, match="put_item was called 1 times and awaited 0 times"):
        assert_all_awaited(table)
    await forgotten
    assert_all_awaited(table)


async def test_given_a_mock_of_a_database_then_its_tables_and_pages_are_specced_as_well() -> None:
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
async def test_given_items_then_a_mock_has_them_as_pages_each_time_they_are_read(
    read: Any, people: Any
) -> None:
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
async def test_given_no_items_then_the_pages_of_a_mock_are_empty(read: Any) -> None:
    for table in (spec_mock(AsyncTable), spec_mock(AsyncDynamoDB).table("people", Person)):
        assert [person async for person in read(table)] == []
        assert await read(table).to_list() == []
        assert await read(table).count() == 0


async def test_given_answers_that_are_set_afterwards_then_the_pages_of_a_mock_give_them() -> None:
    table = spec_mock(AsyncTable, query=PEOPLE[:1])
    pages = table.query.return_value
    pages.__aiter__.return_value = pages.to_list.return_value = PEOPLE
    pages.count.return_value = 2

    read = table.query(Person.id == "p1")
    assert [person async for person in read] == await read.to_list() == PEOPLE
    assert await read.count() == 2


async def test_given_pages_then_a_mock_has_them_as_they_are() -> None:
    pages = fake_table(Person, items=PEOPLE).scan()

    assert spec_mock(AsyncTable, scan=pages).scan() is pages


@pytest.mark.parametrize("name", ["query", "scan"])
@pytest.mark.parametrize("given", [PEOPLE[0], None, "Ada", {"id": "p1"}, iter(PEOPLE)])
def test_given_pages_that_are_no_list_then_they_are_refused(name: str, given: Any) -> None:
    with pytest.raises(UnsupportedTypeError, match=rf"^{name}: a list .*Fix: {name}=\[item\]"):
        spec_mock(AsyncTable, **{name: given})


async def test_given_pages_whose_list_nobody_awaits_then_the_mock_tells() -> None:
    table = spec_mock(AsyncTable, query=PEOPLE)
    forgotten = table.query(Person.id == "p1").to_list()

    with pytest.raises(AssertionError, match=r"query\(\).to_list was called 1 times and awaited 0"):
        assert_all_awaited(table)
    assert await forgotten == PEOPLE


def test_given_blocks_within_one_another_then_each_keeps_its_mocks_to_its_own_end() -> None:
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


def test_given_a_coroutine_that_nobody_awaits_then_the_block_fails_with_its_line() -> None:
    def forget() -> None:
        with forbid_unawaited():
            _save()  # type: ignore[unused-coroutine]

    with pytest.raises(UnawaitedError, match=r"(?s)'_save' was never awaited.*in forget"):
        forget()


async def test_given_awaited_coroutines_then_other_warnings_go_their_way() -> None:
    async def warn() -> None:
        with forbid_unawaited():
            await _save()
            warnings.warn("other", UserWarning, stacklevel=1)

    with pytest.warns(UserWarning, match="other"):
        await warn()


def test_given_an_error_in_the_block_then_it_is_the_error_with_a_note() -> None:
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


async def test_given_boto3_on_the_loop_then_it_is_refused_and_told_even_if_caught() -> None:
    client = _client()

    def block() -> None:
        with forbid_blocking(), suppress(Exception):
            client.list_tables()

    with pytest.raises(BlockingCallError, match=r"ListTables of dynamodb .*in block"):
        block()


async def test_given_blocks_of_tasks_that_end_in_any_order_then_none_outlives_them() -> None:
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


async def test_given_another_error_in_a_block_then_a_blocking_call_is_in_its_notes() -> None:
    client = _client()

    def block() -> None:
        with forbid_blocking():
            with suppress(Exception):
                client.list_tables()
            raise KeyError("mine")

    with pytest.raises(KeyError) as caught:
        block()
    assert any("ListTables of dynamodb" in note for note in caught.value.__notes__)


async def test_given_boto3_on_another_thread_then_it_is_fine() -> None:
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


def test_given_requests_of_a_client_then_they_are_recorded_and_judged() -> None:
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


async def test_given_a_script_without_replies_left_then_it_is_no_lost_answer() -> None:
    transport = ScriptedTransport([throttled()])
    people = AsyncTable("people", transport=transport, clock=ManualClock())

    with pytest.raises(NoReplyLeftError, match="no reply left for request 2, UpdateItem"):
        await people.update_item({"id": "p1"}, UpdateBuilder().add("visits", 1))

    assert len(transport.calls) == 2


async def test_given_tables_in_memory_then_their_requests_are_recorded_too() -> None:
    people = fake_table(Person)
    scripted = AsyncTable("people", transport=ScriptedTransport([ok()]))
    with record_requests() as recorder:
        with pytest.raises(AssertionError, match="no request was recorded"):
            recorder.assert_all_valid()
        await people.put_item(Person(id="p1", name="Ada"))
        await scripted.delete_item({"id": "p1"})

    recorder.assert_all_valid(schema=Person)
    assert [each.operation for each in recorder.requests] == ["PutItem", "DeleteItem"]


def test_given_parameters_that_are_used_again_then_the_record_has_what_was_sent() -> None:
    client = _client()
    client.meta.events.register("before-send.dynamodb", lambda **_: _Answer())
    key = {"id": {"S": "p1"}}
    with record_requests() as recorder:
        client.get_item(TableName="people", Key=key)
        key["id"] = {"S": "p2"}
        client.get_item(TableName="people", Key=key)

    assert [each["Key"]["id"]["S"] for each in recorder.of("GetItem")] == ["p1", "p2"]


def test_given_built_parameters_then_they_are_valid_and_have_no_empty_members() -> None:
    params = UpdateBuilder().set("a", "").set("b", []).build(key={"id": "p1"})

    assert_no_empty_parameters(params)
    assert_valid_request(params)
    assert_no_empty_parameters({"TransactItems": [{"Put": {"Item": {"a": ""}}}]})
    with pytest.raises(AssertionError, match=r"TransactItems\[0\].Put.ConditionExpression"):
        assert_no_empty_parameters({"TransactItems": [{"Put": {"ConditionExpression": ""}}]})
    with pytest.raises(InvalidValueError):
        UpdateBuilder().set("a", set())


# Tables in memory, where they were silently wrong


async def test_given_many_tables_then_they_are_listed_page_by_page() -> None:
    db = fake_database(orders=Order, people=Person, persons=Person)

    first = await db.call("ListTables", {"Limit": 2})
    second = await db.call("ListTables", {"ExclusiveStartTableName": "people", "Limit": 2})

    assert first == {"TableNames": ["orders", "people"], "LastEvaluatedTableName": "people"}
    assert second == {"TableNames": ["persons"]}


async def test_given_legacy_parameters_in_a_batch_then_they_are_refused() -> None:
    db = fake_database(people=Person)
    entry = {"Keys": [{"id": {"S": "a"}}], "AttributesToGet": ["name"]}

    with pytest.raises(ServiceError, match="do not know the legacy parameters AttributesToGet"):
        await db.call("BatchGetItem", {"RequestItems": {"people": entry}})


def test_given_items_with_one_key_then_a_fake_refuses_them() -> None:
    with pytest.raises(InvalidValueError, match=r"items\[1\].* has the key of an item before it"):
        fake_table(Person, items=[Person(id="a", name="x"), Person(id="a", name="y")])


async def test_given_replies_that_nothing_uses_then_the_block_fails() -> None:
    with ScriptedTransport([ok()]) as transport:
        await AsyncTable("orders", transport=transport).put_item({"pk": "a"})
    with (
        pytest.raises(AssertionError, match="has replies left after 1 request"),
        ScriptedTransport([ok(), ok()]) as transport,
    ):
        await AsyncTable("orders", transport=transport).put_item({"pk": "a"})


def test_given_an_error_in_the_block_then_it_is_the_error() -> None:
    with pytest.raises(KeyError), ScriptedTransport([ok()]):
        raise KeyError
