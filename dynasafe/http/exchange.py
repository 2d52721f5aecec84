"""Writes requests as bytes, and reads answers: success, a refusal, or nothing certain.

`encode` writes a request's body, `AnswerReader` splits the received bytes into answers, and
`read_answer` decides what an answer means. Values are in the client's form: bytes under B and BS,
datetimes in descriptions.

Sources: "DynamoDB low-level API", for the headers; RFC 9112; llhttp through httptools;
botocore/parsers.py and serialize.py, for the client's form.
"""

from __future__ import annotations

import json
import re
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from json.encoder import c_make_encoder, encode_basestring_ascii  # type: ignore[attr-defined]
from typing import Any, Final, NoReturn

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from dynasafe.http.answers import NO_OBJECT, fault_of_object, fault_of_status, is_damaged
from dynasafe.operations import WITHOUT_OUTPUT
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
        NotSent: the parameters cannot be written as JSON.
    """
    try:
        try:
            text = _dumps(params)
        except TypeError:
            text = None
        if text is None or _may_have_binary(text):
            text = _dumps(_written(params))
    except RecursionError:
        reason = "the parameters are nested too deeply, or contain themselves"
        raise NotSent(reason, is_retryable=False) from None
    except (TypeError, ValueError) as error:
        # Without its message, which quotes the value.
        reason = f"the parameters of {operation} cannot be written as JSON ({type(error).__name__})"
        raise NotSent(reason, is_retryable=False) from None
    return text.encode()


def encode_in_steps(params: Mapping[str, Any]) -> Generator[None, None, bytes | None]:
    """As `encode`, in steps between which other tasks may run. Yields None if `encode` must
    decide."""
    pieces: list[str] = []
    try:
        yield from _dump_in_steps(dict(params), pieces)
    except (TypeError, ValueError, RecursionError):
        return None
    return "".join(pieces).encode()


def _may_have_binary(text: str) -> bool:
    """Whether JSON has a member B or BS. Most items have a BOOL, which costs no second search."""
    at = text.find('"B')
    while at >= 0:
        if text.startswith(_BINARY, at + 2):
            return True
        at = text.find('"B', at + 2)
    return False


_BINARY: Final = ('":', 'S":')
_OF_A_STEP: Final = 256


def _dump_in_steps(value: Any, pieces: list[str]) -> Generator[None, None, None]:
    if not value or (type(value) is not dict and type(value) is not list):
        pieces.append(_dumped(value))
        return
    is_map = type(value) is dict
    given: Any = value
    entries: list[Any] = [*given.items()] if is_map else given
    opening = "{" if is_map else "["
    for start in range(0, len(entries), _OF_A_STEP):
        group = entries[start : start + _OF_A_STEP]
        part: Any = dict(group) if is_map else group
        if not holds_many(part):
            pieces.append(opening + _dumped(part)[1:-1])
            opening = ","
        else:
            for entry in group:
                pieces.append(opening)
                opening = ","
                each = entry
                if is_map:
                    key, each = entry
                    pieces.append(encode_basestring_ascii(key) + ":")
                    if (key == "B" or key == "BS") and type(each) is not dict:
                        pieces.append(_dumps(_written_member(key, each)))
                        continue
                yield from _dump_in_steps(each, pieces)
        yield
    pieces.append("}" if is_map else "]")


def _dumped(value: Any) -> str:
    """The JSON of a part of a request that has no binary value above it."""
    try:
        text = _dumps(value)
    except TypeError:
        return _dumps(_written(value))
    return _dumps(_written(value)) if _may_have_binary(text) else text


def _refuse_value(value: object) -> NoReturn:
    raise TypeError(f"no JSON for a {type(value).__name__}")


def _encoder() -> Callable[[object, int], Iterable[str]]:
    """The standard library's encoder, made once. It yields the pieces of a value's JSON.

    json.dumps makes an encoder for each call, and searches for cycles, which takes twice the time.
    """
    if c_make_encoder is None:  # a Python other than CPython
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
    """The same value with binary values in base64 and datetimes as seconds."""
    if type(value) is str:
        return value
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
    # botocore also accepts text for a binary value, and writes its UTF-8 bytes.
    if key == "B" and type(value) is bytes:
        return _base64(value)
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

    `is_complete`: a whole answer was read. `is_reusable`: the connection can be used for another
    request. `begin()` prepares for the next answer.
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
        """Prepare for the next answer."""
        self.is_expected = True
        self.is_complete = False
        self._is_head_read = False
        self._fed = 0

    def feed(self, data: memoryview | bytes) -> str | None:
        """Read more bytes.

        Returns:
            What is wrong with the bytes, or None. After a fault, do not use the connection again.
            An answer that was complete before the fault remains valid.
        """
        if not self.is_expected:
            self.is_reusable = False
            return "unexpected bytes"
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            return self._fault("the answer changes the protocol")
        except HttpParserError as error:
            inner = error.__context__
            return self._fault(str(inner) if isinstance(inner, _Fault) else "invalid HTTP")
        if self._fed > MAX_HEAD_BYTES and not self.is_complete:
            # Bytes that llhttp buffers until the end of a line are counted only here.
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
        # Correct only at this point: later, llhttp expects the next message. With HTTP/1.0 it is
        # true only if a header asks for it.
        if not parser.should_keep_alive() or (
            b"connection" in self.headers and parser.get_http_version() != "1.1"
        ):
            self.is_reusable = False
        chunks = self._body
        self.body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self.is_expected = False
        self.is_complete = True


class _Fault(Exception):
    """A fault of an answer, raised through the parser."""


def read_answer(
    operation: str,
    status: int,
    headers: Mapping[bytes, bytes],
    body: bytes,
    *,
    is_aws: bool,
) -> dict[str, Any]:
    """DynamoDB's answer in the client's form, with `ResponseMetadata` as in botocore.

    Args:
        is_aws: whether the host is AWS's, which sends a request id with each answer.

    Raises:
        Refused: DynamoDB answered with an error.
        Lost: this is not an answer of DynamoDB, or it was damaged.
    """
    request_id = _request_id(status, headers, body, is_aws)
    return _answer(status, headers, request_id, _parse(operation, status, body))


_OF_A_READ: Final = 65_536
"""Characters of a step."""


def read_answer_in_steps(
    operation: str,
    status: int,
    headers: Mapping[bytes, bytes],
    body: bytes,
    *,
    is_aws: bool,
    size: int = _OF_A_READ,
) -> Generator[None, None, dict[str, Any]]:
    """As `read_answer`, in steps between which others may run.

    Args:
        size: the number of characters of a step.
    """
    request_id = _request_id(status, headers, body, is_aws)
    parsed = yield from _parse_in_steps(operation, body, size)
    if parsed is None:  # for its words
        parsed = _parse(operation, status, body)
    return _answer(status, headers, request_id, parsed)


def _request_id(
    status: int, headers: Mapping[bytes, bytes], body: bytes, is_aws: bool
) -> str | None:
    """The request's id, of an answer whose head speaks for it."""
    encoding = headers.get(b"content-encoding")
    if encoding is not None and encoding.lower() != b"identity":
        raise Lost(f"HTTP {status} with an unexpected content encoding")
    if is_damaged(headers.get(b"x-amz-crc32"), body):
        raise Lost(f"HTTP {status} with a body that does not match its crc32")
    given_id = headers.get(b"x-amzn-requestid")
    request_id = None if given_id is None else given_id.decode("latin-1")
    if request_id is None and is_aws:
        raise Lost(f"HTTP {status} without a request id, which DynamoDB always sends")
    fault = fault_of_status(status)
    if fault is not None:
        raise Lost(fault)
    content_type = headers.get(b"content-type", b"")
    if content_type != _MEDIA_TYPE and (content_type or body):
        _require_media_type(status, content_type)
    return request_id


def _answer(
    status: int, headers: Mapping[bytes, bytes], request_id: str | None, answer: dict[str, Any]
) -> dict[str, Any]:
    fault = fault_of_object(status, answer)
    if fault is not None:
        raise Lost(fault)
    if status == 200:
        answer["ResponseMetadata"] = {"RequestId": request_id, "HTTPStatusCode": status}
        return answer
    code: str = answer.pop("__type")
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
    """The body's one JSON object, or an empty one if the operation has no output."""
    if body == b"{}":  # of most writes
        return {}
    if not body and status == 200 and operation in WITHOUT_OUTPUT:
        return {}
    answer = _scanned(operation, body)
    if answer is None:
        raise Lost(f"HTTP {status} with {NO_OBJECT}")
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
    # The scanner raises StopIteration, which a coroutine would turn into a RuntimeError. The
    # messages quote the text, so they are not chained.
    except (StopIteration, ValueError, RecursionError):
        return None
    return answer


def _parse_in_steps(
    operation: str, body: bytes, size: int
) -> Generator[None, None, dict[str, Any] | None]:
    """The body's one JSON object; None for what `_parse` is to decide."""
    if operation not in _ITEM_OPERATIONS:
        return None
    try:
        text = body.decode()
        parts = _Parts(text, size)
        answer = yield from parts.read()
    except (ValueError, RecursionError):
        return None
    is_whole = type(answer) is dict and parts.skip(0) == len(text)
    return answer if is_whole else None


_SPACE: Final = re.compile(f"[{_JSON_SPACE}]*")
_LONG: Final = object()


class _Parts:
    """JSON text that is read piece by piece, each of which is at most of one size.

    A value that fits into a piece is read in one go. Of a longer list or map, as many values as fit
    are read at once, or else one by one.
    """

    def __init__(self, text: str, size: int) -> None:
        self.text: str = text
        self._size: int = size
        self._has_binary: bool = '"B"' in text or '"BS"' in text
        self._piece: str = text[:size]
        self._start: int = 0
        self._at: int = 0
        self._single_until: int = 0
        self._paused_at: int = 0
        self.skip(0)

    def skip(self, count: int) -> int:
        """Where the next sign is, after so many others."""
        at = self._at + count
        if self.text[at : at + 1] in _TO_SKIP:
            found = _SPACE.match(self.text, at)
            assert found is not None
            at = found.end()
        self._at = at
        return at

    def read(self) -> Generator[None, None, Any]:
        """The next value."""
        value = self._next()
        if value is _LONG:
            return (yield from self._read_long())
        if self._has_binary:
            _read_binary(value)
        return value

    def _read_long(self) -> Generator[None, None, Any]:
        opening = self.text[self._at]
        if opening != "{" and opening != "[":
            return self._scanned(self.text, 0)
        yield
        self._single_until = 0
        is_map = opening == "{"
        closing = "}" if is_map else "]"
        members: dict[str, Any] = {}
        elements: list[Any] = []
        mark = opening
        while mark != closing:
            self.skip(1)
            group = self._group(opening, closing)
            if group is not None:
                members.update(group) if is_map else elements.extend(group)
            else:
                name: Any = self._name() if is_map else None
                has_binary = self._has_binary
                if name == "B" or name == "BS":
                    self._has_binary = False
                    alone = {name: (yield from self.read())}
                    if has_binary:
                        _read_binary(alone)
                    value = alone[name]
                    self._has_binary = has_binary
                else:
                    value = self._next()
                    if value is _LONG:
                        value = yield from self._read_long()
                    elif has_binary:
                        _read_binary(value)
                if is_map:
                    members[name] = value
                else:
                    elements.append(value)
            if self._at - self._paused_at > self._size >> 2:
                self._paused_at = self._at
                yield
            mark = self.text[self._at : self._at + 1]
            if mark != closing and mark != ",":
                raise ValueError(mark)
        self.skip(1)
        return members if is_map else elements

    def _group(self, opening: str, closing: str) -> Any:
        """Many of the next values at once, if they end as most do; else None."""
        if self._at < self._single_until:
            return None
        self._slide()
        for ending in _ENDINGS:
            end = self._piece.rfind(ending) + len(ending) - 1
            if end < len(ending):
                continue
            whole = opening + self._piece[:end] + closing
            try:
                group, stop = _scan_once(whole, 0)
            except (StopIteration, ValueError):
                continue
            if self._has_binary:
                _read_binary(group)
            # It may have ended before.
            self._at += end if stop == len(whole) else stop - 2
            return group
        self._single_until = self._at + (self._size >> 2)
        return None

    def _name(self) -> str:
        name = self._next()
        if name is _LONG:
            name = self._scanned(self.text, 0)
        if type(name) is not str or self.text[self._at : self._at + 1] != ":":
            raise ValueError("no name")
        self.skip(1)
        return name

    def _next(self) -> Any:
        """The next value if it is in one piece; _LONG for a longer one, which is not yet read."""
        while True:
            is_last = self._start + self._size >= len(self.text)
            if is_last:
                return self._scanned(self._piece, self._start)
            at = self._at
            value: Any = None
            try:
                value = self._scanned(self._piece, self._start)
                # The digits of a number may go on in the next piece.
                is_whole = self._end < len(self._piece) or type(value) not in _NUMBERS
            except ValueError:
                is_whole = False
            if is_whole:
                return value
            self._at = at
            if at == self._start:
                return _LONG
            self._slide()

    def _slide(self) -> None:
        """The piece that begins here."""
        self._start = self._at
        self._piece = self.text[self._at : self._at + self._size]

    def _scanned(self, text: str, start: int) -> Any:
        try:
            value, self._end = _scan_once(text, self._at - start)
        except StopIteration:
            raise ValueError("no value") from None
        self._at = start + self._end
        self.skip(0)
        return value


_ENDINGS: Final = ("},", "]},", "}},", '",')
_TO_SKIP: Final = frozenset(_JSON_SPACE)
_NUMBERS: Final = (int, float)


def _read_binary(value: Any) -> None:
    """Turn base64 into bytes, in place. Only attribute values have text under B or BS."""
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
    """Turn seconds into datetimes, in place: numbers whose name ends in Time."""
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
