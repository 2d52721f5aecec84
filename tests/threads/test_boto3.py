"""Clients of boto3 that users bring: what becomes of a request, limits, credentials, moto."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.session import get_session
from moto import mock_aws

from dynasafe import AsyncDynamoDB, Attr, DynamoDB, Item, UpdateBuilder, attribute, client_config
from dynasafe.errors import (
    ClientClosedError,
    ClientRetriesError,
    CredentialsError,
    InvalidRequestError,
    InvalidValueError,
    NotSentError,
    OutcomeUnknownError,
    ServiceError,
)
from tests.threads.server import Server, reply

KEYS: dict[str, Any] = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
KEY = {"id": "a"}


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    visits: Attr[int] = attribute(default=0)


VISIT = UpdateBuilder(Person).increment(Person.visits, 1)


def client(url: str | None = None, **options: Any) -> Any:
    given = {"config": client_config(), **KEYS, **options}
    return boto3.client("dynamodb", region_name="us-east-1", endpoint_url=url, **given)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def test_a_client_that_repeats_is_refused() -> None:
    """A boto3 client that retries is refused, and so is what is not a boto3 client of DynamoDB."""
    for retries in ({}, {"mode": "standard"}, {"max_attempts": 3}):
        with pytest.raises(ClientRetriesError):
            DynamoDB(client(config=Config(retries=retries)))
    with pytest.raises(InvalidValueError, match="a client of DynamoDB, not of s3"):
        DynamoDB(boto3.client("s3", region_name="us-east-1", config=client_config(), **KEYS))
    for wrong in (None, object(), boto3):
        with pytest.raises(InvalidValueError, match="a boto3 client of DynamoDB is expected"):
            DynamoDB(wrong)
    with pytest.raises(InvalidValueError):
        AsyncDynamoDB(client())
    with pytest.raises(InvalidValueError, match="has 10 connections"):
        DynamoDB(client(), max_connections=11)


def test_moto_answers() -> None:
    """Under mock_aws a client of boto3 is answered; our own connections refuse to send."""
    with mock_aws():
        own = client()
        own.create_table(
            TableName="people",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )
        people = DynamoDB(own).table("people", Person)
        people.update_item(KEY, VISIT)
        assert people.get_item(KEY) == Person(id="a", visits=1)
        with (
            DynamoDB.connect(region_name="us-east-1", client_options=KEYS) as db,
            pytest.raises(NotSentError, match=r"Fix: give DynamoDB\(\) a client of boto3"),
        ):
            db.table("people", Person).get_item(KEY)


def test_call_given_up_while_connecting(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that was reported as not sent is not sent later by the thread that still connects."""
    connecting, go, gone = threading.Event(), threading.Event(), threading.Event()
    create = socket.socket.connect

    def connect(taken: socket.socket, address: Any) -> None:
        connecting.set()
        go.wait(10)
        create(taken, address)

    own = client(server.url)
    end_of_call = own._make_api_call

    def call(*args: Any) -> Any:
        try:
            return end_of_call(*args)
        finally:
            gone.set()

    monkeypatch.setattr(own, "_make_api_call", call)
    monkeypatch.setattr(socket.socket, "connect", connect)
    people = DynamoDB(own, retry=None, attempt_timeout_s=0.1).table("people", Person)
    with pytest.raises(NotSentError, match="no connection within"):
        people.update_item(KEY, VISIT)
    assert connecting.is_set()
    go.set()
    assert gone.wait(10)
    assert server.requests == []


def test_a_late_answer_is_unknown(server: Server) -> None:
    """The limit of an attempt holds, whatever the client's own are."""
    server.answer = lambda connection, body: bool(connection.recv(1))
    people = DynamoDB(client(server.url), retry=None, attempt_timeout_s=0.1).table("people", Person)
    with pytest.raises(OutcomeUnknownError, match=r"no answer within 0\.1 s"):
        people.update_item(KEY, VISIT)
    assert len(server.requests) == 1


def test_expired_credentials_are_fetched_once(server: Server) -> None:
    """Of 20 threads whose credentials are refused, one fetches others."""
    expired = reply({"__type": "com.amazon.coral.service#ExpiredTokenException"}, 400)
    fetches: list[int] = []

    def fetch() -> dict[str, str]:
        fetches.append(1)
        return {
            "access_key": f"new{len(fetches)}",
            "secret_key": "b",
            "token": "t",
            "expiry_time": "2099-01-01T00:00:00Z",
        }

    def answer(connection: socket.socket, body: bytes) -> bool:
        with lock:
            is_first = len(refused) < 20
            if is_first:
                refused.append(body)
        if is_first:
            barrier.wait(10)
        connection.sendall(expired if is_first else reply())
        return True

    refused: list[bytes] = []
    lock, barrier = threading.Lock(), threading.Barrier(20)
    server.answer = answer
    own = client(server.url, config=client_config(max_pool_connections=30))
    credentials = RefreshableCredentials.create_from_metadata(fetch(), fetch, "test")
    own._request_signer._credentials = credentials
    people = DynamoDB(own).table("people", Person)
    threads = [threading.Thread(target=people.update_item, args=(KEY, VISIT)) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
    assert len(fetches) == 2
    assert len(server.requests) == 40


def test_closed_while_credentials_are_fetched(server: Server) -> None:
    """A client that was closed meanwhile would open connections again."""
    is_asked, go = threading.Event(), threading.Event()

    def metadata(expiry: str) -> dict[str, str]:
        return {"access_key": "a", "secret_key": "b", "token": "c", "expiry_time": expiry}

    def fetch() -> dict[str, str]:
        is_asked.set()
        go.wait(10)
        return metadata("2099-01-01T00:00:00Z")

    session = get_session()
    session._credentials = RefreshableCredentials.create_from_metadata(
        metadata("2001-01-01T00:00:00Z"), fetch, "test"
    )
    db = DynamoDB.connect(
        region_name="us-east-1", endpoint_url=server.url, session=session, transport="boto3"
    )
    errors: list[BaseException] = []

    def put() -> None:
        try:
            db.table("people").put_item(KEY)
        except BaseException as error:
            errors.append(error)

    db.open()
    caller = threading.Thread(target=put)
    caller.start()
    assert is_asked.wait(10)
    db.close()
    go.set()
    caller.join(10)
    assert [type(error) for error in errors] == [ClientClosedError]
    assert server.connections == []


EXPIRED = reply({"__type": "com.amazon.coral.service#ExpiredTokenException"}, 400)


def expired(connection: socket.socket, body: bytes) -> bool:
    connection.sendall(EXPIRED)
    return True


def test_credentials_that_cannot_be_fetched_again(server: Server) -> None:
    """A fetch that fails is named, and is not tried again by each call.

    Calls after it are not sent with the refused credentials.
    """
    fetches: list[int] = []

    def fetch() -> dict[str, str]:
        fetches.append(1)
        if len(fetches) > 1:
            raise KeyError("vault")
        return {
            "access_key": "a",
            "secret_key": "b",
            "token": "t",
            "expiry_time": "2099-01-01T00:00:00Z",
        }

    server.answer = expired
    own = client(server.url)
    own._request_signer._credentials = RefreshableCredentials.create_from_metadata(
        fetch(), fetch, "test"
    )
    people = DynamoDB(own).table("people", Person)
    with pytest.raises(ServiceError) as caught:
        people.update_item(KEY, VISIT)
    assert caught.value.__notes__ == ["Its credentials could not be refreshed: KeyError: 'vault'"]
    for _ in range(2):
        with pytest.raises(CredentialsError, match="KeyError: 'vault'"):
            people.update_item(KEY, VISIT)
    assert len(fetches) == 2
    assert len(server.requests) == 1


def test_fixed_credentials_are_not_fetched_again(server: Server) -> None:
    """Credentials without a source are refused once."""
    server.answer = expired
    with pytest.raises(ServiceError, match="ExpiredTokenException"):
        DynamoDB(client(server.url)).table("people", Person).update_item(KEY, VISIT)
    assert len(server.requests) == 1


def test_other_operations_are_checked(server: Server) -> None:
    """An operation that no table has is checked before it is sent."""
    tags: dict[str, Any] = {
        "ResourceArn": "arn:aws:dynamodb:us-east-1:1:table/t",
        "Tags": [{"Key": "a", "Value": 3}],
    }
    db = DynamoDB.connect(
        region_name="us-east-1", endpoint_url=server.url, transport="boto3", client_options=KEYS
    )
    with db, pytest.raises(InvalidRequestError) as caught:
        db.call("TagResource", tags)
    assert [each.where.parameter for each in caught.value.findings] == ["Tags[0].Value"]
    assert server.requests == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"transport": "boto"}, 'no transport \'boto\'. Fix: "http" or "boto3"'),
        ({"transport": "boto3", "proxies": {}}, "proxies: boto3 does not take it from here"),
        ({"transport": "boto3", "client_options": {"use_fips": 1}}, "unexpected keyword"),
    ],
)
def test_wrong_arguments(given: dict[str, Any], words: str) -> None:
    """What boto3 does not take is refused with the reason."""
    with pytest.raises(NotSentError) as caught, DynamoDB.connect(region_name="us-east-1", **given):
        pass
    assert words in str(caught.value)


def test_verify_is_given_to_boto3() -> None:
    """Whether certificates are checked is an option of boto3's client."""
    given: dict[str, Any] = {"client_options": KEYS, "verify": False, "transport": "boto3"}
    with DynamoDB.connect(region_name="us-east-1", **given) as db:
        transport: Any = db._executor._transport
        assert transport._client._endpoint.http_session._verify is False


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials the call raises CredentialsError."""
    own = client("http://127.0.0.1:9")
    own._request_signer._credentials = None
    with pytest.raises(CredentialsError):
        DynamoDB(own).table("people", Person).update_item(KEY, VISIT)


def test_a_wrong_value_is_not_shown(server: Server) -> None:
    """The error for a wrong value does not show it, though botocore's message quotes it."""
    db = DynamoDB(client(server.url))
    with pytest.raises(NotSentError) as wrong:
        db.call(
            "PutItem",
            {"TableName": "people", "Item": {"id": {"S": "SEC" + "RET"}, "n": {"N": 3}}},
            validate=False,
        )
    assert "SECRET" not in repr(wrong.value) + str(wrong.value)
    assert server.requests == []
