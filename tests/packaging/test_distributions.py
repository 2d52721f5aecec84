"""The wheels and the sdist, as users get them.

`make dist-check` builds them first, and names the Pythons.
"""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.order import WITHOUT_ENGINES
from tests.packaging.lowest import constraints

ROOT = Path(__file__).parent.parent.parent
DIST = ROOT / os.environ["DYNASAFE_DIST"]
PYTHONS = os.environ["DYNASAFE_PYTHONS"].split()
NOT_SHIPPED = (".ci/", ".githooks/", ".github/")
# Written when the package is built.
GENERATED = {"dynasafe/_version.py"}
ON_EACH_PYTHON = ("tests/unit", "tests/public_api")
"""The others take long, and `make test` shows what the same sources do with one Python. They run
once more where something else differs: the compiled code, or the versions of what is needed."""
FOR_UNIT_TESTS = ("--requirement", str(ROOT / "tests" / "packaging" / "unit-tests.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
COMPILED = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["mypyc"]["include"]


@dataclass(frozen=True)
class Environment:
    """A Python with nothing but what was installed into it."""

    python: Path

    def run(self, *arguments: str | Path, cwd: Path, **variables: str) -> str:
        result = subprocess.run(
            [self.python, *arguments],
            cwd=cwd,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout


def make_environment(
    folder: Path, *requirements: str, constraints: Path, python: str = PYTHONS[0]
) -> Environment:
    subprocess.run([python, "-m", "venv", folder], check=True)
    environment = Environment(folder / "bin" / "python")
    environment.run(
        *("-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--constraint", constraints, *requirements),
        cwd=folder,
    )
    return environment


def only(pattern: str) -> Path:
    (found,) = DIST.glob(pattern)
    return found


@pytest.fixture(scope="session")
def wheel() -> Path:
    return only("*.whl")


@pytest.fixture(scope="session")
def compiled_wheels() -> dict[str, Path]:
    """The wheel with compiled code for each Python, by the version: "3.11"."""
    wheels = (DIST / "compiled").glob("*.whl")
    by_tag = {each.name.split("-")[2]: each for each in wheels}
    return {
        version: by_tag[f"cp{version.replace('.', '')}"] for version in map(python_version, PYTHONS)
    }


@pytest.fixture(scope="session")
def sdist() -> Path:
    return only("*.tar.gz")


@pytest.fixture(scope="session")
def names_in_wheel(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="session")
def metadata(wheel: Path) -> Iterator[Message]:
    with ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        yield HeaderParser().parsestr(archive.read(name).decode())


@pytest.fixture(scope="session")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist without the package, so that its tests find only the one that is installed."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (top,) = folder.iterdir()
    (top / "dynasafe").rename(folder / "package")
    return top


@pytest.fixture(scope="session")
def lowest(metadata: Message, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Constraints that pin each requirement to the lowest version that the metadata allows."""
    path = tmp_path_factory.mktemp("lowest") / "constraints.txt"
    path.write_text(constraints(metadata.get_all("Requires-Dist", [])))
    return path


def compiled_files(names: set[str]) -> set[str]:
    return {each for each in names if each.endswith((".so", ".pyd"))}


def tracked() -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(listed.stdout.splitlines())


def python_version(python: str) -> str:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    asked = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return asked.stdout.strip()


# What is in them


def test_wheel_has_the_package_only(names_in_wheel: set[str]) -> None:
    """The wheel has the tracked files of the package and its version, and nothing else."""
    package = {name for name in names_in_wheel if ".dist-info/" not in name}
    assert package == {name for name in tracked() if name.startswith("dynasafe/")} | GENERATED
    assert "dynasafe/py.typed" in package


def test_compiled_wheel_has_the_sources(
    compiled_wheels: dict[str, Path], names_in_wheel: set[str]
) -> None:
    """A compiled wheel has the sources as well as the compiled modules."""
    for wheel in compiled_wheels.values():
        with ZipFile(wheel) as archive:
            entries = archive.infolist()
        names = {each.filename for each in entries if not each.is_dir()}
        names = {each for each in names if ".dist-info/" not in each}
        sources = {each for each in names_in_wheel if ".dist-info/" not in each}
        assert names - compiled_files(names) == sources
        stems = {each.partition(".")[0] for each in compiled_files(names) if "/" in each}
        assert stems == {each.removesuffix(".py") for each in COMPILED}


def test_sdist_has_the_tracked_files(sdist: Path) -> None:
    """The sdist has all tracked files but those that are not shipped."""
    with tarfile.open(sdist) as archive:
        names = {each.name.partition("/")[2] for each in archive.getmembers() if each.isfile()}
    shipped = {name for name in tracked() if not name.startswith(NOT_SHIPPED)}
    assert names - {"PKG-INFO"} == shipped | GENERATED


def test_metadata_names_each_python(metadata: Message) -> None:
    """The metadata names each Python that the tests run on, and the oldest as required."""
    prefix = "Programming Language :: Python :: 3."
    named = {
        each.rpartition(" ")[2]
        for each in metadata.get_all("Classifier", [])
        if each.startswith(prefix)
    }
    tested = {python_version(python) for python in PYTHONS}
    # A machine need not have the newer ones; the oldest runs everywhere.
    assert "3.11" in tested
    assert tested <= named
    assert metadata["Requires-Python"] == f">={min(named, key=lambda each: int(each[2:]))}"


def test_metadata_has_license_and_readme(metadata: Message) -> None:
    """The metadata has the license and the README."""
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Description-Content-Type"] == "text/markdown"
    readme = (ROOT / "README.md").read_text()
    assert metadata.get_payload() == re.sub(r"\[([^]]+)\]\((?!https?:)[^)]+\)", r"\1", readme)


def test_readme_links_work_on_pypi(metadata: Message) -> None:
    """The README in the metadata links only to addresses that PyPI can follow."""
    links = re.findall(r"\]\(([^)]+)\)", metadata.get_payload())
    assert [each for each in links if not each.startswith("https://")] == []


def test_package_knows_its_version(wheel: Path, metadata: Message) -> None:
    """The package has the version that the metadata says."""
    with ZipFile(wheel) as archive:
        written = archive.read("dynasafe/_version.py").decode()
    assert f'__version__ = "{metadata["Version"]}"\n' in written


# That they work


@pytest.mark.parametrize("python", PYTHONS, ids=python_version)
def test_wheel_passes_the_tests(python: str, wheel: Path, unpacked: Path, tmp_path: Path) -> None:
    """The tests of the sdist pass on the installed wheel."""
    environment = make_environment(
        tmp_path / "env",
        f"{wheel}[testing]",
        *FOR_UNIT_TESTS,
        constraints=unpacked / "constraints.txt",
        python=python,
    )

    require_installed(environment, unpacked)
    assert "--dynamodb={moto,dynalite,dynamodb-local}" in environment.run(
        "-m", "pytest", "--help", cwd=tmp_path
    )
    run_tests(environment, unpacked, *ON_EACH_PYTHON, "tests/sockets")


@pytest.mark.parametrize("python", PYTHONS, ids=python_version)
def test_compiled_wheel_passes_the_tests(
    python: str, compiled_wheels: dict[str, Path], unpacked: Path, tmp_path: Path
) -> None:
    """The tests of the sdist pass on the compiled wheel, whose modules are loaded compiled."""
    environment = make_environment(
        tmp_path / "env",
        f"{compiled_wheels[python_version(python)]}[testing]",
        *FOR_UNIT_TESTS,
        constraints=unpacked / "constraints.txt",
        python=python,
    )

    package = require_installed(environment, unpacked)
    for source in COMPILED:
        module = source.removesuffix(".py").replace("/", ".")
        code = f"import {module}; print({module}.__file__)"
        loaded = Path(environment.run("-c", code, cwd=unpacked).strip())
        assert loaded.is_relative_to(package)
        assert loaded.suffix != ".py"
    folders = WITHOUT_ENGINES if python == PYTHONS[0] else ON_EACH_PYTHON
    run_tests(environment, unpacked, *folders, "tests/properties/test_fast_paths.py")


def test_sdist_installs_the_same(
    sdist: Path, names_in_wheel: set[str], unpacked: Path, tmp_path: Path
) -> None:
    """Installing the sdist gives the files of the wheel."""
    environment = make_environment(
        tmp_path / "env", f"{sdist}[testing]", constraints=unpacked / "constraints.txt"
    )

    package = require_installed(environment, unpacked)
    installed = {
        f"dynasafe/{path.relative_to(package)}"
        for path in package.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert installed == {name for name in names_in_wheel if ".dist-info/" not in name}


def test_bare_install_works(wheel: Path, unpacked: Path, tmp_path: Path) -> None:
    """Without an extra, all but the testing kit works."""
    environment = make_environment(
        tmp_path / "env", str(wheel), constraints=unpacked / "constraints.txt"
    )

    require_installed(environment, unpacked)
    environment.run(unpacked / "tests" / "packaging" / "bare.py", cwd=tmp_path)


def test_lowest_versions_pass_the_tests(
    wheel: Path, lowest: Path, unpacked: Path, tmp_path: Path
) -> None:
    """The tests of the sdist pass with the lowest versions of the dependencies."""
    environment = make_environment(
        tmp_path / "env", f"{wheel}[testing]", *FOR_UNIT_TESTS, constraints=lowest
    )

    run_tests(environment, unpacked, *ON_EACH_PYTHON, "tests/sockets")


def require_installed(environment: Environment, unpacked: Path) -> Path:
    """The folder of the package in this environment, where its command works too."""
    code = "import dynasafe; print(dynasafe.__file__)"
    package = Path(environment.run("-c", code, cwd=unpacked).strip()).parent
    assert package.is_relative_to(environment.python.parent.parent)
    assert (package / "py.typed").is_file()
    explained = environment.run("-m", "dynasafe", "explain", "DYS203", cwd=unpacked)
    assert explained == (ROOT / "docs" / "findings" / "DYS203.md").read_text()
    return package


def run_tests(environment: Environment, unpacked: Path, *paths: str) -> None:
    printed = environment.run(
        *("-m", "pytest", "-n", "2", "-q", "-p", "no:cacheprovider", *paths),
        cwd=unpacked,
        HYPOTHESIS_PROFILE="quick",
        DYNASAFE_ORDER="files",  # what is asked here is whether what was installed works
    )
    assert " passed" in printed.splitlines()[-1]
