"""What must work after `pip install dynasafe` without any extra."""

import asyncio
import importlib.util

import boto3

from dynasafe import (
    AsyncDynamoDB,
    Attr,
    Item,
    UpdateBuilder,
    attribute,
    check_request,
    guard,
)
from dynasafe.errors import ConnectionNotMadeError, InvalidRequestError

for extra in ("pytest", "moto", "hypothesis", "pydantic"):
    assert importlib.util.find_spec(extra) is None, extra

REGION = "us-east-1"
NOBODY = "http://127.0.0.1:1"  # refuses connections
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str]


update = UpdateBuilder(Person).set(Person.name, "Ada")
params = update.build_client(table_name="people", key={"id": "p1"})
assert params["ExpressionAttributeNames"] == {"#name": "name"}
assert not check_request("UpdateItem", params, schema=Person)

client = guard(boto3.client("dynamodb", region_name=REGION, endpoint_url=NOBODY, **CREDENTIALS))
codes = []
try:
    client.update_item(**{**params, "ExpressionAttributeNames": {}})
except InvalidRequestError as error:
    codes = [finding.code for finding in error.findings]
assert codes[:1] == ["DYS103"]


async def connect() -> None:
    async with AsyncDynamoDB.connect(
        region_name=REGION, endpoint_url=NOBODY, client_options=CREDENTIALS, retry=None
    ) as db:
        try:
            await db.table("people", Person).get_item({"id": "p1"})
        except ConnectionNotMadeError:
            return
    raise SystemExit("a call without a server came back")


asyncio.run(connect())
