"""Explanations of the codes of `dynasafe lint`. The tests run every example.

In the examples, `table` and `client` are boto3's, and `session` is aioboto3's.
"""

from __future__ import annotations

from dynasafe.findings.explanation import Explanation

PREAMBLE = """\
import asyncio
import datetime
import json
import time
import uuid
from decimal import Decimal

import aioboto3
import boto3
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

dynamodb = boto3.resource("dynamodb")
table = dynamodb.Table("people")
client = boto3.client("dynamodb")
session = aioboto3.Session()
"""
"""The imports and names that each example uses."""

_BOTO3 = "DynamoDB customization reference, boto3"
_AIOBOTO3 = "aioboto3, usage"
_AIOBOTOCORE = "aiobotocore, basic example"
_ASYNCIO = "Coroutines and tasks, Python documentation"
_ERRORS = "Error handling with DynamoDB"
_UPDATES = "Update expressions in DynamoDB"
_NAMES = "Expression attribute names (aliases) in DynamoDB"
_PAGES = "Paginating table query results in DynamoDB"
_MOCK = "unittest.mock, Python documentation"

SOURCE_CODE: dict[str, Explanation] = {
    "DYS310": Explanation(
        "A parameter that may be None",
        "boto3 refuses a parameter that is None. For names or values of an expression, the Table's "
        "own code fails with AttributeError. While the condition is true, the call works, so tests "
        "pass until the first call without names.",
        """\
def rename(names):
    table.update_item(
        Key={"id": "a"},
        UpdateExpression="SET nickname = :n",
        ExpressionAttributeNames=names if names else None,
        ExpressionAttributeValues={":n": "Ada"},
    )""",
        """\
def rename(names):
    table.update_item(
        Key={"id": "a"},
        UpdateExpression="SET nickname = :n",
        **({"ExpressionAttributeNames": names} if names else {}),
        ExpressionAttributeValues={":n": "Ada"},
    )""",
        _BOTO3,
        "AttributeError: 'NoneType' object has no attribute 'update'",
        "Not reported if the code tests the name elsewhere, or for `d.get(...)`. A function "
        "parameter with the default None that is passed on unchanged is reported as a risk.",
    ),
    "DYS311": Explanation(
        "An empty parameter",
        "DynamoDB refuses an empty map of names or values, and an empty start key. If the source "
        "shows the whole request, DYS103 is reported instead.",
        """\
def rename():
    table.update_item(
        Key={"id": "a"},
        UpdateExpression="SET nickname = :n",
        ExpressionAttributeNames=dict(),
        ExpressionAttributeValues={":n": "Ada"},
    )""",
        """\
def rename():
    table.update_item(
        Key={"id": "a"},
        UpdateExpression="SET nickname = :n",
        ExpressionAttributeValues={":n": "Ada"},
    )""",
        _NAMES,
        "ValidationException: ExpressionAttributeNames must not be empty",
    ),
    "DYS312": Explanation(
        "Names or values that may be empty",
        "The dict starts empty and is filled only inside branches. If no branch is taken, it stays "
        "empty.",
        """\
def rename(nickname, is_admin):
    names = {}
    text = "SET nickname = :n"
    if is_admin:
        names["#role"] = "role"
        text += ", #role = :n"
    table.update_item(
        Key={"id": "a"},
        UpdateExpression=text,
        ExpressionAttributeNames=names,
        ExpressionAttributeValues={":n": nickname},
    )""",
        """\
def rename(nickname, is_admin):
    names = {}
    text = "SET nickname = :n"
    if is_admin:
        names["#role"] = "role"
        text += ", #role = :n"
    table.update_item(
        Key={"id": "a"},
        UpdateExpression=text,
        **({"ExpressionAttributeNames": names} if names else {}),
        ExpressionAttributeValues={":n": nickname},
    )""",
        _NAMES,
        "ValidationException: ExpressionAttributeNames must not be empty",
        "Not reported if the code tests the dict, or another variable that the same branches fill, "
        "or if it passes the dict to a function.",
    ),
    "DYS313": Explanation(
        "A parameter that the call does not have",
        "boto3's parameters have the names of the API: Item, not item.",
        """\
def save():
    table.put_item(item={"id": "a"})""",
        """\
def save():
    table.put_item(Item={"id": "a"})""",
        _BOTO3,
        'ParamValidationError: Unknown parameter in input: "item"',
        "Not reported for classes that the file defines. A parameter that AWS added recently is a "
        "false alarm.",
    ),
    "DYS314": Explanation(
        "Positional arguments",
        "Methods of boto3 take keyword arguments only.",
        """\
def save():
    table.put_item({"id": "a"})""",
        """\
def save():
    table.put_item(Item={"id": "a"})""",
        _BOTO3,
        "TypeError: put_item() only accepts keyword arguments.",
        "Not reported for the batch writer, whose methods take one positional argument.",
    ),
    "DYS315": Explanation(
        "Client values for a Table, or the reverse",
        "A client takes AttributeValues, a Table takes Python values. A Table stores an "
        "AttributeValue as a map without an error, and refuses it in a key.",
        """\
def load():
    return client.get_item(TableName="people", Key={"id": "a"})""",
        """\
def load():
    return client.get_item(TableName="people", Key={"id": {"S": "a"}})""",
        _BOTO3,
        "ParamValidationError: Invalid type for parameter Key.id",
        "`resource.meta.client` takes Python values. Reported only where the file shows which of "
        "the two it is.",
    ),
    "DYS316": Explanation(
        "A float",
        "boto3 refuses floats, because DynamoDB's numbers are decimal. A Decimal made from a float "
        "has all digits of the binary fraction, usually more than the 38 that DynamoDB stores.",
        """\
def save():
    table.put_item(Item={"id": "a", "rating": 4.5})""",
        """\
def save():
    table.put_item(Item={"id": "a", "rating": Decimal("4.5")})""",
        "Valid DynamoDB types, boto3",
        "TypeError: Float types are not supported. Use Decimal types instead.",
        "json.loads(...) without parse_float as an item is reported as a risk: the JSON may have "
        "no number with a decimal point.",
    ),
    "DYS317": Explanation(
        "A type that boto3 does not store",
        "boto3 stores str, int, Decimal, bytes, bool, None, lists, dicts and sets. DynamoDB has no "
        "empty set.",
        """\
def save():
    table.put_item(Item={"id": "a", "created_at": datetime.datetime.now()})""",
        """\
def save():
    table.put_item(Item={"id": "a", "created_at": datetime.datetime.now().isoformat()})""",
        "Valid DynamoDB types, boto3",
        "TypeError: Unsupported type \"<class 'datetime.datetime'>\" for value",
    ),
    "DYS318": Explanation(
        "TableName on a Table",
        "A Table sends its own name. If the call has TableName too, that one is used, without a "
        "warning.",
        """\
def load():
    return table.get_item(TableName="orders", Key={"id": "a"})""",
        """\
def load():
    return table.get_item(Key={"id": "a"})""",
        _BOTO3,
        "no error if that table exists: the call goes to the table that TableName names",
    ),
    "DYS319": Explanation(
        "A legacy parameter",
        "Expressions replaced it. It still works, but cannot be combined with expressions, and "
        "cannot change elements inside maps and lists.",
        """\
def visit():
    table.update_item(
        Key={"id": "a"}, AttributeUpdates={"visits": {"Action": "ADD", "Value": 1}}
    )""",
        """\
def visit():
    table.update_item(
        Key={"id": "a"},
        UpdateExpression="ADD visits :one",
        ExpressionAttributeValues={":one": 1},
    )""",
        "Legacy DynamoDB conditional parameters",
        "no error: it works, but cannot be combined with expressions",
    ),
    "DYS321": Explanation(
        "Names from outside in an expression",
        "A name from a request may be a reserved word, or not fit the grammar. Worse, the sender "
        "chooses which attribute is written, such as is_admin.",
        """\
def patch(body):
    table.update_item(
        Key={"id": "a"},
        UpdateExpression="SET " + ", ".join(f"{key} = :{key}" for key in body),
        ExpressionAttributeValues={f":{key}": value for key, value in body.items()},
    )""",
        """\
def patch(body):
    allowed = ("nickname", "status")
    given = [key for key in allowed if key in body]
    table.update_item(
        Key={"id": "a"},
        UpdateExpression="SET " + ", ".join(f"#n{i} = :v{i}" for i, _ in enumerate(given)),
        ExpressionAttributeNames={f"#n{i}": key for i, key in enumerate(given)},
        ExpressionAttributeValues={f":v{i}": body[key] for i, key in enumerate(given)},
    )""",
        _NAMES,
        "ValidationException for a reserved word or a name such as first-name; otherwise the "
        "sender can write any attribute",
        "Not reported for attributes and constants of the code itself, or for loops over literal "
        "lists.",
    ),
    "DYS322": Explanation(
        "A value in the text",
        "Expressions have no literals, so values need placeholders.",
        """\
def rename(name):
    table.update_item(Key={"id": "a"}, UpdateExpression=f"SET nickname = '{name}'")""",
        """\
def rename(name):
    table.update_item(
        Key={"id": "a"},
        UpdateExpression="SET nickname = :n",
        ExpressionAttributeValues={":n": name},
    )""",
        _UPDATES,
        'ValidationException: Syntax error; token: "\'"',
        "If nothing is inserted into the text, DYS201 is reported instead.",
    ),
    "DYS323": Explanation(
        "Conditions joined in Python",
        "`and`, `or` and `not` test whether an object is true, and every condition is, so `a and "
        "b` is just b. `==` compares the Python objects.",
        """\
def adults():
    return table.scan(FilterExpression=Attr("age").gt(17) and Attr("visits").gt(0))""",
        """\
def adults():
    return table.scan(FilterExpression=Attr("age").gt(17) & Attr("visits").gt(0))""",
        _BOTO3,
        "no error: only the last condition is sent",
    ),
    "DYS324": Explanation(
        "Placeholders made of data",
        "A placeholder may have only letters, digits and _, so a key such as first-name does not "
        "make one.",
        """\
def patch(body):
    table.update_item(
        Key={"id": "a"},
        UpdateExpression="SET " + ", ".join(f"#{key} = :{key}" for key in body),
        ExpressionAttributeNames={f"#{key}": key for key in body},
        ExpressionAttributeValues={f":{key}": value for key, value in body.items()},
    )""",
        """\
def patch(body):
    given = list(body.items())
    table.update_item(
        Key={"id": "a"},
        UpdateExpression="SET " + ", ".join(f"#n{i} = :v{i}" for i, _ in enumerate(given)),
        ExpressionAttributeNames={f"#n{i}": key for i, (key, _) in enumerate(given)},
        ExpressionAttributeValues={f":v{i}": value for i, (_, value) in enumerate(given)},
    )""",
        _NAMES,
        "ValidationException: ExpressionAttributeNames contains invalid key: Syntax error; key: "
        '"#first-name"',
    ),
    "DYS330": Explanation(
        "An item that may be missing",
        "If the item does not exist, the answer of GetItem has no Item.",
        """\
def load(missing_id):
    return table.get_item(Key={"id": missing_id})["Item"]""",
        """\
def load(missing_id):
    return table.get_item(Key={"id": missing_id}).get("Item")""",
        "GetItem, API Reference",
        "KeyError: 'Item'",
        "Not reported if the function tests for Item first or catches KeyError, at module level, "
        "and in tests.",
    ),
    "DYS331": Explanation(
        "Only the first page",
        "One query or scan returns at most 1 MB. The rest needs further requests.",
        """\
def count():
    return len(table.scan()["Items"])""",
        """\
def count():
    page = table.scan()
    found = len(page["Items"])
    while "LastEvaluatedKey" in page:
        page = table.scan(ExclusiveStartKey=page["LastEvaluatedKey"])
        found += len(page["Items"])
    return found""",
        _PAGES,
        "no error: what does not fit into 1 MB is left out",
        "Not reported with a Limit, if the whole answer is returned or passed on, or if only the "
        "first item is used. A query by a full primary key is a false alarm: use get_item.",
    ),
    "DYS332": Explanation(
        "A loop that ends at an empty page",
        "With a filter, a page may have no items and a LastEvaluatedKey.",
        """\
def all_nicknames():
    page = table.scan(Limit=1, FilterExpression=Attr("nickname").exists())
    found = []
    while page["Items"]:
        found += page["Items"]
        page = table.scan(
            Limit=1,
            FilterExpression=Attr("nickname").exists(),
            ExclusiveStartKey=page["LastEvaluatedKey"],
        )
    return found""",
        """\
def all_nicknames():
    page = table.scan(Limit=1, FilterExpression=Attr("nickname").exists())
    found = list(page["Items"])
    while "LastEvaluatedKey" in page:
        page = table.scan(
            Limit=1,
            FilterExpression=Attr("nickname").exists(),
            ExclusiveStartKey=page["LastEvaluatedKey"],
        )
        found += page["Items"]
    return found""",
        _PAGES,
        "no error: a page may have no items and a LastEvaluatedKey",
    ),
    "DYS333": Explanation(
        "Unprocessed entries",
        "When DynamoDB throttles, or an answer would exceed 16 MB, it returns the remaining "
        "entries as unprocessed, with status 200.",
        """\
def load_all(ids):
    answer = dynamodb.batch_get_item(
        RequestItems={"people": {"Keys": [{"id": each} for each in ids]}}
    )
    return answer["Responses"]["people"]""",
        """\
def load_all(ids):
    found = []
    left = {"people": {"Keys": [{"id": each} for each in ids]}}
    while left:
        answer = dynamodb.batch_get_item(RequestItems=left)
        found += answer["Responses"].get("people", [])
        left = answer["UnprocessedKeys"]
    return found""",
        "BatchGetItem, API Reference",
        "no error: entries that were not processed come back in UnprocessedKeys",
        "Not reported if the answer is returned or passed on.",
    ),
    "DYS334": Explanation(
        "A limit before the filter",
        "Limit counts the items that are read, not those that match the filter.",
        """\
def first_nickname():
    return table.scan(Limit=1, FilterExpression=Attr("nickname").exists())["Items"]""",
        """\
def first_nickname():
    page = table.scan(FilterExpression=Attr("nickname").exists())
    while not page["Items"] and "LastEvaluatedKey" in page:
        page = table.scan(
            FilterExpression=Attr("nickname").exists(),
            ExclusiveStartKey=page["LastEvaluatedKey"],
        )
    return page["Items"][:1]""",
        _PAGES,
        "no error: items that match the filter are missing",
    ),
    "DYS335": Explanation(
        "An item in json.dumps",
        "A Table returns numbers as Decimal, which json cannot write.",
        """\
def show():
    item = table.get_item(Key={"id": "a"}).get("Item")
    return json.dumps(item)""",
        """\
def show():
    item = table.get_item(Key={"id": "a"}).get("Item")
    return json.dumps(item, default=str)""",
        "Valid DynamoDB types, boto3",
        "TypeError: Object of type Decimal is not JSON serializable",
        "An item without numbers, sets and binary values works, so it is a false alarm.",
    ),
    "DYS340": Explanation(
        "Read, change, put",
        "Another writer may change the item between the read and the put. The put overwrites that "
        "change.",
        """\
def visit():
    answer = table.get_item(Key={"id": "a"})
    if "Item" in answer:
        item = answer["Item"]
        item["visits"] += 1
        table.put_item(Item=item)""",
        """\
def visit():
    table.update_item(
        Key={"id": "a"},
        UpdateExpression="SET visits = visits + :one",
        ConditionExpression="attribute_exists(visits)",
        ExpressionAttributeValues={":one": 1},
    )""",
        "Working with items, optimistic locking",
        "no error: the later of two writers overwrites the other's change",
    ),
    "DYS341": Explanation(
        "A counter that may count twice",
        "botocore repeats a request whose answer is lost: it makes up to 10 attempts. DynamoDB "
        "applies an ADD each time.",
        """\
def visit():
    table.update_item(
        Key={"id": "a"},
        UpdateExpression="ADD visits :one",
        ExpressionAttributeValues={":one": 1},
    )""",
        """\
def visit(request_id):
    table.update_item(
        Key={"id": "a"},
        UpdateExpression="ADD visits :one SET last_request = :request",
        ConditionExpression="last_request <> :request",
        ExpressionAttributeValues={":one": 1, ":request": request_id},
    )""",
        _ERRORS,
        "no error: botocore sends it up to 10 times when an answer is lost",
        "Not reported if the file configures the attempts of a client.",
    ),
    "DYS342": Explanation(
        "An update that may create an item",
        "UpdateItem creates the item if it does not exist. So a deleted item comes back, with only "
        "these attributes.",
        """\
def rename(missing_id):
    table.update_item(
        Key={"id": missing_id},
        UpdateExpression="SET nickname = :n",
        ExpressionAttributeValues={":n": "Ada"},
    )""",
        """\
def rename():
    table.update_item(
        Key={"id": "a"},
        UpdateExpression="SET nickname = :n",
        ConditionExpression="attribute_exists(id)",
        ExpressionAttributeValues={":n": "Ada"},
    )""",
        "UpdateItem, API Reference",
        "no error: DynamoDB creates an item with only these attributes",
    ),
    "DYS343": Explanation(
        "Arithmetic on an attribute that may be missing",
        "The item must have each path on the right side of SET.",
        """\
def like():
    table.update_item(
        Key={"id": "a"},
        UpdateExpression="SET likes = likes + :one",
        ExpressionAttributeValues={":one": 1},
    )""",
        """\
def like():
    table.update_item(
        Key={"id": "a"},
        UpdateExpression="SET likes = if_not_exists(likes, :zero) + :one",
        ExpressionAttributeValues={":one": 1, ":zero": 0},
    )""",
        _UPDATES,
        "ValidationException: The provided expression refers to an attribute that does not exist "
        "in the item",
        "Not reported if the update has a condition. If every item has the attribute, it is a "
        "false alarm.",
    ),
    "DYS344": Explanation(
        "A TTL that never expires",
        "DynamoDB deletes an item whose TTL attribute is a number of epoch seconds in the past. It "
        "ignores strings, and reads milliseconds as a date in the far future.",
        """\
def save():
    table.put_item(Item={"id": "a", "expires_at": datetime.datetime.now().isoformat()})""",
        """\
def save():
    table.put_item(Item={"id": "a", "expires_at": int(datetime.datetime.now().timestamp())})""",
        "Using time to live (TTL) in DynamoDB",
        "no error: the item never expires: a TTL is a number of epoch seconds",
        "An attribute that has such a name but is not the TTL is a false alarm: configure "
        "`ttl-attributes`.",
    ),
    "DYS350": Explanation(
        "An error code that does not exist",
        "The code of a false condition is ConditionalCheckFailedException. Only the reasons of a "
        "cancelled transaction have names that do not end in Exception.",
        """\
def create():
    try:
        table.put_item(Item={"id": "a"}, ConditionExpression="attribute_not_exists(id)")
    except ClientError as error:
        return error.response["Error"]["Code"] == "ConditionalCheckFailed\"""",
        """\
def create():
    try:
        table.put_item(Item={"id": "a"}, ConditionExpression="attribute_not_exists(id)")
    except ClientError as error:
        return error.response["Error"]["Code"] == "ConditionalCheckFailedException\"""",
        _ERRORS,
        "no error: the comparison is never true",
    ),
    "DYS351": Explanation(
        "A failed write that is swallowed",
        "The handler catches every error and only logs it, so a throttle, an outage and a bug all "
        "look like success.",
        """\
def save():
    try:
        table.put_item(Item={"id": ""})
    except ClientError:
        print("not saved")""",
        """\
def save():
    try:
        table.put_item(Item={"id": "a"})
    except ClientError:
        print("not saved")
        raise""",
        _ERRORS,
        "no error: a throttle, an outage and a bug all look like success",
        "Not reported if the handler raises, reads the error code, calls a function, or returns "
        "False.",
    ),
    "DYS352": Explanation(
        "An error code searched for in the text",
        "The text of an error is for people and may change. The code has its own field.",
        """\
def create():
    try:
        table.put_item(Item={"id": "a"}, ConditionExpression="attribute_not_exists(id)")
    except ClientError as error:
        return "ConditionalCheckFailedException" in str(error)""",
        """\
def create():
    try:
        table.put_item(Item={"id": "a"}, ConditionExpression="attribute_not_exists(id)")
    except ClientError as error:
        return error.response["Error"]["Code"] == "ConditionalCheckFailedException\"""",
        _ERRORS,
        "no error: any message that contains the code matches too",
    ),
    "DYS353": Explanation(
        "Exceptions of a Table or a resource",
        "Only clients have `exceptions`. Python looks the name up while it handles an error, and "
        "the AttributeError hides that error.",
        """\
def create():
    try:
        table.put_item(Item={"id": "a"}, ConditionExpression="attribute_not_exists(id)")
    except table.exceptions.ConditionalCheckFailedException:
        return False""",
        """\
def create():
    try:
        table.put_item(Item={"id": "a"}, ConditionExpression="attribute_not_exists(id)")
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        return False""",
        _BOTO3,
        "AttributeError: 'dynamodb.Table' object has no attribute 'exceptions'",
    ),
    "DYS354": Explanation(
        "An exception that the client does not have",
        "A client has only the exceptions of the service model. ValidationException, for example, "
        "is not in it.",
        """\
def create():
    try:
        table.put_item(Item={"id": "a"}, ConditionExpression="attribute_not_exists(id)")
    except client.exceptions.ConditionalCheckFailed:
        return False""",
        """\
def create():
    try:
        table.put_item(Item={"id": "a"}, ConditionExpression="attribute_not_exists(id)")
    except client.exceptions.ConditionalCheckFailedException:
        return False""",
        _BOTO3,
        "has no attribute ConditionalCheckFailed. Valid exceptions are:",
    ),
    "DYS355": Explanation(
        "Retries around a write that counts",
        "The decorator's attempts multiply with botocore's own, and DynamoDB counts each one that "
        "arrives.",
        """\
def retry(function):
    return lambda: [function() for _ in range(2)]


@retry
def visit():
    table.update_item(
        Key={"id": "a"},
        UpdateExpression="ADD visits :one",
        ExpressionAttributeValues={":one": 1},
    )""",
        """\
def visit(request_id):
    table.update_item(
        Key={"id": "a"},
        UpdateExpression="ADD visits :one SET last_request = :request",
        ConditionExpression="last_request <> :request",
        ExpressionAttributeValues={":one": 1, ":request": request_id},
    )""",
        _ERRORS,
        "no error: the count is applied once for each attempt that arrives",
    ),
    "DYS360": Explanation(
        "A call that nobody awaits",
        "Methods of aioboto3 return coroutines. Nothing is sent until you await them.",
        """\
async def save():
    async with session.resource("dynamodb") as database:
        people = await database.Table("people")
        people.put_item(Item={"id": "a"})""",
        """\
async def save():
    async with session.resource("dynamodb") as database:
        people = await database.Table("people")
        await people.put_item(Item={"id": "a"})""",
        _ASYNCIO,
        "RuntimeWarning: coroutine 'AIOBoto3ResourceFactory._create_action.<locals>.do_action' was "
        "never awaited",
        "Not reported if the coroutine is returned, or passed to a function such as gather.",
    ),
    "DYS361": Explanation(
        "Table() without await",
        "In aioboto3, Table() returns a coroutine too.",
        """\
async def save():
    async with session.resource("dynamodb") as database:
        people = database.Table("people")
        await people.put_item(Item={"id": "a"})""",
        """\
async def save():
    async with session.resource("dynamodb") as database:
        people = await database.Table("people")
        await people.put_item(Item={"id": "a"})""",
        _AIOBOTO3,
        "AttributeError: 'coroutine' object has no attribute 'put_item'",
    ),
    "DYS362": Explanation(
        "boto3 in an async function",
        "boto3 waits for the answer in the event loop's thread, so no other task runs.",
        """\
async def load():
    return table.get_item(Key={"id": "a"})""",
        """\
async def load():
    return await asyncio.to_thread(table.get_item, Key={"id": "a"})""",
        "Developing with asyncio, Python documentation",
        "no error: every other task waits until DynamoDB answers",
        "In a script with only one task it does no harm: configure `blocking-ok`.",
    ),
    "DYS363": Explanation(
        "await of boto3",
        "The call is made, and then `await` fails on its answer, a dict.",
        """\
async def save():
    await table.put_item(Item={"id": "a"})""",
        """\
async def save():
    await asyncio.to_thread(table.put_item, Item={"id": "a"})""",
        _ASYNCIO,
        "TypeError: object dict can't be used in 'await' expression",
    ),
    "DYS364": Explanation(
        "The wrong kind of loop over pages",
        "Iterate over pages of aiobotocore with `async for`, and over those of boto3 with `for`.",
        """\
async def load():
    async for page in client.get_paginator("scan").paginate(TableName="people"):
        return page""",
        """\
async def load():
    for page in client.get_paginator("scan").paginate(TableName="people"):
        return page""",
        _AIOBOTOCORE,
        "TypeError: 'async for' requires an object with __aiter__ method, got PageIterator",
    ),
    "DYS365": Explanation(
        "with instead of async with, or the reverse",
        "Enter clients, resources and batch writers of aioboto3 with `async with`.",
        """\
async def save():
    async with session.resource("dynamodb") as database:
        people = await database.Table("people")
        with people.batch_writer() as batch:
            await batch.put_item(Item={"id": "a"})""",
        """\
async def save():
    async with session.resource("dynamodb") as database:
        people = await database.Table("people")
        async with people.batch_writer() as batch:
            await batch.put_item(Item={"id": "a"})""",
        _AIOBOTO3,
        "TypeError: 'BatchWriter' object does not support the context manager protocol",
    ),
    "DYS366": Explanation(
        "A client that is not entered",
        "session.client() of aioboto3 returns a context manager. Enter it to get the client.",
        """\
async def save():
    people = session.client("dynamodb")
    await people.put_item(TableName="people", Item={"id": {"S": "a"}})""",
        """\
async def save():
    async with session.client("dynamodb") as people:
        await people.put_item(TableName="people", Item={"id": {"S": "a"}})""",
        _AIOBOTO3,
        "AttributeError: 'ClientCreatorContext' object has no attribute 'put_item'",
    ),
    "DYS367": Explanation(
        "A client for each request",
        "A client keeps open connections. A client made inside a handler starts without any.",
        """\
def handler(event, context):
    people = boto3.resource("dynamodb").Table("people")
    return people.get_item(Key={"id": "a"})""",
        """\
def handler(event, context):
    return table.get_item(Key={"id": "a"})""",
        "Best practices for working with AWS Lambda functions",
        "no error: each request waits for a new connection and TLS handshake",
    ),
    "DYS368": Explanation(
        "A call of boto3 given to asyncio",
        "boto3 makes the call before gather runs, so gather gets the answer, a dict.",
        """\
async def save():
    await asyncio.gather(table.put_item(Item={"id": "a"}))""",
        """\
async def save():
    await asyncio.gather(asyncio.to_thread(table.put_item, Item={"id": "a"}))""",
        _ASYNCIO,
        "TypeError: unhashable type: 'dict'",
    ),
    "DYS370": Explanation(
        "A Mock that is awaited",
        "A Mock's method returns its value at once, and that value cannot be awaited. `async with` "
        "and `async for` work with a MagicMock, but prove nothing.",
        """\
from unittest.mock import Mock


async def load(people):
    return await people.get_item(Key={"id": "a"})


def test_load():
    people = Mock()
    people.get_item.return_value = {"Item": {"id": "a"}}
    assert asyncio.run(load(people))""",
        """\
from unittest.mock import AsyncMock


async def load(people):
    return await people.get_item(Key={"id": "a"})


def test_load():
    people = AsyncMock()
    people.get_item.return_value = {"Item": {"id": "a"}}
    assert asyncio.run(load(people))""",
        _MOCK,
        "TypeError: object dict can't be used in 'await' expression",
        "Not reported if the awaiting function is in another file.",
    ),
    "DYS371": Explanation(
        "A mock without a spec",
        "It accepts every call, also those that boto3 refuses.",
        """\
from unittest.mock import Mock


def test_save():
    people = Mock()
    people.put_item(item={"id": "a"})""",
        """\
from dynasafe.testing import fake_table


async def test_save():
    people = fake_table(
        {
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        }
    )
    await people.put_item({"id": "a"})""",
        _MOCK,
        "no error: the test passes, but boto3 refuses the call",
    ),
    "DYS399": Explanation(
        "A comment that suppresses nothing",
        "Nothing is wrong on this line now. The comment would hide a later fault.",
        """\
def load():
    return table.get_item(Key={"id": "a"})  # noqa: DYS310""",
        """\
def load():
    return table.get_item(Key={"id": "a"})""",
        "Error suppression, Ruff documentation",
        "no error: the comment would hide a later fault",
    ),
}
