"""Each page of a rule: what it calls wrong is found, with its answer; what is right is silent."""

from __future__ import annotations

import pytest
from botocore.session import get_session

from dynasafe.findings.source_code import PREAMBLE, SOURCE_CODE
from dynasafe.lint.engine import RULES
from dynasafe.lint.rules.errors import CLIENT_EXCEPTIONS
from tests.support.linting import codes, problems

PATHS = {"DYS370": "test_app.py", "DYS371": "test_app.py"}


def test_every_rule_has_a_page() -> None:
    """Rules and pages have the same codes."""
    assert {*RULES, "DYS399"} == set(SOURCE_CODE)


@pytest.mark.parametrize("code", SOURCE_CODE)
def test_wrong_is_found(code: str) -> None:
    """The wrong example has one problem, with the answer of the page."""
    page = SOURCE_CODE[code]

    (problem,) = problems(page.wrong, code, path=PATHS.get(code, "app.py"), before=PREAMBLE)

    assert problem.code == code
    assert problem.answer == page.answer


@pytest.mark.parametrize("code", SOURCE_CODE)
def test_right_is_silent(code: str) -> None:
    """The right example has no problem."""
    page = SOURCE_CODE[code]

    assert codes(page.right, code, path=PATHS.get(code, "app.py"), before=PREAMBLE) == []


def test_exceptions_of_the_model() -> None:
    """The exceptions that a client has are those of botocore's model."""
    model = get_session().get_service_model("dynamodb")

    assert {each.name for each in model.error_shapes} <= CLIENT_EXCEPTIONS
