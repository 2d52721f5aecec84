from __future__ import annotations

import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from dynasafe.testing import engines as engines_module
from dynasafe.testing.engines import Engine, EngineUnavailableError, start_engine
from tests.integration.conftest import Engines, boto3_client


def test_engine_answers(engine: Engine) -> None:
    """A started engine answers."""
    assert isinstance(boto3_client(engine).list_tables()["TableNames"], list)


def test_strict_engines_refuse_empty_names(engine: Engine) -> None:
    """A strict engine refuses empty names, and a lenient one accepts them."""
    client = boto3_client(engine)
    client.create_table(
        TableName="lenience",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    try:
        message = None
        try:
            client.update_item(
                TableName="lenience",
                Key={"id": {"S": "a"}},
                UpdateExpression="SET a = :a",
                ExpressionAttributeNames={},
                ExpressionAttributeValues={":a": {"S": "x"}},
            )
        except ClientError as error:
            message = error.response["Error"]["Message"]

        assert message == (
            "ExpressionAttributeNames must not be empty" if engine.is_strict else None
        )
    finally:
        client.delete_table(TableName="lenience")


@pytest.mark.parametrize("name", ["dynalite", "dynamodb-local"])
def test_missing_engine_says_how_to_fix_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error for an engine that is not installed names the variable to set."""
    monkeypatch.setenv("DYNASAFE_ENGINES_DIR", str(tmp_path))

    with (
        pytest.raises(
            EngineUnavailableError, match=f"{name} is not installed: .*DYNASAFE_ENGINES_DIR"
        ),
        start_engine(name),  # type: ignore[arg-type]
    ):
        pass


@pytest.mark.parametrize("name", ["dynalite", "dynamodb-local"])
def test_proxy_of_the_environment_is_not_used(
    name: str, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine starts without asking the proxy of the environment."""
    engines.get(name)  # type: ignore[arg-type]  # it skips where the engine is not installed
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        port = proxy.getsockname()[1]
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    # urlopen reads the environment once in a process, and keeps what it found here.
    monkeypatch.setattr(urllib.request, "_opener", None)
    monkeypatch.setattr(engines_module, "_START_TIMEOUT_S", 20.0)

    with start_engine(name) as engine:  # type: ignore[arg-type]
        assert engine.is_strict


def test_taken_port_is_skipped(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a server has its port already, dynalite is started on another one."""
    engines.get("dynalite")
    taken_url = engines.get("moto").endpoint_url
    ports = [int(taken_url.rpartition(":")[2])]
    free_port = engines_module._free_port
    monkeypatch.setattr(engines_module, "_free_port", lambda: ports.pop() if ports else free_port())

    with start_engine("dynalite") as engine:
        assert not ports
        assert engine.endpoint_url != taken_url


def test_an_engine_ends_with_its_process(engines: Engines) -> None:
    """An engine ends with the process that started it, also if that is killed."""
    engines.get("dynalite")
    program = (
        "from dynasafe.testing.engines import start_engine\n"
        "with start_engine('dynalite') as engine:\n"
        "    print(engine.endpoint_url, flush=True)\n"
        "    input()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        host, port = process.stdout.readline().strip().removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            process.kill()
            process.wait()
            try:
                received = connection.recv(1)
            except ConnectionResetError:
                received = b""
            assert received == b""  # the engine's end closes the connection, one way or the other
