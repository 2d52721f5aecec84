"""What guarded clients do with lost answers, in every retry mode of botocore, old and new."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.lost_answers import (
    MODES,
    FaultyServer,
    Told,
    cases_of,
    faulty_server,
    outcomes,
)

ROOT = Path(__file__).parent.parent.parent
# By the fault, and whether the client is sync: the error of the lost answer. Where there are two,
# it depends on the version.
ERRORS = {
    ("close", True): {"ConnectionClosedError"},
    ("close", False): {"ConnectionClosedError"},
    ("reset", True): {"ConnectionClosedError"},
    ("reset", False): {"EndpointConnectionError"},
    ("500", True): {"InternalServerError"},
    ("500", False): {"InternalServerError"},
    ("503", True): {"InternalServerError"},
    ("503", False): {"InternalServerError"},
    ("crc32", True): {"ChecksumError"},
    ("crc32", False): {"ChecksumError"},
    ("cut", True): {"ConnectionClosedError", "ResponseParserError"},
    ("cut", False): {"ConnectionClosedError"},
    ("html", True): {"ResponseParserError"},
    ("html", False): {"ResponseParserError"},
    ("hang", True): {"ReadTimeoutError"},
    ("hang", False): {"ReadTimeoutError"},
}


def check(server: FaultyServer, told: dict[str, Told], client: str) -> None:
    """Nothing is applied twice that may not be, and nobody gets an answer that is not known."""
    cases = [case for mode in MODES for case in cases_of(client, mode)]
    assert sorted(told) == sorted(case.key for case in cases)
    for case in cases:
        key, fault, update = case.key, case.fault, case.update
        error, code, is_noted = told[key]
        facts = (key, server.sent[key], server.applied[key], error, is_noted)
        if fault == "throttle":  # certainly refused, so it is repeated as before
            assert (error, server.sent[key], server.applied[key]) == ("", 2, 1), facts
        elif update == "assignment" and not is_noted:
            assert (error, server.sent[key]) == ("", 2), facts
        else:
            assert error in ERRORS[fault, client == "sync"], facts
            assert is_noted, facts
            assert server.applied[key] == 1, facts
            assert server.sent[key] == 1 + (update == "once"), facts
            assert code == ("InternalServerError" if fault in ("500", "503") else ""), facts


@pytest.mark.parametrize("client", ["sync", "async"])
async def test_lost_answers(client: str) -> None:
    """An increment counts once, and its caller learns that nobody knows, in each retry mode."""
    with faulty_server() as server:
        told = await outcomes(server.url, client)

        check(server, told, client)


@pytest.mark.parametrize(
    ("folder", "client", "version"),
    [("botocore-1.44.8", "sync", "1.44.8"), ("aiobotocore-3.10.0", "async", "1.43.117")],
)
def test_lost_answers_newest(folder: str, client: str, version: str) -> None:
    """The newest clients, too, count an increment once and report the unknown outcome."""
    path = ROOT / "build" / folder
    if not path.is_dir():
        missing = f"{folder} is not installed. Fix: run `make {folder}`"
        if os.environ.get("CI") or os.environ.get("DYNASAFE_REQUIRE_ENGINES"):
            pytest.fail(missing)
        pytest.skip(missing)
    with faulty_server() as server:
        result = subprocess.run(
            [sys.executable, "-m", "tests.support.lost_answers", server.url, client],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{path}{os.pathsep}{ROOT}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr[-2000:]
        answer = json.loads(result.stdout)

        assert answer["version"] == version
        check(server, {key: tuple(each) for key, each in answer["told"].items()}, client)
