"""What each code of a finding means: why DynamoDB refuses it, an example, and its fix.

Source: the pages that each explanation names, in the Amazon DynamoDB Developer Guide or its API
Reference.
"""

from __future__ import annotations

from itertools import groupby
from textwrap import indent

from dynasafe.findings.answers import SERVICE_ANSWERS, WITH_DYNASAFE, aws_page
from dynasafe.findings.explanation import Explanation
from dynasafe.findings.log_catalog import LOG_EXPLANATIONS
from dynasafe.findings.source_code import SOURCE_CODE

_API = "API Reference"
_CONSTRAINTS = "Constraints in Amazon DynamoDB"
_NAMES = "Expression attribute names (aliases) in DynamoDB"
_UPDATES = "Update expressions in DynamoDB"
_CONDITIONS = "Condition and filter expressions, operators, and functions in DynamoDB"
_QUERIES = "Querying tables in DynamoDB"
_SCANS = "Scanning tables in DynamoDB"
_TYPES = "Supported data types and naming rules in Amazon DynamoDB"
_QUOTAS = "Quotas in Amazon DynamoDB"


EXPLANATIONS: dict[str, Explanation] = {
    "DYS100": Explanation(
        "An operation that DynamoDB does not have",
        "The name is misspelt. Write it as the API Reference does, not as a Python method.",
        "check_request('update_item', ...)",
        "check_request('UpdateItem', ...)",
        _API,
    ),
    "DYS101": Explanation(
        "botocore refuses the parameters",
        "A parameter is missing, unknown or of the wrong type, so botocore cannot make a request.",
        'client.get_item(TableName="t")',
        'client.get_item(TableName="t", Key={"id": {"S": "a"}})',
        _API,
    ),
    "DYS102": Explanation(
        "A parameter of the wrong type",
        "Each parameter has one type: a string, a map, a list, a number or a boolean.",
        "UpdateExpression=['SET a = :a']",
        "UpdateExpression='SET a = :a'",
        _API,
    ),
    "DYS103": Explanation(
        "An empty or None member",
        "DynamoDB refuses empty expressions, and empty maps of names or values. boto3's own code "
        "fails on None. Pass a value that is not empty, or leave the parameter out.",
        "ExpressionAttributeNames={}",
        "leave ExpressionAttributeNames out, as UpdateBuilder does",
        _NAMES,
    ),
    "DYS104": Explanation(
        "A parameter that the operation does not have",
        "The name is misspelt, or the parameter belongs to another operation.",
        "GetItem with FilterExpression",
        "GetItem with ProjectionExpression",
        _API,
    ),
    "DYS105": Explanation(
        "A value outside its constraint",
        "A required parameter is missing, or a parameter has a value, a length or a pattern that "
        "the API does not allow.",
        "ReturnValues='NEW'",
        "ReturnValues='ALL_NEW'",
        _API,
    ),
    "DYS106": Explanation(
        "Expressions and legacy parameters together",
        "A request can use expressions, or the legacy parameters that they replaced, but not both.",
        "UpdateExpression and Expected",
        "UpdateExpression and ConditionExpression",
        "Legacy DynamoDB conditional parameters",
    ),
    "DYS107": Explanation(
        "Names or values without an expression",
        "The request has ExpressionAttributeNames or ExpressionAttributeValues, but no expression "
        "that could use them.",
        "PutItem with ExpressionAttributeNames alone",
        "leave them out, or add the ConditionExpression",
        _NAMES,
    ),
    "DYS108": Explanation(
        "An attribute twice",
        "AttributesToGet names each attribute once.",
        "AttributesToGet=['a', 'a']",
        "ProjectionExpression='a'",
        "Legacy DynamoDB conditional parameters",
    ),
    "DYS109": Explanation(
        "Return values that the operation does not have",
        "PutItem and DeleteItem return the old item or nothing. Only UpdateItem can return new "
        "values.",
        "PutItem with ReturnValues='ALL_NEW'",
        "ReturnValues='ALL_OLD'",
        "PutItem, API Reference",
    ),
    "DYS110": Explanation(
        "A value of the wrong shape",
        "An AttributeValue is a map with one member: the type is the name. Numbers are sent as "
        "strings. A string must be valid Unicode, so a lone surrogate is refused.",
        '{"N": 3}',
        '{"N": "3"}',
        "AttributeValue, API Reference",
    ),
    "DYS111": Explanation(
        "A type that DynamoDB does not have",
        "The types are S, N, B, BOOL, NULL, L, M, SS, NS and BS.",
        '{"S": "a", "STRING": "a"}',
        '{"S": "a"}',
        "AttributeValue, API Reference",
    ),
    "DYS112": Explanation(
        "An AttributeValue without a type",
        "An AttributeValue has exactly one member.",
        "{}",
        '{"S": "a"}',
        "AttributeValue, API Reference",
    ),
    "DYS113": Explanation(
        "An AttributeValue of two types",
        "It has exactly one member.",
        '{"S": "1", "N": "1"}',
        '{"N": "1"}',
        "AttributeValue, API Reference",
    ),
    "DYS114": Explanation(
        "A Python value that boto3 does not serialize",
        "A boto3 Table takes None, bool, int, Decimal, str, bytes, and lists, tuples, dicts and "
        "sets of these. It refuses float, datetime, UUID and model classes, and numbers that it "
        "would have to round.",
        'table.put_item(Item={"id": "a", "price": 1.5})',
        'table.put_item(Item={"id": "a", "price": Decimal("1.5")})',
        "Boto3 documentation, Valid DynamoDB types",
    ),
    "DYS115": Explanation(
        "Lists and maps nested too deep",
        "An item may have 32 levels. The item itself is the first.",
        "32 lists within each other",
        "31 lists within each other",
        _QUOTAS,
    ),
    "DYS116": Explanation(
        "A NULL that is not true",
        "The only value of the type NULL is true.",
        '{"NULL": False}',
        '{"NULL": True}',
        "AttributeValue, API Reference",
    ),
    "DYS117": Explanation(
        "An empty set",
        "DynamoDB cannot store an empty set. Leave the attribute out.",
        '{"SS": []}',
        "leave the attribute out, or REMOVE it",
        _TYPES,
    ),
    "DYS118": Explanation(
        "A set with duplicates",
        "A set has each member once. 1 and 1.0 are the same number.",
        '{"NS": ["1", "1.0"]}',
        '{"NS": ["1"]}',
        _TYPES,
    ),
    "DYS119": Explanation(
        "A number that cannot be stored",
        "A number has at most 38 significant digits, and lies between 1E-130 and 9.9E+125.",
        '{"N": "abc"}',
        '{"N": "1.5"}',
        _TYPES,
    ),
    "DYS120": Explanation(
        "An update of a key attribute",
        "The key identifies the item, so an update cannot change it.",
        "SET id = :id, where id is the partition key",
        "put a new item and delete the old one, in one transaction",
        _UPDATES,
    ),
    "DYS130": Explanation(
        "A key that does not fit the table",
        "A key has all key attributes of the table, each with the right type, and no others.",
        'Key={"id": {"N": "1"}}, where id is a string',
        'Key={"id": {"S": "1"}}',
        _API,
    ),
    "DYS131": Explanation(
        "An item without its key",
        "Every item needs all key attributes of its table.",
        'Item={"name": ...} in a table whose key is id',
        'Item={"id": ..., "name": ...}',
        "PutItem, API Reference",
    ),
    "DYS132": Explanation(
        "An empty key value",
        "A key value has at least one byte. Only strings outside the key may be empty.",
        'Key={"id": {"S": ""}}',
        'Key={"id": {"S": "a"}}',
        _CONSTRAINTS,
    ),
    "DYS133": Explanation(
        "A key value that is too long",
        "A partition key has at most 2048 bytes, a sort key 1024.",
        "an id of 2049 bytes",
        "a hash of the id as the key, and the id in another attribute",
        _CONSTRAINTS,
    ),
    "DYS134": Explanation(
        "An attribute name that is empty or too long",
        "An attribute name is Unicode text of 1 to 65535 bytes in UTF-8.",
        'Item={"": ...}',
        'Item={"name": ...}',
        _TYPES,
    ),
    "DYS135": Explanation(
        "An item that is too large",
        "An item has at most 400 KB, including the attribute names. The same limit holds for what "
        "an update writes.",
        "an image in an attribute",
        "the image in an object store, its address in an attribute",
        _QUOTAS,
    ),
    "DYS136": Explanation(
        "A key attribute of the wrong type",
        "Key attributes of the table and of its indexes must have the types in "
        "AttributeDefinitions.",
        '{"id": {"N": "1"}}, where id is a string',
        '{"id": {"S": "1"}}',
        "PutItem, API Reference",
    ),
    "DYS137": Explanation(
        "Wrong values for a legacy condition or update",
        "In Expected, QueryFilter, ScanFilter, KeyConditions and AttributeUpdates, the operator or "
        "action decides how many values it takes, and of which types.",
        '{"age": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"N": "1"}]}}',
        "ConditionExpression='age BETWEEN :low AND :high'",
        "Legacy conditional parameters",
    ),
    "DYS138": Explanation(
        "A path into a key",
        "A key attribute of a table or index is a string, a number or binary, so a path cannot go "
        "inside it.",
        "ProjectionExpression='id.part'",
        "ProjectionExpression='id'",
        _TYPES,
    ),
    "DYS141": Explanation(
        "A patch that sets a forbidden attribute",
        "A patch comes from outside, so it may set only the allowed attributes: no keys, no "
        "versions, no roles.",
        'UpdateBuilder(Person).patch({"is_admin": True})',
        'UpdateBuilder(Person).patch({"name": "Ada"})',
        "dynasafe",
    ),
    "DYS142": Explanation(
        "A patch with an undecided None",
        "None may mean: remove the attribute, store NULL, or change nothing. dynasafe does not "
        "guess, so say which one with none=.",
        'UpdateBuilder.from_patch({"email": None}, allow={"email"})',
        'UpdateBuilder.from_patch({"email": None}, allow={"email"}, none="remove")',
        "dynasafe",
    ),
    "DYS143": Explanation(
        "A patch that sets an attribute twice",
        "The Python name and the name in DynamoDB are names of the same attribute.",
        'builder.patch({"first_name": "a", "firstName": "b"})',
        'builder.patch({"first_name": "a"})',
        "dynasafe",
    ),
    "DYS144": Explanation(
        "A patch that removes a required attribute",
        "A patch cannot remove an attribute that has no default, or store NULL where the type does "
        "not allow None. The item could not be read afterwards.",
        'builder.patch({"name": None}, none="remove")',
        'builder.patch({"name": "Ada"})',
        "dynasafe",
    ),
    "DYS150": Explanation(
        "An operator that key conditions do not have",
        "Key conditions are joined by AND, and use =, <, <=, >, >=, BETWEEN and begins_with.",
        "pk = :p OR pk = :q",
        "pk = :p AND begins_with(sk, :s)",
        _QUERIES,
    ),
    "DYS151": Explanation(
        "Two conditions on one key attribute",
        "A query may have one condition for each key attribute.",
        "pk = :p AND sk > :a AND sk < :b",
        "pk = :p AND sk BETWEEN :a AND :b",
        _QUERIES,
    ),
    "DYS152": Explanation(
        "More key conditions than the key has attributes",
        "A key has a partition key and at most one sort key. The key of a global index has up to "
        "four attributes of each.",
        "pk = :p AND sk = :s AND status = :x",
        "pk = :p AND sk = :s, with FilterExpression='#status = :x'",
        _QUERIES,
    ),
    "DYS153": Explanation(
        "A partition key without equality",
        "A query reads one partition, so the partition key needs =. If the sort key has several "
        "attributes, name them from the first one on. Only the last that you name may have another "
        "operator than =.",
        "pk > :p",
        "pk = :p",
        _QUERIES,
    ),
    "DYS154": Explanation(
        "A function in a key condition",
        "The only function in a key condition is begins_with.",
        "pk = :p AND size(sk) > :n",
        "pk = :p, with FilterExpression='size(a) > :n'",
        _QUERIES,
    ),
    "DYS155": Explanation(
        "A key condition that compares no key with a value",
        "Each key condition compares one key attribute with values, not with another attribute.",
        "pk = sk",
        "pk = :p",
        _QUERIES,
    ),
    "DYS156": Explanation(
        "A key condition on a nested attribute",
        "Key attributes are at the top level of the item.",
        "address.city = :c",
        "city = :c",
        _QUERIES,
    ),
    "DYS157": Explanation(
        "A query without a key attribute",
        "A key condition must name the partition key. Besides it, only the sort key is allowed.",
        "sk = :s",
        "pk = :p AND sk = :s",
        _QUERIES,
    ),
    "DYS158": Explanation(
        "A key condition of the wrong type",
        "The value must have the type of the key attribute.",
        'pk = :p, with {"N": "1"}, where pk is a string',
        'pk = :p, with {"S": "1"}',
        _QUERIES,
    ),
    "DYS159": Explanation(
        "A filter on a key attribute",
        "The filter sees only items that the key condition selected. Put conditions on key "
        "attributes into the key condition.",
        "FilterExpression='sk > :s'",
        "KeyConditionExpression='pk = :p AND sk > :s'",
        "Filter expressions for the Query operation in DynamoDB",
    ),
    "DYS160": Explanation(
        "A query without a key condition",
        "A query reads one partition, and the key condition says which one.",
        "Query with FilterExpression alone",
        "Query with KeyConditionExpression='pk = :p', or a Scan",
        _QUERIES,
    ),
    "DYS161": Explanation(
        "Half of a parallel scan",
        "A parallel scan needs both Segment and TotalSegments.",
        "Segment=1",
        "Segment=1, TotalSegments=4",
        _SCANS,
    ),
    "DYS162": Explanation(
        "Unknown segment",
        "Segments are counted from 0, so the last one is TotalSegments - 1.",
        "Segment=4, TotalSegments=4",
        "Segment=3, TotalSegments=4",
        _SCANS,
    ),
    "DYS163": Explanation(
        "Unknown index",
        "The table has no index with this name.",
        "IndexName='by_emial'",
        "IndexName='by_email'",
        _QUERIES,
    ),
    "DYS164": Explanation(
        "A consistent read of a global index",
        "A global secondary index is updated after the table, so it has no consistent reads.",
        "IndexName='by_email', ConsistentRead=True",
        "IndexName='by_email'",
        "DynamoDB read consistency",
    ),
    "DYS165": Explanation(
        "A Select that contradicts the rest",
        "Select and the projection must ask for the same thing.",
        "Select='COUNT', ProjectionExpression='a'",
        "Select='COUNT'",
        "Query, API Reference",
    ),
    "DYS166": Explanation(
        "An attribute that the index does not have",
        "A global secondary index has only the attributes that are projected into it.",
        "IndexName='by_email', ProjectionExpression='address', where the index has keys only",
        "the keys from the index, then BatchGetItem",
        "Using Global Secondary Indexes in DynamoDB",
    ),
    "DYS167": Explanation(
        "A start key of another query or scan",
        "The start key must come from the same table, index and key condition.",
        'ExclusiveStartKey={"id": ...} for another partition',
        "ExclusiveStartKey=page['LastEvaluatedKey'], with the same request",
        "Paginating table query results in DynamoDB",
    ),
    "DYS170": Explanation(
        "A batch entry that is not one write",
        "Each entry is a PutRequest or a DeleteRequest.",
        '{"PutRequest": ..., "DeleteRequest": ...}',
        '{"PutRequest": {"Item": ...}}',
        "BatchWriteItem, API Reference",
    ),
    "DYS171": Explanation(
        "A transaction entry that is not one operation",
        "Each entry has one operation: Put, Update, Delete or ConditionCheck; in TransactGetItems, "
        "Get.",
        '{"Put": ..., "Delete": ...}',
        '{"Put": ...}',
        "TransactWriteItems, API Reference",
    ),
    "DYS172": Explanation(
        "One item twice",
        "A batch or a transaction names each item once.",
        "two puts of one key",
        "one put, or two requests",
        "BatchWriteItem, API Reference",
    ),
    "DYS173": Explanation(
        "Too many entries",
        "BatchGetItem takes 100 keys, BatchWriteItem 25 writes.",
        "26 puts at once",
        "AsyncTable.batch_write_item, which splits any number",
        "BatchWriteItem, API Reference",
    ),
    "DYS174": Explanation(
        "A transaction that is too large",
        "All keys, items, expressions and values of a transaction may have 4 MB together. The "
        "stored sizes of items that it updates or deletes do not count.",
        "50 puts of 100 KB each",
        "two transactions, or plain writes where they need not be all or none",
        "TransactWriteItems, API Reference",
    ),
    "DYS180": Explanation(
        "An invalid key schema",
        "A table's key is a partition key (HASH), optionally followed by a sort key (RANGE). The "
        "key of a global index may have up to four of each.",
        'KeySchema=[{"AttributeName": "id", "KeyType": "RANGE"}]',
        'KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}]',
        "CreateTable, API Reference",
    ),
    "DYS181": Explanation(
        "Attribute definitions that do not match the keys",
        "AttributeDefinitions lists the key attributes of the table and of its indexes, and no "
        "others.",
        "AttributeDefinitions with id and name, KeySchema with id",
        "AttributeDefinitions with id, KeySchema with id",
        "CreateTable, API Reference",
    ),
    "DYS182": Explanation(
        "An index that does not fit its table",
        "Index names are unique. A local index has the table's partition key and another sort key. "
        "NonKeyAttributes go with the ProjectionType INCLUDE. The attributes in the SearchSchema "
        "of a vector index must be defined.",
        "a local index of a table without a sort key",
        "a global index",
        "CreateTable, API Reference",
    ),
    "DYS183": Explanation(
        "Capacity that does not fit the billing mode",
        "PROVISIONED, the default, needs ProvisionedThroughput. PAY_PER_REQUEST does not allow it. "
        "Vector indexes need PAY_PER_REQUEST.",
        "CreateTable without BillingMode and ProvisionedThroughput",
        "BillingMode='PAY_PER_REQUEST'",
        "CreateTable, API Reference",
    ),
    "DYS184": Explanation(
        "No table change, or too many",
        "UpdateTable must change something. Each entry of the index updates is one Create, Update "
        "or Delete, and there is one entry for each index.",
        "UpdateTable with TableName alone",
        "UpdateTable with BillingMode",
        "UpdateTable, API Reference",
    ),
    "DYS185": Explanation(
        "A vector search that does not fit its index",
        "A search vector has one 32-bit floating point number for each dimension of the index. "
        "TopK is from 1 to 100.",
        'SearchVector=[{"S": "0.5"}], TopK=1000',
        'SearchVector=[{"N": "0.5"}], TopK=100',
        "SearchVectors, API Reference",
    ),
    "DYS186": Explanation(
        "An unsupported condition in a vector search",
        "The condition compares attributes of the index's SearchSchema with =, each once, joined "
        "by AND. If there is a HASH attribute, the condition must include it. This is how the "
        "service behaved until October 2026. A later AWS page describes more operators: to use "
        "them, send the request with validate=False.",
        "SearchConditionExpression='category = :c OR brand = :b'",
        "SearchConditionExpression='category = :c AND brand = :b'",
        "SearchVectors, API Reference",
    ),
    "DYS187": Explanation(
        "A statement with the wrong number of parameters",
        "A PartiQL statement needs one parameter for each ?.",
        "Statement='SELECT * FROM t WHERE id = ?' without Parameters",
        'Statement=\'SELECT * FROM t WHERE id = ?\', Parameters=[{"S": "a"}]',
        "ExecuteStatement, API Reference",
    ),
    "DYS188": Explanation(
        "A vector that does not fit its index",
        "If an item has the attribute of a vector index, its value is a list with a 32-bit "
        "floating point number for each dimension of the index.",
        'Item={"embedding": {"L": [{"N": "0.5"}]}}, where the index has 2 dimensions',
        'Item={"embedding": {"L": [{"N": "0.5"}, {"N": "1"}]}}',
        "PutItem, API Reference",
    ),
    "DYS189": Explanation(
        "A statement that does not name the item it writes",
        "A PartiQL UPDATE or DELETE writes one item, so its WHERE must compare each key attribute "
        "of the table with =.",
        "Statement='UPDATE t SET a = ? WHERE a = 1'",
        "Statement='UPDATE t SET a = ? WHERE id = ?'",
        "PartiQL update statements for DynamoDB",
    ),
    "DYS201": Explanation(
        "A syntax error",
        "The grammar does not allow the underlined token here.",
        "SET a = :a, b",
        "SET a = :a, b = :b",
        _UPDATES,
    ),
    "DYS202": Explanation(
        "Redundant parentheses",
        "DynamoDB refuses two pairs of parentheses around one expression.",
        "((a = :a)) AND b = :b",
        "(a = :a) AND b = :b",
        _CONDITIONS,
    ),
    "DYS203": Explanation(
        "Overlapping paths",
        "One update cannot change a path and also an element inside it. Either set the whole value "
        "once (here, with the new qty in :l), or set each element separately.",
        "SET parts = :l, parts[2].qty = :q",
        "SET parts = :l",
        _UPDATES,
    ),
    "DYS204": Explanation(
        "Conflicting paths",
        "The paths use one attribute both as a map and as a list.",
        "SET a.b = :x, a[0] = :y",
        "SET a.b = :x, c[0] = :y",
        _UPDATES,
    ),
    "DYS205": Explanation(
        "Unknown function",
        "DynamoDB has no function with this name. Function names are in lower case.",
        "SIZE(a) > :n",
        "size(a) > :n",
        _CONDITIONS,
    ),
    "DYS206": Explanation(
        "A function of another kind of expression",
        "Update expressions have if_not_exists and list_append. All other functions belong to "
        "conditions.",
        "SET a = size(b)",
        "SET a = if_not_exists(b, :v)",
        _UPDATES,
    ),
    "DYS207": Explanation(
        "A function in the wrong place",
        "size returns a number, so compare it with something. contains and the other conditions "
        "are not compared. list_append must be the whole right side of a SET.",
        "size(a)",
        "size(a) > :n",
        _CONDITIONS,
    ),
    "DYS208": Explanation(
        "The wrong number of operands",
        "Each function has a fixed number of operands.",
        "begins_with(a)",
        "begins_with(a, :prefix)",
        _CONDITIONS,
    ),
    "DYS209": Explanation(
        "A value where a path belongs",
        "attribute_exists, attribute_not_exists and if_not_exists take a document path, not a "
        "value.",
        "attribute_exists(:a)",
        "attribute_exists(a)",
        _CONDITIONS,
    ),
    "DYS210": Explanation(
        "A clause twice",
        "An update expression may have each of SET, REMOVE, ADD and DELETE once.",
        "SET a = :a SET b = :b",
        "SET a = :a, b = :b",
        _UPDATES,
    ),
    "DYS211": Explanation(
        "Too many operators",
        "An expression has at most 300 operators and functions.",
        "301 operators",
        "several requests, or a simpler condition",
        _CONSTRAINTS,
    ),
    "DYS212": Explanation(
        "A list index that is too large",
        "A list index is at most 2147483647.",
        "a[99999999999]",
        "a[0]",
        _CONSTRAINTS,
    ),
    "DYS213": Explanation(
        "A path that is too deep",
        "A document path has at most 32 levels.",
        "33 names",
        "a flatter item",
        _CONSTRAINTS,
    ),
    "DYS214": Explanation(
        "Too many values after IN",
        "IN takes up to 100 values.",
        "a IN (101 values)",
        "a IN (100 values) OR a IN (1 value)",
        _CONDITIONS,
    ),
    "DYS215": Explanation(
        "A reserved word",
        "DynamoDB reserves 573 words, in upper and lower case. An expression cannot use them as "
        "names, so use a placeholder.",
        "SET status = :s",
        "SET #status = :s, with ExpressionAttributeNames={'#status': 'status'}",
        "Reserved words in DynamoDB",
    ),
    "DYS216": Explanation(
        "A malformed placeholder",
        "Placeholders of names begin with #, those of values with :. Letters, digits and _ follow, "
        "at most 255 bytes.",
        "ExpressionAttributeNames={'status': 'status'}",
        "ExpressionAttributeNames={'#status': 'status'}",
        _NAMES,
    ),
    "DYS217": Explanation(
        "A placeholder for a name that is empty or too long",
        "An attribute name has 1 to 65535 bytes.",
        "ExpressionAttributeNames={'#a': ''}",
        "ExpressionAttributeNames={'#a': 'a'}",
        _CONSTRAINTS,
    ),
    "DYS218": Explanation(
        "An expression that is too long",
        "An expression has at most 4096 bytes.",
        "5000 bytes",
        "several requests, or shorter placeholders",
        _CONSTRAINTS,
    ),
    "DYS219": Explanation(
        "Values that are too large together",
        "All names and values of a request have at most 2 MB together. An expression and its "
        "values have at most 1 MB, where a value that is used twice counts twice.",
        "three values of 1 MB",
        "several requests",
        _CONSTRAINTS,
    ),
    "DYS220": Explanation(
        "An undefined name",
        "Each #name in an expression must be in ExpressionAttributeNames.",
        "SET #status = :s, without ExpressionAttributeNames",
        "ExpressionAttributeNames={'#status': 'status'}",
        _NAMES,
    ),
    "DYS221": Explanation(
        "An undefined value",
        "Each :value in an expression must be in ExpressionAttributeValues.",
        "SET a = :a, without ExpressionAttributeValues",
        "ExpressionAttributeValues={':a': {'S': 'x'}}",
        "Expression attribute values in DynamoDB",
    ),
    "DYS222": Explanation(
        "An unused placeholder",
        "DynamoDB refuses names and values that no expression uses.",
        "ExpressionAttributeNames={'#a': 'a', '#b': 'b'}, with SET #a = :a",
        "ExpressionAttributeNames={'#a': 'a'}",
        _NAMES,
    ),
    "DYS223": Explanation(
        "An operand of the wrong type",
        "Each operator and function accepts only certain types.",
        "ADD name :s, with a string",
        "ADD visits :n, with a number, or a set",
        _CONDITIONS,
    ),
    "DYS224": Explanation(
        "A comparison with itself",
        "The first operand must differ from the others.",
        "a = a",
        "attribute_exists(a)",
        _CONDITIONS,
    ),
    "DYS225": Explanation(
        "Unknown type name",
        "The second operand of attribute_type is one of S, N, B, BOOL, NULL, L, M, SS, NS or BS.",
        "attribute_type(a, :t), with 'STRING'",
        "attribute_type(a, :t), with 'S'",
        _CONDITIONS,
    ),
    "DYS226": Explanation(
        "BETWEEN bounds of two types",
        "Both bounds must have the same type.",
        "a BETWEEN :low AND :high, with a number and a string",
        "two numbers",
        _CONDITIONS,
    ),
    "DYS227": Explanation(
        "BETWEEN bounds in the wrong order",
        "The lower bound comes first.",
        "a BETWEEN :nine AND :one",
        "a BETWEEN :one AND :nine",
        _CONDITIONS,
    ),
    "DYS301": Explanation(
        "A path that the item does not have",
        "An update can change an element inside a map or list that the item has. It does not "
        "create the map or list.",
        "SET address.city = :c, where the item has no address",
        "SET address = :address with the whole map, or if_not_exists for it in an earlier update",
        _UPDATES,
    ),
    "DYS302": Explanation(
        "An operand that does not fit the item",
        "An update can add numbers to numbers, lists to lists, and members to sets of the same "
        "type.",
        "ADD visits :one, where visits is a string in the item",
        "one type for the attribute in every item",
        _UPDATES,
    ),
    "DYS303": Explanation(
        "An operand that is missing in the item",
        "The item must have each path on the right side of SET.",
        "SET visits = visits + :one, where the item has no visits",
        "SET visits = if_not_exists(visits, :zero) + :one, as UpdateBuilder.increment writes it",
        _UPDATES,
    ),
    **SOURCE_CODE,
    **LOG_EXPLANATIONS,
}


def page(code: str) -> str:
    """The explanation of a code, in Markdown.

    Raises:
        KeyError: there is no such code.
    """
    it = EXPLANATIONS[code]
    if code in LOG_EXPLANATIONS:
        return (
            f"# {code}: {it.title}\n\n{it.why}\n\n"
            f"In the log:\n\n    {it.wrong}\n\n"
            f"Fix: {it.right}.\n\nSource: {_linked(it.source)}\n"
        )
    parts = [f"# {code}: {it.title}", it.why, "Wrong:", indent(it.wrong, "    ")]
    if it.answer:
        parts[1] += " In the examples, `table` and `client` are boto3's, `session` is aioboto3's."
    if it.answer.startswith("no error"):
        parts += [f"What happens: {it.answer}."]
    elif it.answer:
        parts += ["Answer:", indent(it.answer, "    ")]
    if code in SERVICE_ANSWERS:
        parts += ["DynamoDB answers:", f"    ValidationException: {SERVICE_ANSWERS[code]}"]
    parts += ["Right:", indent(it.right, "    ")]
    if code in WITH_DYNASAFE:
        parts += ["With dynasafe:", indent(WITH_DYNASAFE[code], "    ")]
    if it.limits:
        parts += [f"Limits: {it.limits}"]
    return "\n\n".join([*parts, f"Source: {_linked(it.source)}"]) + "\n"


def _linked(source: str) -> str:
    """The title of a page, with its address if it is one of AWS's for DynamoDB."""
    address = aws_page(source)
    return f"[{source}]({address})" if address else source


_GROUPS = {
    "DYS100": "Requests",
    "DYS200": "Expressions",
    "DYS300": "Updates of a stored item",
    "DYS310": "Source code",
    "DYS400": "Lines in logs",
}
"""The title of the codes from each code on."""


def _group(code: str) -> str:
    return _GROUPS[max(first for first in _GROUPS if first <= code)]


def index() -> str:
    """All codes with their titles, in Markdown, each a link to its page."""
    lines = [
        "# Findings\n",
        "Each finding of `check_request`, of a [guard](../guides/guard.md), of an",
        "`InvalidRequestError` and of `dynasafe lint` has a code. Codes are stable.",
        "`dynasafe explain DYS203` prints the page of one.",
    ]
    for title, codes in groupby(sorted(EXPLANATIONS), _group):
        lines += ["", f"## {title}", "", "| code | meaning |", "|---|---|"]
        lines += [f"| [{code}]({code}.md) | {EXPLANATIONS[code].title} |" for code in codes]
    return "\n".join(lines) + "\n"
