"""Ordinary logs of services without DynamoDB errors, some with other errors."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

_TRACEBACK = """\
Traceback (most recent call last):
  File "/srv/shop/orders.py", line {n}, in place
    total = cart.total + fee
  File "/usr/lib/python3.11/site-packages/shop_client/http.py", line 88, in request
    raise TimeoutError(url)
{error}"""
_ERRORS = (
    "AttributeError: 'NoneType' object has no attribute 'name'",
    "KeyError: 'user_id'",
    "TypeError: unsupported operand type(s) for +: 'int' and 'str'",
    "ValueError: invalid literal for int() with base 10: ''",
    "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='api.example.org', port=443)",
    "botocore.exceptions.ClientError: An error occurred (NoSuchKey) when calling the GetObject "
    "operation: The specified key does not exist.",
    "botocore.exceptions.ClientError: An error occurred (ThrottlingException) when calling the "
    "SendMessage operation: Rate exceeded",
    "botocore.errorfactory.ResourceNotFoundException: An error occurred "
    "(ResourceNotFoundException) when calling the GetSecretValue operation: not found",
    "psycopg.errors.UniqueViolation: duplicate key value violates unique constraint",
    "django.db.utils.OperationalError: server closed the connection unexpectedly",
)
_LINES = (
    '10.0.{a}.{b} - - [26/Nov/2026:10:00:{s:02} +0000] "GET /people/{n} HTTP/1.1" 200 {n}',
    "2026-11-26 10:00:{s:02},123 INFO shop.orders order {n} placed in {a} ms, errors=0",
    "2026-11-26 10:00:{s:02},123 WARNING shop.cache miss for key user:{n}, loading it",
    "2026-11-26T10:00:{s:02}.000Z DEBUG connection pool: {a} idle, {b} busy",
    "2026-11-26 10:00:{s:02} UTC [{n}] LOG:  checkpoint complete: wrote {a} buffers",
    "START RequestId: 8f5c-{n} Version: $LATEST",
    "REPORT RequestId: 8f5c-{n} Duration: {a}.{b} ms Billed Duration: {a} ms Memory Size: 128 MB",
    "Nov 26 10:00:{s:02} web-1 kernel: [{n}.{a}] eth0: link becomes ready",
    "I1126 10:00:{s:02}.{n} 1 controller.go:{a}] Syncing deployment default/web-{b}",
    "[26/Nov/2026 10:00:{s:02}] WARNING [django.request:{a}] Not Found: /favicon.ico",
    "2026-11-26 10:00:{s:02}.000 ERROR 1 --- [nio-8080-exec-{a}] o.a.c.c.C.[dispatcherServlet] : "
    "Servlet.service() threw exception java.lang.IllegalStateException: Parameter {b} is missing",
    "\tat org.springframework.web.servlet.FrameworkServlet.doGet(FrameworkServlet.java:{a})",
    "ERROR mail to customer {n} was not sent, the provider will retry",
    "INFO the provided token is valid; attribute count {a}; table rows {b}; condition met",
    "GET /v1/items?expression=a%20and%20b&parameter=in HTTP/1.1 status=404 supported=no",
)
_CALM = 10


def ordinary_log(size_bytes: int, *, seed: int = 1, is_calm: bool = False) -> Iterator[bytes]:
    """Some bytes of ordinary logs, in blocks of about 64 KB, the same for the same seed.

    A calm log has no errors, and none of the words that errors of DynamoDB have too.
    """
    templates = _LINES[:_CALM] if is_calm else _LINES
    draw = random.Random(seed)
    done = 0
    while done < size_bytes:
        lines: list[str] = []
        length = 0
        while length < 64_000:
            facts = {
                "a": draw.randrange(256),
                "b": draw.randrange(256),
                "n": draw.randrange(10**6),
                "s": draw.randrange(60),
            }
            kind = draw.random()
            if kind < 0.01 and not is_calm:
                text = "2026-11-26 10:00:00,000 ERROR shop.orders failed\n" + _TRACEBACK.format(
                    n=facts["n"], error=draw.choice(_ERRORS)
                )
            elif kind < 0.2:
                text = json.dumps(
                    {
                        "level": "INFO" if is_calm else draw.choice(["INFO", "ERROR"]),
                        "message": draw.choice(templates).format(**facts),
                        "request_id": f"{facts['n']:x}",
                    }
                )
            else:
                text = draw.choice(templates).format(**facts)
            lines.append(text)
            length += len(text) + 1
        block = ("\n".join(lines) + "\n").encode()
        done += len(block)
        yield block
