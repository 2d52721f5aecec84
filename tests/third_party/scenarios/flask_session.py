"""Flask-Session on DynamoDB."""

from __future__ import annotations

from typing import Any

import boto3
from flask import Flask, session
from flask_session import Session

from tests.third_party.scenario import Place, scenario


def client(place: Place) -> Any:
    app = Flask("app")
    app.config |= {
        "SESSION_TYPE": "dynamodb",
        "SESSION_DYNAMODB": boto3.resource("dynamodb", **place.options()),
        "SESSION_DYNAMODB_TABLE": place.table,
    }
    Session(app)

    @app.get("/set/<int:size>")
    def put(size: int) -> str:
        session["name"] = "x" * size
        return "ok"

    @app.get("/get")
    def get() -> str:
        return str(len(session.get("name", "")))

    @app.get("/clear")
    def clear() -> str:
        session.clear()
        return "ok"

    return app.test_client()


@scenario("flask-session")
def sets_and_gets(place: Place) -> Any:
    made = client(place)
    return [made.get(path).text for path in ("/get", "/set/5", "/get", "/clear", "/get")]


@scenario("flask-session")
def sets_what_is_too_large(place: Place) -> Any:
    return client(place).get("/set/450000").status_code
