"""What guarded clients do with answers that DynamoDB cannot have sent, in every retry mode."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError
from botocore.parsers import ResponseParserError
from hypothesis import given
from hypothesis import strategies as st

from dynasafe import guard
from tests.support.foreign_answers import (
    ANSWERS,
    ATTEMPTS,
    ForeignServer,
    Told,
    all_cases,
    foreign_server,
    outcomes,
)
from tests.support.lost_answers import ASSIGNMENT, INCREMENT, options
from tests.support.newest import CLIENTS, printed_with

NAMES = st.sampled_from(["Attributes", "__type", "n", "N", "S", "M", "L", "B", "message"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=6,
)
NOTE = (
    "dynasafe: the answer to this write was lost, so it may or may not have been applied. "
    "Fix: read the item before you write again."
)


def check(server: ForeignServer, found: dict[str, Told]) -> None:
    """Only DynamoDB's own answers are a success or a refusal; what may be is repeated."""
    assert sorted(found) == sorted(case.key for case in all_cases())
    wrong = []
    for case in all_cases():
        told, sent = found[case.key], server.sent[case.key]
        expected = ANSWERS[case.answer].expected
        is_repeated = expected == "lost" and case.operation in ("set", "get")
        match expected:
            case "ok":
                is_right = told == Told("", "", False, False)
            case "refused":
                code = "ConditionalCheckFailedException"
                is_right = (told.code, told.is_noted) == (code, False)
            case _ if is_repeated and case.how == "once":
                is_right = told == Told("", "", False, False)
            case _:
                is_right = (
                    told.error != ""
                    and told.is_of_botocore
                    and told.is_noted is (case.operation != "get")
                    and (expected != "reported" or bool(told.code))
                )
        attempts = 1 if not is_repeated else 2 if case.how == "once" else ATTEMPTS
        if not is_right or sent != attempts:
            wrong.append((case.key, sent, told))
    assert wrong == []


@pytest.mark.parametrize("client", ["sync", "async"])
async def test_foreign_answers(client: str) -> None:
    """No such answer is a success: an increment is not repeated, an assignment and a read are."""
    with foreign_server() as server:
        check(server, await outcomes(server.url, client))


@pytest.mark.parametrize(("folder", "client", "version"), CLIENTS)
def test_foreign_answers_newest(folder: str, client: str, version: str) -> None:
    """The same with the newest clients."""
    with foreign_server() as server:
        answer = printed_with(folder, "tests.support.foreign_answers", server.url, client)

        assert answer["version"] == version
        check(server, {key: Told(*each) for key, each in answer["told"].items()})


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """JSON, most of it an object, whole or cut, and other bytes."""
    value = draw(JSON | st.dictionaries(NAMES, JSON, max_size=2))
    text = draw(st.sampled_from(["", " ", "\n"])) + json.dumps(value)
    body = text.encode() + draw(st.sampled_from([b"", b" ", b"}", b"\xff"]))
    return body[: draw(st.integers(0, len(body)))] if draw(st.booleans()) else body


@given(body=bodies(), update=st.sampled_from([INCREMENT, ASSIGNMENT]))
def test_any_body(body: bytes, update: dict[str, Any]) -> None:
    """A success has a JSON object without `__type`; any other body raises the same noted error."""
    params = {"TableName": "people", "Key": {"id": {"S": "p1"}}, **update}
    answer["body"] = body
    error: Exception | None = None
    try:
        client().update_item(**params)
    except ResponseParserError as raised:
        error = raised

    assert error is None or error.__notes__ == [NOTE]
    if error is None or b'"Attributes"' not in body:  # whose value may have another form
        assert is_own(body) is (error is None)


def is_own(body: bytes) -> bool:
    try:
        value = json.loads(body.decode())
    except ValueError:
        return False
    return isinstance(value, dict) and "__type" not in value


answer: dict[str, bytes | None] = {"body": b""}
"""Without a body, the connection breaks."""


class Raw:
    def __init__(self, body: bytes) -> None:
        self.body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.body


@cache
def client() -> Any:
    """A guarded client that sends once, and gets `answer`."""
    config = options("http://127.0.0.1:9", "standard", Config) | {
        "config": Config(retries={"total_max_attempts": 1})
    }
    made = botocore.session.get_session().create_client("dynamodb", **config)

    def reply(request: Any, **_: Any) -> Any:
        if answer["body"] is None:
            raise ConnectionClosedError(endpoint_url=request.url)
        return AWSResponse(request.url, 200, {}, Raw(answer["body"]))

    made.meta.events.register("before-send.dynamodb", reply)
    return guard(made)


def test_note_without_repeats() -> None:
    """A client that sends once also notes the lost answer of a write that may be repeated."""
    answer["body"] = b"[]"
    with pytest.raises(ResponseParserError) as caught:
        client().put_item(TableName="people", Item={"id": {"S": "p1"}})
    assert caught.value.__notes__ == [NOTE]
    assert str(caught.value) == (
        "This is not an answer of DynamoDB: HTTP 200 with a body that is not a JSON object."
    )
    with pytest.raises(ResponseParserError) as caught:
        client().get_item(TableName="people", Key={"id": {"S": "p1"}})
    assert not hasattr(caught.value, "__notes__")


def test_note_without_connection() -> None:
    """The same if the connection broke."""
    answer["body"] = None
    with pytest.raises(ConnectionClosedError) as caught:
        client().put_item(TableName="people", Item={"id": {"S": "p1"}})
    assert caught.value.__notes__ == [NOTE]
