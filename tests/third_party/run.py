"""The scenarios of one package, in one way of being guarded, as JSON.

    python -m tests.third_party.run PACKAGE GUARDING URL

Each run has a process of its own, since packages keep their clients.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import pkgutil
import sys
import traceback
from dataclasses import asdict
from typing import Any
from uuid import uuid4

from dynasafe import guard_process
from tests.third_party import scenarios
from tests.third_party.recording import Records, recording
from tests.third_party.scenario import SCENARIOS, Place, Run, use_engine

GUARDINGS: dict[str, dict[str, Any] | None] = {
    "unguarded": None,
    "warned": {"mode": "warn"},
    "warned, described": {"mode": "warn", "schema": "describe"},
    "guarded": {"mode": "raise"},
    "repaired": {"mode": "repair"},
}


def outcome(run: Run, url: str) -> str:
    """What the scenario returns, or its error: class, and the first line but for the table."""
    place = Place(url, f"t-{uuid4().hex[:12]}")
    try:
        result = run(place)
        if inspect.isawaitable(result):
            result = asyncio.run(_awaited(result))
    except Exception as error:
        if "-v" in sys.argv:
            traceback.print_exc()
        code = getattr(error, "response", {})
        code = code.get("Error", {}).get("Code", "") if isinstance(code, dict) else ""
        name = _public_class(error).__name__
        return f"raises {name} {code}".strip()
    return repr(result).replace(place.table, "TABLE")


async def _awaited(result: Any) -> Any:
    return await result


def _public_class(error: Exception) -> type:
    """Of an error of the guard, the class of botocore that existing code expects."""
    for each in type(error).__mro__:
        if not each.__module__.startswith("dynasafe"):
            return each
    raise AssertionError(error)


def main() -> None:
    package, guarding, url, *_ = sys.argv[1:]
    use_engine(url)
    module = package.replace("-", "_")
    names = [each.name for each in pkgutil.iter_modules(scenarios.__path__)]
    assert module in names, f"{module} is not one of {names}"
    settings = GUARDINGS[guarding]
    with recording() as records:
        if settings is not None:
            guard_process(hooks=[records.note], **settings)
        importlib.import_module(f"tests.third_party.scenarios.{module}")
        outcomes = {name: outcome(run, url) for name, run in SCENARIOS[package].items()}
    print(json.dumps({"outcomes": outcomes, "records": _kept(records)}))


def _kept(records: Records) -> dict[str, Any]:
    return {name: value for name, value in asdict(records).items() if name[0] != "_"}


if __name__ == "__main__":
    main()
