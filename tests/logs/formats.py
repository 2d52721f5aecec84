"""The formats of logs: an error as each writes it, by the real formatters where they install.

AWS Lambda's formats are after awslambdaric 4.2.2 (bootstrap.py and lambda_runtime_log_utils.py).
"""

from __future__ import annotations

import io
import json
import logging
import traceback
from collections.abc import Callable
from itertools import count
from types import TracebackType
from typing import Any

import structlog
from aws_lambda_powertools import Logger
from pythonjsonlogger.json import JsonFormatter

from tests.logs.provocations import Provoked

_services = count()
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def _exc_info(error: BaseException) -> ExcInfo:
    return type(error), error, error.__traceback__


def _logged(provoked: Provoked, formatter: logging.Formatter) -> str:
    record = logging.LogRecord(
        "people",
        logging.ERROR,
        "/var/task/handlers/people.py",
        12,
        "people failed" if provoked.error else provoked.logged,
        None,
        _exc_info(provoked.error) if provoked.error else None,
    )
    return formatter.format(record)


def plain(provoked: Provoked) -> str:
    return _logged(provoked, logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))


def lambda_text(provoked: Provoked) -> str:
    """An error that a handler raised: one event, with carriage returns and hard spaces."""
    if provoked.error is None:
        return f"[ERROR]\t2026-11-26T10:00:00.000Z\trequest-id\t{provoked.logged}"
    head = f"[ERROR] {type(provoked.error).__name__}: {provoked.error}\r"
    lines = traceback.format_tb(provoked.error.__traceback__)
    body = "\r".join(line.rstrip("\n").replace("\n", "\r") for line in lines)
    return head + "Traceback (most recent call last):\r" + body.replace("  ", "\u00a0\u00a0")


def lambda_json(provoked: Provoked) -> str:
    """An error that a handler raised, with LogFormat JSON."""
    error = provoked.error
    if error is None:
        return lambda_json_logger(provoked)
    return json.dumps(
        {
            "timestamp": "2026-11-26T10:00:00Z",
            "log_level": "ERROR",
            "errorMessage": str(error),
            "errorType": type(error).__name__,
            "requestId": "e4d9",
            "stackTrace": traceback.format_tb(error.__traceback__),
        },
        ensure_ascii=False,
    )


def lambda_json_logger(provoked: Provoked) -> str:
    """What a handler logged, with LogFormat JSON."""
    entry: dict[str, Any] = {
        "timestamp": "2026-11-26T10:00:00Z",
        "level": "ERROR",
        "message": provoked.logged or "people failed",
        "logger": "people",
        "requestId": "e4d9",
    }
    if provoked.error is not None:
        entry |= {
            "stackTrace": traceback.format_tb(provoked.error.__traceback__),
            "errorType": type(provoked.error).__name__,
            "errorMessage": str(provoked.error),
        }
    return json.dumps(entry)


def powertools(provoked: Provoked) -> str:
    text = io.StringIO()
    logger = Logger(service=f"people-{next(_services)}", stream=text)  # one stream a service
    error = provoked.error
    logger.error(provoked.logged or "failed", exc_info=_exc_info(error) if error else None)
    return text.getvalue().rstrip("\n")


def structlog_json(provoked: Provoked) -> str:
    text = io.StringIO()
    logger = structlog.wrap_logger(
        structlog.PrintLogger(text),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )
    if provoked.error is not None:
        logger.error("failed", exc_info=_exc_info(provoked.error))
    else:
        logger.error(provoked.logged)
    return text.getvalue().rstrip("\n")


def json_logger(provoked: Provoked) -> str:
    return _logged(provoked, JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))


def text_before_json(provoked: Provoked) -> str:
    return f"2026-11-26T10:00:00.000Z\te4d9\tERROR\t{lambda_json_logger(provoked)}"


def docker(provoked: Provoked) -> str:
    """docker's json-file: an object for each line."""
    return "\n".join(
        json.dumps({"log": f"{line}\n", "stream": "stderr", "time": "2026-11-26T10:00:00.1Z"})
        for line in plain(provoked).splitlines()
    )


def kubernetes(provoked: Provoked) -> str:
    """CRI: each line with its time and stream."""
    return "\n".join(
        f"2026-11-26T10:00:00.123456789Z stderr F {line}" for line in plain(provoked).splitlines()
    )


def compose(provoked: Provoked) -> str:
    return "\n".join(f"people-1  | {line}" for line in plain(provoked).splitlines())


FORMATS: dict[str, Callable[[Provoked], str]] = {
    each.__name__: each
    for each in (
        plain,
        lambda_text,
        lambda_json,
        lambda_json_logger,
        powertools,
        structlog_json,
        json_logger,
        text_before_json,
        docker,
        kubernetes,
        compose,
    )
}
