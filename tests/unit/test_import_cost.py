"""`import dynasafe` is cheap: each part is loaded when it is asked for, a client last of all."""

from __future__ import annotations

import subprocess
import sys

import pytest

import dynasafe

HEAVY = {"aioboto3", "aiobotocore", "aiohttp", "boto3", "botocore", "moto", "pydantic"}


def run(script: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout


def loaded_by(script: str) -> set[str]:
    return set(run(f"{script}; import sys; print(*sys.modules)").split())


@pytest.mark.parametrize(
    "script", ["from dynasafe import *", "import dynasafe.testing.engines", "import dynasafe.cli"]
)
def test_given_a_fresh_process_when_imported_then_nothing_heavy_is_loaded(script: str) -> None:
    assert {name.partition(".")[0] for name in loaded_by(script)} & HEAVY == set()


@pytest.mark.parametrize("script", ["import dynasafe", "from dynasafe import UpdateBuilder, Item"])
def test_given_no_client_then_asyncio_is_not_loaded(script: str) -> None:
    loaded = loaded_by(script)
    assert "dynasafe" in loaded
    assert loaded & {"asyncio", "ssl"} == set()


@pytest.mark.parametrize("first", ["", "import dynasafe.guard", "import dynasafe.testing.scripted"])
def test_given_any_public_name_then_it_is_there_whatever_was_loaded_before(first: str) -> None:
    names = ", ".join(dynasafe.__all__)
    script = f"{first}\nfrom dynasafe import {names}\nprint(all(map(callable, ({names}))))"
    assert run(script) == "True\n"


def test_given_the_package_then_it_tells_its_names_and_no_others() -> None:
    assert set(dynasafe.__all__) <= set(dir(dynasafe))
    with pytest.raises(AttributeError, match="module 'dynasafe' has no attribute 'Tabel'"):
        dynasafe.Tabel  # type: ignore[attr-defined]  # noqa: B018
