"""URLs of endpoints: the quick way and `urllib.parse` read the same parts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynasafe.http.endpoint import _parts, _plain_parts, endpoint, resource_of

LABEL = st.text("abz09-", min_size=1, max_size=5)
HOSTS = st.lists(LABEL, min_size=1, max_size=4).map(".".join)
PORTS = st.one_of(
    st.just(""), st.integers(0, 99_999).map(":{}".format), st.text(":0\uff19x", max_size=3)
)
ENDS = st.sampled_from(["", "", "", "/", "/a", "?q", "#f", "@h", "\n", " "])


@given(st.sampled_from(["http", "https", "ftp", "HTTP", ""]), HOSTS, PORTS, ENDS)
def test_plain_urls_have_the_same_parts(scheme: str, host: str, port: str, end: str) -> None:
    """What the quick way reads is what `urllib.parse` reads; the rest is left to it."""
    url = f"{scheme}://{host}{port}{end}"
    quick = _plain_parts(url)
    assert quick is None or quick == _parts(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:51234", "https://dynamodb.us-east-1.amazonaws.com"]
)
def test_common_urls_are_plain(url: str) -> None:
    """The URLs of a local engine and of AWS are read without urllib."""
    assert _plain_parts(url) is not None
    assert endpoint(url, "us-east-1").url == url


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://a", "http:// or https:// and a host"),
        ("http://user@a", "a user, a query or a fragment"),
        ("http://a/?q", "a user, a query or a fragment"),
        ("http://a/ b", "a character that is not allowed"),
        ("http://a/../b", "its path may have only"),
        ("http://a/%20", "its path may have only"),
    ],
)
def test_other_urls_are_refused(url: str, words: str) -> None:
    """The parts that a URL may not have are named."""
    with pytest.raises(ValueError, match=words):
        endpoint(url, "us-east-1")


ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/t"
T: dict[str, Any] = {"TableName": ARN}


@pytest.mark.parametrize(
    ("params", "resource"),
    [
        (T, ARN),
        ({"TransactItems": [{}, {"Put": T}]}, ARN),
        ({"TransactItems": ["x", {"Put": {}}]}, None),
        ({"TableCreationParameters": T}, ARN),
        ({"TableName": "t"}, None),
        ({}, None),
    ],
)
def test_resource(params: dict[str, Any], resource: str | None) -> None:
    """A request goes to the host of the first ARN in it."""
    assert resource_of(params) == resource
