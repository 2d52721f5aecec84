"""tests/unit mirrors the package: each file there names the module that it is about."""

from __future__ import annotations

from pathlib import Path

from tests.order import ROOT, WITHOUT_ENGINES

UNIT = ROOT / "tests" / "unit"


def modules(folder: Path) -> set[str]:
    """The modules and packages that are in a folder of the package."""
    found = {path.stem for path in folder.glob("*.py")}
    return found | {path.parent.name for path in folder.glob("*/__init__.py")}


def names_a_module(test: Path) -> bool:
    """Whether it is called test_<module>, or test_<module>_<subject>, in the module's folder."""
    name = test.stem.removeprefix("test_")
    folder = ROOT / "dynasafe" / test.parent.relative_to(UNIT)
    return any(name == module or name.startswith(f"{module}_") for module in modules(folder))


def test_each_file_names_its_module() -> None:
    """Each file in tests/unit has the name of a module of the package."""
    files = sorted(UNIT.rglob("test_*.py"))
    assert [str(each.relative_to(UNIT)) for each in files if not names_a_module(each)] == []
    assert len(files) > 50


def test_other_names_are_found() -> None:
    """A subject without a module, a module of another folder, and a folder without a package."""
    for path in ("test_walk.py", "items/test_wire.py", "parts/test_item.py"):
        assert not names_a_module(UNIT / path)


def test_all_systems_run_what_needs_no_engine() -> None:
    """CI names the same folders that are in random order, and that wheels are tested with."""
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert f"pytest -q {' '.join(WITHOUT_ENGINES)}\n" in workflow
