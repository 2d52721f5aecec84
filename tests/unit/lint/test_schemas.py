"""Table schemas that the configuration names."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynasafe.lint.schemas import read_schema
from dynasafe.lint.settings import SettingsError

SCHEMA = {
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "at", "KeyType": "RANGE"},
    ],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "at", "AttributeType": "N"},
    ],
}
CLASSES = """
class Person(Item):
    id: Attr[str] = attribute(name="pk", key="partition")
    at: Attr[int] = attribute(key="sort")
    name: Attr[str] = attribute(default="")
    other: str = "x"

class Plain:
    id: str
"""
FILES = {
    "table.json": '{"KeySchema": []}',
    "template.json": '{"Resources": {"People": {"Properties": {"KeySchema": []}}}}',
    "list.json": "[]",
    "broken.json": "{",
    "models.py": CLASSES,
    "src/app/__init__.py": CLASSES,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with schemas."""
    (tmp_path / "src" / "app").mkdir(parents=True)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("place", "schema"),
    [
        ("table.json", {"KeySchema": []}),
        ("template.json#People", {"KeySchema": []}),
        ("models.Person", SCHEMA),
        ("app.Person", SCHEMA),
    ],
)
def test_schema(folder: Path, place: str, schema: object) -> None:
    """A schema is read from a description, a template or a class."""
    assert read_schema(place, folder) == schema


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("none.json", "FileNotFoundError"),
        ("broken.json", "JSONDecodeError"),
        ("list.json", "list.json is not a JSON object"),
        ("list.json#People", "TypeError"),
        ("template.json#Pets", "KeyError: 'Pets'"),
        ("template.yaml#People", "only JSON is read. Fix: convert the template"),
        ("none.Person", "there is no module none"),
        ("models.Pet", "models.py has no class Pet"),
        ("models.Plain", "Plain has no attribute(key='partition'). Fix: name an Item class"),
    ],
)
def test_wrong_place(folder: Path, place: str, words: str) -> None:
    """What is wrong with a place is said."""
    with pytest.raises(SettingsError) as caught:
        read_schema(place, folder)
    assert words in str(caught.value)
