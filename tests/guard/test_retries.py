"""What guarded clients do with lost answers, in every retry mode of botocore, old and new."""

from __future__ import annotations

import pytest

from tests.support.lost_answers import (
    MODES,
    FaultyServer,
    Told,
    cases_of,
    faulty_server,
    outcomes,
)
from tests.support.newest import CLIENTS, printed_with

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


@pytest.mark.parametrize(("folder", "client", "version"), CLIENTS)
def test_lost_answers_newest(folder: str, client: str, version: str) -> None:
    """The newest clients, too, count an increment once and report the unknown outcome."""
    with faulty_server() as server:
        answer = printed_with(folder, "tests.support.lost_answers", server.url, client)

        assert answer["version"] == version
        check(server, {key: tuple(each) for key, each in answer["told"].items()}, client)
