"""Mocks of AWS that do not intercept our requests."""

from __future__ import annotations

import sys

from dynasafe.resilience.boundary import NotSent


def require_no_mock(whom: str, fix: str) -> None:
    """Require that moto does not mock botocore: our request would go to the real service.

    Args:
        whom: the clients that moto does not answer: "async clients".

    Raises:
        NotSent: it does.
    """
    moto = sys.modules.get("moto.core.models")
    if moto is not None and getattr(getattr(moto, "botocore_stubber", None), "enabled", False):
        raise NotSent(
            f"moto's mock_aws is active, which cannot answer {whom}. Fix: {fix}the fixtures of "
            "dynasafe.testing, or moto.server.ThreadedMotoServer with endpoint_url=",
            is_retryable=False,
        )
