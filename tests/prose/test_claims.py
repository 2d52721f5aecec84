"""Each promise has a test that would fail if it did not hold, or says why it needs none."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Final

import pytest

from tests.prose.claimed import Claim, claims, docstrings, sentences
from tests.prose.promises import CLAIMS, PROMISES, Limit, Proof, Service
from tests.prose.readable import ROOT

KINDS: Final = (Proof, Service, Limit)


@cache
def names_in(path: str) -> frozenset[str]:
    """The tests and fixtures of a module, and the classes around them."""
    tree = ast.parse((ROOT / path).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def missing(proof: Proof) -> list[str]:
    """Which tests of the proof do not exist."""
    absent = []
    for test in proof.tests:
        path, _, name = test.partition("::")
        if (
            not (ROOT / path).is_file()
            or not name.startswith("test_")
            or name not in names_in(path)
        ):
            absent.append(test)
    return absent


def entries_of(claim: Claim, table: Mapping[str, Mapping[str, object]]) -> list[str]:
    """The phrases of the table that stand in the sentence."""
    return [phrase for phrase in table.get(claim.path, {}) if phrase in claim.sentence]


def test_claims_have_entries() -> None:
    """Each sentence with such a word has an entry: its test, its source, or that it is a limit."""
    found = list(claims())
    assert len(found) > 40
    assert [str(each) for each in found if not entries_of(each, CLAIMS)] == []


def test_entries_have_claims() -> None:
    """No entry is left of a sentence that has gone or changed."""
    used = Counter((each.path, phrase) for each in claims() for phrase in entries_of(each, CLAIMS))
    listed = [(path, phrase) for path, entries in CLAIMS.items() for phrase in entries]
    assert [each for each in listed if not used[each]] == []


def test_proofs_exist() -> None:
    """The tests that are named exist, and each entry is of one of the three kinds."""
    entries = {
        **{f"{path}: {phrase}": e for path, each in CLAIMS.items() for phrase, e in each.items()},
        **PROMISES,
    }
    assert [name for name, entry in entries.items() if not isinstance(entry, KINDS)] == []
    absent = {name: missing(e) for name, e in entries.items() if isinstance(e, Proof)}
    assert {name: tests for name, tests in absent.items() if tests} == {}


def test_sentences() -> None:
    """Lines are joined, and each sentence, row and entry of a list stands alone."""
    text = "It never\nfails. Then\n\n- one\n- two: `x` cannot\n  move\n\n| a | b |\n| c | d |"
    assert [each for each in sentences(text) if each] == [
        "It never fails.",
        "Then",
        "- one",
        "- two:",
        "`x` cannot move",
        "| a | b |",
        "| c | d |",
    ]


def test_docstrings() -> None:
    """Docstrings of modules, functions and attributes are found; other strings are not."""
    source = '"""Module."""\nA = "x"\n"""A\'s."""\ndef f():\n    """F."""\n    return "y"\n'
    assert sorted(docstrings(source)) == ["A's.", "F.", "Module."]


@pytest.mark.parametrize(
    "proof",
    [
        Proof("tests/prose/test_claims.py::test_nothing_of_the_kind"),
        Proof("tests/prose/no_such_file.py::test_x"),
        Proof("tests/prose/test_claims.py::missing"),
    ],
)
def test_a_proof_must_be_a_test(proof: Proof) -> None:
    """An entry whose test does not exist is found."""
    assert missing(proof) == list(proof.tests)
