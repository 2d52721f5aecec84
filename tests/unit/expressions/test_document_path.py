import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynasafe.expressions.document_path import DocumentPath

names = st.text(st.characters(exclude_characters=".[]", exclude_categories=["Cs"]), min_size=1)
paths = st.builds(
    lambda name, rest: DocumentPath((name, *rest)),
    names,
    st.lists(st.one_of(names, st.integers(0, 10**6)), max_size=6),
)


@given(path=paths)
def test_path_roundtrip(path: DocumentPath) -> None:
    """Parsing the text of any path gives the same path."""
    assert DocumentPath.parse(str(path)) == path


@given(path=paths)
def test_copies(path: DocumentPath) -> None:
    """Copies of a path are equal to it and have its hash; other things are not equal."""
    copy = pickle.loads(pickle.dumps(path))

    assert {copy, path} == {path}
    assert path != str(path)
    assert repr(path) == f"DocumentPath(elements={path.elements!r})"


@pytest.mark.parametrize(
    ("elements", "words"),
    [
        ((), "begins with an attribute name"),
        ((0, "a"), "begins with an attribute name"),
        (("a",) * 33, "32"),
    ],
)
def test_elements_of_no_path(elements: tuple[str | int, ...], words: str) -> None:
    """What is no path is refused."""
    with pytest.raises(ValueError, match=words):
        DocumentPath(elements)


@given(path=paths, other=paths)
def test_prefix_overlaps(path: DocumentPath, other: DocumentPath) -> None:
    """A path overlaps each path below it, and overlapping is symmetric."""
    below = DocumentPath(path.elements + other.elements)

    assert path.contains(below)
    assert path.overlaps(below)
    assert below.overlaps(path)
    assert path.overlaps(other) == other.overlaps(path)


@pytest.mark.parametrize(
    "text", ["", ".a", "a.", "a..b", "a[", "a[]", "a[-1]", "a[x]", "a]b[1", "[0]"]
)
def test_other_texts_are_refused(text: str) -> None:
    """A text that is not a document path is refused."""
    with pytest.raises(ValueError, match="document path"):
        DocumentPath.parse(text)


def test_siblings_do_not_overlap() -> None:
    """Paths whose texts only begin alike do not overlap."""
    assert not DocumentPath.parse("a.b").overlaps(DocumentPath.parse("a.bc"))
    assert not DocumentPath.parse("a[1]").overlaps(DocumentPath.parse("a[10]"))
