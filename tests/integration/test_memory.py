"""Tables in memory and DynamoDB Local: the same stories, and the same answers to any calls."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing, contextmanager
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, note
from hypothesis import strategies as st

from dynasafe import AsyncDynamoDB, check_request
from dynasafe.resilience.boundary import Refused
from dynasafe.testing.engines import Engine
from dynasafe.testing.memory import MemoryTransport
from dynasafe.values.wire import bytes_of
from tests.integration.conftest import Engines
from tests.integration.test_evaluator import DIGITS, comparable
from tests.integration.test_tables import *  # noqa: F403
from tests.support.calls import DESCRIPTION, INDEXES, TABLE, AttributeMap, Calls
from tests.support.requests import HEADERS, as_json
from tests.support.triples import TYPES

STEPS = 12
# The emulator's words for what an update may not make of an index's key.
INDEX_KEY = "Invalid attribute value type"


@pytest.fixture
def engine() -> Engine:
    """What the stories ask an engine for; it has all that the strictest one has."""
    return Engine("dynamodb-local", endpoint_url="", is_strict=True)


@pytest.fixture
async def db() -> AsyncIterator[AsyncDynamoDB]:
    async with AsyncDynamoDB.over(MemoryTransport({})) as db:
        yield db


# Any calls

Answer = tuple[str, Any]


class Local:
    """DynamoDB Local, over one connection."""

    def __init__(self, endpoint_url: str) -> None:
        host = endpoint_url.removeprefix("http://")
        self._connection = http.client.HTTPConnection(host, timeout=30)

    def send(self, operation: str, params: Mapping[str, Any]) -> AttributeMap:
        headers = {**HEADERS, "X-Amz-Target": f"DynamoDB_20120810.{operation}"}
        self._connection.request("POST", "/", json.dumps(params), headers)
        response = self._connection.getresponse()
        answer: AttributeMap = json.loads(response.read() or b"{}")
        if response.status == 200:
            return answer
        message = answer.get("message", answer.get("Message"))
        raise Refused(answer["__type"].split("#")[-1], message, members=answer)

    def close(self) -> None:
        self._connection.close()


@contextmanager
def calls_table(local: Local) -> Iterator[None]:
    local.send("CreateTable", {"TableName": TABLE, "BillingMode": "PAY_PER_REQUEST", **DESCRIPTION})
    try:
        yield
    finally:
        local.send("DeleteTable", {"TableName": TABLE})


def outcome(error: Refused) -> Answer:
    found: Any = error.members
    code, message = error.code, error.message
    reasons = found.get("CancellationReasons", [])
    for reason in reasons:
        # The service cancels a transaction where the emulator refuses the request.
        if reason["Code"] == "ValidationError":
            return "ValidationException", (reason["Message"], None, [])
        if reason["Code"] != "None":
            reason["Message"] = reason["Message"].removesuffix(".")
    if code == "IdempotentParameterMismatchException":
        message = ""  # the emulator gives no reason
    if message == DIGITS:
        message = "Attempting to store more than 38 significant digits in a Number"
    if message == INDEX_KEY:
        message = (
            "The update expression attempted to update the secondary index key to unsupported type"
        )
    return code, (message, plain(found.get("Item")), plain(reasons))


class InNoOrder(list[Any]):
    """Equal to the same items in another order."""

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, list)
            and len(self) == len(other)
            and all(self.count(each) == other.count(each) for each in self)
        )

    __hash__ = None


def plain(answer: Any) -> Any:
    """Equal for equal answers, whatever the spelling of their values."""
    if isinstance(answer, Mapping):
        if len(answer) == 1 and next(iter(answer)) in TYPES:
            return comparable(dict(answer))
        return {name: plain(answer[name]) for name in sorted(answer)}
    return list(map(plain, answer)) if isinstance(answer, list) else answer


def with_bytes(part: Any) -> Any:
    """What is sent as base64, as a client is given it."""
    match part:
        case {"B": str() as text}:
            return {"B": bytes_of(text)}
        case {"BS": list() as texts}:
            return {"BS": [bytes_of(each) for each in texts]}
        case dict():
            return {name: with_bytes(each) for name, each in part.items()}
        case list():
            return [with_bytes(each) for each in part]
        case _:
            return part


class Both:
    """The same calls to both."""

    def __init__(self, local: Local) -> None:
        self._local = local
        self._memory = MemoryTransport({TABLE: DESCRIPTION})

    async def judge(self, operation: str, params: AttributeMap) -> str:
        """Fail unless both answer the same.

        Returns:
            The code of the error, or "ok".
        """
        theirs = await self._answer(self._from_local, operation, params)
        ours = await self._answer(self._from_memory, operation, params)
        assert ours == theirs
        return theirs[0]

    async def _from_local(self, operation: str, params: AttributeMap) -> AttributeMap:
        return self._local.send(operation, params)

    async def _from_memory(self, operation: str, params: AttributeMap) -> AttributeMap:
        return dict(await self._memory.send(operation, with_bytes(params), timeout_s=None))

    async def _answer(self, send: Any, operation: str, params: AttributeMap) -> Answer:
        try:
            if operation == "Scan" or "Limit" in params:
                return "ok", await self._all_pages(send, operation, params)
            answer = plain(await send(operation, params))
        except Refused as error:
            return outcome(error)
        if operation == "BatchGetItem":
            answer["Responses"] = InNoOrder(answer["Responses"][TABLE])
        if params.get("IndexName") in INDEXES and "Items" in answer:
            answer["Items"] = InNoOrder(answer["Items"])
        is_counted = operation == "GetItem" or (operation == "Query" and answer["ScannedCount"])
        if not is_counted or "IndexName" in params:
            # The emulator reads nothing, and indexes, in ways of its own; writes: see below.
            answer.pop("ConsumedCapacity", None)
        return "ok", answer

    async def _all_pages(self, send: Any, operation: str, params: AttributeMap) -> Any:
        """Without the places where pages end, and without an order where DynamoDB has none."""
        items: list[Any] = []
        totals: Counter[str] = Counter()
        for segment in range(params.get("TotalSegments", 1)):
            part = {**params, "Segment": segment} if "TotalSegments" in params else dict(params)
            while True:
                answer = await send(operation, part)
                items += answer.get("Items", [])
                totals.update(Count=answer["Count"], ScannedCount=answer["ScannedCount"])
                if "LastEvaluatedKey" not in answer:
                    break
                part["ExclusiveStartKey"] = as_json(answer["LastEvaluatedKey"])
        has_order = operation == "Query" and "IndexName" not in params
        return plain(items) if has_order else InNoOrder(plain(items)), totals


@given(seed=st.integers(0, 2**32 - 1))
async def test_any_calls_answer_as_dynamodb_local(engines: Engines, seed: int) -> None:
    """Any valid calls are answered by memory as by DynamoDB Local."""
    calls = Calls(Random(seed))
    writes = [{"PutRequest": {"Item": item}} for item in calls.items()]
    engine = engines.get("dynamodb-local")
    with closing(Local(engine.endpoint_url)) as local, calls_table(local):
        both = Both(local)
        await both.judge("BatchWriteItem", {"RequestItems": {TABLE: writes}})
        for _ in range(STEPS):
            operation, params = calls.call()
            if not check_request(operation, params, schema={TABLE: DESCRIPTION}, form="wire"):
                note(f"{operation} {params}")
                await both.judge(operation, params)


FIRST = {"g": {"S": "x"}, "h": {"N": "1"}, "i": {"B": "YQ=="}, "c": {"S": "x"}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, FIRST),
        (FIRST, FIRST),
        (FIRST, {**FIRST, "c": {"S": "y"}}),
        (FIRST, {**FIRST, "a": {"S": "x" * 1500}}),
        (FIRST, {**FIRST, "g": {"S": "y"}, "a": {"S": "x" * 1500}}),
        (FIRST, {**FIRST, "i": {"B": "YWI="}}),
        (FIRST, {}),
        (FIRST, None),
        (None, None),
    ],
    ids=["new", "same", "one index", "large", "moved", "moved locally", "gone", "deleted", "none"],
)
async def test_capacity_of_a_write(
    dynamodb_local: Engine, before: AttributeMap | None, after: AttributeMap | None
) -> None:
    """The capacity of a write in memory is that of DynamoDB Local, by table and index."""
    key: AttributeMap = {"pk": {"S": "p"}, "sk": {"N": "1"}}
    memory = MemoryTransport({TABLE: DESCRIPTION})
    with closing(Local(dynamodb_local.endpoint_url)) as local, calls_table(local):
        for attributes in (before, after):
            operation = "DeleteItem" if attributes is None else "PutItem"
            params: AttributeMap = {"TableName": TABLE, "ReturnConsumedCapacity": "INDEXES"}
            params |= {"Key": key} if attributes is None else {"Item": {**key, **attributes}}
            theirs = local.send(operation, params)
            ours = await memory.send(operation, params, timeout_s=None)
            assert ours["ConsumedCapacity"] == theirs["ConsumedCapacity"]


# Numbers


@st.composite
def number_texts(draw: st.DrawFn) -> str:
    """A number in any spelling, which need not be DynamoDB's own."""
    digits = draw(st.text("0123456789", min_size=1, max_size=38))
    point = draw(st.integers(1, len(digits)))
    exponent = draw(st.integers(len(digits) - point - 130, 126 - point))
    fraction = f".{digits[point:]}" if point < len(digits) else ""
    sign = draw(st.sampled_from(["", "-"]))
    return f"{sign}{digits[:point]}{fraction}{draw(st.sampled_from('eE'))}{exponent}"


SPELT_OTHERWISE = ["1.0", "1E3", "1e-8", "0.00000001", "1E40", "123456E35", "-0", "0.0", "007"]


@given(texts=st.lists(number_texts(), min_size=1, max_size=30))
@example(texts=[*SPELT_OTHERWISE, "1.50", "-1E-130", "9.9E125"])
async def test_memory_spells_numbers_as_dynamodb_local(engines: Engines, texts: list[str]) -> None:
    """Numbers come back from memory with the text that DynamoDB Local gives.

    The emulator keeps the spelling of numbers in lists and maps, so these are left out.
    """
    key: AttributeMap = {"pk": {"S": "p"}, "sk": {"N": texts[0]}}
    numbers = {f"n{index}": {"N": text} for index, text in enumerate(texts)}
    sets = {f"s{index}": {"NS": [text]} for index, text in enumerate(texts)}
    put = {"TableName": TABLE, "Item": {**key, **numbers, **sets}}
    get = {"TableName": TABLE, "Key": key}
    memory = MemoryTransport({TABLE: DESCRIPTION})
    local = Local(engines.get("dynamodb-local").endpoint_url)
    with closing(local), calls_table(local):
        local.send("PutItem", put)
        await memory.send("PutItem", put, timeout_s=None)
        assert await memory.send("GetItem", get, timeout_s=None) == local.send("GetItem", get)
