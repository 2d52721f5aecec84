"""What each recipe must stand: conflicts, lost answers, races, clocks, old items, strangers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from dynasafe.errors import DynasafeError, NotSentError
from tests.exactness import workload
from tests.examples.conftest import SEED, Rough, outcomes, rough_database, strip_optional
from tests.examples.hostile import STRANGERS, TEXTS, WITHOUT_STRANGERS
from tests.examples.pages import PAGES, page_of
from tests.examples.policies import POLICIES, policy_of, text_of
from tests.examples.service_stories import ALL_STORIES
from tests.examples.stories import Story
from tests.examples.templates import MODULES, TEMPLATES, template_of

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
SKEW = timedelta(seconds=40)
JUMPS = (
    NOW,
    NOW + timedelta(hours=1),
    NOW - timedelta(hours=1),
    NOW - timedelta(days=365),
    NOW + timedelta(days=365),
)
ATTACKS = {
    "TransactionConflict",
    "items without optional attributes",
    "races of 50",
    "the fault proxy's mix",
    "a clock that jumps",
    "hosts whose clocks differ by 40 s",
    "small pages and stale reads",
    "hostile texts",
}
"""What every recipe is attacked with: the columns of the matrix."""
READERS = frozenset({"http_paging"})
"""Examples that write nothing."""
MATRIX: dict[str, set[str]] = {}

Test = Callable[..., Any]


def attack(kind: str, targets: Mapping[str, object]) -> Callable[[Test], Test]:
    """A test of one attack on each target, which is noted in the matrix."""
    MATRIX[kind] = set(targets)
    return pytest.mark.parametrize("example", targets)


def test_matrix() -> None:
    """No recipe is spared an attack, but for those that take no text, or are sent bodies by
    their own test."""
    assert MATRIX.keys() == ATTACKS
    missing = {kind: MODULES.keys() - targets for kind, targets in MATRIX.items()}
    assert missing.pop("hostile texts") == WITHOUT_STRANGERS.keys()
    assert not any(missing.values()), missing


async def begun(example: str, **options: Any) -> tuple[Story, Rough, Any]:
    """The example's tables with its first items, behind its own policy."""
    story = ALL_STORIES[example]
    transport = Rough(story.tables(), **options)
    db = rough_database(transport)
    await story.begin(db)
    transport.policy = policy_of(example)
    return story, transport, db


@attack("TransactionConflict", ALL_STORIES)
async def test_conflicts(example: str) -> None:
    """Six conflicts with other transactions, and the call succeeds."""
    story, transport, db = await begun(example)
    transport.conflicts = 6

    await story.act(db, NOW, 0)
    assert transport.conflicts < 6 or example in READERS
    assert transport.denied == []


@attack("items without optional attributes", ALL_STORIES)
async def test_old_items(example: str) -> None:
    """The items at first lack every optional attribute, and the call succeeds."""
    story, transport, db = await begun(example)
    if story.items:
        strip_optional(transport, story.module.TABLES)

    await story.act(db, NOW, 0)


def unexpected(found: list[Any], expected: tuple[type[Exception], ...]) -> list[Exception]:
    return [
        each for each in found if isinstance(each, Exception) and not isinstance(each, expected)
    ]


@attack("races of 50", ALL_STORIES)
async def test_races(example: str) -> None:
    """Of 50 calls at once each succeeds or says who was quicker, and one succeeds."""
    story, transport, db = await begun(example)

    found = await outcomes((partial(story.act, db, NOW, n) for n in range(50)), at_once=50)

    assert unexpected(found, story.refusals) == []
    assert [each for each in found if not isinstance(each, Exception)]
    assert transport.denied == []


@attack("the fault proxy's mix", ALL_STORIES)
async def test_faults(example: str) -> None:
    """Of 50 calls through the mix of faults each succeeds, is refused, or says what is unknown."""
    story, transport, db = await begun(example)
    transport.plan = workload.plan(SEED)

    found = await outcomes((partial(story.act, db, NOW, n) for n in range(50)), at_once=50)

    assert unexpected(found, (*story.refusals, DynasafeError)) == []
    assert transport.lost > 0 or example in READERS
    assert transport.denied == []


async def meet_clocks(example: str, clocks: list[datetime]) -> None:
    """Callers with these clocks raise nothing but refusals."""
    story, _, db = await begun(example)
    Random(SEED).shuffle(clocks)

    found = await outcomes(
        (partial(story.act, db, now, number) for number, now in enumerate(clocks)), at_once=3
    )

    assert unexpected(found, story.refusals) == []
    assert [each for each in found if not isinstance(each, Exception)]


@attack("a clock that jumps", ALL_STORIES)
async def test_jumps(example: str) -> None:
    """Clocks that jump by an hour and a year raise nothing but refusals."""
    await meet_clocks(example, list(JUMPS) * 3)


@attack("hosts whose clocks differ by 40 s", ALL_STORIES)
async def test_skew(example: str) -> None:
    """Hosts whose clocks are 40 s apart raise nothing but refusals."""
    await meet_clocks(example, [NOW, NOW + SKEW, NOW - SKEW] * 4)


@attack("small pages and stale reads", ALL_STORIES)
async def test_small_pages(example: str) -> None:
    """With pages of one item, and reads that miss the last write where they may, calls succeed."""
    story, transport, db = await begun(example, page_items=1, stale_reads=True)

    found = await outcomes((partial(story.act, db, NOW, n) for n in range(3)), at_once=1)

    assert unexpected(found, story.refusals) == []
    assert not isinstance(found[0], Exception)
    assert transport.denied == []


@attack("hostile texts", STRANGERS)
async def test_hostile_texts(example: str) -> None:
    """Whatever text a stranger sends, the recipe refuses it in its own words, or sends nothing."""
    stranger = STRANGERS[example]
    _, transport, db = await begun(example)
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
    assert transport.denied == []


def test_every_recipe_has_a_story() -> None:
    """No recipe is left out."""
    assert ALL_STORIES.keys() == MODULES.keys()


@pytest.mark.parametrize("example", MODULES)
def test_template(example: str) -> None:
    """The CloudFormation template says what the Item classes say."""
    path = TEMPLATES / f"{example}.yaml"

    assert path.read_text() == template_of(example), "Fix: python -m tests.examples.templates"
    assert yaml.safe_load(path.read_text())["Resources"]


@pytest.mark.parametrize("example", MODULES)
def test_policy(example: str) -> None:
    """The IAM policy allows the operations that the code calls, each on its table or index."""
    path = POLICIES / f"{example}.json"

    assert path.read_text() == text_of(example), "Fix: python -m tests.examples.policies"
    for statement in policy_of(example)["Statement"]:
        assert statement["Effect"] == "Allow"
        assert "*" not in statement["Resource"]
        assert statement["Action"]
        assert all("*" not in action for action in statement["Action"])


@pytest.mark.parametrize("example", MODULES)
def test_page(example: str) -> None:
    """The page begins with the threat model and the contract of the docstring."""
    path = PAGES / f"{example}.md"

    assert path.read_text() == page_of(example), "Fix: python -m tests.examples.pages"


def test_no_other_files() -> None:
    """Each template and each policy belongs to an example."""
    for folder in (TEMPLATES, POLICIES):
        assert {Path(path).stem for path in folder.iterdir()} == MODULES.keys()
