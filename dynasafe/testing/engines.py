"""Real DynamoDB engines, started for a test run and stopped after it.

    with start_engine("dynalite") as engine:
        engine.endpoint_url

moto runs in the process. dynalite needs Node, DynamoDB Local needs Java. Both must be in the folder
that DYNASAFE_ENGINES_DIR names, or else in `.engines`: dynalite as `node_modules/dynalite`,
DynamoDB Local as `dynamodb-local/DynamoDBLocal.jar`.
moto and dynalite listen on 127.0.0.1. DynamoDB Local has no option for that, and listens on all
interfaces while it runs. An engine ends when the process that started it ends, also when that
process is killed.

Source: "Deploying DynamoDB locally on your computer", for DynamoDB Local.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

EngineName = Literal["moto", "dynalite", "dynamodb-local"]

_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 10.0
_START_TRIES = 3
_GUARD = f"""
import subprocess, sys, threading
engine = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
def follow():
    sys.stdin.buffer.read()
    engine.terminate()
    try:
        engine.wait({_STOP_TIMEOUT_S})
    except subprocess.TimeoutExpired:
        engine.kill()
threading.Thread(target=follow, daemon=True).start()
sys.exit(engine.wait())
"""
"""Runs between this process and an engine, and ends the engine when its own input ends."""
_PORT_TAKEN = (b"EADDRINUSE", b"Address already in use")

# HTTP_PROXY is not for engines on this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine. `is_strict`: it refuses what DynamoDB refuses.

    Its name is "running" if `--dynamodb-url` gave the address of an engine that already ran.
    """

    name: EngineName | Literal["running"]
    endpoint_url: str
    is_strict: bool


class EngineUnavailableError(Exception):
    """An engine did not start here; the text says what is missing."""


@contextmanager
def start_engine(name: EngineName) -> Iterator[Engine]:
    """An engine that runs until the end of the `with` block.

    Raises:
        EngineUnavailableError: Node, Java or the engine itself is missing, the engine did not
            start, or its name is unknown.
    """
    match name:
        case "moto":
            with _moto() as endpoint_url:
                yield Engine(name, endpoint_url, is_strict=False)
        case "dynalite":
            folder = _engines_dir() / "node_modules" / "dynalite"
            script = _require_file(folder / "cli.js", name)
            command = [_require_program("node", name), str(script), "--host", "127.0.0.1"]
            command += ["--createTableMs", "0", "--deleteTableMs", "0", "--updateTableMs", "0"]
            with _process(name, command, folder) as endpoint_url:
                yield Engine(name, endpoint_url, is_strict=True)
        case "dynamodb-local":
            folder = _engines_dir() / "dynamodb-local"
            jar = _require_file(folder / "DynamoDBLocal.jar", name)
            command = [
                _require_program("java", name),
                "-Xmx512m",
                "-Djava.library.path=./DynamoDBLocal_lib",
                "-jar",
                jar.name,
                "-inMemory",
                "-sharedDb",
            ]
            with _process(name, command, folder) as endpoint_url:
                yield Engine(name, endpoint_url, is_strict=True)
        case _:
            raise EngineUnavailableError(
                f"unknown engine {name!r}. Fix: use one of {', '.join(get_args(EngineName))}"
            )


def _engines_dir() -> Path:
    return Path(os.environ.get("DYNASAFE_ENGINES_DIR", ".engines")).resolve()


def _require_file(path: Path, name: EngineName) -> Path:
    if not path.is_file():
        raise EngineUnavailableError(
            f"{name} is not installed: there is no {path.name} in the engines folder. "
            "Fix: set DYNASAFE_ENGINES_DIR to the folder that has it"
        )
    return path


def _require_program(program: str, name: EngineName) -> str:
    found = shutil.which(program)
    if found is None:
        raise EngineUnavailableError(
            f"{name} needs {program}, which is not on the PATH. Fix: install "
            f"{'Node 20' if program == 'node' else 'Java 17'} or newer"
        )
    return found


@contextmanager
def _moto() -> Iterator[str]:
    try:
        from moto.server import ThreadedMotoServer
    except ImportError as error:
        raise EngineUnavailableError(
            f"moto's server cannot be imported: {error}. Fix: pip install 'dynasafe[testing]'"
        ) from error
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    # If no log level is set, its web server writes every request to the error stream.
    requests_log = logging.getLogger("werkzeug")
    level = requests_log.level
    requests_log.setLevel(level or logging.WARNING)
    server.start()
    try:
        _, port = server.get_host_and_port()
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()
        requests_log.setLevel(level)


@contextmanager
def _process(name: EngineName, command: list[str], folder: Path) -> Iterator[str]:
    """The engine as a process on a free port; its output is shown if it does not start."""
    with tempfile.TemporaryFile() as output:
        for _ in range(_START_TRIES):
            # Another process may take the port before the engine does; then it is tried again.
            port = _free_port()
            said_before = os.fstat(output.fileno()).st_size
            process = subprocess.Popen(
                [
                    *(sys.executable, "-c", _GUARD, *command),
                    *("--port" if name == "dynalite" else "-port", str(port)),
                ],
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                endpoint_url = f"http://127.0.0.1:{port}"
                if _answers(name, endpoint_url, process, output.fileno(), said_before):
                    yield endpoint_url
                    return
            finally:
                _stop(process)
        output.seek(0)
        said = output.read()[-2000:].decode(errors="replace")
    raise EngineUnavailableError(f"{name} did not start. It said:\n{said}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(
    name: EngineName,
    endpoint_url: str,
    process: subprocess.Popen[bytes],
    output: int,
    said_before: int,
) -> bool:
    """Whether this process answers, and not another one that took its port.

    `output` is the descriptor that it writes to. Its text begins at byte `said_before`.
    """
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline_s and process.poll() is None:
        # pread leaves the offset alone, which the process shares.
        said = os.pread(output, 100_000, said_before)
        # DynamoDB Local does not exit when its port is taken.
        if any(sign in said for sign in _PORT_TAKEN):
            return False
        # Only dynalite says when it listens; DynamoDB Local says "Port:" just before that.
        if (b"listening at" if name == "dynalite" else b"Port:") in said and is_there(endpoint_url):
            return True
        time.sleep(0.05)
    return False


def is_there(endpoint_url: str) -> bool:
    """Whether an engine answers at this address."""
    try:
        with _OPENER.open(endpoint_url, timeout=5):
            return True
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return True  # it refuses an unsigned request
    except OSError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()  # as it happens when this process ends
    process.wait()
