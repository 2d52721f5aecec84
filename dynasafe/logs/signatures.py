"""The signatures: words in a log, and the error that they mean.

A signature has needles. A needle has one or more fragments that all occur in one record. A fragment
is within one line, and has no double quote or backslash. So the same words are found in plain text
and in JSON, and work in a filter pattern or Insights query of CloudWatch Logs.

Source: the messages of the libraries; `dynasafe.findings.log_catalog` explains each code.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

from dynasafe.findings.log_catalog import LOG_EXPLANATIONS

Needle = tuple[str, ...]


class Level(StrEnum):
    """What to do about a signature."""

    BUG = "bug"
    """Deterministic: fix the code. Alert on the first one."""
    STATE = "state"
    """An answer that the code has to handle."""
    SETUP = "setup"
    """A name, a permission or a certificate is wrong."""
    CAPACITY = "capacity"
    """More load than the provided capacity."""
    OUTAGE = "outage"
    """DynamoDB, or the network to it, failed."""
    LEAK = "leak"
    """A resource was not closed."""
    OWN = "own"
    """dynasafe refused or reports something."""


class Evidence(Enum):
    """The evidence that a match is about DynamoDB and not another service."""

    WORDS = "the needle alone"
    OPERATION = "an operation of DynamoDB"
    PARAMETER = "a parameter of DynamoDB"
    ENDPOINT = "the endpoint's host name"
    CLIENT = "a word or a frame of boto3, botocore, aioboto3, aiobotocore or dynasafe"
    SERVICE = "a word of DynamoDB"


@dataclass(frozen=True, slots=True)
class Signature:
    """The needles of one code. One of them is enough; some matches need more evidence."""

    code: str
    level: Level
    evidence: Evidence
    needles: tuple[Needle, ...]
    unless: frozenset[str] = frozenset()
    """More specific codes: this one does not count if the record has one of them."""
    heads: tuple[str, ...] = ()
    """Words before the needles, for patterns that match whole words. In JSON, a needle at the start
    of a line follows the `n` of `\\n`."""

    @property
    def title(self) -> str:
        return LOG_EXPLANATIONS[self.code].title

    @property
    def fix(self) -> str:
        return LOG_EXPLANATIONS[self.code].right


def _answered(*codes: str) -> tuple[Needle, ...]:
    """Needles for error codes, as botocore writes them."""
    return tuple((f"({code}) when calling the",) for code in codes)


def _each(*texts: str) -> tuple[Needle, ...]:
    return tuple((text,) for text in texts)


_OPERATIONS = (
    "GetItem",
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "Query",
    "Scan",
    "BatchGetItem",
    "BatchWriteItem",
    "TransactGetItems",
    "TransactWriteItems",
)
_REFUSALS = frozenset(f"DYS{number}" for number in [*range(410, 429), 438])
_NEVER = "was never awaited"

SIGNATURES: tuple[Signature, ...] = (
    Signature(
        "DYS401",
        Level.BUG,
        Evidence.WORDS,
        (
            ("'NoneType' object has no attribute 'update'", "boto3/dynamodb/transform.py"),
            ("params[expr_attr_names_input].update(generated_names)",),
            ("params[expr_attr_values_input].update(generated_values)",),
        ),
    ),
    Signature(
        "DYS402",
        Level.BUG,
        Evidence.PARAMETER,
        (("Invalid type for parameter", ", valid types: "),),
        heads=("Parameter validation failed",),
    ),
    Signature(
        "DYS403",
        Level.BUG,
        Evidence.PARAMETER,
        (("Unknown parameter in", ", must be one of: "),),
    ),
    Signature(
        "DYS404",
        Level.BUG,
        Evidence.PARAMETER,
        _each("Missing required parameter in"),
        unless=frozenset({"DYS403"}),
    ),
    Signature(
        "DYS405",
        Level.BUG,
        Evidence.OPERATION,
        _each("only accepts keyword arguments"),
    ),
    Signature(
        "DYS406",
        Level.BUG,
        Evidence.WORDS,
        _each("Float types are not supported. Use Decimal types instead"),
    ),
    Signature(
        "DYS407",
        Level.BUG,
        Evidence.CLIENT,
        (("Unsupported type", "<class '", "for value"),),
    ),
    Signature("DYS408", Level.BUG, Evidence.CLIENT, _each("<class 'decimal.Inexact'>")),
    Signature("DYS409", Level.BUG, Evidence.WORDS, _each("Infinity and NaN not supported")),
    Signature(
        "DYS410",
        Level.BUG,
        Evidence.WORDS,
        _each(
            "ExpressionAttributeNames must not be empty",
            "ExpressionAttributeValues must not be empty",
        ),
    ),
    Signature("DYS411", Level.BUG, Evidence.WORDS, _each("The expression can not be empty")),
    Signature("DYS412", Level.BUG, Evidence.WORDS, _each("Attribute name is a reserved keyword")),
    Signature(
        "DYS413",
        Level.BUG,
        Evidence.WORDS,
        _each("Syntax error; token:", "contains invalid key: Syntax error; key:"),
    ),
    Signature("DYS414", Level.BUG, Evidence.WORDS, _each("unused in expressions: keys:")),
    Signature(
        "DYS415",
        Level.BUG,
        Evidence.WORDS,
        _each(
            "An expression attribute name used in the document path is not defined",
            "An expression attribute value used in expression is not defined",
        ),
    ),
    Signature(
        "DYS416",
        Level.BUG,
        Evidence.WORDS,
        _each(
            "Two document paths overlap with each other",
            "Two document paths conflict with each other",
            "section can only be used once in an update expression",
        ),
    ),
    Signature(
        "DYS417",
        Level.BUG,
        Evidence.WORDS,
        (
            ("The provided key element does not match the schema",),
            ("One or more parameter values were invalid: Missing the key",),
            ("One or more parameter values were invalid: Type mismatch for key",),
            ("One of the required keys was not given a value",),
            ("The number of conditions on the keys is invalid",),
            ("Invalid attribute value type", "when calling the"),
            ("Condition parameter type does not match schema type",),
        ),
    ),
    Signature(
        "DYS418", Level.BUG, Evidence.WORDS, _each("for a key attribute cannot contain an empty")
    ),
    Signature(
        "DYS419",
        Level.BUG,
        Evidence.WORDS,
        _each("The document path provided in the update expression is invalid for update"),
    ),
    Signature(
        "DYS420",
        Level.BUG,
        Evidence.WORDS,
        _each("The provided expression refers to an attribute that does not exist in the item"),
    ),
    Signature(
        "DYS421",
        Level.BUG,
        Evidence.WORDS,
        _each(
            "An operand in the update expression has an incorrect data type",
            "Incorrect operand type for operator or function",
        ),
    ),
    Signature(
        "DYS422",
        Level.BUG,
        Evidence.WORDS,
        _each(
            "Item size has exceeded the maximum allowed size",
            "Item size to update has exceeded the maximum allowed size",
        ),
    ),
    Signature(
        "DYS423",
        Level.BUG,
        Evidence.WORDS,
        _each(
            "Too many items requested for the BatchWriteItem call",
            "Too many items requested for the BatchGetItem call",
        ),
    ),
    Signature(
        "DYS424",
        Level.BUG,
        Evidence.WORDS,
        _each(
            "Provided list of item keys contains duplicates",
            "Transaction request cannot include multiple operations on one item",
        ),
    ),
    Signature(
        "DYS425",
        Level.BUG,
        Evidence.WORDS,
        (("Cannot update attribute", "This attribute is part of the key"),),
    ),
    Signature(
        "DYS426",
        Level.BUG,
        Evidence.WORDS,
        _each(
            "Query condition missed key schema element",
            "Query key condition not supported",
            "Filter Expression can only contain non-primary key attributes",
            "The table does not have the specified index",
            "Consistent read cannot be true when querying a GSI",
            "Consistent reads are not supported on global secondary indexes",
        ),
    ),
    Signature(
        "DYS427",
        Level.BUG,
        Evidence.WORDS,
        _each("The provided starting key", "Exclusive Start Key must have same size"),
    ),
    Signature(
        "DYS428",
        Level.BUG,
        Evidence.OPERATION,
        (("failed to satisfy constraint:", "when calling the"),),
    ),
    Signature(
        "DYS429",
        Level.BUG,
        Evidence.OPERATION,
        _answered("ValidationException"),
        unless=_REFUSALS,
    ),
    Signature(
        "DYS430", Level.STATE, Evidence.OPERATION, _answered("ConditionalCheckFailedException")
    ),
    Signature("DYS431", Level.STATE, Evidence.OPERATION, _answered("TransactionCanceledException")),
    Signature(
        "DYS432",
        Level.STATE,
        Evidence.OPERATION,
        _answered(
            "TransactionConflictException",
            "TransactionInProgressException",
            "ReplicatedWriteConflictException",
        ),
    ),
    Signature(
        "DYS433",
        Level.BUG,
        Evidence.OPERATION,
        _answered("IdempotentParameterMismatchException"),
    ),
    Signature("DYS434", Level.SETUP, Evidence.OPERATION, _answered("ResourceNotFoundException")),
    Signature(
        "DYS435",
        Level.SETUP,
        Evidence.OPERATION,
        (
            *_answered("AccessDeniedException"),
            ("is not authorized to perform: dynamodb:",),
        ),
    ),
    Signature(
        "DYS436",
        Level.SETUP,
        Evidence.SERVICE,
        (
            *_answered(
                "UnrecognizedClientException",
                "ExpiredTokenException",
                "InvalidSignatureException",
                "MissingAuthenticationTokenException",
            ),
            ("Unable to locate credentials",),
            ("Partial credentials found in",),
            ("You must specify a region",),
        ),
    ),
    Signature(
        "DYS437",
        Level.CAPACITY,
        Evidence.OPERATION,
        _answered("ItemCollectionSizeLimitExceededException", "LimitExceededException"),
    ),
    Signature("DYS438", Level.BUG, Evidence.WORDS, _each("set  may not be empty")),
    Signature(
        "DYS440",
        Level.CAPACITY,
        Evidence.OPERATION,
        _answered(
            "ProvisionedThroughputExceededException",
            "ThrottlingException",
            "RequestLimitExceeded",
        ),
    ),
    Signature(
        "DYS441",
        Level.OUTAGE,
        Evidence.OPERATION,
        _answered("InternalServerError", "ServiceUnavailable", "500", "502", "503", "504"),
    ),
    Signature(
        "DYS442",
        Level.OUTAGE,
        Evidence.ENDPOINT,
        _each("Could not connect to the endpoint URL", "Connect timeout on endpoint URL"),
    ),
    Signature(
        "DYS443",
        Level.OUTAGE,
        Evidence.ENDPOINT,
        _each(
            "Read timeout on endpoint URL",
            "Connection was closed before we received a valid response from endpoint URL",
        ),
    ),
    Signature("DYS444", Level.SETUP, Evidence.ENDPOINT, _each("SSL validation failed for")),
    Signature("DYS445", Level.OUTAGE, Evidence.WORDS, _each("Checksum crc32 failed")),
    Signature(
        "DYS446",
        Level.CAPACITY,
        Evidence.ENDPOINT,
        _each("Connection pool is full, discarding connection"),
    ),
    Signature(
        "DYS450",
        Level.BUG,
        Evidence.WORDS,
        (
            (_NEVER, "AIOBoto3ResourceFactory"),
            (_NEVER, "AioBaseClient._make_api_call"),
            (_NEVER, "AioSession._create_client"),
            (_NEVER, "coroutine 'BatchWriter."),
            (_NEVER, "AioPageIterator._make_request"),
            (_NEVER, "coroutine 'AsyncTable."),
            (_NEVER, "coroutine 'AsyncDynamoDB."),
        ),
    ),
    Signature(
        "DYS451",
        Level.BUG,
        Evidence.CLIENT,
        _each(
            "'coroutine' object has no attribute",
            "'coroutine' object is not subscriptable",
            "'coroutine' object is not iterable",
            "argument of type 'coroutine' is not",
            "Object of type coroutine is not JSON serializable",
            "object of type 'coroutine' has no len",
        ),
    ),
    Signature(
        "DYS452",
        Level.BUG,
        Evidence.CLIENT,
        (
            ("object dict can't be used in 'await' expression",),
            ("'dict' object can't be awaited",),
            ("object dynamodb.Table can't be used in 'await' expression",),
            ("a coroutine was expected, got {", "'ResponseMetadata'"),
            ("An asyncio.Future, a coroutine or an awaitable is required",),
            ("unhashable type: 'dict'", "asyncio/tasks.py"),
        ),
    ),
    Signature(
        "DYS453",
        Level.BUG,
        Evidence.CLIENT,
        (
            ("object Mock can't be used in 'await' expression",),
            ("object MagicMock can't be used in 'await' expression",),
            ("'Mock' object can't be awaited",),
            ("'MagicMock' object can't be awaited",),
            (_NEVER, "AsyncMockMixin._execute_mock_call"),
            ("to have been awaited", "Expected"),
        ),
    ),
    Signature(
        "DYS454",
        Level.BUG,
        Evidence.WORDS,
        _each(
            "'ClientCreatorContext' object",
            "'ResourceCreatorContext' object",
            "'BatchWriter' object does not support the",
            "'DynamoDB' object does not support the asynchronous context manager protocol",
            "__aiter__ method, got PageIterator",
        ),
    ),
    Signature(
        "DYS455",
        Level.BUG,
        Evidence.CLIENT,
        _each(
            "attached to a different loop",
            "is bound to a different event loop",
            "Event loop is closed",
        ),
    ),
    Signature(
        "DYS456",
        Level.LEAK,
        Evidence.CLIENT,
        _each("Unclosed client session", "Unclosed connector"),
    ),
    Signature(
        "DYS457",
        Level.BUG,
        Evidence.CLIENT,
        _each("Task exception was never retrieved", "Future exception was never retrieved"),
    ),
    Signature("DYS458", Level.BUG, Evidence.CLIENT, _each("Task was destroyed but it is pending")),
    Signature(
        "DYS459",
        Level.BUG,
        Evidence.CLIENT,
        _each(
            "asyncio.run() cannot be called from a running event loop",
            "This event loop is already running",
        ),
    ),
    Signature(
        "DYS460",
        Level.BUG,
        Evidence.CLIENT,
        (
            ("Executing <Task", "> took"),
            ("Executing <Handle", "> took"),
            ("Executing <TimerHandle", "> took"),
        ),
    ),
    Signature(
        "DYS461",
        Level.BUG,
        Evidence.CLIENT,
        ((_NEVER, "coroutine '"),),
        unless=frozenset({"DYS450", "DYS453"}),
    ),
    Signature(
        "DYS465",
        Level.BUG,
        Evidence.CLIENT,
        _each("KeyError: 'Item'", "KeyError: 'Attributes'", "KeyError: 'LastEvaluatedKey'"),
    ),
    Signature(
        "DYS466",
        Level.BUG,
        Evidence.CLIENT,
        _each(
            "Object of type Decimal is not JSON serializable",
            "Object of type Binary is not JSON serializable",
        ),
    ),
    Signature(
        "DYS467",
        Level.BUG,
        Evidence.CLIENT,
        (
            ("unsupported operand type", "'decimal.Decimal' and 'float'"),
            ("unsupported operand type", "'float' and 'decimal.Decimal'"),
        ),
    ),
    Signature(
        "DYS468",
        Level.BUG,
        Evidence.WORDS,
        (
            ("'dynamodb.Table' object has no attribute",),
            ("'dynamodb.ServiceResource' object has no attribute",),
            ("DynamoDBExceptions object", "has no attribute"),
        ),
    ),
    Signature(
        "DYS469",
        Level.BUG,
        Evidence.WORDS,
        (
            ("KeyConditionExpression only supports Attribute objects of type Key",),
            ("operation cannot be applied to value", "Must use AttributeBase object methods"),
            ("DynamoDBNeedsKeyConditionError",),
            ("DynamoDBNeedsConditionError",),
            ("Expecting a ConditionBase object",),
            ("DynamoDBOperationNotSupportedError",),
        ),
    ),
    Signature("DYS470", Level.OUTAGE, Evidence.CLIENT, (("Task timed out after", "seconds"),)),
    Signature(
        "DYS471",
        Level.CAPACITY,
        Evidence.CLIENT,
        _each("Runtime exited with error: signal: killed"),
    ),
    Signature(
        "DYS472",
        Level.BUG,
        Evidence.CLIENT,
        _each("async def functions are not natively supported"),
    ),
    Signature("DYS480", Level.OWN, Evidence.WORDS, _each("may or may not have been applied")),
    Signature("DYS481", Level.OWN, Evidence.WORDS, _each("Call not sent: the circuit")),
    Signature(
        "DYS482",
        Level.OWN,
        Evidence.WORDS,
        (
            *((f"{operation} was not sent.",) for operation in _OPERATIONS),
            ("was not sent: the update has no actions",),
        ),
    ),
    Signature("DYS483", Level.OWN, Evidence.WORDS, (("was not sent:", "ran out waiting for"),)),
    Signature("DYS484", Level.OWN, Evidence.WORDS, (("stopped half-way", "error.unprocessed"),)),
    Signature(
        "DYS485",
        Level.OWN,
        Evidence.WORDS,
        (("check the endpoint, the network and the region", "was not sent:"),),
    ),
    Signature("DYS486", Level.OWN, Evidence.WORDS, (("DynamoDB guard:", "[DYS"),)),
)

BY_CODE: dict[str, Signature] = {each.code: each for each in SIGNATURES}
