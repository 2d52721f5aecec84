"""Options of `dynasafe logs`, and its progress."""

from __future__ import annotations

import io

import pytest

from dynasafe.logs import options


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "text"), [(Terminal(), "\r3 events\x1b[K\r\x1b[K"), (io.StringIO(), "")]
)
def test_progress(stream: io.StringIO, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress is shown on a terminal, every two seconds, and is gone at the end."""
    now_s = iter((0.0, 1.0, 2.5, 2.6, 2.7)).__next__
    monkeypatch.setattr("dynasafe.logs.options.time.monotonic", now_s)
    monkeypatch.setattr("sys.stderr", stream)

    progress = options.Progress()
    progress("2 events")
    progress("3 events")
    progress("4 events")
    progress.close()

    assert stream.getvalue() == text
