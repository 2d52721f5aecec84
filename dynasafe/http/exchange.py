"""Requests as bytes, and what the bytes of an answer say: success, a refusal, or nothing certain.

`encode` writes a request's body, `AnswerReader` reads one answer after another from what comes
in, and `read_answer` decides what an answer is worth. Values are in the client's form: bytes under
B and BS, datetimes in descriptions.

Sources: "DynamoDB low-level API", for the headers; RFC 9112; llhttp through httptools;
botocore/parsers.py and serialize.py, for the client's form.
"""

from __future__ import annotations

import json
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from json.encoder import c_make_encoder, encode_basestring_ascii  # type: ignore[attr-defined]
from typing import Any, Final, NoReturn
from zlib import crc32

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from dynasafe.resilience.boundary import Lost, NotSent, Refused
from dynasafe.values.wire import holds_many

MAX_HEAD_BYTES: Final = 64 * 1024
MAX_BODY_BYTES: Final = 32 * 1024 * 1024
"""Twice the largest answer of DynamoDB, a BatchGetItem's 16 MB."""
_MAX_FRAMING_BYTES: Final = 4 * MAX_HEAD_BYTES  # head, chunks and trailer of a small answer
_LONG_HEAD: Final = f"more than {MAX_HEAD_BYTES} bytes of head"
_LONG_BODY: Final = f"an answer longer than {MAX_BODY_BYTES} bytes"


# --- Requests ------------------------------------------------------------------------------


def encode(operation: str, params: Mapping[str, Any]) -> bytes:
    """The request's body.

    Raises:
        NotSent: the parameters have no form in JSON.
    """
    try:
        try:
            text = _dumps(params)
        except TypeError:
            text = None
        # A name in JSON, and not "BOOL", which most items have.
        if text is None or ('"B' in text and ('"B":' in text or '"BS":' in text)):
            text = _dumps(_written(params))
    except RecursionError:
        reason = "the parameters are nested too deeply, or contain themselves"
        raise NotSent(reason, is_retryable=False) from None
    except (TypeError, ValueError) as error:
        # Not its words: they quote the value.
        reason = f"the parameters of {operation} have no form in JSON ({type(error).__name__})"
        raise NotSent(reason, is_retryable=False) from None
    return text.encode()


def encode_in_steps(params: Mapping[str, Any]) -> Generator[None, None, bytes | None]:
    """As `encode`, in steps between which others may run; None for what `encode` is to decide."""
    pieces: list[str] = []
    try:
        yield from _dump_in_steps(dict(params), pieces)
    except (TypeError, ValueError, RecursionError):
        return None
    text = "".join(pieces)
    return None if '"B":' in text or '"BS":' in text else text.encode()


_OF_A_STEP: Final = 256


def _dump_in_steps(value: Any, pieces: list[str]) -> Generator[None, None, None]:
    if not value or (type(value) is not dict and type(value) is not list):
        pieces.append(_dumps(value))
        return
    is_map = type(value) is dict
    given: Any = value
    entries: list[Any] = [*given.items()] if is_map else given
    opening = "{" if is_map else "["
    for start in range(0, len(entries), _OF_A_STEP):
        group = entries[start : start + _OF_A_STEP]
        part: Any = dict(group) if is_map else group
        if not holds_many(part):
            pieces.append(opening + _dumps(part)[1:-1])
            opening = ","
        else:
            for entry in group:
                pieces.append(opening)
                if is_map:
                    pieces.append(encode_basestring_ascii(entry[0]) + ":")
                yield from _dump_in_steps(entry[1] if is_map else entry, pieces)
                opening = ","
        yield
    pieces.append("}" if is_map else "]")


def _refuse_value(value: object) -> NoReturn:
    raise TypeError(f"no JSON for a {type(value).__name__}")


def _encoder() -> Callable[[object, int], Iterable[str]]:
    """The standard library's encoder, made once: the pieces of a value's JSON.

    json.dumps makes one for each call, and looks for circles; that takes twice the time.
    """
    if c_make_encoder is None:  # another Python than CPython
        encoder = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=_refuse_value)
        return lambda value, level: encoder.iterencode(value)
    made: Callable[[object, int], Iterable[str]] = c_make_encoder(
        None, _refuse_value, encode_basestring_ascii, None, ":", ",", False, False, False
    )
    return made


_pieces: Final = _encoder()


def _dumps(value: object) -> str:
    return "".join(_pieces(value, 0))


def _written(value: Any) -> Any:
    """The same with binary values in base64, and moments as seconds."""
    if isinstance(value, Mapping):
        return {key: _written_member(key, each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_written(each) for each in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return _base64(value)
    if isinstance(value, datetime):
        return int(value.timestamp())
    return value


def _written_member(key: Any, value: Any) -> Any:
    # botocore takes text for a binary value, too, and writes its UTF-8 bytes.
    if key == "B" and isinstance(value, str):
        return _base64(value.encode())
    if key == "BS" and isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_written_member("B", each) for each in value]
    return _written(value)


def _base64(value: bytes | bytearray | memoryview) -> str:
    return b2a_base64(value, newline=False).decode()


# --- Answers -------------------------------------------------------------------------------


class AnswerReader:
    """Reads answers from bytes, one at a time.

    `is_complete` says that an answer is there; `is_reusable`, that nothing speaks against another
    request on the same connection. `begin()` makes ready for the next answer.
    """

    __slots__ = (
        "_body",
        "_fed",
        "_is_head_read",
        "_parser",
        "_size",
        "body",
        "headers",
        "is_complete",
        "is_expected",
        "is_reusable",
        "status",
    )

    def __init__(self) -> None:
        self._parser: Any = HttpResponseParser(self)
        self.is_expected: bool = False
        self.is_complete: bool = False
        self.is_reusable: bool = True
        self.status: int = 0
        self.headers: dict[bytes, bytes] = {}
        self.body: bytes = b""
        self._body: list[bytes] = []
        self._size: int = 0
        self._is_head_read: bool = False
        self._fed: int = 0

    def begin(self) -> None:
        """Expect an answer."""
        self.is_expected = True
        self.is_complete = False
        self._is_head_read = False
        self._fed = 0

    def feed(self, data: memoryview | bytes) -> str | None:
        """Read on.

        Returns:
            What is wrong with the bytes, or None. After a fault the connection is done with; an
            answer that was complete before it stays one.
        """
        if not self.is_expected:
            self.is_reusable = False
            return "bytes that nothing had asked for"
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            return self._fault("the answer changes the protocol")
        except HttpParserError as error:
            inner = error.__context__
            return self._fault(str(inner) if isinstance(inner, _Fault) else "no valid HTTP")
        if self._fed > MAX_HEAD_BYTES and not self.is_complete:
            # What llhttp holds back until a line ends is counted here alone.
            if not self._is_head_read:
                return self._fault(_LONG_HEAD)
            if self._fed - self._size > _MAX_FRAMING_BYTES + self._size:
                return self._fault("more framing than content")
        return None

    def _fault(self, words: str) -> str | None:
        self.is_reusable = False
        return None if self.is_complete else words

    # Called by llhttp.

    def on_message_begin(self) -> None:
        if self.is_complete:
            raise _Fault("bytes after the answer")
        self.headers = {}
        self._body = []
        self._size = 0
        self._is_head_read = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_head_read:  # else it is of a trailer
            self._size += len(name) + len(value)
            self.headers.setdefault(name.lower(), value)

    def on_headers_complete(self) -> None:
        self.status = status = self._parser.get_status_code()
        headers = self.headers
        if self._size > MAX_HEAD_BYTES:
            raise _Fault(_LONG_HEAD)
        self._size = 0  # from here on, of the body
        if status < 200:
            return
        self._is_head_read = True
        length = headers.get(b"content-length")
        if length is None:
            if b"transfer-encoding" not in headers:
                raise _Fault("an answer without a length, which may be cut off")
        elif not length.isdigit() or int(length) > MAX_BODY_BYTES:
            raise _Fault(_LONG_BODY)

    def on_body(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > MAX_BODY_BYTES:
            raise _Fault(_LONG_BODY)
        self._body.append(data)

    def on_message_complete(self) -> None:
        if self.status < 200:  # llhttp reports "100 Continue" as a message of its own
            return
        parser = self._parser
        # Right only in here: later llhttp is about to read the next message. Of HTTP/1.0 it is
        # true where that is asked for, which only a header can do.
        if not parser.should_keep_alive() or (
            b"connection" in self.headers and parser.get_http_version() != "1.1"
        ):
            self.is_reusable = False
        chunks = self._body
        self.body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self.is_expected = False
        self.is_complete = True


class _Fault(Exception):
    """What is wrong with an answer; raised through the parser."""


def read_answer(
    operation: str,
    status: int,
    headers: Mapping[bytes, bytes],
    body: bytes,
    *,
    is_aws: bool,
) -> dict[str, Any]:
    """What DynamoDB answered, in the client's form, with `ResponseMetadata` as botocore has it.

    Args:
        is_aws: whether the host is AWS's, which sends a request id with each answer.

    Raises:
        Refused: DynamoDB answered with an error.
        Lost: this is not an answer of DynamoDB, or it was damaged.
    """
    encoding = headers.get(b"content-encoding")
    if encoding is not None and encoding.lower() != b"identity":
        raise Lost(f"HTTP {status} with a content encoding, which was not asked for")
    checksum = headers.get(b"x-amz-crc32")
    if checksum is not None and (not checksum.isdigit() or int(checksum) != crc32(body)):
        raise Lost(f"HTTP {status} whose body does not fit its crc32")
    given_id = headers.get(b"x-amzn-requestid")
    request_id = None if given_id is None else given_id.decode("latin-1")
    if request_id is None and is_aws:
        raise Lost(f"HTTP {status} without a request id, which DynamoDB always sends")
    if status != 200 and not 400 <= status < 600:
        raise Lost(f"HTTP {status}, which is not an answer of DynamoDB")
    content_type = headers.get(b"content-type", b"")
    if content_type != _MEDIA_TYPE:
        _require_media_type(status, content_type)
    answer = _parse(operation, status, body)
    metadata = {"RequestId": request_id, "HTTPStatusCode": status}
    if status == 200:
        if "__type" in answer:
            raise Lost("HTTP 200 with an error")
        answer["ResponseMetadata"] = metadata
        return answer
    code = answer.pop("__type", None)
    if not isinstance(code, str) or not code:
        raise Lost(f"HTTP {status} without an error code of DynamoDB")
    message = answer.pop("message", None) or answer.pop("Message", None)
    raise Refused(
        code.rpartition("#")[2].partition(":")[0],
        message if isinstance(message, str) else "",
        http_status=status,
        request_id=request_id,
        headers={
            name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()
        },
        members=answer,
    )


_MEDIA_TYPE: Final = b"application/x-amz-json-1.0"
# moto answers errors as plain JSON.
_OTHER_MEDIA_TYPES: Final = frozenset({b"application/json", b"application/x-amz-json-1.1"})


def _require_media_type(status: int, content_type: bytes) -> None:
    media_type = content_type.partition(b";")[0].strip().lower()
    if media_type != _MEDIA_TYPE and not (media_type in _OTHER_MEDIA_TYPES and status != 200):
        raise Lost(f"HTTP {status} of another content type than DynamoDB's: {_shown(media_type)}")


def _shown(media_type: bytes) -> str:
    text = media_type[:40].decode("ascii", "replace")
    return text if text and text.isprintable() else "none"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


_JSON_SPACE: Final = " \t\r\n"
_scan_once: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder(
    parse_constant=_refuse_constant
).scan_once  # type: ignore[attr-defined]
_ITEM_OPERATIONS: Final = frozenset(
    {
        "BatchExecuteStatement",
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "ExecuteStatement",
        "ExecuteTransaction",
        "GetItem",
        "PutItem",
        "Query",
        "Scan",
        "TransactGetItems",
        "TransactWriteItems",
        "UpdateItem",
    }
)


def _parse(operation: str, status: int, body: bytes) -> dict[str, Any]:
    """The body's one JSON object."""
    if body == b"{}":  # of most writes
        return {}
    answer = _scanned(operation, body)
    if answer is None:
        raise Lost(f"HTTP {status} whose body is not one JSON object")
    return answer


def _scanned(operation: str, body: bytes) -> dict[str, Any] | None:
    try:
        text = body.decode()
        if text[:1] != "{":  # the scanner does not look past white space
            text = text.lstrip(_JSON_SPACE)
        answer, end = _scan_once(text, 0)
        if type(answer) is not dict or (end != len(text) and text[end:].strip(_JSON_SPACE)):
            return None
        if '"B' in text and ('"B"' in text or '"BS"' in text):
            _read_binary(answer)
        if operation not in _ITEM_OPERATIONS:
            _read_moments(answer)
    # The scanner raises StopIteration, which a coroutine would turn into a RuntimeError. What
    # these errors say quotes the text, so none of them is the cause of another.
    except (StopIteration, ValueError, RecursionError):
        return None
    return answer


def _read_binary(value: Any) -> None:
    """Turn base64 into bytes, in place. Only an attribute value has text under B or BS."""
    if type(value) is dict:
        for key, each in value.items():
            if key == "B" and type(each) is str:
                value[key] = _bytes(each)
            elif key == "BS" and type(each) is list:
                value[key] = [_bytes(one) if type(one) is str else one for one in each]
            else:
                _read_binary(each)
    elif type(value) is list:
        for each in value:
            _read_binary(each)


def _bytes(text: str) -> bytes:
    try:
        return a2b_base64(text.encode(), strict_mode=True)
    except Base64Error as error:
        raise ValueError("no base64") from error


def _read_moments(value: Any) -> None:
    """Turn seconds into datetimes, in place: a number whose name ends in Time is a moment."""
    if type(value) is dict:
        for key, each in value.items():
            if type(each) in (float, int) and key.endswith("Time"):
                try:
                    value[key] = datetime.fromtimestamp(each, UTC)
                except (OSError, OverflowError) as error:
                    raise ValueError("no moment") from error
            else:
                _read_moments(each)
    elif type(value) is list:
        for each in value:
            _read_moments(each)
