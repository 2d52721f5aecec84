"""Writes whose answers are lost, by guarded clients of the botocore that is installed.

    python -m tests.support.lost_answers URL sync    # prints what became of them, as JSON

The server counts how often each item is written. The item's key says what happens to the first
request that writes it, as in `{"id": {"S": "close.."}}`; later ones are answered.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from zlib import crc32

from dynasafe import guard

FAULTS = ("close", "reset", "500", "503", "crc32", "cut", "html", "hang", "throttle")
MODES = ("legacy", "standard", "adaptive")
READ_TIMEOUT_S = 2.5
CONTENT_TYPE = "application/x-amz-json-1.0"

INCREMENT = {
    "UpdateExpression": "ADD n :v",
    "ExpressionAttributeValues": {":v": {"N": "1"}},
}
ASSIGNMENT = {
    "UpdateExpression": "SET n = :v",
    "ExpressionAttributeValues": {":v": {"N": "1"}},
}
# Its own first attempt makes its condition fail.
ONCE = {**ASSIGNMENT, "ConditionExpression": "attribute_not_exists(n)"}
UPDATES = {"increment": INCREMENT, "assignment": ASSIGNMENT, "once": ONCE}


class Case(NamedTuple):
    client: str
    mode: str
    update: str
    fault: str

    @property
    def key(self) -> str:
        return ".".join((self.fault, *self))


Told = tuple[str, str, bool]


class FaultyServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sent: Counter[str] = Counter()
        self.applied: Counter[str] = Counter()
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: the faults break connections."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyServer

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = request["Key"]["id"]["S"]
        server = self.server
        server.sent[key] += 1
        fault = key.partition(".")[0] if server.sent[key] == 1 else "none"
        if fault == "throttle":
            return self._answer(400, {"__type": "ns#ThrottlingException", "message": "slow"})
        if "ConditionExpression" in request and server.applied[key]:
            return self._answer(400, {"__type": "ns#ConditionalCheckFailedException"})
        server.applied[key] += 1
        return self._lose(fault)

    def _lose(self, fault: str) -> None:
        match fault:
            case "500" | "503":
                self._answer(int(fault), {"__type": "ns#InternalServerError", "message": "no"})
            case "crc32":
                self._answer(200, {}, checksum=1)
            case "cut":
                self._send(200, b'{"Attri', CONTENT_TYPE, length=20)
                self.close_connection = True
            case "html":
                self._send(200, b"<html>", "text/html")
            case "hang":
                self.server.closing.wait(2 * READ_TIMEOUT_S)
                self.close_connection = True
            case "close":
                self.close_connection = True
            case "reset":
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
                self.close_connection = True
            case _:
                self._answer(200, {})

    def _answer(self, status: int, answer: dict[str, Any], checksum: int | None = None) -> None:
        self._send(status, json.dumps(answer).encode(), CONTENT_TYPE, checksum)

    def _send(
        self,
        status: int,
        body: bytes,
        content_type: str,
        checksum: int | None = None,
        length: int | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.send_header("x-amz-crc32", str(crc32(body) if checksum is None else checksum))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def faulty_server() -> Iterator[FaultyServer]:
    with FaultyServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()


def options(url: str, mode: str, config_class: Any) -> dict[str, Any]:
    return {
        "region_name": "us-east-1",
        "endpoint_url": url,
        "aws_access_key_id": "a",
        "aws_secret_access_key": "b",
        "config": config_class(
            retries={"mode": mode, "total_max_attempts": 3},
            read_timeout=READ_TIMEOUT_S,
            max_pool_connections=50,
        ),
    }


async def sync_outcomes(url: str, mode: str, cases: list[Case]) -> list[Told]:
    import botocore.session
    from botocore.config import Config

    session = guard(botocore.session.get_session())
    client = session.create_client("dynamodb", **options(url, mode, Config))
    try:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(len(cases)) as pool:
            calls = [partial(client.update_item, **request(case)) for case in cases]
            return await asyncio.gather(*(told(loop.run_in_executor(pool, call)) for call in calls))
    finally:
        client.close()


async def async_outcomes(url: str, mode: str, cases: list[Case]) -> list[Told]:
    from aiobotocore.config import AioConfig
    from aiobotocore.session import get_session

    session = guard(get_session())
    async with session.create_client("dynamodb", **options(url, mode, AioConfig)) as client:
        return await asyncio.gather(*(told(client.update_item(**request(case))) for case in cases))


def request(case: Case) -> dict[str, Any]:
    return {"TableName": "people", "Key": {"id": {"S": case.key}}, **UPDATES[case.update]}


async def told(answer: Awaitable[object]) -> Told:
    """The error that the caller gets, its code, and whether it says that the outcome is unknown."""
    try:
        await answer
    except Exception as error:
        notes = " ".join(getattr(error, "__notes__", ()))
        response = getattr(error, "response", None) or {}
        code = response.get("Error", {}).get("Code", "")
        return type(error).__name__, code, "may or may not have been applied" in notes
    return "", "", False


def cases_of(client: str, mode: str) -> list[Case]:
    # The adaptive mode slows the whole client down, so that many repeats take long.
    updates = ["increment"] if mode == "adaptive" else list(UPDATES)
    return [Case(client, mode, update, fault) for update in updates for fault in FAULTS]


OUTCOMES = {"sync": sync_outcomes, "async": async_outcomes}


async def outcomes(url: str, client: str) -> dict[str, Told]:
    """By the case's key."""
    cases = [cases_of(client, mode) for mode in MODES]
    calls = (OUTCOMES[client](url, *each) for each in zip(MODES, cases, strict=True))
    results = await asyncio.gather(*calls)
    return {
        case.key: result
        for of_mode, found in zip(cases, results, strict=True)
        for case, result in zip(of_mode, found, strict=True)
    }


def main() -> None:
    import botocore

    told = asyncio.run(outcomes(sys.argv[1], sys.argv[2]))
    sys.stdout.write(json.dumps({"version": botocore.__version__, "told": told}))


if __name__ == "__main__":
    main()
