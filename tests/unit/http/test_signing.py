"""Our signatures beside those of botocore's SigV4Auth."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore import auth
from botocore import credentials as botocore_credentials
from botocore.awsrequest import AWSRequest
from hypothesis import given
from hypothesis import strategies as st

from dynasafe.http.credentials import Credentials
from dynasafe.http.signing import Signer

TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=200)
LABEL = st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?\Z")
# Seconds around midnights and the ends of years, and any others until the year 2100.
MOMENT = st.one_of(
    st.integers(0, 47_481).flatmap(
        lambda day: st.integers(-2, 2).map(lambda off: max(0, day * 86_400 + off))
    ),
    st.integers(0, 4_102_444_799),
)


def parts(head: bytes) -> dict[str, str]:
    lines = head.decode().split("\r\n")
    assert lines[-2:] == ["", ""]
    return dict(line.split(": ", 1) for line in lines[1:-2])


def botocore_authorization(
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    head: dict[str, str],
    body: bytes,
    ours: Credentials,
    now: float,
) -> str:
    moment = dt.datetime.fromtimestamp(int(now), dt.UTC)
    monkeypatch.setattr(
        auth,
        "get_current_datetime",
        lambda remove_tzinfo=True: moment.replace(tzinfo=None) if remove_tzinfo else moment,
    )
    request = AWSRequest(
        method="POST",
        url=url,
        data=body,
        headers={
            "X-Amz-Target": head["X-Amz-Target"],
            "Content-Type": head["Content-Type"],
            "User-Agent": "unsigned",
        },
    )
    theirs = botocore_credentials.Credentials(ours.access_key, ours.secret_key, ours.token)
    region = head["Authorization"].split("/")[2]
    auth.SigV4Auth(theirs, "dynamodb", region).add_auth(request)
    assert request.headers["X-Amz-Date"] == head["X-Amz-Date"]
    assert request.headers.get("X-Amz-Security-Token") == head.get("X-Amz-Security-Token")
    return str(request.headers["Authorization"])


@given(
    host=LABEL,
    region=LABEL,
    access_key=LABEL,
    secret=st.text(min_size=1, max_size=100).filter(lambda each: each.isprintable()),
    token=st.none() | TEXT,
    path=st.sampled_from(["/", "/x", "/a/b", "/~t"]),
    operation=st.sampled_from(["UpdateItem", "Query"]),
    bodies=st.lists(st.binary(max_size=300), min_size=1, max_size=3),
    moments=st.lists(MOMENT, min_size=1, max_size=3),
)
def test_signatures_equal_botocores(
    host: str,
    region: str,
    access_key: str,
    secret: str,
    token: str | None,
    path: str,
    operation: str,
    bodies: list[bytes],
    moments: list[int],
) -> None:
    """One signer, at moments in any order, signs as botocore does."""
    ours = Credentials(access_key, secret, token)
    signer = Signer(host=host, region=region, credentials=ours, user_agent="u", path=path)

    for now in moments:
        for body in bodies:
            head = parts(signer.head(operation, body, now_s=now + 0.5))
            with pytest.MonkeyPatch.context() as monkeypatch:
                expected = botocore_authorization(
                    monkeypatch, f"https://{host}{path}", head, body, ours, now
                )
            assert head["Authorization"] == expected
            assert head["Content-Length"] == str(len(body))
            assert head["Host"] == host


def test_threads_share_a_signer() -> None:
    """Each head has one moment throughout, whatever other threads sign at the same time."""
    ours = Credentials("AKID", "secret", "token")
    signer = Signer(host="h", region="r", credentials=ours, user_agent="u")
    moments = [86_400 * 20_000 + offset for offset in range(-2, 2)] * 200

    with ThreadPoolExecutor(8) as pool:
        heads = list(pool.map(lambda now: signer.head("Query", b"{}", now_s=now), moments))

    for now, head in zip(moments, heads, strict=True):
        alone = Signer(host="h", region="r", credentials=ours, user_agent="u")
        assert head == alone.head("Query", b"{}", now_s=now)


@pytest.mark.parametrize("operation", ["", "Update Item", "Query\r\nX: y", "Qüery"])
def test_no_other_names(operation: str) -> None:
    """A name that is not an operation does not reach a header."""
    signer = Signer(host="h", region="r", credentials=Credentials("a", "b"), user_agent="u")

    with pytest.raises(ValueError, match="unknown operation"):
        signer.head(operation, b"", now_s=0)


@pytest.mark.parametrize("bad", ["a\r\nb", "a\nb", "ä", "\0"])
@pytest.mark.parametrize("where", ["host", "region", "user_agent", "token", "access_key"])
def test_headers_stay_lines(where: str, bad: str) -> None:
    """Nothing in the settings or keys can begin another header."""
    ours = Credentials(
        bad if where == "access_key" else "a", "b", bad if where == "token" else None
    )
    given = {"host": "h", "region": "r", "user_agent": "u"}
    if where in given:
        given[where] = bad

    with pytest.raises(ValueError, match="not allowed in a header"):
        Signer(credentials=ours, **given)


def test_keys_show_no_secret() -> None:
    """The repr of keys has the access key's id alone, and they are not pickled."""
    ours = Credentials("AKID", "secret-text", "token-text")

    assert repr(ours) == "Credentials(access_key='AKID')"
    with pytest.raises(TypeError):
        ours.__reduce__()
