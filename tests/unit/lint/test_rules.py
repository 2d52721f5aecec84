"""The neighbours of each rule's example: other operations, receivers and forms of code."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from dynasafe.lint.module import RuleSettings
from dynasafe.lint.receivers import Declared
from tests.support.linting import SYNC, codes, look, problems

ASYNC = """\
import asyncio
import aioboto3
session = aioboto3.Session()
"""

CASES: list[tuple[str, str, list[str]]] = [
    # DYS310
    ("or", "def f(n):\n    table.get_item(Key={'id': 'a'}, ExpressionAttributeNames=n or None)", ["DYS310"]),
    ("none first", "def f(n):\n    table.scan(Limit=None if n else 5)", ["DYS310"]),
    ("a literal None", "def f():\n    table.scan(IndexName=None)", ["DYS310"]),
    ("a local", "def f(n):\n    m = n if n else None\n    table.scan(ExpressionAttributeNames=m)", ["DYS310"]),
    ("a local that is tested", "def f(n):\n    m = n if n else None\n    if m:\n        table.scan(ExpressionAttributeNames=m)", []),
    ("get may be there", "def f(d):\n    table.scan(IndexName=d.get('i'))", []),
    ("not none at all", "def f(n):\n    table.scan(IndexName=n if n else 'x-y')", []),
    ("a definition is no call", "class T:\n    def scan(self, ExpressionAttributeNames=None): ...", []),
    ("in a dict that is spread", "def f(n):\n    p = {'IndexName': n if n else None}\n    table.scan(**p)", ["DYS310"]),
    ("in a client's call", "def f(n):\n    client.scan(TableName='people', IndexName=n or None)", ["DYS310"]),
    ("put into a dict", "def f(n):\n    p = {'Limit': 5}\n    p['IndexName'] = n or None\n    table.scan(**p)", ["DYS310"]),
    ("a dict from which None is dropped", "def f(n):\n    p = {'IndexName': n or None}\n    p = {k: v for k, v in p.items() if v}\n    table.scan(**p)", []),
    ("a dict that a function changes", "def f(n):\n    p = {'IndexName': n or None}\n    drop_none(p)\n    table.scan(**p)", []),
    ("what a function returns", "def params(n):\n    return {'Key': {'id': 'a'}, 'UpdateExpression': 'REMOVE a', 'ExpressionAttributeNames': n if n else None}\ndef f(n):\n    table.update_item(**params(n))", ["DYS310"]),
    # DYS312
    ("filled always", "def f(a):\n    n = {}\n    n['#a'] = a\n    table.scan(FilterExpression='attribute_exists(#a)', ExpressionAttributeNames=n)", []),
    ("filled in both arms", "def f(a, t):\n    n = {}\n    if a:\n        n['#a'] = 'a'\n    else:\n        n['#a'] = 'b'\n    table.scan(FilterExpression=t, ExpressionAttributeNames=n)", []),
    ("tested", "def f(a, t):\n    n = {}\n    if a:\n        n['#a'] = 'a'\n    if not n:\n        return\n    table.scan(FilterExpression=t, ExpressionAttributeNames=n)", []),
    ("tested by its twin", "def f(a, t):\n    n = {}\n    parts = []\n    if a:\n        n['#a'] = 'a'\n        parts.append('#a = :a')\n    if not parts:\n        return\n    table.scan(FilterExpression=t, ExpressionAttributeNames=n)", []),
    ("tested by a flag", "def f(a, t):\n    n = {}\n    is_needed = False\n    if a:\n        n['#a'] = 'a'\n        is_needed = True\n    if is_needed:\n        table.scan(FilterExpression=t, ExpressionAttributeNames=n)", []),
    ("a loop over data", "def f(d, t):\n    v = {}\n    for k in d:\n        v[':' + k] = d[k]\n    table.scan(FilterExpression=t, ExpressionAttributeValues=v)", ["DYS312"]),
    ("a loop over a tested one", "def f(d, t):\n    if not d:\n        return\n    v = {}\n    for k in d:\n        v[':' + k] = d[k]\n    table.scan(FilterExpression=t, ExpressionAttributeValues=v)", []),
    ("a loop over constants", "def f(d, t):\n    v = {}\n    for k in ('a', 'b'):\n        v[':' + k] = d[k]\n    table.scan(FilterExpression=t, ExpressionAttributeValues=v)", []),
    ("given to a function", "def f(d, t):\n    v = {}\n    if d:\n        v[':a'] = 1\n    fill(v)\n    table.scan(FilterExpression=t, ExpressionAttributeValues=v)", []),
    # DYS313, DYS314
    ("an update", "def f(k):\n    table.update_item(key=k, update_expression='SET a = :a')", ["DYS313", "DYS313"]),
    ("a client's call", "def f(k):\n    client.get_item(TableName='people', key=k)", ["DYS313"]),
    ("a wrapper's own parameter", "def f(dal):\n    dal.get_item(Key={'id': 'a'}, cache=True)", []),
    ("a class of the file", "class Fake:\n    def put_item(self, item): ...\ndef f():\n    Fake().put_item(item=1)", []),
    ("a batch writer", "def f():\n    with table.batch_writer() as batch:\n        batch.put_item(item={'id': 'a'})", ["DYS313"]),
    ("a batch writer's position", "def f():\n    with table.batch_writer() as batch:\n        batch.put_item({'id': 'a'})", []),
    # DYS315
    ("typed key of a Table", "def f():\n    table.delete_item(Key={'id': {'S': 'a'}})", ["DYS315"]),
    ("typed item of a Table", "def f(i):\n    table.put_item(Item={'id': {'S': i}, 'n': {'N': '1'}})", ["DYS315"]),
    ("a map that looks typed beside others", "def f(i):\n    table.put_item(Item={'id': i, 'n': {'N': '1'}})", []),
    ("a meta client takes Python values", "def f():\n    dynamodb.meta.client.get_item(TableName='people', Key={'id': 'a'})", []),
    ("a condition for a client", "def f():\n    client.query(TableName='people', KeyConditionExpression=Key('id').eq('a'))", ["DYS315"]),
    ("a condition for a meta client", "def f():\n    return table.meta.client.query(TableName='people', KeyConditionExpression=Key('id').eq('a'))", []),
    # DYS316, DYS317
    ("a nested float", "def f():\n    table.put_item(Item={'id': 'a', 'm': {'l': [1, 2.5]}})", ["DYS316"]),
    ("a float in a condition", "def f():\n    return table.scan(FilterExpression=Attr('a').gt(1.5))", ["DYS316"]),
    ("time.time()", "import time\ndef f():\n    table.put_item(Item={'id': 'a', 'at': time.time()})", ["DYS316"]),
    ("int(time.time())", "import time\ndef f():\n    table.put_item(Item={'id': 'a', 'at': int(time.time())})", []),
    ("an inexact Decimal", "from decimal import Decimal\ndef f():\n    table.put_item(Item={'id': 'a', 'n': Decimal(0.1)})", ["DYS316"]),
    ("an exact Decimal", "from decimal import Decimal\ndef f():\n    table.put_item(Item={'id': 'a', 'n': Decimal(1.5)})", []),
    ("a float in a batch", "def f():\n    with table.batch_writer() as batch:\n        batch.put_item(Item={'id': 'a', 'n': 1.5})", ["DYS316"]),
    ("a local dict with a float", "def f():\n    item = {'id': 'a', 'n': 1.5}\n    table.put_item(Item=item)", ["DYS316"]),
    ("an enum member", "from enum import Enum\nclass C(Enum):\n    RED = 'red'\ndef f():\n    table.put_item(Item={'id': 'a', 'c': C.RED})", ["DYS317"]),
    ("an enum member's value", "from enum import Enum\nclass C(Enum):\n    RED = 'red'\ndef f():\n    table.put_item(Item={'id': 'a', 'c': C.RED.value})", []),
    ("a str enum", "from enum import Enum\nclass C(str, Enum):\n    RED = 'red'\ndef f():\n    table.put_item(Item={'id': 'a', 'c': C.RED})", []),
    ("an empty set", "def f():\n    table.put_item(Item={'id': 'a', 's': set()})", ["DYS317"]),
    ("a mixed set", "def f():\n    table.put_item(Item={'id': 'a', 's': {1, 'b'}})", ["DYS317"]),
    ("a uuid as text", "import uuid\ndef f():\n    table.put_item(Item={'id': str(uuid.uuid4())})", []),
    # Requests
    ("a reserved word", "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET name = :n', ExpressionAttributeValues={':n': v})", ["DYS215"]),
    ("an undefined value", "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :b', ExpressionAttributeValues={':a': v})", ["DYS221", "DYS222"]),
    ("values that nobody sees", "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :b', ExpressionAttributeValues=v)", []),
    ("more members that nobody sees", "def f(**more):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :b', **more)", []),
    ("an operand of another type", "def f():\n    table.update_item(Key={'id': 'a'}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': 'x'})", ["DYS223"]),
    ("an operand of any type", "def f(b):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': b})", []),
    ("an operand that is text for sure", "def f(b):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='ADD a :b', ExpressionAttributeValues={':b': str(b)})", ["DYS223"]),
    ("a text of two constants", "WHAT = 'SET '\ndef f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=WHAT + 'name = :n', ExpressionAttributeValues={':n': v})", ["DYS215"]),
    ("a text grown in a branch", "def f(v, n):\n    t = 'SET a = :a'\n    v = {':a': v}\n    if n:\n        t += ', name = :n'\n        v[':n'] = n\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t, ExpressionAttributeValues=v)", ["DYS215"]),
    ("a text that a branch completes", "def f(v, n):\n    t = 'SET '\n    if n:\n        t += 'a = :n'\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t, ExpressionAttributeValues=v)", []),
    ("ReturnValues of a put", "def f(i):\n    table.put_item(Item=i, ReturnValues='ALL_NEW')", ["DYS109"]),
    ("an empty key", "def f():\n    return table.get_item(Key={'id': ''})", ["DYS132"]),
    ("a transaction", "def f(n):\n    client.transact_write_items(TransactItems=[{'Update': {'TableName': 'people', 'Key': {'id': {'S': 'a'}}, 'UpdateExpression': 'SET name = :n', 'ExpressionAttributeValues': {':n': {'S': n}}}}])", ["DYS215"]),
    ("a transaction of entries that nobody sees", "def f(entries):\n    client.transact_write_items(TransactItems=entries)", []),
    ("the same key twice", "def f():\n    return client.batch_get_item(RequestItems={'people': {'Keys': [{'id': {'S': 'a'}}, {'id': {'S': 'a'}}]}})", ["DYS172"]),
    ("the same key in two tables", "def f(a, b):\n    return client.transact_get_items(TransactItems=[{'Get': {'TableName': a, 'Key': {'id': {'S': 'a'}}}}, {'Get': {'TableName': b, 'Key': {'id': {'S': 'a'}}}}])", []),
    ("the same key in one table", "def f(a):\n    return client.transact_get_items(TransactItems=[{'Get': {'TableName': a, 'Key': {'id': {'S': 'a'}}}}, {'Get': {'TableName': a, 'Key': {'id': {'S': 'a'}}}}])", ["DYS172"]),
    ("branches that exclude each other", "def f(a, b, v):\n    t = 'SET a = :v'\n    if a:\n        t += ', b = :v'\n    if b:\n        t += ', b = :v'\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t, ExpressionAttributeValues={':v': v})", []),
    ("an empty map of names", "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :a', ExpressionAttributeNames={}, ExpressionAttributeValues={':a': v})", ["DYS103"]),
    ("a query without a key", "def f():\n    return table.query(IndexName='by-name')", ["DYS160"]),
    ("an operator of no key condition", "def f(v):\n    return table.query(KeyConditionExpression='id <> :v', ExpressionAttributeValues={':v': v})", ["DYS150"]),
    ("a condition of boto3 and names", "def f(n):\n    return table.query(KeyConditionExpression=Key('id').eq('a'), ProjectionExpression='#n', ExpressionAttributeNames={'#n': 'name'})", []),
    # DYS321 to DYS324
    ("a parameter as a name", "def f(field, v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=f'SET {field} = :v', ExpressionAttributeValues={':v': v})", ["DYS321"]),
    ("percent", "def f(field, v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET %s = :v' % field, ExpressionAttributeValues={':v': v})", ["DYS321"]),
    ("format", "def f(field, v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET {} = :v'.format(field), ExpressionAttributeValues={':v': v})", ["DYS321"]),
    ("a list that is joined", "def f(body):\n    parts = []\n    for k in body:\n        parts.append(f'{k} = :{k}')\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=body)", ["DYS321"]),
    ("a loop over constants", "def f(body):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET ' + ', '.join(f'{k} = :{k}' for k in ('x', 'y')), ExpressionAttributeValues=body)", []),
    ("an attribute of the code's own", "class C:\n    def f(self, v):\n        table.update_item(Key={'id': 'a'}, UpdateExpression=f'SET {self.field} = :v', ExpressionAttributeValues={':v': v})", []),
    ("an index", "def f(i, v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=f'SET lines[{i}] = :v', ExpressionAttributeValues={':v': v})", []),
    ("an argument of Key()", "def f(field, v):\n    return table.query(KeyConditionExpression=Key(f'{field}').eq(v))", []),
    ("or", "def f():\n    return table.scan(FilterExpression=Attr('a').eq(1) or Attr('b').eq(2))", ["DYS323"]),
    ("not", "def f():\n    return table.scan(FilterExpression=not Attr('a').eq(1))", ["DYS323"]),
    ("==", "def f():\n    return table.query(KeyConditionExpression=Key('id') == 'a')", ["DYS323"]),
    ("and of other things", "def f(a, b):\n    return a.eq(1) and b.eq(2)", []),
    ("a condition and a truth value", "def f(a):\n    return a and Attr('b').eq(2)", []),
    # DYS33x
    ("an answer's name", "def f(k):\n    answer = table.get_item(Key=k)\n    return answer['Item']", ["DYS330"]),
    ("asked before", "def f(k):\n    answer = table.get_item(Key=k)\n    if 'Item' not in answer:\n        return None\n    return answer['Item']", []),
    ("KeyError caught", "def f(k):\n    try:\n        return table.get_item(Key=k)['Item']\n    except KeyError:\n        return None", []),
    ("module level", "item = table.get_item(Key={'id': 'a'})['Item']", []),
    ("a method of the answer", "def f():\n    return table.scan().get('Items', [])", ["DYS331"]),
    ("the answer is returned", "def f():\n    return table.scan()", []),
    ("the answer is given on", "def f():\n    page = table.scan()\n    return pages(page)", []),
    ("a limit", "def f():\n    return table.scan(Limit=5)['Items']", []),
    ("the first item", "def f(i):\n    return table.query(KeyConditionExpression=Key('id').eq(i))['Items'][0]", []),
    ("the first item after a filter", "def f(i):\n    return table.query(KeyConditionExpression=Key('id').eq(i), FilterExpression=Attr('a').eq(1))['Items'][0]", ["DYS331"]),
    ("break at an empty page", "def f(start):\n    while True:\n        page = table.scan(ExclusiveStartKey=start)\n        if not page['Items']:\n            break\n        start = page['LastEvaluatedKey']", ["DYS332"]),
    ("break at the last page", "def f(start):\n    while start:\n        page = table.scan(ExclusiveStartKey=start)\n        start = page.get('LastEvaluatedKey')", []),
    ("the answer of a batch is returned", "def f(r):\n    return client.batch_write_item(RequestItems=r)", []),
    ("the answer of a batch is dropped", "def f(r):\n    client.batch_write_item(RequestItems=r)", ["DYS333"]),
    ("json of a client's item", "import json\ndef f():\n    return json.dumps(client.get_item(TableName='people', Key={'id': {'S': 'a'}}).get('Item'))", []),
    # DYS34x
    ("list_append", "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET l = list_append(l, :v)', ExpressionAttributeValues={':v': [v]})", ["DYS343"]),
    ("under a condition", "def f(v):\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET n = n + :v', ConditionExpression='n < :v', ExpressionAttributeValues={':v': 1})", []),
    ("milliseconds", "import time\ndef f():\n    table.put_item(Item={'id': 'a', 'ttl': int(time.time() * 1000)})", ["DYS344"]),
    ("a TTL in an update", "import datetime\ndef f():\n    table.update_item(Key={'id': 'a'}, UpdateExpression='SET #t = :t', ExpressionAttributeNames={'#t': 'ttl'}, ExpressionAttributeValues={':t': datetime.datetime.now().isoformat()})", ["DYS344"]),
    ("seconds", "import time\ndef f():\n    table.put_item(Item={'id': 'a', 'ttl': int(time.time()) + 60})", []),
    # DYS35x
    ("in a tuple", "def f(k):\n    try:\n        table.delete_item(Key=k)\n    except Exception as e:\n        return e.response['Error']['Code'] in ('ThrottlingException', 'ConditionalCheckFail')", []),
    ("another case", "def f(k):\n    try:\n        table.delete_item(Key=k)\n    except Exception as e:\n        return e.response['Error']['Code'] == 'resourceNotFoundException'", ["DYS350"]),
    ("reasons of a transaction", "def f(reasons):\n    client.describe_table(TableName='people')\n    return [each for each in reasons if each['Code'] == 'ConditionalCheckFailed']", []),
    ("a code of another service", "def f(k):\n    try:\n        table.delete_item(Key=k)\n    except Exception as e:\n        return e.response['Error']['Code'] == 'NoSuchKey'", []),
    ("a read that is swallowed", "def f(k):\n    try:\n        table.get_item(Key=k)\n    except Exception:\n        pass", []),
    ("False is an answer", "def f(k):\n    try:\n        table.delete_item(Key=k)\n    except Exception:\n        return False", []),
    ("a bare except", "def f(k):\n    try:\n        table.delete_item(Key=k)\n    except:\n        pass", ["DYS351"]),
    ("a handler that looks", "def f(k):\n    try:\n        table.delete_item(Key=k)\n    except Exception as e:\n        handle(e)", []),
    ("a narrow handler", "def f(k):\n    try:\n        table.delete_item(Key=k)\n    except client.exceptions.ResourceNotFoundException:\n        pass", []),
    ("a resource's exceptions", "def f(k):\n    try:\n        table.delete_item(Key=k)\n    except dynamodb.exceptions.ResourceNotFoundException:\n        raise", ["DYS353"]),
    ("a meta client's exceptions", "def f(k):\n    try:\n        table.delete_item(Key=k)\n    except table.meta.client.exceptions.ResourceNotFound:\n        raise", ["DYS354"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "code", "found"), CASES, ids=[each[0] for each in CASES])
def test_neighbours(name: str, code: str, found: list[str]) -> None:
    """Each text has these codes, and no others."""
    assert codes(code) == found


ASYNC_CASES: list[tuple[str, str, list[str]]] = [
    ("subscripted", "async def f(k):\n    async with session.resource('dynamodb') as db:\n        t = await db.Table('people')\n        return t.get_item(Key=k)['Item']", ["DYS330", "DYS360"]),
    ("a name never awaited", "async def f(k):\n    async with session.client('dynamodb') as c:\n        answer = c.get_item(TableName='people', Key=k)\n        return answer.get('Item')", ["DYS360"]),
    ("a name awaited later", "async def f(k):\n    async with session.client('dynamodb') as c:\n        answer = c.get_item(TableName='people', Key=k)\n        return (await answer).get('Item')", []),
    ("gathered", "async def f(k):\n    async with session.client('dynamodb') as c:\n        return await asyncio.gather(c.get_item(TableName='people', Key=k))", []),
    ("listed and gathered", "async def f(keys):\n    async with session.client('dynamodb') as c:\n        calls = [c.get_item(TableName='people', Key=k) for k in keys]\n        return await asyncio.gather(*calls)", []),
    ("a chained Table()", "async def f(k):\n    async with session.resource('dynamodb') as db:\n        await db.Table('people').delete_item(Key=k)", ["DYS361"]),
    ("a Table() of an attribute", "class C:\n    async def start(self):\n        self.db = await session.resource('dynamodb').__aenter__()\n    async def f(self, db, k):\n        async with session.resource('dynamodb') as db:\n            self.table = db.Table('people')\n            await self.table.delete_item(Key=k)", ["DYS361"]),
    ("a stack", "import contextlib\nasync def f(k):\n    async with contextlib.AsyncExitStack() as stack:\n        c = await stack.enter_async_context(session.client('dynamodb'))\n        c.delete_item(TableName='people', Key=k)", ["DYS360"]),
    ("pages", "async def f():\n    async with session.client('dynamodb') as c:\n        for page in c.get_paginator('scan').paginate(TableName='people'):\n            print(page)", ["DYS364"]),
    ("async pages", "async def f():\n    async with session.client('dynamodb') as c:\n        async for page in c.get_paginator('scan').paginate(TableName='people'):\n            print(page)", []),
    ("a resource that is not entered", "async def f(k):\n    db = session.resource('dynamodb')\n    t = await db.Table('people')\n    await t.delete_item(Key=k)", ["DYS366"]),
    ("with a client", "async def f(k):\n    with session.client('dynamodb') as c:\n        await c.delete_item(TableName='people', Key=k)", ["DYS365"]),
    ("a fixture", "import pytest\n@pytest.fixture\nasync def people():\n    async with session.resource('dynamodb') as db:\n        yield await db.Table('people')\nasync def test_x(people):\n    people.put_item(Item={'id': 'a'})", ["DYS360"]),
    ("a function of the file", "async def people(db):\n    async with session.resource('dynamodb') as db:\n        return await db.Table('people')\nasync def f(k):\n    t = await people(None)\n    t.delete_item(Key=k)", ["DYS360"]),
    ("an unknown session", "async def f(make, k):\n    async with make.client('dynamodb') as c:\n        c.delete_item(TableName='people', Key=k)", ["DYS360"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "code", "found"), ASYNC_CASES, ids=[e[0] for e in ASYNC_CASES])
def test_async_neighbours(name: str, code: str, found: list[str]) -> None:
    """Each text has these codes, and no others."""
    assert sorted(codes(code, before=ASYNC)) == found


SYNC_IN_ASYNC: list[tuple[str, str, list[str]]] = [
    ("a nested function", "async def f(run, k):\n    def work():\n        return table.delete_item(Key=k)\n    await run(work)", []),
    ("a lambda", "async def f(run, k):\n    await run(lambda: table.delete_item(Key=k))", []),
    ("create_task", "import asyncio\nasync def f(k):\n    asyncio.create_task(table.delete_item(Key=k))", ["DYS368"]),
    ("a method", "class C:\n    def __init__(self):\n        self.people = boto3.resource('dynamodb').Table('people')\n    async def f(self, k):\n        self.people.delete_item(Key=k)", ["DYS362"]),
    ("await", "async def f(k):\n    await client.delete_item(TableName='people', Key=k)", ["DYS363"]),
    ("async with a client", "async def f(k):\n    async with boto3.client('dynamodb') as c:\n        await c.delete_item(TableName='people', Key=k)", ["DYS365"]),
    ("an annotation", "from mypy_boto3_dynamodb.service_resource import Table\nasync def f(t: 'Table | None', k):\n    t.delete_item(Key=k)", ["DYS362"]),
    ("an async annotation", "from types_aiobotocore_dynamodb import DynamoDBClient\nasync def f(c: DynamoDBClient, k):\n    c.delete_item(TableName='people', Key=k)", ["DYS360"]),
    ("a property", "class C:\n    @property\n    def people(self):\n        return dynamodb.Table('people')\n    async def f(self, k):\n        self.people.delete_item(Key=k)", ["DYS362"]),
    ("either of two", "async def f(a, k):\n    t = table if a else dynamodb.Table('others')\n    t.delete_item(Key=k)", ["DYS362"]),
    ("one of two kinds", "async def f(a, k):\n    t = table if a else make()\n    t.delete_item(Key=k)", []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "code", "found"), SYNC_IN_ASYNC, ids=[e[0] for e in SYNC_IN_ASYNC]
)
def test_blocking_neighbours(name: str, code: str, found: list[str]) -> None:
    """Each text has these codes, and no others."""
    assert codes(code) == found


def test_declared_names() -> None:
    """Names that the configuration declares are tables."""
    code = "from app.db import people\nasync def f(k):\n    people.delete_item(Key=k)"
    declared = Declared(async_tables=("app.db.*",))

    assert look(code, before="").problems == ()
    (problem,) = look(code, before="", settings=RuleSettings(declared=declared)).problems
    assert problem.code == "DYS360"


def test_configured_ttl() -> None:
    """With a configured TTL, other names are none."""
    code = (
        "import datetime\ndef f():\n"
        "    table.put_item(Item={'id': 'a', 'ttl': datetime.datetime.now().isoformat()})"
    )
    settings = RuleSettings(ttl_attributes=("expires_at",))

    assert look(code, settings=settings).problems == ()


def test_schema() -> None:
    """With a schema, the keys of a table of that name are checked."""
    schema = {
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    }
    code = "def f():\n    return table.get_item(Key={'id': 'a'})"

    assert look(code).problems == ()
    (problem,) = look(code, settings=RuleSettings(schemas={"people": schema})).problems
    assert problem.code == "DYS130"


def test_expected_failures() -> None:
    """What a test expects to raise is not reported."""
    code = (
        "import pytest\ndef test_x():\n    with pytest.raises(Exception):\n"
        "        table.put_item(item=1)"
    )

    assert codes(code) == []


def test_place_within_text() -> None:
    """A finding in an expression points at its word, behind prefixes, escapes and joints."""
    code = (
        "def f(v):\n    table.update_item(\n        Key={'id': 'a'},\n"
        "        UpdateExpression=('SET a = :a,'\n            ' \\x64ate = :a'),\n"
        "        ExpressionAttributeValues={':a': v},\n    )"
    )

    (problem,) = problems(code)

    text = SYNC + code
    assert text[problem.span[0] : problem.span[1]] == "\\x64ate"


def test_seen_in_part() -> None:
    """Calls whose request is not in the source are counted, with the reason."""
    report = look(
        "def f(t, **more):\n    table.update_item(Key={'id': 'a'}, UpdateExpression=t, **more)"
    )

    assert (report.call_count, report.partly_count) == (1, 1)
    assert set(report.unseen) == {"UpdateExpression is not literal", "** in the call"}


NOQA = [
    ("# noqa", []),
    ("# noqa: DYS316", []),
    ("# noqa: E501, DYS316", []),
    ("# noqa: DYS310", ["DYS316"]),
    ("# a comment", ["DYS316"]),
]


@pytest.mark.parametrize(("comment", "found"), NOQA)
@pytest.mark.parametrize("line", [1, 2, 3])
def test_noqa(comment: str, found: list[str], line: int) -> None:
    """A comment counts on the finding's line, and on both ends of its statement."""
    lines = ["def f():", "    table.put_item(", "        Item={'id': 'a', 'n': 1.5}", "    )"]
    lines[line] += f"  {comment}"

    assert codes("\n".join(lines)) == found


def test_noqa_of_file() -> None:
    """A comment of a line of its own counts for the whole file."""
    code = "def f():\n    table.put_item(Item={'id': 'a', 'n': 1.5})"

    assert codes(f"# dynasafe: noqa\n{code}") == []
    assert codes(f"# dynasafe: noqa: DYS316\n{code}") == []
    assert codes(f"# dynasafe: noqa: DYS317\n{code}") == ["DYS316"]
