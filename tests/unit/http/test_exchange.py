"""Request bodies and what answers say, without any socket."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import Any
from zlib import crc32

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from dynasafe.http.exchange import (
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    AnswerReader,
    encode,
    encode_in_steps,
    read_answer,
    read_answer_in_steps,
)
from dynasafe.resilience.boundary import Lost, NotSent, Refused, TransportError

JSON_10 = "application/x-amz-json-1.0"


def answer_bytes(
    body: bytes = b"{}",
    status: str = "200 OK",
    *,
    version: str = "1.1",
    length: str | None = "",
    **headers: str | None,
) -> bytes:
    fields: dict[str, str | None] = {
        "Content-Type": JSON_10,
        "Content-Length": str(len(body)) if length == "" else length,
        "x-amzn-RequestId": "ID",
        "x-amz-crc32": str(crc32(body)),
    }
    fields.update({name.replace("_", "-"): value for name, value in headers.items()})
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join([f"HTTP/{version} {status}", *lines, "", ""]).encode() + body


def read(
    data: bytes, *, size: int = 1 << 20, is_aws: bool = True, operation: str = "PutItem"
) -> Any:
    """What the first answer in these bytes says; Lost where there is none."""
    reader = AnswerReader()
    reader.begin()
    fault = None
    for start in range(0, len(data), size):
        fault = reader.feed(data[start : start + size])
        if fault is not None:
            raise Lost(fault)
    if not reader.is_complete:
        raise Lost("cut off")
    return read_answer(operation, reader.status, reader.headers, reader.body, is_aws=is_aws)


# --- Requests


JSON_VALUE = st.recursive(
    st.text() | st.integers(-(2**53), 2**53) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON_VALUE))
def test_encode_is_json(params: dict[str, Any]) -> None:
    """Parameters without binary values are JSON that reads back as they were."""
    assume(not _has_b(params))

    assert json.loads(encode("PutItem", params)) == params


def _has_b(value: Any) -> bool:
    if isinstance(value, dict):
        return any(key in ("B", "BS") or _has_b(each) for key, each in value.items())
    return isinstance(value, list) and any(map(_has_b, value))


BINARY = st.binary(max_size=20)
ATTRIBUTE = st.recursive(
    st.one_of(
        BINARY.map(lambda each: {"B": each}),
        st.lists(BINARY, min_size=1, max_size=3).map(lambda each: {"BS": each}),
        st.text().map(lambda each: {"S": each}),
        st.just({"NULL": True}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda each: {"L": each}),
        st.dictionaries(st.sampled_from(["B", "BS", "b", "S", '"B"']), inner, max_size=3).map(
            lambda each: {"M": each}
        ),
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["B", "BS", "a", "Time"]), ATTRIBUTE, max_size=4))
def test_binary_roundtrip(item: dict[str, Any]) -> None:
    """An item that is sent and read again is equal, with bytes at every level."""
    sent = json.loads(encode("PutItem", {"TableName": "t", "Item": item}))
    body = json.dumps({"Item": sent["Item"]}).encode()

    assert read(answer_bytes(body), operation="GetItem")["Item"] == item


@pytest.mark.parametrize("value", [bytearray(b"\0\xff"), memoryview(b"\0\xff"), b"\0\xff"])
def test_binary_types(value: Any) -> None:
    """All that botocore takes for a binary value is sent as base64."""
    body = encode("PutItem", {"Item": {"a": {"B": value}, "b": {"BS": [value]}}})

    assert json.loads(body)["Item"] == {"a": {"B": "AP8="}, "b": {"BS": ["AP8="]}}


def test_binary_text() -> None:
    """Text for a binary value means its UTF-8 bytes, as with botocore."""
    body = encode("PutItem", {"Item": {"a": {"B": "é"}, "B": {"S": "é"}}})

    encoded = base64.b64encode("é".encode()).decode()
    assert json.loads(body)["Item"] == {"a": {"B": encoded}, "B": {"S": "é"}}


def test_moments() -> None:
    """A datetime is sent as whole seconds since the epoch."""
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=dt.UTC)

    assert json.loads(encode("X", {"ExportTime": moment})) == {"ExportTime": 1_767_323_045}


@pytest.mark.parametrize(
    "value", [object(), float("nan"), float("inf"), {1, 2}, {(1, 2): 3}, {"B": object()}]
)
def test_no_json(value: Any) -> None:
    """What JSON cannot hold was not sent, and is not shown."""
    with pytest.raises(NotSent) as caught:
        encode("PutItem", {"TableName": "t", "Item": value})

    assert not caught.value.is_retryable
    assert "PutItem" in caught.value.reason
    assert "object at" not in caught.value.reason


def test_circle() -> None:
    """Parameters that contain themselves were not sent."""
    params: dict[str, Any] = {}
    params["Item"] = params

    with pytest.raises(NotSent, match="nested too deeply"):
        encode("PutItem", params)


# --- Answers


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_in_pieces(size: int) -> None:
    """An answer may come in pieces of any size."""
    answer = read(answer_bytes(b'{"Attributes":{"a":{"S":"x"}}}'), size=size)

    assert answer == {
        "Attributes": {"a": {"S": "x"}},
        "ResponseMetadata": {"RequestId": "ID", "HTTPStatusCode": 200},
    }


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CHUNKED = answer_bytes(b"", length=None, Transfer_Encoding="chunked", x_amz_crc32=None)
GOOD = {
    "plain": answer_bytes(),
    "100-continue": CONTINUE + answer_bytes(),
    "two 100s and early hints": CONTINUE * 2
    + b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    + answer_bytes(),
    "chunked": CHUNKED + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
    "chunked with a trailer": CHUNKED + b"2;x=y\r\n{}\r\n0\r\nx-amz-crc32: 7\r\n\r\n",
    "no crc32": answer_bytes(x_amz_crc32=None),
    "white space around": answer_bytes(b" \r\n{} \n"),
    "identity": answer_bytes(Content_Encoding="identity"),
    "charset": answer_bytes(Content_Type=f"{JSON_10}; charset=utf-8"),
    "close": answer_bytes(Connection="close"),
    "bytes after it": answer_bytes() + b"junk",
    "a second answer": answer_bytes() + answer_bytes(b'{"Attributes":{}}'),
    "HTTP/1.0": answer_bytes(version="1.0"),
    "HTTP/1.0 keep-alive": answer_bytes(version="1.0", Connection="keep-alive"),
}
LOST = {
    "nothing": b"",
    "half a head": answer_bytes()[:40],
    "half a body": answer_bytes(b'{"Attributes":{}}')[:-3],
    "HTML": answer_bytes(b"<html>", Content_Type="text/html"),
    "HTML that says JSON": answer_bytes(b"<html>blocked</html>"),
    "JSON of somebody else": answer_bytes(Content_Type="application/json"),
    "no content type": answer_bytes(Content_Type=None),
    "no request id": answer_bytes(x_amzn_RequestId=None),
    "empty body": answer_bytes(b""),
    "list": answer_bytes(b"[]"),
    "text": answer_bytes(b'"x"'),
    "number": answer_bytes(b"1"),
    "cut JSON": answer_bytes(b'{"a":'),
    "garbage after JSON": answer_bytes(b"{}garbage"),
    "two objects": answer_bytes(b"{}{}"),
    "NaN": answer_bytes(b'{"a":NaN}'),
    "no UTF-8": answer_bytes(b'{"a":"\xff"}'),
    "no base64": answer_bytes(b'{"Item":{"a":{"B":"?"}}}'),
    "deep": answer_bytes(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "many digits": answer_bytes(b'{"a":' + b"1" * 5_000 + b"}"),
    "BOM": answer_bytes(b"\xef\xbb\xbf{}"),
    "wrong crc32": answer_bytes(x_amz_crc32="1"),
    "bad crc32": answer_bytes(x_amz_crc32="x"),
    "negative crc32": answer_bytes(x_amz_crc32="-1"),
    "long crc32": answer_bytes(x_amz_crc32="9" * 5000),
    "no body": answer_bytes(b""),
    "gzip": answer_bytes(Content_Encoding="gzip"),
    "redirect": answer_bytes(status="302 Found", Location="http://x/"),
    "not modified": answer_bytes(status="304 Not Modified"),
    "no content": answer_bytes(b"", status="204 No Content"),
    "accepted": answer_bytes(status="202 Accepted"),
    "switching": answer_bytes(status="101 Switching Protocols", Upgrade="x", Connection="upgrade"),
    "only 100": CONTINUE,
    "200 with an error": answer_bytes(b'{"__type":"x#ValidationException"}'),
    "400 without a code": answer_bytes(b'{"message":"Forbidden"}', status="403 Forbidden"),
    "400 with a number for a code": answer_bytes(b'{"__type":4}', status="400 Bad"),
    "503 of a load balancer": answer_bytes(b"<html>", status="503 X", Content_Type="text/html"),
    "600": answer_bytes(b'{"__type":"x#Y"}', status="600 X"),
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "length twice": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "length and chunks": answer_bytes(Transfer_Encoding="chunked"),
    "negative length": answer_bytes(length="-2"),
    "huge length": answer_bytes(length=str(10**12)),
    "length over the limit": answer_bytes(length=str(MAX_BODY_BYTES + 1)),
    "overflowing length": answer_bytes(length="9" * 40),
    "length with a sign": answer_bytes(length="+2"),
    "no length": answer_bytes(length=None),
    "long head": answer_bytes(X="x" * MAX_HEAD_BYTES),
    "long head without an end": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000,
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 100_000,
    "endless 100s": CONTINUE * 10_000,
    "bare LF": answer_bytes().replace(b"\r\n", b"\n"),
    "folded header": answer_bytes(X="a\r\n b"),
    "space before colon": answer_bytes(**{"X ": "a"}),
    "NUL": answer_bytes(X="a\0b"),
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"{}",
    "TLS alert": b"\x15\x03\x01\x00\x02\x02\x28",
    "bad chunk": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "chunk without an end": CHUNKED + b"2\r\n{}\r\n",
    "long trailer": CHUNKED + b"2\r\n{}\r\n0\r\nX: " + b"x" * 1_000_000,
}


@pytest.mark.parametrize("name", GOOD)
def test_answers(name: str) -> None:
    """Each of these is the answer `{}`."""
    metadata = {"RequestId": "ID", "HTTPStatusCode": 200}

    assert read(GOOD[name]) == {"ResponseMetadata": metadata}


@pytest.mark.parametrize("size", [7, 1 << 16])
@pytest.mark.parametrize("name", LOST)
def test_no_answers(name: str, size: int) -> None:
    """Each of these is an answer that is lost: the outcome is unknown."""
    with pytest.raises(Lost):
        read(LOST[name], size=size)


@pytest.mark.parametrize(
    ("name", "is_reusable"),
    [
        ("plain", True),
        ("100-continue", True),
        ("chunked", True),
        ("close", False),
        ("bytes after it", False),
        ("a second answer", False),
        ("HTTP/1.0", False),
        ("HTTP/1.0 keep-alive", False),
    ],
)
def test_reuse(name: str, is_reusable: bool) -> None:
    """Whether another request may follow on the connection."""
    reader = AnswerReader()
    reader.begin()
    reader.feed(GOOD[name])

    assert reader.is_complete
    assert reader.is_reusable is is_reusable


def test_unexpected_bytes() -> None:
    """A whole answer that comes before its request is a fault, not the next answer."""
    reader = AnswerReader()

    assert reader.feed(answer_bytes()) == "unexpected bytes"
    assert not reader.is_reusable
    assert not reader.is_complete


def test_many_answers() -> None:
    """One reader reads the answers of one connection, each for itself."""
    reader = AnswerReader()
    for count in range(100):
        reader.begin()
        assert reader.feed(answer_bytes(b'{"Count":%d}' % count)) is None
        read_back = read_answer("Scan", reader.status, reader.headers, reader.body, is_aws=True)
        assert read_back["Count"] == count
    assert reader.is_reusable


def test_refused() -> None:
    """An error of DynamoDB: its code without the namespace, its words, headers and members."""
    body = json.dumps(
        {
            "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
            "Message": "The conditional request failed",
            "Item": {"a": {"B": "AP8="}},
        }
    ).encode()

    with pytest.raises(Refused) as caught:
        read(answer_bytes(body, "400 Bad Request", x_amz_retry_after="7"))

    error = caught.value
    assert (error.code, error.message, error.http_status, error.request_id) == (
        "ConditionalCheckFailedException",
        "The conditional request failed",
        400,
        "ID",
    )
    assert error.members == {"Item": {"a": {"B": b"\0\xff"}}}
    assert error.headers["x-amz-retry-after"] == "7"


@pytest.mark.parametrize(
    ("content_type", "is_aws"),
    [(JSON_10, True), ("application/json", True), ("application/x-amz-json-1.1", False)],
)
def test_refused_content_types(content_type: str, is_aws: bool) -> None:
    """Engines answer errors as plain JSON, too; the code tells them from others."""
    data = answer_bytes(b'{"__type":"a#Y","message":"m"}', "500 X", Content_Type=content_type)

    with pytest.raises(Refused) as caught:
        read(data, is_aws=is_aws)

    assert (caught.value.code, caught.value.http_status) == ("Y", 500)


@pytest.mark.parametrize("operation", ["TagResource", "UntagResource"])
@pytest.mark.parametrize("content_type", [JSON_10, None])
def test_no_output(operation: str, content_type: str | None) -> None:
    """The operations without output are answered with an empty body."""
    answer = read(answer_bytes(b"", Content_Type=content_type), operation=operation)

    assert answer == {"ResponseMetadata": {"RequestId": "ID", "HTTPStatusCode": 200}}


@pytest.mark.parametrize("operation", ["TagResource", "UntagResource"])
@pytest.mark.parametrize("status", ["400 X", "500 X"])
def test_no_output_of_a_failure(operation: str, status: str) -> None:
    """With another status, an empty body is no answer of DynamoDB."""
    with pytest.raises(Lost):
        read(answer_bytes(b"", status), operation=operation)


def test_descriptions() -> None:
    """Moments of a description are aware datetimes; numbers in items stay what they are."""
    body = b'{"Table":{"CreationDateTime":1.5,"TableSizeBytes":3,"Time":{"N":"1"}}}'

    table = read(answer_bytes(body), operation="DescribeTable")["Table"]

    assert table == {
        "CreationDateTime": dt.datetime(1970, 1, 1, 0, 0, 1, 500_000, dt.UTC),
        "TableSizeBytes": 3,
        "Time": {"N": "1"},
    }


@given(data=st.binary(max_size=300), size=st.integers(1, 64))
@example(data=b"HTTP/1.1 200 OK\r\n\r\n", size=1)
def test_nonsense(data: bytes, size: int) -> None:
    """Random bytes are not taken for an answer."""
    try:
        read(data, size=size)
    except TransportError:
        return
    raise AssertionError("bytes without a request id were taken for an answer")


@given(
    cuts=st.lists(st.integers(0, 200), max_size=3),
    flips=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4),
    body=st.sampled_from([b"{}", b'{"Attributes":{"n":{"N":"1"}}}']),
)
def test_damaged(cuts: list[int], flips: list[tuple[int, int]], body: bytes) -> None:
    """Of an answer that was damaged on its way, only the body as it was is ever a success."""
    data = bytearray(answer_bytes(body))
    for place, value in flips:
        if place < len(data):
            data[place] = value
    for cut in cuts:
        del data[cut : cut + 1]
    try:
        answer = read(bytes(data))
    except TransportError:
        return
    answer.pop("ResponseMetadata")
    if b"crc32" in data.lower():
        assert answer == json.loads(body)


def in_steps(params: dict[str, Any]) -> tuple[bytes | None, int]:
    """The body that is written in steps, and how many these are."""
    steps = encode_in_steps(params)
    count = 0
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value, count
        count += 1


@given(
    st.recursive(
        st.text(max_size=3)
        | st.integers()
        | st.booleans()
        | st.none()
        | st.just({})
        | st.binary(max_size=3),
        lambda within: (
            st.lists(within, max_size=3)
            | st.dictionaries(
                st.text(max_size=3) | st.sampled_from(["B", "BS"]), within, max_size=3
            )
        ),
        max_leaves=5,
    ),
    st.sampled_from([1, 300, 5000]),
)
@settings(max_examples=40)
def test_a_body_in_steps_is_the_same(value: Any, count: int) -> None:
    """Written in steps, the body is what it is at once."""
    params = {"TableName": "docs", "Item": [value] * count, "Other": {"a": {"M": {"x": value}}}}
    body, _ = in_steps(params)
    assert body in (None, encode("PutItem", params))


def test_a_large_body_takes_steps() -> None:
    """A large body is written in many steps, also where most of it is deep inside."""
    params = {"Item": {"a": {"M": {"b": {"L": [{"N": "1"}] * 20_000}, "c": {"S": "x"}}}}}
    body, count = in_steps(params)
    assert body == encode("PutItem", params)
    assert count >= 70


@pytest.mark.parametrize(
    "value",
    [
        {"L": [{"B": b"x"}, {"S": "x"}] * 5_000},
        {"L": [{"B": "x"}] * 5_000},
        {"BS": [b"x", "y"] * 5_000},
        {"M": {f"{each}": {"B": bytearray(b"x")} for each in range(5_000)}},
        {"L": [{"L": [{"B": memoryview(b"x")}] * 5_000}, {"B": b"y"}, {"BOOL": True}]},
    ],
)
def test_a_body_with_binary_takes_steps(value: Any) -> None:
    """A body with many binary values is written in steps too."""
    params = {"Item": {"a": value, "B": value, "b": {"B": b"z"}}}
    body, count = in_steps(params)
    assert body == encode("PutItem", params)
    assert count >= 4


def said(body: bytes, operation: str, *, in_steps: bool, size: int = 65_536) -> tuple[object, int]:
    """What an answer says, or how it is refused, and the steps that it took."""
    headers = {b"content-type": JSON_10.encode()}
    count = 0
    try:
        if not in_steps:
            return read_answer(operation, 200, headers, body, is_aws=False), 0
        reading = read_answer_in_steps(operation, 200, headers, body, is_aws=False, size=size)
        while True:
            try:
                next(reading)
            except StopIteration as stop:
                return stop.value, count
            count += 1
    except Lost as lost:
        return lost.reason, count


ANSWERED = st.dictionaries(
    st.sampled_from(["Items", "Item", "Responses", "docs", "B", "BS"]),
    JSON_VALUE | ATTRIBUTE | st.lists(st.dictionaries(st.text(max_size=3), ATTRIBUTE), max_size=3),
    max_size=3,
)


@given(
    answer=ANSWERED,
    indent=st.sampled_from([None, 0, 1]),
    operation=st.sampled_from(["Query", "BatchGetItem", "DescribeTable"]),
    damage=st.none() | st.tuples(st.integers(0, 400), st.text(max_size=2)),
    size=st.integers(1, 50) | st.just(65_536),
)
def test_an_answer_in_steps_is_the_same(
    answer: Any, indent: int | None, operation: str, damage: tuple[int, str] | None, size: int
) -> None:
    """Whatever its JSON is, whatever is wrong with it, and wherever a step ends."""
    text = json.dumps(answer, indent=indent, default=lambda value: base64.b64encode(value).decode())
    if damage is not None:
        at = damage[0] % len(text)
        text = text[:at] + damage[1] + text[at + 1 :]
    body = text.encode(errors="surrogatepass")
    in_steps, _ = said(body, operation, in_steps=True, size=size)
    assert in_steps == said(body, operation, in_steps=False)[0]


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        ("GetItem", {"Item": {f"a{each}": {"S": "x" * 5_000} for each in range(80)}}),
        ("Query", {"Items": [{"id": {"S": "x" * 5_000}}] * 80, "Count": 80}),
        ("BatchGetItem", {"Responses": {"docs": [{"id": {"S": "x" * 5_000}}] * 80}}),
        ("GetItem", {"Item": {"id": {"L": [{"N": "7"}] * 35_000}}}),
        ("GetItem", {"Item": {"id": {"M": {"a": {"L": [{"L": [{"N": "7"}] * 50}] * 700}}}}}),
        ("GetItem", {"Item": {"id": {"BS": [f"{each:08}" for each in range(32_000)]}}}),
        ("GetItem", {"Item": {f"k{each}": {"BOOL": True} for each in range(16_000)}}),
    ],
)
def test_a_large_answer_takes_steps(operation: str, answer: Any) -> None:
    """A large answer is read in about one step for each 64 KB, and one for each long value."""
    body = json.dumps(answer).encode()
    found, count = said(body, operation, in_steps=True)
    assert found == said(body, operation, in_steps=False)[0]
    assert 5 <= count <= 16
