"""The rule for what DynamoDB can have answered, shared by the connections and the guard.

What breaks it is lost: a proxy's page, half a body, an error with the status of a success. A
connection adds what only it can require, such as a request id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zlib import crc32

NO_OBJECT = "a body that is not a JSON object"


def is_damaged(checksum: bytes | None, body: bytes) -> bool:
    """Whether the body does not match its header x-amz-crc32, if it has one."""
    return checksum is not None and checksum != b"%d" % crc32(body)


def fault_of_status(status: int) -> str | None:
    """What is wrong with the status, in words; None if DynamoDB answers with it."""
    if status == 200 or 400 <= status < 600:
        return None
    return f"HTTP {status}, which is not an answer of DynamoDB"


def fault_of_object(status: int, answer: Mapping[str, Any]) -> str | None:
    """What is wrong with the body's JSON object, in words; None if DynamoDB can have sent it."""
    if status == 200:
        return "HTTP 200 with an error" if "__type" in answer else None
    code = answer.get("__type")
    if isinstance(code, str) and code:
        return None
    return f"HTTP {status} without an error code of DynamoDB"
