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
def test_given_any_path_when_formatted_and_parsed_then_it_is_unchanged(path: DocumentPath) -> None:
    assert DocumentPath.parse(str(path)) == path


@given(path=paths, other=paths)
def test_given_two_paths_when_one_is_a_prefix_then_they_overlap(
    path: DocumentPath, other: DocumentPath
) -> None:
    below = DocumentPath(path.elements + other.elements)

    assert path.contains(below)
    assert path.overlaps(below)
    assert below.overlaps(path)
    assert path.overlaps(other) == other.overlaps(path)


@pytest.mark.parametrize(
    "text", ["", ".a", "a.", "a..b", "a[", "a[]", "a[-1]", "a[x]", "a]b[1", "[0]"]
)
def test_given_text_that_is_not_a_path_when_parsed_then_it_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="document path"):
        DocumentPath.parse(text)


def test_given_siblings_when_compared_then_they_do_not_overlap() -> None:
    assert not DocumentPath.parse("a.b").overlaps(DocumentPath.parse("a.bc"))
    assert not DocumentPath.parse("a[1]").overlaps(DocumentPath.parse("a[10]"))
