"""An HTTP proxy in front of an engine that asks check_request first, and answers as the service."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from dynasafe.findings.finding import Finding
from dynasafe.operations import OPERATIONS, table_names
from dynasafe.validation.check import check_from_scratch
from dynasafe.validation.words import Words

_TARGET = "DynamoDB_20120810."
_CHANGES_TABLES = frozenset({"CreateTable", "UpdateTable", "DeleteTable"})
_NAMESPACES = {
    "SerializationException": "com.amazon.coral.service",
    "TransactionCanceledException": "com.amazonaws.dynamodb.v20120810",
    "ValidationException": "com.amazon.coral.validate",
}


@contextmanager
def checking_proxy(engine_url: str, words: Words) -> Iterator[str]:
    """The address of a proxy that refuses requests in these words, and forwards the others."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.engine = urlsplit(engine_url).netloc
    server.words = words
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer_of(finding: Finding, params: Mapping[str, Any]) -> dict[str, Any]:
    """The service's answer to a request of which this is the first finding."""
    answer: dict[str, Any] = {"__type": f"{_NAMESPACES[finding.exception]}#{finding.exception}"}
    if finding.reason_index is None:
        return {**answer, "message": finding.message}
    reasons: list[dict[str, Any]] = [{"Code": "None"} for _ in params["TransactItems"]]
    reasons[finding.reason_index] = {"Code": "ValidationError", "Message": finding.message}
    codes = ", ".join(reason["Code"] for reason in reasons)
    message = (
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    )
    return {**answer, "Message": message, "CancellationReasons": reasons}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    engine: str
    words: Words

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._descriptions: dict[str, Any] = {}

    def refusal(self, operation: str, params: Any) -> dict[str, Any] | None:
        schema = {}
        if operation in OPERATIONS and isinstance(params, dict):
            names = table_names(OPERATIONS[operation], params)
            schema = {name: known for name in names if (known := self._description(name))}
        findings = check_from_scratch(
            operation, params, schema=schema, form="wire", words=self.words
        )
        return answer_of(findings[0], params) if findings else None

    def forget(self, operation: str, params: Any) -> None:
        if operation in _CHANGES_TABLES:
            self._descriptions.clear()

    def _description(self, name: str) -> Any:
        if name not in self._descriptions:
            body = json.dumps({"TableName": name}).encode()
            headers = {"X-Amz-Target": f"{_TARGET}DescribeTable", **_AUTHORIZATION}
            status, _, answer = self.send(headers, body)
            if status != 200:
                return None
            self._descriptions[name] = json.loads(answer)["Table"]
        return self._descriptions[name]

    def send(self, headers: Mapping[str, str], body: bytes) -> tuple[int, list[Any], bytes]:
        connection = HTTPConnection(self.engine, timeout=60)
        try:
            connection.request("POST", "/", body, dict(headers))
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()


_AUTHORIZATION = {
    "Content-Type": "application/x-amz-json-1.0",
    "Authorization": "AWS4-HMAC-SHA256 Credential=fakeAccessKeyId/20260101/us-east-1/dynamodb/"
    "aws4_request, SignedHeaders=host, Signature=0",
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        service, _, operation = self.headers.get("X-Amz-Target", "").partition(".")
        refusal = None
        if f"{service}." == _TARGET:
            params = json.loads(body or b"{}")
            refusal = self.server.refusal(operation, params)
            self.server.forget(operation, params)
        if refusal is not None:
            self._answer(400, [], json.dumps(refusal).encode())
            return
        headers = {name: value for name, value in self.headers.items() if name != "Host"}
        status, answer_headers, answer = self.server.send(headers, body)
        if f"{service}." == _TARGET:
            self.server.forget(operation, None)
        self._answer(status, answer_headers, answer)

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower().startswith("x-amz"):
                self.send_header(name, value)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass
