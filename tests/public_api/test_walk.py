"""How far a call walks through the modules: a path that grows is read and paid for by everyone."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

import dynasafe
from dynasafe import AsyncTable, UpdateBuilder
from dynasafe.testing import ScriptedTransport
from tests.support.people import Person

PACKAGE = str(Path(dynasafe.__file__).parent)


async def test_update_walks_few_modules() -> None:
    """A typed update of two actions, built, sent and answered, once everything is warm."""
    people = AsyncTable("people", Person, transport=ScriptedTransport(otherwise={}))
    walked: list[str] = []

    def note(frame: FrameType, event: str, argument: Any) -> None:
        place = frame.f_code.co_filename
        if event == "call" and place.startswith(PACKAGE) and "testing" not in place:
            walked.append(place)

    async def update(person_id: str) -> None:
        builder = UpdateBuilder(Person).set(Person.name, "Ada").increment(Person.visits, 1)
        await people.update_item({"id": person_id}, builder)

    for person_id in ("a", "b", "c"):
        await update(person_id)
    sys.setprofile(note)
    try:
        await update("d")
    finally:
        sys.setprofile(None)

    switches = sum(here != there for here, there in pairwise(walked))
    counts = {"calls": len(walked), "modules": len(set(walked)), "switches": switches}
    # Compiled code is not counted, so that a wheel counts less.
    assert counts["modules"] <= 20, counts
    assert counts["switches"] <= 60, counts
    assert counts["calls"] <= 102, counts
