"""What each recipe must stand: conflicts, lost answers, races, clocks, old items."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

import pytest
import yaml

from dynasafe.errors import DynasafeError, NotSentError
from tests.examples.conftest import SEED, Rough, outcomes, rough_database, strip_optional
from tests.examples.hostile import STRANGERS, TEXTS, WITHOUT_STRANGERS
from tests.examples.stories import STORIES, Story
from tests.examples.templates import MODULES, TEMPLATES, template_of

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
SKEW = timedelta(seconds=40)
CLOCKS = (
    NOW,
    NOW - SKEW,
    NOW + SKEW,
    NOW + timedelta(hours=1),
    NOW - timedelta(days=365),
    NOW + timedelta(days=365),
)
EVERY = pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)


def test_every_recipe_has_a_story() -> None:
    """No recipe is left out."""
    assert STORIES.keys() == MODULES.keys()


@EVERY
async def test_conflicts(story: Story) -> None:
    """Six conflicts with other transactions, and the call succeeds."""
    transport = Rough(story.tables())
    db = rough_database(transport)
    await story.begin(db)
    transport.conflicts = 6

    await story.act(db, NOW, 0)


@EVERY
async def test_old_items(story: Story) -> None:
    """The items at first lack every optional attribute, and the call succeeds."""
    transport = Rough(story.tables())
    db = rough_database(transport)
    await story.begin(db)
    if story.items:
        strip_optional(transport, story.module.TABLES)

    await story.act(db, NOW, 0)


@EVERY
async def test_races_and_faults(story: Story) -> None:
    """Of 50 calls at once, of whose writes a fifth fail, each succeeds or says why not."""
    transport = Rough(story.tables(), rate=0.2)
    db = rough_database(transport)
    await story.begin(db)

    found = await outcomes((partial(story.act, db, NOW, n) for n in range(50)), at_once=50)

    errors = [each for each in found if isinstance(each, Exception)]
    assert [each for each in errors if not isinstance(each, (*story.refusals, DynasafeError))] == []


@EVERY
async def test_clocks(story: Story) -> None:
    """Clocks that disagree and jump by a year raise nothing but refusals."""
    transport = Rough(story.tables())
    db = rough_database(transport)
    await story.begin(db)
    clocks = list(CLOCKS) * 3
    Random(SEED).shuffle(clocks)

    found = await outcomes(
        (partial(story.act, db, now, number) for number, now in enumerate(clocks)), at_once=3
    )

    errors = [each for each in found if isinstance(each, Exception)]
    assert [each for each in errors if not isinstance(each, story.refusals)] == []


@pytest.mark.parametrize("example", MODULES)
def test_template(example: str) -> None:
    """The CloudFormation template says what the Item classes say."""
    path = TEMPLATES / f"{example}.yaml"

    assert path.read_text() == template_of(example), "Fix: python -m tests.examples.templates"
    assert yaml.safe_load(path.read_text())["Resources"]


@pytest.mark.parametrize("example", STRANGERS)
async def test_hostile_texts(example: str) -> None:
    """Whatever text a stranger sends, the recipe refuses it in its own words, or sends nothing."""
    stranger, story = STRANGERS[example], STORIES[example]
    db = rough_database(Rough(story.tables()))
    await story.begin(db)
    wrong = []
    for text in TEXTS:
        for call in stranger.call(db, text):
            try:
                await call
            except (*stranger.refusals, NotSentError):
                continue
            except Exception as error:
                wrong.append((text[:20], repr(error)[:200]))

    assert wrong == []


def test_every_recipe_meets_strangers() -> None:
    """No recipe that takes texts is left out."""
    assert STRANGERS.keys() | WITHOUT_STRANGERS.keys() == STORIES.keys()
