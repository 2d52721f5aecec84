"""What must work after `pip install dynasafe` without any extra."""

import asyncio
import importlib.util

from dynasafe import (
    AsyncDynamoDB,
    Attr,
    Item,
    UpdateBuilder,
    attribute,
    check_request,
)
from dynasafe.errors import ConnectionNotMadeError, InvalidValueError

for extra in ("aioboto3", "aiohttp", "boto3", "pytest", "moto", "hypothesis", "pydantic"):
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


async def connect() -> None:
    async with AsyncDynamoDB.connect(
        region_name=REGION, endpoint_url=NOBODY, client_options=CREDENTIALS, retry=None
    ) as db:
        try:
            await db.table("people", Person).get_item({"id": "p1"})
        except ConnectionNotMadeError:
            return
    raise SystemExit("a call without a server came back")


async def connect_with_aioboto3() -> None:
    try:
        async with AsyncDynamoDB.connect(region_name=REGION, transport="aioboto3"):
            pass
    except InvalidValueError as error:
        if "dynasafe[aioboto3]" in str(error):
            return
    raise SystemExit("aioboto3 is not installed, and nobody says so")


asyncio.run(connect())
asyncio.run(connect_with_aioboto3())
