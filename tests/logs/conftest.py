"""What every provocation gave, once for the session."""

from __future__ import annotations

import gc
import logging
import os
import warnings
from collections.abc import Iterator

import pytest

from dynasafe.testing.engines import EngineUnavailableError, start_engine
from tests.logs.provocations import PROVOCATIONS, Bench, Provoked, provoke, stub


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    try:
        with start_engine("dynamodb-local") as engine, stub() as server:
            one = Bench(engine.endpoint_url, server)
            one.create_tables()
            yield one
    except EngineUnavailableError as error:
        if os.environ.get("CI") or os.environ.get("DYNASAFE_REQUIRE_ENGINES"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def provoked(bench: Bench) -> dict[str, Provoked]:
    gc.collect()
    gc.freeze()  # so that looking for what a provocation threw away is cheap
    try:
        with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
                patch.delenv(name, raising=False)
            patch.setenv("AWS_CONFIG_FILE", os.devnull)
            patch.setattr(logging.getLogger("asyncio"), "propagate", False)  # pytest keeps records
            found = {name: provoke(name, bench) for name in PROVOCATIONS}
            gc.collect()
    finally:
        gc.unfreeze()
    return found
