"""What botocore and dynasafe make of the same settings, as JSON on standard output.

    python -m tests.differential.endpoints cases|regions [folder of another botocore]

Run as a process of its own: its environment and home are what the cases say.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

PLAIN = {
    "AWS_ACCESS_KEY_ID": "AKID",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}
ID: dict[str, str | None] = {"AWS_ACCOUNT_ID": "123456789012"}
OTHER_ARN = "arn:aws:dynamodb:us-east-1:999999999999:table/t"
FILE_KEYS = "aws_access_key_id = {0}\naws_secret_access_key = S\n"


def case(
    env: dict[str, str | None] | None = None,
    *,
    config: str = "",
    credentials: str = "",
    table: str = "t",
    **arguments: Any,
) -> dict[str, Any]:
    merged: dict[str, str | None] = {**PLAIN, **(env or {})}
    return {
        "env": {name: value for name, value in merged.items() if value is not None},
        "config": config,
        "credentials": credentials,
        "table": table,
        "arguments": arguments,
    }


NO_KEYS: dict[str, str | None] = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
CASES: dict[str, dict[str, Any]] = {
    "plain": case(),
    "AWS_REGION only": case({"AWS_DEFAULT_REGION": None, "AWS_REGION": "us-east-1"}),
    "no region": case({"AWS_DEFAULT_REGION": None}),
    "no region, endpoint_url": case({"AWS_DEFAULT_REGION": None}, endpoint_url="http://h:1"),
    "session token": case({"AWS_SESSION_TOKEN": "T"}),
    "both tokens": case({"AWS_SESSION_TOKEN": "T", "AWS_SECURITY_TOKEN": "S"}),
    "empty security token": case({"AWS_SESSION_TOKEN": "T", "AWS_SECURITY_TOKEN": ""}),
    "no secret": case({"AWS_SECRET_ACCESS_KEY": None}),
    "empty key": case({"AWS_ACCESS_KEY_ID": ""}),
    "no credentials": case(NO_KEYS),
    "account id": case(ID),
    "account id, mode disabled": case({**ID, "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled"}),
    "account id, mode DISABLED": case({**ID, "AWS_ACCOUNT_ID_ENDPOINT_MODE": "DISABLED"}),
    "account id, mode required": case({**ID, "AWS_ACCOUNT_ID_ENDPOINT_MODE": "required"}),
    "mode required, no id": case({"AWS_ACCOUNT_ID_ENDPOINT_MODE": "required"}),
    "mode invalid": case({"AWS_ACCOUNT_ID_ENDPOINT_MODE": "x"}),
    "mode empty": case({"AWS_ACCOUNT_ID_ENDPOINT_MODE": ""}),
    "account id invalid label": case({"AWS_ACCOUNT_ID": "a_b"}),
    "account id with a dot": case({"AWS_ACCOUNT_ID": "a.b"}),
    "account id, endpoint env": case({**ID, "AWS_ENDPOINT_URL": "http://h:1"}),
    "account id, ARN of another": case(ID, table=OTHER_ARN),
    "ARN, no account id": case(table=OTHER_ARN),
    "ARN of another region": case({"AWS_DEFAULT_REGION": "eu-west-1"}, table=OTHER_ARN),
    "ARN, mode disabled": case({"AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled"}, table=OTHER_ARN),
    "ARN, endpoint": case(table=OTHER_ARN, endpoint_url="http://a:2"),
    "ARN of an index": case(table=f"{OTHER_ARN}/index/i"),
    "ARN of another service": case(table=OTHER_ARN.replace("dynamodb", "s3")),
    "ARN with a bad account": case(table=OTHER_ARN.replace("999999999999", "a_b")),
    "ARN without an account": case(table=OTHER_ARN.replace("999999999999", "")),
    "ARN without a resource": case(table="arn:aws:dynamodb:us-east-1:999999999999:"),
    "ARN that ends early": case(ID, table="arn:aws:dynamodb"),
    "ARN of another partition": case(table=OTHER_ARN.replace("arn:aws:", "arn:aws-cn:")),
    "account id, cn": case({**ID, "AWS_DEFAULT_REGION": "cn-north-1"}),
    "account id, gov": case({**ID, "AWS_DEFAULT_REGION": "us-gov-west-1"}),
    "account id, iso": case({**ID, "AWS_DEFAULT_REGION": "us-iso-east-1"}),
    "endpoint env of the service": case({"AWS_ENDPOINT_URL_DYNAMODB": "http://h:1"}),
    "endpoint env of all": case({"AWS_ENDPOINT_URL": "http://g:1"}),
    "endpoint env of both": case(
        {"AWS_ENDPOINT_URL": "http://g:1", "AWS_ENDPOINT_URL_DYNAMODB": "http://h:1"}
    ),
    "endpoint env with a path": case({"AWS_ENDPOINT_URL": "http://g:1/x"}),
    "endpoint env with a longer path": case({"AWS_ENDPOINT_URL": "http://g:1/x/y/"}),
    "endpoint env, empty service": case(
        {"AWS_ENDPOINT_URL": "http://g:1", "AWS_ENDPOINT_URL_DYNAMODB": ""}
    ),
    "endpoint env ignored": case(
        {"AWS_ENDPOINT_URL": "http://g:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
    ),
    "endpoint ignored, argument": case(
        {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, endpoint_url="http://a:2"
    ),
    "ignored = TRUE": case(
        {"AWS_ENDPOINT_URL": "http://g:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "TRUE"}
    ),
    "ignored = 1": case(
        {"AWS_ENDPOINT_URL": "http://g:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "1"}
    ),
    "endpoint file of the service": case(
        config="[default]\nservices = s\n[services s]\ndynamodb =\n  endpoint_url = http://f:3\n"
    ),
    "endpoint file of all": case(config="[default]\nendpoint_url = http://f:4\n"),
    "endpoint env over file": case(
        {"AWS_ENDPOINT_URL": "http://g:1"}, config="[default]\nendpoint_url = http://f:4\n"
    ),
    "services section missing": case(config="[default]\nservices = nope\n"),
    "file ignores": case(
        {"AWS_ENDPOINT_URL": "http://g:1"},
        config="[default]\nignore_configured_endpoint_urls = true\n",
    ),
    "fips": case({"AWS_USE_FIPS_ENDPOINT": "true"}),
    "fips, account id": case({**ID, "AWS_USE_FIPS_ENDPOINT": "true"}),
    "fips, gov": case({"AWS_USE_FIPS_ENDPOINT": "true", "AWS_DEFAULT_REGION": "us-gov-west-1"}),
    "dualstack": case({"AWS_USE_DUALSTACK_ENDPOINT": "true"}),
    "dualstack, account id": case({**ID, "AWS_USE_DUALSTACK_ENDPOINT": "true"}),
    "fips and dualstack": case(
        {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"}
    ),
    "fips, endpoint": case({"AWS_USE_FIPS_ENDPOINT": "true"}, endpoint_url="http://a:2"),
    "fips = yes": case({"AWS_USE_FIPS_ENDPOINT": "yes"}),
    "fips = TRUE": case({"AWS_USE_FIPS_ENDPOINT": "TRUE"}),
    "region fips-": case({"AWS_DEFAULT_REGION": "fips-us-east-1"}),
    "region -fips": case({"AWS_DEFAULT_REGION": "us-east-1-fips"}),
    "region local": case({"AWS_DEFAULT_REGION": "local"}),
    "region aws-global": case({"AWS_DEFAULT_REGION": "aws-global"}),
    "region unknown": case({"AWS_DEFAULT_REGION": "us-moon-9"}),
    "region nonsense": case({"AWS_DEFAULT_REGION": "mars"}),
    "region invalid": case({"AWS_DEFAULT_REGION": "bad_region!"}),
    "region upper": case({"AWS_DEFAULT_REGION": "US-EAST-1"}),
    "region empty env, file": case(
        {"AWS_DEFAULT_REGION": ""}, config="[default]\nregion = eu-west-3\n"
    ),
    "region empty": case({"AWS_DEFAULT_REGION": ""}),
    "region file": case({"AWS_DEFAULT_REGION": None}, config="[default]\nregion = eu-west-3\n"),
    "region in credentials file": case(
        {"AWS_DEFAULT_REGION": None}, credentials="[default]\nregion = eu-west-3\n"
    ),
    "region argument over env": case(region_name="eu-north-1"),
    "cn": case({"AWS_DEFAULT_REGION": "cn-north-1"}),
    "eusc": case({"AWS_DEFAULT_REGION": "eusc-de-east-1"}),
    "iso-b": case({"AWS_DEFAULT_REGION": "us-isob-east-1"}),
    "profile env missing": case({"AWS_PROFILE": "nope"}),
    "profile env with own keys": case(
        {"AWS_PROFILE": "p"}, credentials=f"[p]\n{FILE_KEYS.format('PK')}"
    ),
    "profile argument with own keys": case(
        credentials=f"[p]\n{FILE_KEYS.format('PK')}aws_account_id = 111122223333\n",
        profile_name="p",
    ),
    "both profile envs": case(
        {**NO_KEYS, "AWS_PROFILE": "a", "AWS_DEFAULT_PROFILE": "b"},
        credentials=f"[a]\n{FILE_KEYS.format('A')}[b]\n{FILE_KEYS.format('B')}",
    ),
    "keys in both files": case(
        NO_KEYS,
        config=f"[default]\n{FILE_KEYS.format('CO')}",
        credentials=f"[default]\n{FILE_KEYS.format('CR')}",
    ),
    "process before config keys": case(
        NO_KEYS, config=f"[default]\ncredential_process = echo x\n{FILE_KEYS.format('CO')}"
    ),
    "expiring env credentials": case({"AWS_CREDENTIAL_EXPIRATION": "2099-01-01T00:00:00Z"}),
    "expired env credentials": case({"AWS_CREDENTIAL_EXPIRATION": "2001-01-01T00:00:00Z"}),
    "web identity env beside keys": case(
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "/nope", "AWS_ROLE_ARN": "arn:aws:iam::1:role/r"}
    ),
    "container uri beside keys": case({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"}),
    "config names a missing file": case({"AWS_CONFIG_FILE": "/nope/config"}),
    "defaults mode standard": case({"AWS_DEFAULTS_MODE": "standard"}),
    "defaults mode bad": case({"AWS_DEFAULTS_MODE": "zzz"}),
    "retry mode bad": case({"AWS_RETRY_MODE": "zzz"}),
    "max attempts bad": case({"AWS_MAX_ATTEMPTS": "x"}),
    "checksum config bad": case({"AWS_REQUEST_CHECKSUM_CALCULATION": "x"}),
    "ca bundle empty": case({"AWS_CA_BUNDLE": ""}),
    "endpoint discovery off": case({"AWS_ENDPOINT_DISCOVERY_ENABLED": "false"}),
    "dual-stack host as endpoint": case(endpoint_url="https://dynamodb.us-east-1.api.aws"),
    "endpoint IPv6": case(endpoint_url="http://[::1]:8000"),
    "endpoint without scheme": case(endpoint_url="localhost:8000"),
    "endpoint upper": case(endpoint_url="HTTP://LocalHost:8000"),
    "endpoint, default port": case(endpoint_url="https://h.example:443"),
}


def regions() -> dict[str, dict[str, Any]]:
    """Every region of botocore's data, with every flag."""
    import botocore.session

    session = botocore.session.Session()
    flags: dict[str, dict[str, str | None]] = {
        "plain": {},
        "account": dict(ID),
        "fips": {"AWS_USE_FIPS_ENDPOINT": "true"},
        "dualstack": {**ID, "AWS_USE_DUALSTACK_ENDPOINT": "true"},
    }
    found = {}
    for partition in session.get_available_partitions():
        for region in session.get_available_regions("dynamodb", partition, True):
            for flag, env in flags.items():
                settings = {"AWS_DEFAULT_REGION": region, **env}
                found[f"{region}, {flag}"] = case(settings)
            arn = f"arn:{partition}:dynamodb:{region}:999999999999:table/t"
            found[f"{region}, ARN"] = case({"AWS_DEFAULT_REGION": region, **ID}, table=arn)
    return found


class Seen(Exception):
    def __init__(self, request: Any) -> None:
        super().__init__()
        self.request = request


def of_botocore(arguments: dict[str, Any], table: str) -> list[Any]:
    """URL, region, key and token of the request that botocore would send."""
    import botocore.session

    arguments = dict(arguments)
    session = botocore.session.Session(profile=arguments.pop("profile_name", None))
    client = session.create_client("dynamodb", **arguments)

    def stop(request: Any, **_: Any) -> None:
        raise Seen(request)

    client.meta.events.register("before-send.dynamodb", stop)
    try:
        client.get_item(TableName=table, Key={"id": {"S": "x"}})
    except Seen as seen:
        headers = seen.request.headers
        scope = str(headers["Authorization"]).split("Credential=")[1].split(",")[0].split("/")
        token = headers.get("X-Amz-Security-Token")
        if isinstance(token, bytes):
            token = token.decode()
        return [seen.request.url, scope[2], scope[0], token]
    raise AssertionError("botocore sent the request")


def of_dynasafe(arguments: dict[str, Any], table: str) -> tuple[list[Any], bool]:
    """The same of dynasafe, and whether it decided by itself."""
    from dynasafe.environment.surroundings import Wanted, look_around
    from dynasafe.http.credentials import Credentials
    from dynasafe.http.endpoint import Place, resource_of

    around = look_around(Wanted(**arguments), os.environ)
    credentials = around.credentials
    if credentials is None:
        assert around.fetch is not None
        credentials = around.fetch(False)
    assert isinstance(credentials, Credentials)
    found = around.place.endpoint(credentials.account_id, resource_of({"TableName": table}))
    url = f"http{'s' if found.is_tls else ''}://{found.host_header}{found.path}"
    answer = [url, found.region, credentials.access_key, credentials.token]
    return answer, isinstance(around.place, Place)


def normal(url: str) -> str:
    """A URL as its request has it: the host's case and default port say nothing."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    port = parts.port
    if port is not None and port != {"http": 80, "https": 443}[parts.scheme]:
        shown += f":{port}"
    return f"{parts.scheme}://{shown}{parts.path or '/'}"


def run(each: dict[str, Any], home: Path) -> dict[str, Any]:
    for name in [name for name in os.environ if name.upper().startswith(("AWS_", "BOTO"))]:
        del os.environ[name]
    folder = home / ".aws"
    folder.mkdir(exist_ok=True)
    for kind in ("config", "credentials"):
        path = folder / kind
        path.unlink(missing_ok=True)
        if each[kind]:
            path.write_text(each[kind])
    os.environ.update(each["env"], HOME=str(home), AWS_EC2_METADATA_DISABLED="true")
    outcome: dict[str, Any] = {"is_own": False}
    try:
        theirs = of_botocore(each["arguments"], each["table"])
        outcome["botocore"] = [normal(theirs[0]), *theirs[1:]]
    except Exception as error:
        outcome["botocore"] = "error"
        outcome["botocore_error"] = f"{type(error).__name__}: {error}"
    try:
        outcome["dynasafe"], outcome["is_own"] = of_dynasafe(each["arguments"], each["table"])
    except Exception as error:
        outcome["dynasafe"] = "error"
        outcome["dynasafe_error"] = f"{type(error).__name__}: {error}"
    return outcome


def main(which: str) -> None:
    import botocore.loaders

    # Each session would read and unpack botocore's data again, for most of the time.
    read_once = cache(botocore.loaders.JSONFileLoader().load_file)
    botocore.loaders.JSONFileLoader.load_file = lambda _, path: read_once(path)
    loader = botocore.loaders.Loader
    services = cache(loader().list_available_services)
    loader.list_available_services = lambda _, type_name: services(type_name)
    os.environ.pop("REQUESTS_CA_BUNDLE", None)
    with tempfile.TemporaryDirectory() as home:
        cases = CASES if which == "cases" else regions()
        json.dump({name: run(each, Path(home)) for name, each in cases.items()}, sys.stdout)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.path.insert(0, sys.argv[2])
    main(sys.argv[1])
