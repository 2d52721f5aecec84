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
        "It is misspelt: operations have their names of the API Reference, not those of Python's "
        "methods.",
        "check_request('update_item', ...)",
        "check_request('UpdateItem', ...)",
        _API,
    ),
    "DYS101": Explanation(
        "botocore refuses the parameters",
        "A member is missing, unknown or of another type, so that no request can be made of it.",
        'client.get_item(TableName="t")',
        'client.get_item(TableName="t", Key={"id": {"S": "a"}})',
        _API,
    ),
    "DYS102": Explanation(
        "A member of another type",
        "Each member of a request has one type: text, a map, a list, a number or a truth value.",
        "UpdateExpression=['SET a = :a']",
        "UpdateExpression='SET a = :a'",
        _API,
    ),
    "DYS103": Explanation(
        "An empty or None member",
        "DynamoDB refuses an empty map of names or values and an empty expression; boto3's own "
        "code fails on None. A member is present and non-empty, or absent.",
        "ExpressionAttributeNames={}",
        "leave ExpressionAttributeNames out; UpdateBuilder does",
        _NAMES,
    ),
    "DYS104": Explanation(
        "A parameter that the operation does not have",
        "It is misspelt, or belongs to another operation.",
        "GetItem with FilterExpression",
        "GetItem with ProjectionExpression",
        _API,
    ),
    "DYS105": Explanation(
        "A value outside of its constraint",
        "A required member is missing, or one has a value, a length or a pattern that its "
        "constraint does not allow.",
        "ReturnValues='NEW'",
        "ReturnValues='ALL_NEW'",
        _API,
    ),
    "DYS106": Explanation(
        "Expressions and legacy parameters together",
        "A request uses expressions, or the parameters that they have replaced.",
        "UpdateExpression and Expected",
        "UpdateExpression and ConditionExpression",
        "Legacy DynamoDB conditional parameters",
    ),
    "DYS107": Explanation(
        "Names or values without an expression",
        "ExpressionAttributeNames and ExpressionAttributeValues serve expressions, and there is "
        "none.",
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
        "PutItem and DeleteItem return the old item or nothing; only UpdateItem knows new values.",
        "PutItem with ReturnValues='ALL_NEW'",
        "ReturnValues='ALL_OLD'",
        "PutItem, API Reference",
    ),
    "DYS110": Explanation(
        "A value of the wrong shape",
        "An AttributeValue is a map of one member, whose name is the type; numbers are text. Text "
        "is Unicode: a lone surrogate has no UTF-8.",
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
        "It has exactly one member.",
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
        "A Table of boto3 takes None, bool, int, Decimal, str, bytes, and lists, tuples, dicts and "
        "sets of these. It has no float, no datetime, no UUID and no model, and refuses numbers "
        "that it would have to round.",
        'table.put_item(Item={"id": "a", "price": 1.5})',
        'table.put_item(Item={"id": "a", "price": Decimal("1.5")})',
        "Boto3 documentation, Valid DynamoDB types",
    ),
    "DYS115": Explanation(
        "Lists and maps nested too deep",
        "An item has 32 levels, of which it is itself the first.",
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
        "DynamoDB has no empty set: the attribute is not there.",
        '{"SS": []}',
        "leave the attribute out, or REMOVE it",
        _TYPES,
    ),
    "DYS118": Explanation(
        "A set with duplicates",
        "Each member of a set is there once; 1 and 1.0 are one number.",
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
        "The key says which item is meant, so it cannot change.",
        "SET id = :id, where id is the partition key",
        "put a new item and delete the old one, in one transaction",
        _UPDATES,
    ),
    "DYS130": Explanation(
        "A key that does not fit the table",
        "A key has exactly the table's key attributes, each of its type.",
        'Key={"id": {"N": "1"}}, where id is a string',
        'Key={"id": {"S": "1"}}',
        _API,
    ),
    "DYS131": Explanation(
        "An item without its key",
        "Every item has all key attributes of its table.",
        'Item={"name": ...} in a table whose key is id',
        'Item={"id": ..., "name": ...}',
        "PutItem, API Reference",
    ),
    "DYS132": Explanation(
        "An empty key value",
        "A key value has at least one byte; other strings may be empty.",
        'Key={"id": {"S": ""}}',
        'Key={"id": {"S": "a"}}',
        _CONSTRAINTS,
    ),
    "DYS133": Explanation(
        "A key value that is too long",
        "A partition key has at most 2048 bytes, a sort key 1024.",
        "an id of 2049 bytes",
        "a hash of it, with the whole in another attribute",
        _CONSTRAINTS,
    ),
    "DYS134": Explanation(
        "An attribute without a name, or with too long a one",
        "The name of an attribute is Unicode text of 1 to 65535 bytes in UTF-8.",
        'Item={"": ...}',
        'Item={"name": ...}',
        _TYPES,
    ),
    "DYS135": Explanation(
        "An item that is too large",
        "An item has at most 400 KB, names included; so an update cannot write more either.",
        "an image in an attribute",
        "the image's place in an attribute, the image in an object store",
        _QUOTAS,
    ),
    "DYS136": Explanation(
        "A key attribute of another type",
        "The table's, and its indexes', key attributes have the types of its definition.",
        '{"id": {"N": "1"}}, where id is a string',
        '{"id": {"S": "1"}}',
        "PutItem, API Reference",
    ),
    "DYS137": Explanation(
        "A legacy condition or update that does not fit together",
        "Expected, QueryFilter, ScanFilter, KeyConditions and AttributeUpdates take as many "
        "values, and of such types, as their operator or action does.",
        '{"age": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"N": "1"}]}}',
        "ConditionExpression='age BETWEEN :low AND :high'",
        "Legacy conditional parameters",
    ),
    "DYS138": Explanation(
        "A path into a key",
        "The value of a key attribute, of the table or of an index, is a string, a number or "
        "binary: there is nothing inside it.",
        "ProjectionExpression='id.part'",
        "ProjectionExpression='id'",
        _TYPES,
    ),
    "DYS141": Explanation(
        "A patch that sets what it may not",
        "A patch from outside sets only what it is allowed to: no keys, no versions, no roles.",
        'UpdateBuilder(Person).patch({"is_admin": True})',
        'UpdateBuilder(Person).patch({"name": "Ada"})',
        "dynasafe",
    ),
    "DYS142": Explanation(
        "A patch with an undecided None",
        "None may mean: remove the attribute, store NULL, or change nothing. dynasafe does not "
        "guess.",
        'UpdateBuilder.from_patch({"email": None}, allow={"email"})',
        'UpdateBuilder.from_patch({"email": None}, allow={"email"}, none="remove")',
        "dynasafe",
    ),
    "DYS143": Explanation(
        "A patch that sets an attribute twice",
        "The Python name and the name in DynamoDB mean one attribute.",
        'builder.patch({"first_name": "a", "firstName": "b"})',
        'builder.patch({"first_name": "a"})',
        "dynasafe",
    ),
    "DYS144": Explanation(
        "A patch that takes away what an item needs",
        "An attribute without a default, or whose type has no None, must stay what it is: the item "
        "could not be read any more.",
        'builder.patch({"name": None}, none="remove")',
        'builder.patch({"name": "Ada"})',
        "dynasafe",
    ),
    "DYS150": Explanation(
        "An operator that key conditions do not have",
        "A key condition joins by AND; it has =, <, <=, >, >=, BETWEEN and begins_with.",
        "pk = :p OR pk = :q",
        "pk = :p AND begins_with(sk, :s)",
        _QUERIES,
    ),
    "DYS151": Explanation(
        "Two conditions on one key attribute",
        "Each key attribute has one condition.",
        "pk = :p AND sk > :a AND sk < :b",
        "pk = :p AND sk BETWEEN :a AND :b",
        _QUERIES,
    ),
    "DYS152": Explanation(
        "More key conditions than the key has attributes",
        "There are a partition key and at most a sort key; in the key of a global index, up to "
        "four attributes of each.",
        "pk = :p AND sk = :s AND status = :x",
        "pk = :p AND sk = :s, with FilterExpression='#status = :x'",
        _QUERIES,
    ),
    "DYS153": Explanation(
        "A partition key without equality",
        "A query reads one partition. Of a sort key of many attributes it names the first ones, "
        "all but the last of them with =.",
        "pk > :p",
        "pk = :p",
        _QUERIES,
    ),
    "DYS154": Explanation(
        "A function within a key condition",
        "Keys are compared as they are.",
        "pk = :p AND size(sk) > :n",
        "pk = :p, with FilterExpression='size(a) > :n'",
        _QUERIES,
    ),
    "DYS155": Explanation(
        "A key condition without one key attribute and a value",
        "Each condition compares one key attribute with values.",
        "pk = sk",
        "pk = :p",
        _QUERIES,
    ),
    "DYS156": Explanation(
        "A key condition on a nested attribute",
        "Key attributes are at the top of the item.",
        "address.city = :c",
        "city = :c",
        _QUERIES,
    ),
    "DYS157": Explanation(
        "A query without a key attribute",
        "The conditions name the partition key, and no other attribute than the sort key.",
        "sk = :s",
        "pk = :p AND sk = :s",
        _QUERIES,
    ),
    "DYS158": Explanation(
        "A key condition of another type",
        "The value is of the key attribute's type.",
        'pk = :p, with {"N": "1"}, where pk is a string',
        'pk = :p, with {"S": "1"}',
        _QUERIES,
    ),
    "DYS159": Explanation(
        "A filter on a key attribute",
        "A filter works on what the key condition has found.",
        "FilterExpression='sk > :s'",
        "KeyConditionExpression='pk = :p AND sk > :s'",
        "Filter expressions for the Query operation in DynamoDB",
    ),
    "DYS160": Explanation(
        "A query without a key condition",
        "A query needs to know which partition to read.",
        "Query with FilterExpression alone",
        "Query with KeyConditionExpression='pk = :p', or a Scan",
        _QUERIES,
    ),
    "DYS161": Explanation(
        "Half of a parallel scan",
        "Segment and TotalSegments go together.",
        "Segment=1",
        "Segment=1, TotalSegments=4",
        _SCANS,
    ),
    "DYS162": Explanation(
        "Unknown segment",
        "Segments are counted from 0.",
        "Segment=4, TotalSegments=4",
        "Segment=3, TotalSegments=4",
        _SCANS,
    ),
    "DYS163": Explanation(
        "Unknown index",
        "IndexName names an index of the table.",
        "IndexName='by_emial'",
        "IndexName='by_email'",
        _QUERIES,
    ),
    "DYS164": Explanation(
        "A consistent read of a global index",
        "Global secondary indexes follow the table with a delay.",
        "IndexName='by_email', ConsistentRead=True",
        "IndexName='by_email'",
        "DynamoDB read consistency",
    ),
    "DYS165": Explanation(
        "A Select that contradicts the rest",
        "What Select chooses, and what a projection names, must agree.",
        "Select='COUNT', ProjectionExpression='a'",
        "Select='COUNT'",
        "Query, API Reference",
    ),
    "DYS166": Explanation(
        "An attribute that the index does not have",
        "A global secondary index gives only the attributes that it projects.",
        "IndexName='by_email', ProjectionExpression='address', where the index has keys only",
        "the keys from the index, then BatchGetItem",
        "Using Global Secondary Indexes in DynamoDB",
    ),
    "DYS167": Explanation(
        "A start key of another query or scan",
        "A page begins after an item of the same table, index and key condition.",
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
        "A transaction's entry that is not one operation",
        "Each entry is one Put, Update, Delete or ConditionCheck, or one Get.",
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
        "The keys and items of a transaction, its expressions and their values may have 4 MB "
        "together. What the items that it updates or deletes have stored does not count.",
        "50 puts of 100 KB each",
        "two transactions, or plain writes where they need not be all or none",
        "TransactWriteItems, API Reference",
    ),
    "DYS180": Explanation(
        "An invalid key schema",
        "A table's key is a partition key (HASH), and then perhaps a sort key (RANGE). In the key "
        "of a global index there may be up to four of each.",
        'KeySchema=[{"AttributeName": "id", "KeyType": "RANGE"}]',
        'KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}]',
        "CreateTable, API Reference",
    ),
    "DYS181": Explanation(
        "Attribute definitions that are not those of the keys",
        "AttributeDefinitions has each attribute of the table's key and of its indexes' keys, and "
        "no others: other attributes need no definition.",
        "AttributeDefinitions with id and name, KeySchema with id",
        "AttributeDefinitions with id, KeySchema with id",
        "CreateTable, API Reference",
    ),
    "DYS182": Explanation(
        "An index that does not fit its table",
        "Index names are unique. A local index has the table's partition key and another sort key. "
        "NonKeyAttributes go with the ProjectionType INCLUDE. The SearchSchema of a vector index "
        "has defined attributes.",
        "a local index of a table without a sort key",
        "a global index",
        "CreateTable, API Reference",
    ),
    "DYS183": Explanation(
        "Capacity that does not fit the billing mode",
        "PROVISIONED, the default, needs ProvisionedThroughput; PAY_PER_REQUEST has none. Vector "
        "indexes need PAY_PER_REQUEST.",
        "CreateTable without BillingMode and ProvisionedThroughput",
        "BillingMode='PAY_PER_REQUEST'",
        "CreateTable, API Reference",
    ),
    "DYS184": Explanation(
        "No change of a table, or too many",
        "UpdateTable changes something. Each entry of index updates is one of Create, Update and "
        "Delete, and each index has one.",
        "UpdateTable with TableName alone",
        "UpdateTable with BillingMode",
        "UpdateTable, API Reference",
    ),
    "DYS185": Explanation(
        "A vector search that its index does not know",
        "A search vector has as many numbers as the index has dimensions, each of 32-bit floating "
        "point; TopK is from 1 to 100.",
        'SearchVector=[{"S": "0.5"}], TopK=1000',
        'SearchVector=[{"N": "0.5"}], TopK=100',
        "SearchVectors, API Reference",
    ),
    "DYS186": Explanation(
        "A condition that a vector search does not have",
        "It compares attributes of the index's SearchSchema with =, each once, joined by AND. The "
        "HASH attribute, where there is one, has to be among them. So the service answered until "
        "October 2026. A later page of AWS describes more operators: send those with "
        "validate=False.",
        "SearchConditionExpression='category = :c OR brand = :b'",
        "SearchConditionExpression='category = :c AND brand = :b'",
        "SearchVectors, API Reference",
    ),
    "DYS187": Explanation(
        "A statement with another number of parameters",
        "Each ? in a PartiQL statement has one parameter.",
        "Statement='SELECT * FROM t WHERE id = ?' without Parameters",
        'Statement=\'SELECT * FROM t WHERE id = ?\', Parameters=[{"S": "a"}]',
        "ExecuteStatement, API Reference",
    ),
    "DYS188": Explanation(
        "A vector that its index cannot hold",
        "The attribute of a vector index, where an item has it, is a list of as many numbers as "
        "the index has dimensions, each of 32-bit floating point.",
        'Item={"embedding": {"L": [{"N": "0.5"}]}}, where the index has 2 dimensions',
        'Item={"embedding": {"L": [{"N": "0.5"}, {"N": "1"}]}}',
        "PutItem, API Reference",
    ),
    "DYS189": Explanation(
        "A statement that does not name the item it writes",
        "UPDATE and DELETE of PartiQL write one item. Their WHERE compares each attribute of the "
        "table's key with =.",
        "Statement='UPDATE t SET a = ? WHERE a = 1'",
        "Statement='UPDATE t SET a = ? WHERE id = ?'",
        "PartiQL update statements for DynamoDB",
    ),
    "DYS201": Explanation(
        "A syntax error",
        "The grammar does not allow the underlined token at that place.",
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
        "One update cannot set a path and also a place inside it. Put the change into the value of "
        "the whole path (here, the new qty into :l), or set the places inside it one by one.",
        "SET parts = :l, parts[2].qty = :q",
        "SET parts = :l",
        _UPDATES,
    ),
    "DYS204": Explanation(
        "Conflicting paths",
        "An attribute is a map or a list, not both.",
        "SET a.b = :x, a[0] = :y",
        "SET a.b = :x, c[0] = :y",
        _UPDATES,
    ),
    "DYS205": Explanation(
        "Unknown function",
        "Functions are written in lower case.",
        "SIZE(a) > :n",
        "size(a) > :n",
        _CONDITIONS,
    ),
    "DYS206": Explanation(
        "A function of another kind of expression",
        "if_not_exists and list_append belong to updates, the others to conditions.",
        "SET a = size(b)",
        "SET a = if_not_exists(b, :v)",
        _UPDATES,
    ),
    "DYS207": Explanation(
        "A function in the wrong place",
        "size gives a number to compare; contains and the like stand alone; list_append is the "
        "whole right side of a SET.",
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
        "attribute_exists, attribute_not_exists and if_not_exists ask for an attribute.",
        "attribute_exists(:a)",
        "attribute_exists(a)",
        _CONDITIONS,
    ),
    "DYS210": Explanation(
        "A clause twice",
        "An expression has each of SET, REMOVE, ADD and DELETE once.",
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
        "An index is at most 2147483647.",
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
        "573 words cannot be names in an expression, in upper or lower case.",
        "SET status = :s",
        "SET #status = :s, with ExpressionAttributeNames={'#status': 'status'}",
        "Reserved words in DynamoDB",
    ),
    "DYS216": Explanation(
        "A malformed placeholder",
        "Names begin with #, values with :; then come letters, digits and _, 255 bytes at most.",
        "ExpressionAttributeNames={'status': 'status'}",
        "ExpressionAttributeNames={'#status': 'status'}",
        _NAMES,
    ),
    "DYS217": Explanation(
        "A placeholder for no name, or too long a one",
        "An attribute's name has 1 to 65535 bytes.",
        "ExpressionAttributeNames={'#a': ''}",
        "ExpressionAttributeNames={'#a': 'a'}",
        _CONSTRAINTS,
    ),
    "DYS218": Explanation(
        "An expression that is too long",
        "An expression has at most 4096 bytes.",
        "5000 bytes",
        "several requests, or shorter placeholders where it is written by hand",
        _CONSTRAINTS,
    ),
    "DYS219": Explanation(
        "Values that are too large together",
        "All names and values of a request have at most 2 MB, and an expression with the values "
        "that it uses, each as often as it is used, 1 MB.",
        "three values of 1 MB",
        "several requests",
        _CONSTRAINTS,
    ),
    "DYS220": Explanation(
        "An undefined name",
        "Each #name of an expression is in ExpressionAttributeNames.",
        "SET #status = :s, without it",
        "ExpressionAttributeNames={'#status': 'status'}",
        _NAMES,
    ),
    "DYS221": Explanation(
        "An undefined value",
        "Each :value of an expression is in ExpressionAttributeValues.",
        "SET a = :a, without it",
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
        "Each operator and function takes values of some types only.",
        "ADD name :s, with a string",
        "ADD visits :n, with a number, or a set",
        _CONDITIONS,
    ),
    "DYS224": Explanation(
        "A comparison with itself",
        "The first operand is another than the rest.",
        "a = a",
        "attribute_exists(a)",
        _CONDITIONS,
    ),
    "DYS225": Explanation(
        "Unknown type name",
        "attribute_type takes S, N, B, BOOL, NULL, L, M, SS, NS or BS.",
        "attribute_type(a, :t), with 'STRING'",
        "attribute_type(a, :t), with 'S'",
        _CONDITIONS,
    ),
    "DYS226": Explanation(
        "BETWEEN bounds of two types",
        "Both bounds are of one type.",
        "a BETWEEN :low AND :high, with a number and a string",
        "two numbers",
        _CONDITIONS,
    ),
    "DYS227": Explanation(
        "BETWEEN bounds the wrong way round",
        "The lower bound comes first.",
        "a BETWEEN :nine AND :one",
        "a BETWEEN :one AND :nine",
        _CONDITIONS,
    ),
    "DYS301": Explanation(
        "A path that the item does not have",
        "An update can change a place inside a map or list that the item has. It does not create "
        "the map or list.",
        "SET address.city = :c, where the item has no address",
        "SET address = :address with the whole map, or if_not_exists for it in an earlier update",
        _UPDATES,
    ),
    "DYS302": Explanation(
        "An operand that does not fit the item",
        "Numbers are added to numbers, lists to lists, members to sets of their type.",
        "ADD visits :one, where visits is a string in the item",
        "the attribute's own type in every item",
        _UPDATES,
    ),
    "DYS303": Explanation(
        "An operand that the item does not have",
        "A path on the right side of SET must exist in the item.",
        "SET visits = visits + :one, where the item has no visits",
        "SET visits = if_not_exists(visits, :zero) + :one; UpdateBuilder.increment does",
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
