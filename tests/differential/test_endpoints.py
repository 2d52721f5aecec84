"""Where requests go, who signs them and for which region: as botocore, of two versions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
NEWEST = ROOT / "build" / "botocore-1.44.5"
# Decided without botocore, so that a cold start in these does not load it.
OWN = {
    "plain",
    "session token",
    "both tokens",
    "empty security token",
    "account id",
    "account id, mode disabled",
    "account id, mode DISABLED",
    "account id, endpoint env",
    "account id, ARN of another",
    "ARN, no account id",
    "ARN of another region",
    "ARN, mode disabled",
    "ARN, endpoint",
    "ARN of an index",
    "ARN of another service",
    "ARN with a bad account",
    "ARN without an account",
    "ARN without a resource",
    "ARN that ends early",
    "ARN of another partition",
    "endpoint env of the service",
    "endpoint env of all",
    "endpoint env of both",
    "endpoint env with a path",
    "endpoint env with a longer path",
    "endpoint env, empty service",
    "endpoint env ignored",
    "endpoint ignored, argument",
    "ignored = TRUE",
    "ignored = 1",
    "fips, endpoint",
    "fips = yes",
    "region unknown",
    "region argument over env",
    "expiring env credentials",  # the endpoint; the credentials are botocore's
    "web identity env beside keys",
    "container uri beside keys",
    "config names a missing file",
    "endpoint discovery off",
    "endpoint IPv6",
    "endpoint upper",
    "endpoint, default port",
}


@cache
def compared(which: str, folder: str) -> dict[str, dict[str, Any]]:
    command = [sys.executable, "-m", "tests.differential.endpoints", which]
    result = subprocess.run(
        [*command, folder] if folder else command, cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr[-2000:]
    found: dict[str, dict[str, Any]] = json.loads(result.stdout)
    return found


@pytest.fixture(params=["installed", "newest"])
def folder(request: pytest.FixtureRequest) -> str:
    if request.param == "installed":
        return ""
    if not NEWEST.is_dir():
        missing = f"{NEWEST.name} is not installed. Fix: run `make {NEWEST.name}`"
        if os.environ.get("CI") or os.environ.get("DYNASAFE_REQUIRE_ENGINES"):
            pytest.fail(missing)
        pytest.skip(missing)
    return str(NEWEST)


@pytest.mark.parametrize("which", ["cases", "regions"])
def test_same_as_botocore(which: str, folder: str) -> None:
    """URL, region, key and token are botocore's, or both refuse: in all cases, all regions."""
    found = compared(which, folder)

    assert len(found) >= (90 if which == "cases" else 200)
    differing = {name: each for name, each in found.items() if each["botocore"] != each["dynasafe"]}
    assert differing == {}


def test_own_decisions(folder: str) -> None:
    """Where the environment alone decides, botocore is not asked."""
    found = compared("cases", folder)

    assert {name for name, each in found.items() if each["is_own"]} == OWN


def test_known_variables(folder: str) -> None:
    """Every variable that botocore reads is one that was looked at."""
    script = (
        "import sys, json; sys.path[:0] = sys.argv[1:]\n"
        "from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES as known\n"
        "print(json.dumps([names for _, names, *_ in known.values() if names]))"
    )
    command = [sys.executable, "-c", script] + ([folder] if folder else [])
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = {
        name for each in json.loads(printed) for name in ([each] if isinstance(each, str) else each)
    }

    assert names <= LOOKED_AT


# Read by `decide`, `Trust` or the user agent, or without a meaning for DynamoDB.
LOOKED_AT = {
    "AWS_ACCOUNT_ID_ENDPOINT_MODE",
    "AWS_AUTH_SCHEME_PREFERENCE",
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_CSM_CLIENT_ID",
    "AWS_CSM_ENABLED",
    "AWS_CSM_HOST",
    "AWS_CSM_PORT",
    "AWS_DATA_PATH",
    "AWS_DEFAULTS_MODE",
    "AWS_DEFAULT_PROFILE",
    "AWS_DEFAULT_REGION",
    "AWS_DISABLE_HOST_PREFIX_INJECTION",  # DynamoDB has no host prefixes
    "AWS_DISABLE_REQUEST_COMPRESSION",  # DynamoDB takes no compressed requests
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",  # the chain's
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_EC2_METADATA_V1_DISABLED",
    "AWS_ENDPOINT_DISCOVERY_ENABLED",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_IMDS_USE_IPV6",
    "AWS_MAX_ATTEMPTS",
    "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
    "AWS_METADATA_SERVICE_TIMEOUT",
    "AWS_PROFILE",
    "AWS_REQUEST_CHECKSUM_CALCULATION",
    "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
    "AWS_RESPONSE_CHECKSUM_VALIDATION",
    "AWS_RETRY_MODE",
    "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH",
    "AWS_SDK_UA_APP_ID",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_SIGV4A_SIGNING_REGION_SET",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "BOTOCORE_TCP_KEEPALIVE",  # always on here
}
