"""The rule for what DynamoDB can have answered."""

from __future__ import annotations

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynasafe.http.answers import fault_of_object, fault_of_status, is_damaged


@given(checksum=st.none() | st.binary(max_size=5), body=st.binary(max_size=5))
def test_is_damaged(checksum: bytes | None, body: bytes) -> None:
    """Only its own checksum fits a body, whatever the header has; it may also have none."""
    right = str(crc32(body)).encode()

    assert not is_damaged(None, body)
    assert not is_damaged(right, body)
    assert is_damaged(checksum, body) is (checksum not in (None, right))


@pytest.mark.parametrize("checksum", [b"", b"z", b"+5", b"-1", b"\xb2", b"5 ", b"9" * 5000])
def test_is_damaged_without_a_number(checksum: bytes) -> None:
    """A header that is no number fits no body."""
    assert is_damaged(checksum, b"{}")


@pytest.mark.parametrize("status", [200, 400, 413, 500, 599])
def test_statuses(status: int) -> None:
    """DynamoDB answers with 200, or with a status of an error."""
    assert fault_of_status(status) is None


@pytest.mark.parametrize("status", [100, 199, 201, 204, 302, 399, 600])
def test_other_statuses(status: int) -> None:
    """It has no others."""
    assert fault_of_status(status) == f"HTTP {status}, which is not an answer of DynamoDB"


@pytest.mark.parametrize(
    ("status", "answer", "fault"),
    [
        (200, {}, None),
        (200, {"Item": {"__type": {"S": "x"}}}, None),
        (200, {"__type": "a#B"}, "HTTP 200 with an error"),
        (200, {"__type": None}, "HTTP 200 with an error"),
        (400, {"__type": "a#B"}, None),
        (500, {"__type": "B", "message": "m"}, None),
        (400, {}, "HTTP 400 without an error code of DynamoDB"),
        (400, {"message": "m"}, "HTTP 400 without an error code of DynamoDB"),
        (503, {"__type": ""}, "HTTP 503 without an error code of DynamoDB"),
        (503, {"__type": 5}, "HTTP 503 without an error code of DynamoDB"),
    ],
)
def test_objects(status: int, answer: dict[str, object], fault: str | None) -> None:
    """A success has no code of an error, and an error has one."""
    assert fault_of_object(status, answer) == fault
