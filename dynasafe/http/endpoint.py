"""The endpoint of requests: decided from arguments and the environment, or by botocore.

`decide` handles the cases in which botocore's answer is certain. botocore decides about files,
profiles, FIPS, dual stack, other partitions and unknown settings: `dynasafe.environment` calls it
once.

Sources: botocore's endpoint-rule-set-1.json of DynamoDB, args.py, configprovider.py and
regions.py; "Account-based endpoints", AWS SDKs and Tools Reference Guide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

AccountMode = Literal["preferred", "disabled"]

# Only for the partition "aws". Regions of others have four parts or another suffix.
_REGION: Final = re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-[0-9]+")
_HOST_LABEL: Final = re.compile(r"(?!-)[a-zA-Z0-9-]{1,63}(?<!-)")
# Few need these, so they are compiled when they are first used.
_ARN: Final = r"(?s:arn:[^:]+:dynamodb:([^:]+):([^:]+):.+)"
_PATH: Final = r"(/[A-Za-z0-9_~.-]*)*"
_PORTS: Final = {"http": 80, "https": 443}
_HOST_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")
_AWS_SUFFIXES: Final = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


class Endpoint:
    """An endpoint that requests are sent to.

    Args:
        host: a name or an IP address, without brackets.
        host_header: the value of the header Host.
        region: the region for which requests are signed.
        is_aws: whether it is a host of AWS.
    """

    __slots__ = ("host", "host_header", "is_aws", "is_tls", "path", "port", "region", "url")

    def __init__(
        self,
        url: str,
        *,
        is_tls: bool,
        host: str,
        port: int,
        host_header: str,
        path: str,
        region: str,
    ) -> None:
        self.url: Final = url
        self.is_tls: Final = is_tls
        self.host: Final = host
        self.port: Final = port
        self.host_header: Final = host_header
        self.path: Final = path
        self.region: Final = region
        self.is_aws: Final = host.endswith(_AWS_SUFFIXES)

    def __repr__(self) -> str:
        return f"Endpoint({self.url!r}, region={self.region!r})"


def endpoint(url: str, region: str) -> Endpoint:
    """The endpoint at a URL.

    Raises:
        ValueError: requests cannot be sent to the URL.
    """
    scheme, host, port, path = _plain_parts(url) or _parts(url)
    shown = f"[{host}]" if ":" in host else host
    return Endpoint(
        url,
        is_tls=scheme == "https",
        host=host,
        port=port,
        host_header=shown if port == _PORTS[scheme] else f"{shown}:{port}",
        path=path,
        region=region,
    )


_Parts = tuple[str, str, int, str]
"""Scheme, host, port and path."""


def _plain_parts(url: str) -> _Parts | None:
    """The parts of a URL in the common form, without `urllib.parse`, which takes milliseconds to
    load."""
    scheme, _, rest = url.partition("://")
    host, colon, digits = rest.partition(":")
    if scheme not in _PORTS or not host or not _HOST_CHARACTERS.issuperset(host):
        return None
    if not colon:
        return scheme, host, _PORTS[scheme], "/"
    if digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) <= 65535:
        return scheme, host, int(digits), "/"
    return None


def _parts(url: str) -> _Parts:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("http:// or https:// and a host are expected")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("it must not have a user, a query or a fragment")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("it has a character that is not allowed in a URL")
    if not re.fullmatch(_PATH, parts.path) or "/." in parts.path or "//" in parts.path:
        raise ValueError("its path may have only letters, digits, '_', '~', '.' and '-'")
    port = _PORTS[parts.scheme] if parts.port is None else parts.port
    return parts.scheme, parts.hostname, port, parts.path or "/"


class Place:
    """The decision: a region, and its endpoints.

    Args:
        endpoint_url: if set, all requests go there.
    """

    __slots__ = ("account_mode", "endpoint_url", "region")

    def __init__(self, region: str, endpoint_url: str | None, account_mode: AccountMode) -> None:
        self.region: Final = region
        self.endpoint_url: Final = endpoint_url
        self.account_mode: Final = account_mode

    def endpoint(
        self, account_id: str | None, resource: str | None = None, *, is_search: bool = False
    ) -> Endpoint:
        """The endpoint of a request.

        Args:
            account_id: the account of the credentials.
            resource: the request's table, if it is named by an ARN.

        Raises:
            ValueError: the account id is not valid in a host name.
        """
        if self.endpoint_url is not None:
            return endpoint(self.endpoint_url, self.region)
        host = f"{'search-dynamodb' if is_search else 'dynamodb'}.{self.region}"
        if self.account_mode != "disabled":
            account = _account_of(resource, self.region) or account_id
            if account is not None:
                if not _HOST_LABEL.fullmatch(account):
                    raise ValueError("the account id of the credentials is invalid")
                host = f"{account}.{'search-ddb' if is_search else 'ddb'}.{self.region}"
        return endpoint(f"https://{host}.amazonaws.com", self.region)


def _account_of(resource: str | None, region: str) -> str | None:
    match = None if resource is None else re.fullmatch(_ARN, resource)
    if match is None or match[1] != region or not _HOST_LABEL.fullmatch(match[2]):
        return None
    return match[2]


class Ask:
    """botocore must decide; `reason` says why."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason: Final = reason


def decide(
    environ: Mapping[str, str],
    *,
    region_name: str | None = None,
    endpoint_url: str | None = None,
    account_id: str | None = None,
    has_files: bool,
) -> Place | Ask:
    """The place of requests if it is certain without botocore, else an Ask.

    Args:
        account_id: the account of the credentials, if these are already known.
        has_files: whether there is a config or credentials file.
    """
    if has_files:
        return Ask("there is a config or credentials file")
    for name, harmless in _ASKED_FOR.items():
        if name in environ and environ[name].lower() not in harmless:
            return Ask(f"{name} is set")
    if environ.get("AWS_CA_BUNDLE") == "":
        return Ask("AWS_CA_BUNDLE is empty")
    region = environ.get("AWS_DEFAULT_REGION") if region_name is None else region_name
    if region is None or not _REGION.fullmatch(region):
        return Ask("the region is not set, or not one of the partition aws")
    url = endpoint_url
    if url is None and environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() != "true":
        url = environ.get("AWS_ENDPOINT_URL_DYNAMODB") or environ.get("AWS_ENDPOINT_URL") or None
    mode = environ.get("AWS_ACCOUNT_ID_ENDPOINT_MODE", "preferred").lower()
    if mode not in ("preferred", "disabled"):
        return Ask("AWS_ACCOUNT_ID_ENDPOINT_MODE is set")
    place = Place(region, url, "disabled" if mode == "disabled" else "preferred")
    if url is None:
        for name in ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"):
            if environ.get(name, "").lower() == "true":
                return Ask(f"{name} is set")
        if environ.get("AWS_ENDPOINT_DISCOVERY_ENABLED", "false").lower() != "false":
            return Ask("AWS_ENDPOINT_DISCOVERY_ENABLED is set")
    try:
        found = place.endpoint(account_id)
    except ValueError as error:
        return Ask(str(error))
    if url is not None and found.host.endswith(".api.aws"):
        return Ask("the endpoint is dual-stack")
    return place


# Values that change nothing here, by variable. botocore decides about other values.
_CHECKSUMS: Final = frozenset({"when_supported", "when_required"})
_ASKED_FOR: Final[Mapping[str, frozenset[str]]] = {
    "AWS_AUTH_SCHEME_PREFERENCE": frozenset(),
    "AWS_CSM_ENABLED": frozenset({"false"}),
    "AWS_DATA_PATH": frozenset(),
    "AWS_DEFAULTS_MODE": frozenset({"legacy"}),
    "AWS_DEFAULT_PROFILE": frozenset(),
    "AWS_MAX_ATTEMPTS": frozenset(map(str, range(1, 100))),
    "AWS_PROFILE": frozenset(),
    "AWS_REQUEST_CHECKSUM_CALCULATION": _CHECKSUMS,
    "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES": frozenset(),
    "AWS_RESPONSE_CHECKSUM_VALIDATION": _CHECKSUMS,
    "AWS_RETRY_MODE": frozenset({"legacy", "standard", "adaptive"}),
    "AWS_SIGV4A_SIGNING_REGION_SET": frozenset(),
    "BOTOCORE_EXPERIMENTAL__PLUGINS": frozenset(),
}


# The members that may name the resource, in the order of the search.
RESOURCE_MEMBERS: Final = (
    "TableName",
    "TargetTableName",
    "GlobalTableName",
    "TableArn",
    "ResourceArn",
    "BackupArn",
    "ExportArn",
    "ImportArn",
    "BulkOperationArn",
)


def resource_of(params: Mapping[str, Any]) -> str | None:
    """The ARN that decides the host of a request, if the request names its resource by ARN."""
    name = params.get("TableName")
    if name is None:
        name = _other_resource(params)
    return name if isinstance(name, str) and name.startswith("arn:") else None


def _other_resource(params: Mapping[str, Any]) -> Any:
    items = params.get("RequestItems")
    if isinstance(items, Mapping):
        return next(iter(items), None)
    items = params.get("TransactItems")
    if isinstance(items, Sequence):
        for item in items:
            for kind in ("Get", "ConditionCheck", "Put", "Delete", "Update"):
                part = item.get(kind) if isinstance(item, Mapping) else None
                if isinstance(part, Mapping) and "TableName" in part:
                    return part["TableName"]
        return None
    created = params.get("TableCreationParameters")
    if isinstance(created, Mapping):
        return created.get("TableName")
    return next((params[name] for name in RESOURCE_MEMBERS if name in params), None)
