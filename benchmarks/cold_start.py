"""The cost of the first call in a new process: CPU time until its answer, and memory after it.

Each contender is a program as a Lambda function would have it, with credentials in the environment.
Its CPU time is that of the whole process, of all its threads, less that of an interpreter that does
nothing; so is its resident set. Bytecode exists already.

Over TLS each trusts as many authorities as it does by default with an endpoint of AWS, and the stub
server's own: dynasafe reads Amazon's five roots, and the others a whole bundle.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.certificates import make_certificate
from benchmarks.contenders import is_installed
from benchmarks.figures import OURS, Figure, Target
from benchmarks.stub_server import stub_server
from dynasafe.environment.trust import amazon_roots

GROUP = "Cold start, to the first answer"
MEMORY_GROUP = "Memory after the first call"
DYNAMOXY = "dynamoxy (Rust)"
AIOBOTO3 = "aioboto3 client"
BOTO3 = "boto3 client"
SYNC = "dynasafe, without async"

_EXPRESSION = '"SET visits = if_not_exists(visits, :zero) + :one"'
_WIRE = '{":zero": {"N": "0"}, ":one": {"N": "1"}}'

PROGRAMS = {
    OURS: (
        "dynasafe",
        """
import asyncio, sys
from dynasafe import AsyncDynamoDB, Attr, Item, UpdateBuilder, attribute

class Person(Item):
    id: Attr[str] = attribute(key="partition")
    visits: Attr[int] = attribute(default=0)

async def main():
    async with AsyncDynamoDB.connect(endpoint_url=sys.argv[1]) as db:
        people = db.table("people", Person)
        await people.update_item({"id": "p1"}, UpdateBuilder(Person).increment(Person.visits, 1))

asyncio.run(main())
""",
    ),
    SYNC: (
        "dynasafe",
        """
import sys
from dynasafe import Attr, DynamoDB, Item, UpdateBuilder, attribute

class Person(Item):
    id: Attr[str] = attribute(key="partition")
    visits: Attr[int] = attribute(default=0)

with DynamoDB.connect(endpoint_url=sys.argv[1]) as db:
    people = db.table("people", Person)
    people.update_item({"id": "p1"}, UpdateBuilder(Person).increment(Person.visits, 1))
""",
    ),
    DYNAMOXY: (
        "dynamoxy",
        """
import asyncio, sys
from dynamoxy import Client, F

async def main():
    async with Client(endpoint_url=sys.argv[1], consumed_capacity="NONE") as client:
        visits = F("visits").set(F("visits").if_not_exists(0) + 1)
        await client.table("people").update({"id": "p1"}, visits, return_values="NONE")

asyncio.run(main())
""",
    ),
    "pydynox (Rust)": (
        "pydynox",
        f"""
import asyncio, sys
from pydynox import DynamoDBClient

async def main():
    client = DynamoDBClient(endpoint_url=sys.argv[1], region="us-east-1")
    await client.update_item("people", {{"id": "p1"}}, update_expression={_EXPRESSION},
        expression_attribute_values={{":zero": 0, ":one": 1}})

asyncio.run(main())
""",
    ),
    "aiodynamo": (
        "aiodynamo",
        """
import asyncio, os, ssl, sys
from aiodynamo.client import Client
from aiodynamo.credentials import Credentials
from aiodynamo.expressions import F
from aiodynamo.http.aiohttp import AIOHTTP
from aiohttp import ClientSession, TCPConnector
from yarl import URL

async def main():
    bundle = os.environ.get("AWS_CA_BUNDLE")
    trust = ssl.create_default_context(cafile=bundle) if bundle else True
    async with ClientSession(connector=TCPConnector(ssl=trust)) as session:
        client = Client(AIOHTTP(session), Credentials.auto(), "us-east-1", URL(sys.argv[1]))
        await client.table("people").update_item({"id": "p1"}, F("visits").add(1))

asyncio.run(main())
""",
    ),
    BOTO3: (
        "boto3",
        f"""
import boto3, sys
client = boto3.client("dynamodb", endpoint_url=sys.argv[1])
client.update_item(TableName="people", Key={{"id": {{"S": "p1"}}}}, UpdateExpression={_EXPRESSION},
    ExpressionAttributeValues={_WIRE})
""",
    ),
    AIOBOTO3: (
        "aioboto3",
        f"""
import aioboto3, asyncio, sys

async def main():
    async with aioboto3.Session().client("dynamodb", endpoint_url=sys.argv[1]) as client:
        await client.update_item(TableName="people", Key={{"id": {{"S": "p1"}}}},
            UpdateExpression={_EXPRESSION}, ExpressionAttributeValues={_WIRE})

asyncio.run(main())
""",
    ),
    "capo": (
        "capo_dynamodb",
        f"""
import asyncio, sys
from capo_dynamodb import AsyncDynamoDBClient

async def main():
    async with AsyncDynamoDBClient(endpoint=sys.argv[1], region="us-east-1") as client:
        await client.update_item("people", {{"id": {{"S": "p1"}}}},
            update_expression={_EXPRESSION}, expression_attribute_values={_WIRE})

asyncio.run(main())
""",
    ),
}
_RESIDENT = """
print(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1])
"""
# Their trust store cannot be set by the environment.
_WITHOUT_TLS = {"capo"}


def _run(program: str, url: str, bundle: Path | None) -> tuple[float, float]:
    """Milliseconds of CPU time, and MiB of the resident set at the end."""
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SSL_"))
    } | {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
    }
    if bundle is not None:
        environ |= {"AWS_CA_BUNDLE": str(bundle), "SSL_CERT_FILE": str(bundle)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(
        [sys.executable, "-c", program + _RESIDENT, url],
        env=environ,
        check=True,
        capture_output=True,
        text=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return taken_s * 1000, int(ran.stdout) / 1024


def measure(rounds: int) -> list[Figure]:
    """CPU time without and with TLS, and memory."""
    with TemporaryDirectory() as directory, stub_server() as plain_url:
        certificate = make_certificate(Path(directory))
        with stub_server(certificate) as tls_url:
            plain, memory = _measure("plain", plain_url, None, rounds)
            tls, _ = _measure("TLS 1.3", tls_url, _bundles(certificate), rounds)
    return [
        Figure(
            group=GROUP,
            title=title,
            unit="ms",
            rounds=taken,
            targets=(
                *_beside(taken, DYNAMOXY, 1.0),
                *_beside(taken, AIOBOTO3, 0.27),
                Target(kind="at most times", bound=0.35, against=BOTO3, contender=SYNC),
            ),
        )
        for title, taken in (("plain", plain), ("TLS 1.3", tls))
    ] + [
        Figure(
            group=MEMORY_GROUP,
            title="above the interpreter's own",
            unit="MiB",
            rounds=memory,
            targets=(Target(kind="at most", bound=21),),
        )
    ]


def _beside(rounds: dict[str, list[float]], peer: str, bound: float) -> tuple[Target, ...]:
    target = Target(kind="at most times", bound=bound, against=peer)
    return (target,) if peer in rounds else ()


def _bundles(certificate: Path) -> dict[str, Path]:
    """The files with the authorities that the contenders trust by default, and the stub server."""
    import botocore

    own = certificate.read_text()
    bundle = Path(botocore.__file__).with_name("cacert.pem")
    everything, amazon = bundle.read_text(), amazon_roots(str(bundle))
    assert amazon is not None
    whole, few = certificate.with_name("whole.pem"), certificate.with_name("few.pem")
    whole.write_text(f"{everything}\n{own}")
    few.write_text(f"{amazon}\n{own}")
    return {name: few if name in (OURS, SYNC) else whole for name in PROGRAMS}


def _measure(
    title: str, url: str, bundles: dict[str, Path] | None, rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    print(f"cold start: {title}", flush=True)
    programs = {
        name: program
        for name, (package, program) in PROGRAMS.items()
        if is_installed(package) and not (bundles and name in _WITHOUT_TLS)
    }

    def run(name: str) -> tuple[float, float]:
        return _run(programs[name], url, bundles[name] if bundles else None)

    for name in programs:
        run(name)  # writes bytecode
    taken: dict[str, list[float]] = {name: [] for name in programs}
    memory: dict[str, list[float]] = {name: [] for name in programs}
    for round_ in range(rounds):
        bare_ms, bare_mib = _run("", url, None)
        first = round_ % len(programs)
        names = list(programs)
        for name in names[first:] + names[:first]:
            spent_ms, resident_mib = run(name)
            taken[name].append(spent_ms - bare_ms)
            memory[name].append(resident_mib - bare_mib)
    return taken, memory
