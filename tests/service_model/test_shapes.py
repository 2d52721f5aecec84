"""The shapes of requests beside botocore's service model, and requests beside its own check."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

import pytest
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, given, settings

from dynasafe import check_request
from dynasafe.operations import OPERATIONS
from dynasafe.validation.service_shapes import SHAPES
from dynasafe.validation.shapes import REQUESTS, Shape, request_shape
from tests.service_model.shapes import written
from tests.support.botocore_models import newest_model
from tests.support.requests import FAULT_RATES, RANDOMS, near

COPIES = 400 if os.environ.get("HYPOTHESIS_PROFILE") != "nightly" else 20_000


@cache
def model() -> dict[str, Any]:
    return newest_model()


def test_every_shape() -> None:
    """The table of shapes is that of the service model: AWS has added or changed nothing."""
    fix = "DYNASAFE_BOTOCORE=... python -m tests.service_model.shapes, and look at what is new"
    assert SHAPES.strip() == written(model()), fix


def described(shape_name: str, place: str = "") -> Iterator[tuple[str, bool]]:
    """The places of all members, and whether they are required."""
    shape = model()["shapes"][shape_name]
    match shape["type"]:
        case "structure" if shape_name != "AttributeValue":
            for name, member in shape["members"].items():
                inner = f"{place}.{name}"
                yield inner, name in shape.get("required", ())
                yield from described(member["shape"], inner)
        case "list":
            yield from described(shape["member"]["shape"], f"{place}[]")
        case "map":
            yield from described(shape["value"]["shape"], f"{place}{{}}")
        case _:
            pass


def known(shape: Shape, place: str = "") -> Iterator[tuple[str, bool]]:
    for name, member in shape.members.items():
        yield f"{place}.{name}", member.is_required
        yield from known(member, f"{place}.{name}")
    if shape.each is not None:
        yield from known(shape.each, f"{place}{'[]' if shape.kind == 'List' else '{}'}")


@pytest.mark.parametrize("operation", sorted(REQUESTS))
def test_every_member(operation: str) -> None:
    """Shapes that are written by hand, in the service's order, have the model's members."""
    ours = dict(known(REQUESTS[operation]))
    theirs = dict(described(model()["operations"][operation]["input"]["shape"]))
    # The service itself requires one Get, or one write, in an entry: that is a rule of its own.
    theirs = {
        place: (is_required and place[-4:] != ".Get") for place, is_required in theirs.items()
    }
    assert ours == theirs


@cache
def botocore_shape(operation: str) -> Any:
    return ServiceModel(model(), "dynamodb").operation_model(operation).input_shape


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_near_requests(operation: str) -> None:
    """Where botocore refuses the members of any operation, a finding says so, and only there."""
    shape = request_shape(operation)

    @settings(suppress_health_check=list(HealthCheck), max_examples=max(20, COPIES // 20))
    @given(random=RANDOMS)
    def run(random: Random) -> None:
        body = near(shape, random, random.choice(FAULT_RATES))
        for form in ("client", "wire", "resource"):
            assert check_request(operation, body, form=form) is not None
        if not isinstance(body, dict):
            return
        found = {each.exception for each in check_request(operation, body, form="client")}
        if "SerializationException" in found:
            return  # True for a number: botocore takes it, and may find something else
        is_refused = ParamValidator().validate(body, botocore_shape(operation)).has_errors()
        assert ("ParamValidationError" in found) is is_refused, body

    run()
