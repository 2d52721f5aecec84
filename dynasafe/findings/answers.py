"""DynamoDB's answer, how to write it with dynasafe, and the AWS page, by code of a finding."""

from __future__ import annotations

_UPDATE = "1 validation error detected: Invalid UpdateExpression: "
_FILTER = "Invalid FilterExpression: "

SERVICE_ANSWERS = {
    "DYS103": "ExpressionAttributeNames must not be empty",
    "DYS105": (
        "1 validation error detected: Failed to satisfy constraint: Member must satisfy enum "
        "value set: [ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]"
    ),
    "DYS107": (
        "1 validation error detected: ExpressionAttributeValues can only be specified when using "
        "expressions"
    ),
    "DYS108": ("One or more parameter values were invalid: Duplicate value in attribute name: a"),
    "DYS110": "NUMBER_VALUE cannot be converted to String",
    "DYS112": (
        "1 validation error detected: Supplied AttributeValue is empty, must contain exactly one "
        "of the supported datatypes"
    ),
    "DYS113": (
        "1 validation error detected: Supplied AttributeValue has more than one datatypes set, "
        "must contain exactly one of the supported datatypes"
    ),
    "DYS116": (
        "1 validation error detected: One or more parameter values were invalid: Null attribute "
        "value types must have the value of true"
    ),
    "DYS118": (
        "1 validation error detected: One or more parameter values were invalid: Input collection "
        "contains duplicates."
    ),
    "DYS132": (
        "One or more parameter values are not valid. The AttributeValue for a key attribute "
        "cannot contain an empty string value. Key: id"
    ),
    "DYS138": (
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not "
        "allowed: Key: id"
    ),
    "DYS151": "KeyConditionExpressions must only contain one condition per key",
    "DYS153": "Query key condition not supported",
    "DYS155": (
        "Invalid condition in KeyConditionExpression: Multiple attribute names used in one "
        "condition"
    ),
    "DYS156": "KeyConditionExpressions cannot have conditions on nested attributes",
    "DYS157": "Query condition missed key schema element: pk",
    "DYS161": (
        "The TotalSegments parameter is required but was not present in the request when Segment "
        "parameter is present"
    ),
    "DYS162": (
        "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
        "Segment: 4 is not less than TotalSegments: 4"
    ),
    "DYS163": "The table does not have the specified index: by_emial",
    "DYS164": "Consistent reads are not supported on global secondary indexes",
    "DYS165": "Cannot specify the ProjectionExpression when choosing to get only the Count",
    "DYS201": f'{_UPDATE}Syntax error; token: "<EOF>", near: "b"',
    "DYS202": f"{_FILTER}The expression has redundant parentheses;",
    "DYS203": (
        f"{_UPDATE}Two document paths overlap with each other; must remove or rewrite one of "
        "these paths; path one: [parts], path two: [parts, [2], qty]"
    ),
    "DYS204": (
        f"{_UPDATE}Two document paths conflict with each other; must remove or rewrite one of "
        "these paths; path one: [a, b], path two: [a, [0]]"
    ),
    "DYS205": f"{_FILTER}Invalid function name; function: SIZE",
    "DYS206": (f"{_UPDATE}The function is not allowed in an update expression; function: size"),
    "DYS207": (
        f"{_FILTER}The function is not allowed to be used this way in an expression; function: size"
    ),
    "DYS208": (
        f"{_FILTER}Incorrect number of operands for operator or function; operator or function: "
        "begins_with, number of operands: 1"
    ),
    "DYS209": (
        f"{_FILTER}Operator or function requires a document path; operator or function: "
        "attribute_exists"
    ),
    "DYS210": f'{_UPDATE}The "SET" section can only be used once in an update expression;',
    "DYS215": (
        "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: status"
    ),
    "DYS216": 'ExpressionAttributeNames contains invalid key: Syntax error; key: "status"',
    "DYS217": "ExpressionAttributeNames contains invalid value: Empty attribute name for key #a",
    "DYS220": (
        f"{_FILTER}An expression attribute name used in the document path is not defined; "
        "attribute name: #status"
    ),
    "DYS221": (
        "Invalid UpdateExpression: An expression attribute value used in expression is not "
        "defined; attribute value: :a"
    ),
    "DYS222": ("Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}"),
    "DYS224": (
        f"{_FILTER}The first operand must be distinct from the remaining operands for this "
        "operator or function; operator: =, first operand: [a]"
    ),
    "DYS227": (
        f"{_FILTER}The BETWEEN operator requires upper bound to be greater than or equal to lower "
        "bound"
    ),
}
"""By code: the message of the ValidationException for the page's wrong request."""

WITH_DYNASAFE = {
    "DYS103": 'UpdateBuilder().set("a", 1)  # no parameter is empty, whatever you call',
    "DYS107": 'UpdateBuilder().set("a", 1).condition(attr("b").exists())',
    "DYS109": 'people.put_item(person, return_values="ALL_OLD")  # typed: "ALL_NEW" is refused',
    "DYS112": "Person(id='p1', name='Ada')  # an Item writes the types",
    "DYS117": "UpdateBuilder(Person).delete(Person.tags, {'a'})  # absent when it is empty",
    "DYS131": "people.put_item(Person(id='p1', name='Ada'))",
    "DYS157": 'orders.query((Order.customer == "c1") & (Order.number > "100"))',
    "DYS161": "people.scan(total_segments=4)",
    "DYS167": "people.query(Person.id == 'p1', exclusive_start_key=page.last_evaluated_key)",
    "DYS170": "people.batch_write_item(put=[...], delete=[...])",
    "DYS173": "people.batch_write_item(put=items)  # any number",
    "DYS201": 'UpdateBuilder().set("a", 1).set("b", 2)',
    "DYS203": 'UpdateBuilder().set("parts[2].qty", 3)  # the builder refuses an overlap',
    "DYS205": 'attr("a").size() > 3',
    "DYS208": 'attr("a").begins_with("x")',
    "DYS209": 'attr("a").exists()',
    "DYS210": 'UpdateBuilder().set("a", 1).set("b", 2)',
    "DYS215": 'UpdateBuilder().set("status", "new")  # aliases reserved words',
    "DYS216": 'UpdateBuilder().set("status", "new")',
    "DYS220": 'UpdateBuilder().set("status", "new")',
    "DYS221": 'UpdateBuilder().set("a", "x")',
    "DYS222": 'UpdateBuilder().set("a", "x")',
    "DYS224": 'attr("a").exists()',
    "DYS225": 'attr("a").is_type("S")',
    "DYS227": 'attr("a").between(1, 9)',
}
"""By code: how to write the request with this library."""

_GUIDE = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide"
_REFERENCE = "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference"
_AWS_PAGES = {
    "API Reference": f"{_REFERENCE}/Welcome.html",
    "Condition and filter expressions, operators, and functions in DynamoDB": (
        f"{_GUIDE}/Expressions.OperatorsAndFunctions.html"
    ),
    "Condition expressions in DynamoDB": f"{_GUIDE}/Expressions.ConditionExpressions.html",
    "Constraints in Amazon DynamoDB": f"{_GUIDE}/Constraints.html",
    "DynamoDB read consistency": f"{_GUIDE}/HowItWorks.ReadConsistency.html",
    "Error handling with DynamoDB": f"{_GUIDE}/Programming.Errors.html",
    "Expression attribute names (aliases) in DynamoDB": (
        f"{_GUIDE}/Expressions.ExpressionAttributeNames.html"
    ),
    "Expression attribute values in DynamoDB": (
        f"{_GUIDE}/Expressions.ExpressionAttributeValues.html"
    ),
    "Paginating table query results in DynamoDB": f"{_GUIDE}/Query.Pagination.html",
    "Querying tables in DynamoDB": f"{_GUIDE}/Query.html",
    "Quotas in Amazon DynamoDB": f"{_GUIDE}/ServiceQuotas.html",
    "Reserved words in DynamoDB": f"{_GUIDE}/ReservedWords.html",
    "Scanning tables in DynamoDB": f"{_GUIDE}/Scan.html",
    "Supported data types and naming rules in Amazon DynamoDB": (
        f"{_GUIDE}/HowItWorks.NamingRulesDataTypes.html"
    ),
    "Update expressions in DynamoDB": f"{_GUIDE}/Expressions.UpdateExpressions.html",
}


def aws_page(title: str) -> str | None:
    """The address of a page in the DynamoDB documentation, or None for an unknown title."""
    operation, comma, _ = title.partition(", API Reference")
    return f"{_REFERENCE}/API_{operation}.html" if comma else _AWS_PAGES.get(title)
