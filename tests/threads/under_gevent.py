"""The sync face under gevent's monkey patching: `make gevent` runs it, which installs gevent.

python -m tests.threads.under_gevent
"""

# ruff: noqa: E402, PT017, T201
from gevent import monkey

monkey.patch_all()

import socket
from time import monotonic
from typing import Any

import gevent

from dynasafe import DynamoDB, UpdateBuilder
from dynasafe.errors import OutcomeUnknownError
from tests.threads.server import Server, ok

COUNT = 50
LIMIT_S = 0.5


def hanging(connection: socket.socket, body: bytes) -> bool:
    return bool(connection.recv(1))


def connect(server: Server, **options: Any) -> DynamoDB:
    return DynamoDB.connect(
        region_name="us-east-1",
        endpoint_url=server.url.replace("127.0.0.1", "localhost"),
        client_options={"aws_access_key_id": "a", "aws_secret_access_key": "b"},
        retry=None,
        breaker=None,
        **options,
    )


def update(db: DynamoDB) -> object:
    return db.table("people").update_item({"id": "a"}, UpdateBuilder().increment("n", 1))


def caught(db: DynamoDB) -> str:
    try:
        update(db)
    except OutcomeUnknownError:
        return "unknown"
    return "ok"


def main() -> None:
    with Server(ok) as server, connect(server, max_connections=5) as db:
        gevent.joinall([gevent.spawn(update, db) for _ in range(COUNT)], raise_error=True)
        assert len(server.requests) == COUNT
        assert len(server.connections) <= 5
    print(f"{COUNT} greenlets over 5 connections")

    with Server(hanging) as server, connect(server, attempt_timeout_s=LIMIT_S) as db:
        began_s = monotonic()
        calls = [gevent.spawn(caught, db) for _ in range(COUNT)]
        gevent.joinall(calls)
        assert {call.value for call in calls} == {"unknown"}
        assert monotonic() - began_s < COUNT * LIMIT_S / 5
        print(f"{COUNT} calls that hang for {LIMIT_S} s: {monotonic() - began_s:.1f} s together")

        with gevent.Timeout(0.1) as limit:
            try:
                update(db)
            except gevent.Timeout as passed:
                assert passed is limit
                assert isinstance(passed.__cause__, OutcomeUnknownError)
        assert db._executor.slots.in_flight == 0
    print("gevent.Timeout passes, and says that the write is unknown")


if __name__ == "__main__":
    main()
