"""Answers that DynamoDB cannot have sent, to guarded clients of the botocore that is installed.

    python -m tests.support.foreign_answers URL sync    # prints what became of them, as JSON

The request's key, or its ARN, says what the server answers, as in `{"id": {"S": "half:add:..."}}`.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple
from unittest.mock import patch
from zlib import crc32

from dynasafe import guard
from tests.support.lost_answers import MODES, options

ATTEMPTS = 3
Expected = Literal["ok", "refused", "lost", "unreadable", "reported"]


class Answer(NamedTuple):
    """What the server sends, and what a caller is to get.

    "ok" and "refused": DynamoDB's own. "lost": an error, after repeats if the request may be
    repeated. "unreadable" and "reported": an error at once; "reported" is botocore's ClientError.
    """

    expected: Expected
    status: int
    body: bytes
    checksum: str | None = "right"
    operations: tuple[str, ...] = ("add", "set", "get", "tag")


_REFUSAL = b'{"__type": "ns#ConditionalCheckFailedException", "message": "no"}'
_ITEM = b'{"Attributes": {"n": {"N": "1"}}, "Item": {"n": {"N": "1"}}}'
_LONG = b'{"Attributes": {"s": {"S": "%b"}}}' % (b"x" * 100_000)
_WITH_OUTPUT = ("add", "set", "get")

ANSWERS: dict[str, Answer] = {
    "own": Answer("ok", 200, b"{}"),
    "own-no-checksum": Answer("ok", 200, b"{}", None),
    "own-white": Answer("ok", 200, b" { } \r\n"),
    "own-item": Answer("ok", 200, _ITEM),
    "own-item-no-checksum": Answer("ok", 200, _ITEM, None),
    "own-item-white": Answer("ok", 200, b"\n" + _ITEM + b"\n"),
    "own-type": Answer("ok", 200, b'{"Attributes": {"__type": {"S": "x"}}}'),
    "own-text": Answer("ok", 200, '{"Attributes": {"s": {"S": "é☃"}}}'.encode()),
    "own-long": Answer("ok", 200, _LONG),
    "own-unknown": Answer("ok", 200, b'{"NewMember": {"a": 1}}'),
    "own-empty": Answer("ok", 200, b"", operations=("tag",)),
    "own-refusal": Answer("refused", 400, _REFUSAL),
    "empty": Answer("lost", 200, b"", operations=_WITH_OUTPUT),
    "empty-no-checksum": Answer("lost", 200, b"", None, _WITH_OUTPUT),
    "white": Answer("lost", 200, b" \r\n"),
    "error": Answer("lost", 200, b'{"__type": "ns#InternalServerError", "message": "no"}'),
    "error-no-text": Answer("lost", 200, b'{"__type": null}'),
    "error-item": Answer("lost", 200, b'{"Attributes": {}, "Item": {}, "__type": "ns#E"}'),
    "list": Answer("lost", 200, b"[]"),
    "list-of": Answer("lost", 200, b"[{}]"),
    "null": Answer("lost", 200, b"null"),
    "number": Answer("lost", 200, b"5"),
    "text": Answer("lost", 200, b'"{}"'),
    "html": Answer("lost", 200, b"<html></html>", None),
    "braces": Answer("lost", 200, b"{<html>}"),
    "braces-long": Answer("lost", 200, b"{%b}" % (b"x" * 100_000)),
    "half": Answer("lost", 200, b'{"Attributes": {"n": {"N": "1"}', None),
    "half-long": Answer("lost", 200, _LONG[:-1]),
    "twice": Answer("lost", 200, b"{}{}"),
    "mark": Answer("lost", 200, b"\xef\xbb\xbf{}"),
    "no-text": Answer("lost", 200, b'{"Attributes": {"s": {"S": "\xff"}}}'),
    "wrong-checksum": Answer("lost", 200, _ITEM, "5"),
    "wrong-checksum-no-text": Answer("lost", 200, b'{"Attributes": {"s": {"S": "\xff"}}}', "5"),
    "wrong-checksum-refusal": Answer("lost", 400, _REFUSAL, "5"),
    "wrong-checksum-500": Answer("lost", 500, b'{"__type": "ns#InternalServerError"}', "5"),
    "no-checksum-number": Answer("lost", 200, b"{}", "z"),
    "signed-checksum": Answer("lost", 200, b"{}", "+5"),
    "empty-checksum": Answer("lost", 200, b"{}", ""),
    "long-checksum": Answer("lost", 200, b"{}", "9" * 5000),
    "201": Answer("lost", 201, b"{}"),
    "204": Answer("lost", 204, b""),
    "deep": Answer("unreadable", 200, b'{"Item": {"a":' + b'{"M":{"a":' * 99_000 + b"}", None),
    "shape": Answer("unreadable", 200, b'{"Item": [], "Attributes": []}', operations=_WITH_OUTPUT),
    "page-400": Answer("reported", 400, b"<html>"),
    # After which some modes repeat what may be repeated.
    "page-429": Answer("reported", 429, b"<html>", operations=("add", "tag")),
    "page-403-latin": Answer("reported", 403, b"<html>\xe9"),
    "list-400": Answer("reported", 400, b"[]"),
    "no-code-400": Answer("reported", 400, b'{"message": "no"}'),
    "code-number-400": Answer("reported", 400, b'{"__type": 5}'),
    "redirect": Answer("reported", 302, b""),
    "list-500": Answer("lost", 500, b"[]"),
    "page-502-latin": Answer("lost", 502, b"<html>\xe9", None),
    "page-503": Answer("lost", 503, b"<html>", None),
}


class Case(NamedTuple):
    answer: str
    operation: str
    mode: str
    how: str
    """"always": each attempt gets the answer; "once": the first one, and later ones DynamoDB's."""

    @property
    def key(self) -> str:
        return ":".join(self)


class Told(NamedTuple):
    """What the caller gets. `error` is a class, `code` an error code."""

    error: str
    code: str
    is_noted: bool
    is_of_botocore: bool


class ForeignServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sent: Counter[str] = Counter()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: clients close connections."""


_KEY = re.compile(r"[a-z0-9-]+:(?:add|set|get|tag):[a-z]+:[a-z]+")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet
    server: ForeignServer

    def do_POST(self) -> None:
        found = _KEY.search(self.rfile.read(int(self.headers["Content-Length"])).decode())
        assert found is not None
        case = Case(*found[0].split(":"))
        self.server.sent[case.key] += 1
        is_first = self.server.sent[case.key] == 1
        answer = ANSWERS[case.answer if is_first or case.how == "always" else "own"]
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        if answer.checksum is not None:
            is_right = answer.checksum == "right"
            checksum = str(crc32(answer.body)) if is_right else answer.checksum
            self.send_header("x-amz-crc32", checksum)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def foreign_server() -> Iterator[ForeignServer]:
    with ForeignServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def request(case: Case) -> tuple[str, dict[str, Any]]:
    key = {"TableName": "people", "Key": {"id": {"S": case.key}}}
    values = {"ExpressionAttributeValues": {":v": {"N": "1"}}, "ReturnValues": "ALL_NEW"}
    match case.operation:
        case "add":
            return "update_item", {**key, **values, "UpdateExpression": "ADD n :v"}
        case "set":
            return "update_item", {**key, **values, "UpdateExpression": "SET n = :v"}
        case "get":
            return "get_item", key
        case _:
            return "tag_resource", {"ResourceArn": case.key, "Tags": [{"Key": "k", "Value": "v"}]}


async def sync_outcomes(url: str, mode: str, cases: list[Case]) -> list[Told]:
    from botocore.config import Config

    client = guard(_session("botocore").create_client("dynamodb", **options(url, mode, Config)))
    try:
        return [await told(asyncio.to_thread(partial(call, client, case))) for case in cases]
    finally:
        client.close()


async def async_outcomes(url: str, mode: str, cases: list[Case]) -> list[Told]:
    from aiobotocore.config import AioConfig

    made = _session("aiobotocore").create_client("dynamodb", **options(url, mode, AioConfig))
    async with made as client:
        guard(client)
        return [await told(call(client, case)) for case in cases]


@cache
def _session(package: str) -> Any:
    """Loads the service model once."""
    return import_module(f"{package}.session").get_session()


def call(client: Any, case: Case) -> Any:
    name, params = request(case)
    return getattr(client, name)(**params)


async def told(answer: Awaitable[object]) -> Told:
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        members: Any = await answer
    except Exception as error:
        notes = " ".join(getattr(error, "__notes__", ()))
        code = (getattr(error, "response", None) or {}).get("Error", {}).get("Code", "")
        return Told(
            type(error).__name__,
            code,
            "may or may not have been applied" in notes,
            isinstance(error, BotoCoreError | ClientError | ResponseParserError),
        )
    assert all(name[0].isupper() for name in members), sorted(members)
    return Told("", "", False, False)


def cases_of(name: str, mode: str) -> list[Case]:
    return [
        Case(name, operation, mode, how)
        for operation in ANSWERS[name].operations
        for how in ("always", "once")
    ]


def all_cases() -> list[Case]:
    return [case for mode in MODES for name in ANSWERS for case in cases_of(name, mode)]


OUTCOMES = {"sync": sync_outcomes, "async": async_outcomes}


async def _at_once(seconds: float) -> None:
    """In place of asyncio.sleep."""


@contextmanager
def no_delays() -> Iterator[None]:
    """botocore repeats at once."""
    import aiobotocore.endpoint
    import botocore.endpoint

    with (
        patch.object(botocore.endpoint, "time", SimpleNamespace(sleep=lambda seconds: None)),
        patch.object(aiobotocore.endpoint, "asyncio", SimpleNamespace(sleep=_at_once)),
    ):
        yield


async def outcomes(url: str, client: str) -> dict[str, Told]:
    """By the case's key."""
    found: dict[str, Told] = {}
    with no_delays():
        for mode in MODES:
            # A client for each answer, since repeats use up what a client may repeat.
            for name in ANSWERS:
                cases = cases_of(name, mode)
                results = await OUTCOMES[client](url, mode, cases)
                found.update(zip((case.key for case in cases), results, strict=True))
    return found


def main() -> None:
    import botocore

    found = asyncio.run(outcomes(sys.argv[1], sys.argv[2]))
    sys.stdout.write(json.dumps({"version": botocore.__version__, "told": found}))


if __name__ == "__main__":
    main()
