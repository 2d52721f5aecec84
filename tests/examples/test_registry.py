"""The registry: people, projects and subscriptions, from creation to deletion."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from base64 import urlsafe_b64encode
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from dynasafe.errors import InvalidRequestError, ServiceError
from examples.registry.errors import AlreadyExistsError, BadCursorError, InUseError, NotFoundError
from examples.registry.models import INDEXES, TABLES, Person, Project, Status, Subscription
from examples.registry.paging import read_cursor, write_cursor
from examples.registry.service import Registry, open_registry
from tests.examples.conftest import (
    MakeDatabase,
    MakeFaulty,
    Rough,
    count,
    outcomes,
    rough_database,
    strip_optional,
)

ROOT = Path(__file__).parent.parent.parent

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


@pytest.fixture
async def registry(database: MakeDatabase) -> Registry:
    return Registry(
        await database(
            indexes=INDEXES,
            **TABLES,
        )
    )


def ada() -> Person:
    return Person(id="p1", name="Ada", created_at=NOW, email="ada@example.org")


async def test_person_is_created_once(registry: Registry) -> None:
    """A second person with the same id is refused."""
    await registry.people.create(ada())

    with pytest.raises(AlreadyExistsError, match="a person 'p1' already"):
        await registry.people.create(Person(id="p1", name="Eve", created_at=NOW))

    assert await registry.people.get("p1") == ada()


async def test_patch_changes_what_it_names(registry: Registry) -> None:
    """A patch changes what it names and nothing else."""
    await registry.people.create(ada())

    changed = await registry.people.update("p1", {"name": "Ada L.", "email": None})

    assert changed == Person(id="p1", name="Ada L.", created_at=NOW)
    assert await registry.people.get("p1") == changed


@pytest.mark.parametrize(
    ("patch", "named"),
    [
        ({"is_admin": True}, "is_admin"),
        ({"id": "p2"}, "id"),
        ({"created_at": NOW}, "created_at"),
        ({"name": None}, "name"),
        ({"nobody": 1}, "nobody"),
    ],
)
async def test_patch_of_what_must_stay(patch: dict[str, object], named: str) -> None:
    """A patch changes what it names; keys, owners and prices stay."""
    registry = Registry(rough_database(Rough(TABLES)))
    await registry.people.create(ada())

    with pytest.raises(InvalidRequestError, match=named):
        await registry.people.update("p1", patch)

    assert await registry.people.get("p1") == ada()


async def test_empty_patch_writes_nothing(registry: Registry) -> None:
    """An empty patch returns the person as stored."""
    await registry.people.create(ada())

    assert await registry.people.update("p1", {}) == ada()


async def test_missing_person(registry: Registry) -> None:
    """Reading or changing a missing person raises; deleting it does not."""
    for patch in ({}, {"name": "Eve"}):
        with pytest.raises(NotFoundError, match="There is no person 'p9'"):
            await registry.people.update("p9", patch)
    with pytest.raises(NotFoundError):
        await registry.people.get("p9")
    await registry.people.delete("p9")

    assert (await registry.people.list()).items == ()


async def test_list_by_pages(registry: Registry) -> None:
    """Listing by pages gives each person once."""
    ids = [f"p{number}" for number in range(7)]
    for id_ in ids:
        await registry.people.create(Person(id=id_, name="x", created_at=NOW))

    listed, cursor = [], None
    while True:
        page = await registry.people.list(limit=3, cursor=cursor)
        listed += [person.id for person in page.items]
        cursor = page.cursor
        if cursor is None:
            break

    assert sorted(listed) == ids


async def test_lists_of_owners(registry: Registry) -> None:
    """A cursor of one owner shows nothing of another one's."""
    await registry.people.create(ada())
    await registry.people.create(Person(id="p2", name="Grace", created_at=NOW))
    for number in range(5):
        await registry.projects.create(
            Project(
                id=f"j{number}",
                owner_id="p1" if number != 2 else "p2",
                name=f"Project {number}",
                created_at=NOW + timedelta(days=number),
            )
        )

    first = await registry.projects.list("p1", limit=3)
    second = await registry.projects.list("p1", limit=3, cursor=first.cursor)

    assert [project.id for project in (*first.items, *second.items)] == ["j4", "j3", "j1", "j0"]
    assert second.cursor is None
    # A cursor of one owner, given by another, shows nothing of the first.
    others = await registry.projects.list("p2", limit=3, cursor=first.cursor)
    assert all(project.owner_id == "p2" for project in others.items)


async def test_project(registry: Registry) -> None:
    """A project needs its owner, is patched without its owner_id, and is deleted."""
    project = Project(id="j1", owner_id="p1", name="Engine", created_at=NOW, tags={"steam"})
    with pytest.raises(NotFoundError, match="no person 'p1'"):
        await registry.projects.create(project)
    await registry.people.create(ada())
    await registry.projects.create(project)
    with pytest.raises(AlreadyExistsError):
        await registry.projects.create(project)

    changed = await registry.projects.update("j1", {"status": Status.ENDED, "tags": None})
    assert (changed.status, changed.tags, changed.name) == (Status.ENDED, set(), "Engine")
    assert await registry.projects.update("j1", {}) == changed
    with pytest.raises(InvalidRequestError, match="owner_id"):
        await registry.projects.update("j1", {"owner_id": "p2"})

    await registry.projects.delete("j1")
    with pytest.raises(NotFoundError):
        await registry.projects.update("j1", {"name": "x"})
    with pytest.raises(NotFoundError):
        await registry.projects.get("j1")


async def test_subscription_needs_its_person(registry: Registry) -> None:
    """A subscription is created once, and only for a person that exists."""
    subscription = Subscription(person_id="p1", id="s1", plan="basic", price_cents=990)

    with pytest.raises(NotFoundError, match="no person 'p1'"):
        await registry.subscriptions.create(subscription)
    await registry.people.create(ada())
    await registry.subscriptions.create(subscription)
    with pytest.raises(AlreadyExistsError, match="a subscription 's1' already"):
        await registry.subscriptions.create(subscription)

    assert await registry.subscriptions.get("p1", "s1") == subscription


async def test_subscriptions(registry: Registry) -> None:
    """Subscriptions are listed by pages, patched without their price, and deleted."""
    await registry.people.create(ada())
    for id_ in ("s1", "s2", "s3"):
        await registry.subscriptions.create(
            Subscription(person_id="p1", id=id_, plan="basic", price_cents=990)
        )

    renews_on = date(2027, 1, 1)
    changed = await registry.subscriptions.update("p1", "s2", {"renews_on": renews_on})
    assert changed.renews_on == renews_on
    assert (await registry.subscriptions.update("p1", "s2", {})).renews_on == renews_on
    with pytest.raises(InvalidRequestError, match="price_cents"):
        await registry.subscriptions.update("p1", "s2", {"price_cents": 1})
    with pytest.raises(NotFoundError):
        await registry.subscriptions.update("p1", "s9", {"plan": "pro"})

    first = await registry.subscriptions.list("p1", limit=2)
    assert [each.id for each in first.items] == ["s1", "s2"]
    rest = await registry.subscriptions.list("p1", limit=2, cursor=first.cursor)
    assert [each.id for each in rest.items] == ["s3"]
    await registry.subscriptions.delete("p1", "s2")
    await registry.subscriptions.delete("p1", "s2")
    with pytest.raises(NotFoundError):
        await registry.subscriptions.get("p1", "s2")


async def test_json_patches(registry: Registry) -> None:
    """A body as JSON has it, with a date, a state and a list as texts, is a patch."""
    await registry.people.create(ada())
    await registry.projects.create(Project(id="j1", owner_id="p1", name="x", created_at=NOW))
    await registry.subscriptions.create(
        Subscription(person_id="p1", id="s1", plan="basic", price_cents=990)
    )

    patch = json.loads('{"renews_on": "2027-01-01", "status": "ended"}')
    changed = await registry.subscriptions.update("p1", "s1", patch)
    assert (changed.renews_on, changed.status) == (date(2027, 1, 1), Status.ENDED)
    project = await registry.projects.update("j1", json.loads('{"tags": ["a", "b"]}'))
    assert project.tags == {"a", "b"}


async def test_person_with_holdings_is_kept(registry: Registry) -> None:
    """A person with projects or subscriptions is not deleted until these are."""
    await registry.people.create(ada())
    await registry.projects.create(Project(id="j1", owner_id="p1", name="x", created_at=NOW))
    await registry.subscriptions.create(
        Subscription(person_id="p1", id="s1", plan="basic", price_cents=990)
    )

    for _ in range(2):
        assert (await registry.people.get("p1")).holdings == 2
        with pytest.raises(InUseError, match="has projects or subscriptions"):
            await registry.people.delete("p1")
    await registry.projects.delete("j1")
    await registry.projects.delete("j1")
    assert (await registry.people.get("p1")).holdings == 1
    await registry.subscriptions.delete("p1", "s1")
    await registry.people.delete("p1")

    assert (await registry.people.list()).items == ()


async def test_races_and_faults(faulty: MakeFaulty) -> None:
    """A project or a subscription is never left without its person, however many requests race."""
    db, calm, _ = await faulty(**TABLES)
    registry, truth = Registry(db), Registry(calm)
    for number in range(15):
        id_ = f"p{number}"
        await truth.people.create(Person(id=id_, name="x", created_at=NOW))
        project = Project(id=id_, owner_id=id_, name="x", created_at=NOW)
        subscription = Subscription(person_id=id_, id="s1", plan="basic", price_cents=990)
        calls = [
            partial(registry.people.delete, id_),
            partial(registry.projects.create, project),
            partial(registry.subscriptions.create, subscription),
            partial(registry.projects.delete, id_),
        ]

        found = await outcomes(calls if number % 2 else reversed(calls))

        refusals = (NotFoundError, InUseError, ServiceError)
        assert count(found, None) + sum(count(found, kind) for kind in refusals) == 4
        held = await calm.table("projects", Project).get_item({"id": id_}, consistent_read=True)
        holdings = (held is not None) + len((await truth.subscriptions.list(id_)).items)
        person = await calm.table("people", Person).get_item({"id": id_}, consistent_read=True)
        assert holdings == (0 if person is None else person.holdings)


def encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "\ud800",
        "bnVsbA==",
        "e30=",
        write_cursor({"id": 3, "at": NOW}),
        write_cursor({"id": "", "at": NOW}),
        write_cursor({"id": "x", "at": "yesterday"}),
        write_cursor({"id": "x", "at": "2026-11-24T09:30:00"}),
        write_cursor({"id": "x", "at": NOW, "more": "x"}),
        encoded("[" * 700),
        encoded('{"id":' * 150),
        encoded("[" * 20_000),
        encoded('{"id": "\\ud800", "at": "2026-11-24T09:30:00Z"}'),
        encoded('{"id": ["x"], "at": "2026-11-24T09:30:00Z"}'),
        encoded('"id"'),
        encoded("3"),
    ],
)
def test_bad_cursors(cursor: str) -> None:
    """A malformed cursor raises BadCursorError, whatever it holds."""
    with pytest.raises(BadCursorError):
        read_cursor(cursor, "id", times=("at",))


async def test_migrated() -> None:
    """A person without `holdings`, as after a migration, gets projects and can be deleted."""
    transport = Rough(TABLES)
    registry = Registry(rough_database(transport))
    for id_ in ("p1", "p2"):
        await registry.people.create(Person(id=id_, name="x", created_at=NOW))
    strip_optional(transport, TABLES)

    await registry.people.delete("p1")
    await registry.projects.create(Project(id="j1", owner_id="p2", name="x", created_at=NOW))
    with pytest.raises(InUseError):
        await registry.people.delete("p2")


async def test_lost_answers() -> None:
    """Through conflicts and lost answers, what is created is created once."""
    transport = Rough(TABLES, rate=0.4)
    registry = Registry(rough_database(transport))

    for number in range(20):
        await registry.people.create(Person(id=f"{number}", name="x", created_at=NOW))
        await registry.projects.create(
            Project(id=f"{number}", owner_id=f"{number}", name="x", created_at=NOW)
        )

    assert transport.lost > 5
    assert len(transport.tables["projects"].items) == 20


def test_alone(tmp_path: Path) -> None:
    """The package runs where nothing else of this repository is."""
    shutil.copytree(ROOT / "examples" / "registry", tmp_path / "registry")

    ran = subprocess.run(
        [sys.executable, "-m", "registry"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Ada" in ran.stdout


def test_cursor_roundtrip() -> None:
    """A cursor is read as the key that it was written from."""
    key = {"id": "j1", "owner_id": "p1", "created_at": NOW}

    assert read_cursor(write_cursor(key), "id", "owner_id", times=("created_at",)) == key


async def test_opening_sends_nothing() -> None:
    """The registry opens without a request."""
    async with open_registry("us-east-1") as registry:
        assert isinstance(registry, Registry)
