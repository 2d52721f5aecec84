"""A Flask application: one client serves all threads of the process.

    gunicorn --threads 16 "examples.sync.flask_app:create_app()"

With gunicorn's `preload_app` too: a forked worker starts with connections of its own.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from dynasafe import DynamoDB, UpdateBuilder
from dynasafe.errors import (
    CircuitOpenError,
    ConditionalCheckFailedError,
    DynasafeError,
    InvalidPatchError,
    NotSentError,
    OutcomeUnknownError,
    ThrottledError,
)
from examples.sync.people import Person


def create_app(db: DynamoDB | None = None) -> Flask:
    """The application, over a client of its own if none is given."""
    app = Flask(__name__)
    people = (DynamoDB.connect().open() if db is None else db).table("people", Person)

    @app.post("/people/<person_id>/visits")
    def visit(person_id: str) -> ResponseReturnValue:
        update = UpdateBuilder(Person).increment(Person.visits, 1).condition(Person.id.exists())
        # A lost answer is settled by a read: the item says whether this very write was applied.
        result = people.update_item({"id": person_id}, update, return_values="ALL_NEW")
        return jsonify(visits=result.attributes.visits)

    @app.patch("/people/<person_id>")
    def change(person_id: str) -> ResponseReturnValue:
        update = UpdateBuilder(Person).patch(request.get_json(), allow={"name"})
        people.update_item({"id": person_id}, update.condition(Person.id.exists()))
        return "", 204

    @app.errorhandler(DynasafeError)
    def failed(error: DynasafeError) -> ResponseReturnValue:
        match error:
            case InvalidPatchError():
                return jsonify(problems=dict(error.problems)), 422
            case ConditionalCheckFailedError():
                return jsonify(problem="no such person"), 404
            case OutcomeUnknownError():
                return jsonify(problem="it may have been done: read it again"), 504
            case CircuitOpenError():
                headers = {"Retry-After": str(max(1, round(error.retry_after_s)))}
                return jsonify(problem="try again later"), 503, headers
            case NotSentError() | ThrottledError():
                return jsonify(problem="try again"), 503
            case _:
                raise error

    _: Any = (visit, change, failed)  # Flask has them
    return app
