"""Explanations of the codes of log signatures: the cause, the line in the log, and the fix.

Source: the messages of boto3 and botocore 1.40, aioboto3 15.5, asyncio of Python 3.11 to 3.14,
pytest 9.2, DynamoDB Local 1.25.1, and the pages that each explanation names. Tests provoke them.
"""

from __future__ import annotations

from dynasafe.findings.explanation import Explanation

_ERRORS = "Error handling with DynamoDB"
_BOTO3 = "boto3's source code"
_BOTOCORE = "botocore's source code"
_AIOBOTO3 = "aioboto3's and aiobotocore's source code"
_ASYNCIO = "Developing with asyncio, Python documentation"
_UPDATES = "Update expressions in DynamoDB"
_QUERIES = "Querying tables in DynamoDB"
_NAMES = "Expression attribute names (aliases) in DynamoDB"
_TRANSACTIONS = "Amazon DynamoDB Transactions: how it works"
_OWN = "dynasafe.errors"


LOG_EXPLANATIONS: dict[str, Explanation] = {
    "DYS401": Explanation(
        "Names or values are None",
        "A boto3 Table merges its own names into ExpressionAttributeNames, and fails if the caller "
        "passed None. Nothing was sent.",
        "AttributeError: 'NoneType' object has no attribute 'update'",
        'leave the member out: **({"ExpressionAttributeNames": names} if names else {}). '
        'UpdateBuilder does; guard(client, "repair") repairs old code (DYS103, DYS310)',
        _BOTO3,
    ),
    "DYS402": Explanation(
        "A parameter of the wrong type",
        "The client got None, or a Python value in place of an AttributeValue. Nothing was sent.",
        "Invalid type for parameter ExpressionAttributeNames, value: ..., valid types: ...",
        'leave out parameters that are None; give a client {"S": "a"}, and a Table "a" (DYS101)',
        _BOTOCORE,
    ),
    "DYS403": Explanation(
        "An unknown parameter",
        "The operation has no parameter of this name. It may be misspelt, such as item= for Item=. "
        "Nothing was sent.",
        'Unknown parameter in input: "item", must be one of: TableName, Item, ...',
        "use the API's name, with its capitals (DYS104)",
        _BOTOCORE,
    ),
    "DYS404": Explanation(
        "A missing parameter",
        "A required parameter was left out. Nothing was sent.",
        'Missing required parameter in input: "Item"',
        "add the parameter (DYS105)",
        _BOTOCORE,
    ),
    "DYS405": Explanation(
        "Positional arguments",
        "Methods of boto3 take keyword arguments only. Nothing was sent.",
        "TypeError: put_item() only accepts keyword arguments.",
        "put_item(Item=item), not put_item(item)",
        _BOTOCORE,
    ),
    "DYS406": Explanation(
        "A float in a boto3 Table",
        "boto3 refuses float, so also the result of time.time(). Nothing was sent.",
        "TypeError: Float types are not supported. Use Decimal types instead.",
        "Decimal(str(value)), or int(time.time()); dynasafe converts float exactly (DYS110)",
        _BOTO3,
    ),
    "DYS407": Explanation(
        "A type that boto3 cannot store",
        "boto3 does not store datetime, UUID, Enum or sets of mixed types. Nothing was sent.",
        "TypeError: Unsupported type \"<class 'datetime.datetime'>\" for value ...",
        "store isoformat() or str(value); typed items of dynasafe have codecs (DYS110)",
        _BOTO3,
    ),
    "DYS408": Explanation(
        "A Decimal with too many digits",
        "boto3 refuses a Decimal that it would have to round, such as Decimal(0.1) with its 55 "
        "digits. Nothing was sent.",
        "Inexact: [<class 'decimal.Inexact'>, <class 'decimal.Rounded'>]",
        'make the Decimal from text: Decimal("0.1") (DYS119)',
        _BOTO3,
    ),
    "DYS409": Explanation(
        "NaN or infinity",
        "DynamoDB has no such numbers. Nothing was sent.",
        "TypeError: Infinity and NaN not supported",
        "leave the attribute out (DYS119)",
        _BOTO3,
    ),
    "DYS410": Explanation(
        "Empty names or values",
        "DynamoDB refuses an empty map of names or values. moto accepts it.",
        "ExpressionAttributeNames must not be empty",
        "leave the parameter out, as UpdateBuilder does (DYS103)",
        _NAMES,
    ),
    "DYS411": Explanation(
        "An empty expression",
        "DynamoDB refuses an expression without text.",
        "Invalid ConditionExpression: The expression can not be empty;",
        "leave the member out (DYS103)",
        _ERRORS,
    ),
    "DYS412": Explanation(
        "A reserved word",
        "An expression uses one of the 573 reserved words as a name. If the names come from data, "
        "tests pass until one of them is a reserved word.",
        "Attribute name is a reserved keyword; reserved keyword: name",
        "use #name, with ExpressionAttributeNames, as UpdateBuilder does (DYS215)",
        _NAMES,
    ),
    "DYS413": Explanation(
        "A syntax error in an expression",
        "The text of the expression contains a value, or a name that needs a placeholder.",
        'Invalid UpdateExpression: Syntax error; token: "...", near: "..."',
        "use placeholders for names and values, as UpdateBuilder does (DYS201)",
        _UPDATES,
    ),
    "DYS414": Explanation(
        "An unused name or value",
        "The request defines a placeholder that no expression uses.",
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:m}",
        "make the text and the maps together, as UpdateBuilder does (DYS222)",
        _NAMES,
    ),
    "DYS415": Explanation(
        "An undefined name or value",
        "An expression uses a placeholder that the request does not define.",
        "An expression attribute value used in expression is not defined; attribute value: :n",
        "make the text and the maps together, as UpdateBuilder does (DYS220, DYS221)",
        _NAMES,
    ),
    "DYS416": Explanation(
        "Overlapping paths, or a clause twice",
        "An update changes a path and an element inside it, or has SET twice.",
        "Two document paths overlap with each other",
        "one SET with all its actions; each path once (DYS203)",
        _UPDATES,
    ),
    "DYS417": Explanation(
        "A key that does not fit the table",
        "The key has other names or types than the table's, or lacks one.",
        "The provided key element does not match the schema",
        "the table's key attributes, all of them and no others, in their types (DYS130)",
        _ERRORS,
    ),
    "DYS418": Explanation(
        "An empty key value",
        "A key attribute of a table or an index cannot be an empty string.",
        "The AttributeValue for a key attribute cannot contain an empty string value.",
        "check the id before the call (DYS132)",
        "Supported data types and naming rules in Amazon DynamoDB",
    ),
    "DYS419": Explanation(
        "A path that the item does not have",
        "SET cannot create the map or list that contains the element.",
        "The document path provided in the update expression is invalid for update",
        "write the whole map first, with if_not_exists (DYS301)",
        _UPDATES,
    ),
    "DYS420": Explanation(
        "An attribute that the item does not have",
        "SET v = v + :n works only if the item has v, so it fails for new items.",
        "The provided expression refers to an attribute that does not exist in the item",
        "SET v = if_not_exists(v, :zero) + :n, as UpdateBuilder.increment writes it (DYS303)",
        _UPDATES,
    ),
    "DYS421": Explanation(
        "An operand of the wrong type",
        "An update adds a number to text, or a list to a number.",
        "An operand in the update expression has an incorrect data type",
        "one type for the attribute, in every item (DYS302, DYS223)",
        _UPDATES,
    ),
    "DYS422": Explanation(
        "An item that is too large",
        "An item may have 400 KB, including the attribute names.",
        "Item size has exceeded the maximum allowed size",
        "store large values in S3; split the item (DYS135)",
        "Quotas in Amazon DynamoDB",
    ),
    "DYS423": Explanation(
        "Too many entries in a batch",
        "A batch takes 25 writes, or 100 keys to read.",
        "Too many items requested for the BatchWriteItem call",
        "send several batches, as AsyncTable.batch_write_item does (DYS173)",
        "BatchWriteItem, API Reference",
    ),
    "DYS424": Explanation(
        "An item twice in a batch or transaction",
        "A batch or a transaction names each item once.",
        "Provided list of item keys contains duplicates",
        "remove duplicates by key before the call (DYS172)",
        "BatchWriteItem, API Reference",
    ),
    "DYS425": Explanation(
        "An update of a key attribute",
        "The key of an item cannot change.",
        "Cannot update attribute id. This attribute is part of the key",
        "delete the item and put a new one with the new key, in one transaction (DYS120)",
        "UpdateItem, API Reference",
    ),
    "DYS426": Explanation(
        "A query that does not fit the index",
        "The key condition, the filter, the index or ConsistentRead does not fit the key.",
        "Query condition missed key schema element",
        "partition key with =; at most one condition on the sort key (DYS152 to DYS164)",
        _QUERIES,
    ),
    "DYS427": Explanation(
        "A start key of another query",
        "ExclusiveStartKey belongs to another table, index or condition.",
        "The provided starting key is invalid",
        "the LastEvaluatedKey of the same query, unchanged (DYS167)",
        _QUERIES,
    ),
    "DYS428": Explanation(
        "A value outside its constraint",
        "A parameter of the request is too long, too short, or not one of the allowed values.",
        "1 validation error detected: ... failed to satisfy constraint: ...",
        "see the constraint in the API Reference (DYS105)",
        "API Reference",
    ),
    "DYS429": Explanation(
        "Another ValidationException",
        "DynamoDB refused the request for another reason.",
        "An error occurred (ValidationException) when calling the PutItem operation: ...",
        "check_request names the reason before the call",
        _ERRORS,
    ),
    "DYS430": Explanation(
        "A false condition that nobody caught",
        'ConditionalCheckFailedException ("The conditional request failed") is an answer, not a '
        "failure. Here nobody caught it. If there are more of them than usual, several writers "
        "compete for an item.",
        "An error occurred (ConditionalCheckFailedException) when calling the PutItem operation",
        "catch ConditionalCheckFailedError, and read the item again",
        "Condition expressions in DynamoDB",
    ),
    "DYS431": Explanation(
        "A cancelled transaction",
        "One operation of the transaction failed, so none was applied. The reasons are in the "
        "order of the operations.",
        "An error occurred (TransactionCanceledException) when calling the TransactWriteItems "
        "operation: Transaction cancelled, please refer cancellation reasons for specific reasons "
        "[...]",
        "catch TransactionCanceledError, and look at its reasons",
        _TRANSACTIONS,
    ),
    "DYS432": Explanation(
        "A conflict between writers",
        "Another transaction, or a writer in another Region, was writing the item.",
        "An error occurred (TransactionConflictException) when calling the PutItem operation",
        "repeat the call, as dynasafe does; write the item from one place",
        _TRANSACTIONS,
    ),
    "DYS433": Explanation(
        "A token of another request",
        "A ClientRequestToken was used for two different transactions.",
        "An error occurred (IdempotentParameterMismatchException) when calling the "
        "TransactWriteItems operation",
        "use a new token for each transaction, and the same one when you repeat it",
        _TRANSACTIONS,
    ),
    "DYS434": Explanation(
        "A missing table or index",
        'ResourceNotFoundException ("Requested resource not found"): the table or index has '
        "another name in this stage, or the Region is wrong.",
        "An error occurred (ResourceNotFoundException) when calling the GetItem operation",
        "check the table's name, the Region and the account",
        _ERRORS,
    ),
    "DYS435": Explanation(
        "Missing permission",
        "AccessDeniedException: the role has no permission for this action on this table or index.",
        "is not authorized to perform: dynamodb:PutItem on resource: ...",
        "allow the action; an index is a separate resource: table/NAME/index/*",
        "Using IAM with Amazon DynamoDB",
    ),
    "DYS436": Explanation(
        "Credentials, Region or clock",
        "The request had no valid signature (UnrecognizedClientException, "
        "InvalidSignatureException, ExpiredTokenException), or the client had no credentials or "
        'Region ("Unable to locate credentials").',
        "An error occurred (ExpiredTokenException) when calling the PutItem operation",
        "check the role, the profile, AWS_REGION and the clock",
        _ERRORS,
    ),
    "DYS437": Explanation(
        "A collection or a quota is full",
        "An item collection of a table with local indexes may have 10 GB, or a quota of the "
        "account is used up.",
        "An error occurred (ItemCollectionSizeLimitExceededException) when calling the PutItem "
        "operation",
        "spread the items over more partition keys; raise the quota",
        "Quotas in Amazon DynamoDB",
    ),
    "DYS438": Explanation(
        "An empty set",
        "DynamoDB stores no empty set.",
        "One or more parameter values were invalid: An string set  may not be empty",
        "leave the attribute out, or REMOVE it (DYS117)",
        "Supported data types and naming rules in Amazon DynamoDB",
    ),
    "DYS440": Explanation(
        "Throttled",
        "A partition, the table or the account got more requests than its capacity: "
        "ProvisionedThroughputExceededException, ThrottlingException or RequestLimitExceeded.",
        "An error occurred (ThrottlingException) when calling the PutItem operation",
        "look for a hot key; raise capacity; see ThrottledError.reasons",
        _ERRORS,
    ),
    "DYS441": Explanation(
        "DynamoDB failed",
        "The service answered with HTTP 500 or more: InternalServerError or ServiceUnavailable. A "
        "write may have been applied.",
        "An error occurred (InternalServerError) when calling the PutItem operation",
        "repeat reads; for writes, use exactly_once=True",
        _ERRORS,
    ),
    "DYS442": Explanation(
        "No connection",
        "The host name could not be resolved, the port refused the connection, or the network is "
        "down. Nothing was sent.",
        'Could not connect to the endpoint URL: "..."',
        "check the endpoint, the Region, the VPC endpoint and the security group",
        _BOTOCORE,
    ),
    "DYS443": Explanation(
        "No answer: was it written?",
        "The request was sent, and no answer came. A write may have been applied. botocore repeats "
        "it, so a counter may have counted twice.",
        'Read timeout on endpoint URL: "..."',
        "use exactly_once=True for counters; check the item before you repeat the write",
        _BOTOCORE,
    ),
    "DYS444": Explanation(
        "No TLS connection",
        "The certificate is not trusted: there is a proxy in between, or certificates are missing.",
        "SSL validation failed for ...",
        "set AWS_CA_BUNDLE to the proxy's certificates; check the clock",
        _BOTOCORE,
    ),
    "DYS445": Explanation(
        "A damaged answer",
        "The checksum of the answer does not match its bytes. A write may have been applied.",
        "Checksum crc32 failed, expected checksum ...",
        "treat it as a lost answer; check the proxies in between",
        _BOTOCORE,
    ),
    "DYS446": Explanation(
        "Too few connections",
        "More threads use the client than it has connections, so calls make new connections and "
        "discard them.",
        "Connection pool is full, discarding connection: ...",
        "Config(max_pool_connections=...) as large as the number of threads",
        "urllib3's source code",
    ),
    "DYS450": Explanation(
        "A call without await",
        "The coroutine of a call was never awaited, so nothing was read or written.",
        "RuntimeWarning: coroutine 'AioBaseClient._make_api_call' was never awaited",
        "await the call; dynasafe.testing.forbid_unawaited finds it in tests",
        _AIOBOTO3,
    ),
    "DYS451": Explanation(
        "A coroutine used as its result",
        "An await is missing: the code has the coroutine, not its result.",
        "AttributeError: 'coroutine' object has no attribute 'get'",
        "await the call",
        _ASYNCIO,
    ),
    "DYS452": Explanation(
        "await on a blocking call",
        "Async code calls boto3, which is not async. The call was made, and then `await` failed on "
        "its result.",
        "TypeError: object dict can't be used in 'await' expression",
        "AsyncTable, or aioboto3; forbid_blocking finds it in tests",
        _ASYNCIO,
    ),
    "DYS453": Explanation(
        "Mock in place of AsyncMock",
        "A test replaced an async method with Mock, so its await fails or proves nothing.",
        "TypeError: object MagicMock can't be used in 'await' expression",
        "AsyncMock, or dynasafe.testing.spec_mock",
        "unittest.mock, Python documentation",
    ),
    "DYS454": Explanation(
        "A client that was not entered",
        "An async client, resource or batch writer is used without `async with`, or a sync one "
        "with it.",
        "AttributeError: 'ClientCreatorContext' object has no attribute 'put_item'",
        "async with session.client(...) as client; async for over async pages",
        _AIOBOTO3,
    ),
    "DYS455": Explanation(
        "A client of another event loop",
        "An async client was made in one event loop and used in another.",
        "An HTTP Client raised an unhandled exception: Event loop is closed",
        "one client for each event loop",
        _AIOBOTO3,
    ),
    "DYS456": Explanation(
        "A client that was not closed",
        "An aiohttp session was dropped while it was open, with its connections.",
        "Unclosed client session",
        "async with, or close() when the program ends",
        "aiohttp's source code",
    ),
    "DYS457": Explanation(
        "An error that nobody read",
        "A task failed, and nobody awaited it. The error follows in the log.",
        "Task exception was never retrieved",
        "await the task, or use asyncio.TaskGroup",
        _ASYNCIO,
    ),
    "DYS458": Explanation(
        "A task that was thrown away",
        "A task was still waiting when its event loop ended, or nothing held a reference to it.",
        "Task was destroyed but it is pending!",
        "keep a reference to the task, and await it",
        _ASYNCIO,
    ),
    "DYS459": Explanation(
        "An event loop inside another",
        "asyncio.run() was called by code that an event loop already runs.",
        "RuntimeError: asyncio.run() cannot be called from a running event loop",
        "await the coroutine",
        _ASYNCIO,
    ),
    "DYS460": Explanation(
        "A blocked event loop",
        "A step of a task took too long, such as a boto3 call in async code.",
        "Executing <Task ...> took 0.202 seconds",
        "AsyncTable, or asyncio.to_thread; forbid_blocking finds it in tests",
        _ASYNCIO,
    ),
    "DYS461": Explanation(
        "A coroutine without await",
        "A coroutine of your service was never awaited, so it did not run.",
        "RuntimeWarning: coroutine 'save' was never awaited",
        "await the call",
        _ASYNCIO,
    ),
    "DYS465": Explanation(
        "A missing item or attribute",
        "The answer or the item does not have this member: the item does not exist, or lacks the "
        "attribute.",
        "KeyError: 'Item'",
        'response.get("Item"); AsyncTable.get_item returns None',
        "GetItem, API Reference",
    ),
    "DYS466": Explanation(
        "An item in JSON",
        "json.dumps cannot write the Decimal and Binary values that boto3 returns.",
        "TypeError: Object of type Decimal is not JSON serializable",
        'default=str; Item.to_dict(mode="json")',
        "json, Python documentation",
    ),
    "DYS467": Explanation(
        "Decimal and float together",
        "boto3 returns Decimal, and Python does not mix Decimal and float in arithmetic.",
        "TypeError: unsupported operand type(s) for *: 'decimal.Decimal' and 'float'",
        "convert one of them: Decimal(str(x)) or float(d); a typed item has the type you declare",
        "decimal, Python documentation",
    ),
    "DYS468": Explanation(
        "A method that boto3 does not have",
        "A Table has no transactions, a resource has no put_item, and errors have other names.",
        "AttributeError: 'dynamodb.Table' object has no attribute 'transact_write_items'",
        "table.meta.client has the operations of the client",
        _BOTO3,
    ),
    "DYS469": Explanation(
        "Conditions joined wrongly",
        "Conditions of boto3 are joined by & and |, and keys use Key, not Attr.",
        "KeyConditionExpression only supports Attribute objects of type Key",
        'Key("id").eq(...) & Key("sk").begins_with(...)',
        _BOTO3,
    ),
    "DYS470": Explanation(
        "A Lambda function out of time",
        "AWS Lambda ended the function. The outcome of calls in progress is unknown.",
        "Task timed out after 3.00 seconds",
        "timeout_s below the function's timeout",
        "Lambda function timeout, AWS Lambda Developer Guide",
    ),
    "DYS471": Explanation(
        "A Lambda function out of memory",
        "AWS Lambda ended the function. The outcome of calls in progress is unknown.",
        "Runtime exited with error: signal: killed",
        "more memory; pages instead of whole lists",
        "Lambda function memory, AWS Lambda Developer Guide",
    ),
    "DYS472": Explanation(
        "Async tests that did not run",
        "pytest has no plugin for async tests in this environment.",
        "async def functions are not natively supported.",
        "install pytest-asyncio, and set asyncio_mode = auto",
        "pytest's source code",
    ),
    "DYS480": Explanation(
        "dynasafe: outcome unknown",
        "A write was sent, and no usable answer came: OutcomeUnknownError.",
        "was sent 1 time(s) and may or may not have been applied",
        "error.resolve(), or exactly_once=True",
        _OWN,
    ),
    "DYS481": Explanation(
        "dynasafe: circuit open",
        "A circuit breaker refused the call: CircuitOpenError. Nothing was sent.",
        "Call not sent: the circuit 'people.write' is open.",
        "serve a fallback; look for the failures before it opened",
        _OWN,
    ),
    "DYS482": Explanation(
        "dynasafe: request refused",
        "The request has a bug, so it was not sent: InvalidRequestError.",
        "UpdateItem was not sent. ... [DYS103]",
        "see the finding's code",
        _OWN,
    ),
    "DYS483": Explanation(
        "dynasafe: out of time",
        "The time of the call ran out before anything was sent: DeadlineExceededError.",
        "UpdateItem was not sent: 2 s ran out waiting for a connection.",
        "raise max_connections or timeout_s, or send less at once",
        _OWN,
    ),
    "DYS484": Explanation(
        "dynasafe: batch incomplete",
        "A batch stopped: BatchIncompleteError lists which entries were processed and which were "
        "not.",
        "BatchWriteItem on table 'people' stopped half-way: 1 processed, 2 not, 0 unknown. Fix: "
        "send error.unprocessed again, later",
        "send error.unprocessed again, later",
        _OWN,
    ),
    "DYS485": Explanation(
        "dynasafe: no connection",
        "No connection to DynamoDB could be made: ConnectionNotMadeError. Nothing was sent.",
        "PutItem was not sent: connection refused (attempts: 3). Fix: check the endpoint, the "
        "network and the region.",
        "check the endpoint, the network and the Region",
        _OWN,
    ),
    "DYS486": Explanation(
        "dynasafe: found by a guard",
        "A guard found what DynamoDB would refuse, or repaired it. It logs each finding and each "
        "repair once for each place in your code. At the end of the process it logs how often "
        "each occurred.",
        "DynamoDB guard: UpdateItem: ExpressionAttributeNames must not be empty [DYS103]",
        "see the finding's code, and correct the call at this place",
        "dynasafe.guard",
    ),
}
