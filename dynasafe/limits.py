"""The numeric limits of DynamoDB, each with its source.

Sources: [1] "Quotas in Amazon DynamoDB"; [2] "Constraints in Amazon DynamoDB"; [3] the operation's
page in the Amazon DynamoDB API Reference; [4] measured on DynamoDB Local 1.25.1; [5] ExtendDB,
crates/core/src/validation/vector_item.rs, whose authors measured the service in August 2026.
"""

from typing import Final

MAX_EXPRESSION_BYTES: Final = 4096
"""An expression's text. [2]"""
MAX_PLACEHOLDER_BYTES: Final = 255
"""A key of ExpressionAttributeNames or ExpressionAttributeValues, with its # or :. [2]"""
MAX_NAME_BYTES: Final = 65_535
"""The name of an attribute that is not a key. [2]"""
MAX_OPERATORS: Final = 300
"""Operators and functions in one expression. [2]"""
MAX_IN_OPERANDS: Final = 100
"""Values after IN. [2]"""
MAX_PATH_LEVELS: Final = 32
"""Names and indexes in one document path. [2]"""
MAX_NESTING_LEVELS: Final = 32
"""Lists and maps within each other; the item itself is the first. [1, 4]"""
MAX_LIST_INDEX: Final = 2_147_483_647
"""In a document path. [4]"""
MAX_KEY_ATTRIBUTES: Final = 2
"""In the key of a table: a partition key and a sort key. [3]"""
MAX_INDEX_KEY_ATTRIBUTES: Final = 4
"""In the partition key, and in the sort key, of a global secondary index. [1]"""
MAX_LOCAL_INDEXES: Final = 5
"""Local secondary indexes of a table. [1]"""
MAX_GLOBAL_INDEXES: Final = 20
"""Global secondary indexes of a table, unless the quota was raised. [1]"""
MAX_VECTOR_DIMENSIONS: Final = 4096
"""Numbers in a vector. [3]"""
MAX_TOP_K: Final = 100
"""Results of a vector search. [1]"""
MAX_INLINE_FILTERS: Final = 20
"""Inline filter attributes of a vector index. [1]"""
MAX_INLINE_FILTER_BYTES: Final = 10_240
"""The value of an inline filter attribute of a vector index. [5]"""
MAX_NUMBER_DIGITS: Final = 38
"""Significant digits of a number. [1]"""
MAX_NUMBER_MAGNITUDE: Final = 125
"""The exponent of the greatest numbers, below 1E+126. [1]"""
MIN_NUMBER_MAGNITUDE: Final = -130
"""The exponent of the smallest numbers other than zero, 1E-130. [1]"""
MAX_ATTRIBUTES_TO_GET: Final = 255
"""Names in the legacy AttributesToGet. [3]"""
MAX_BATCH_GET_KEYS: Final = 100
"""Keys in one BatchGetItem. [3]"""
MAX_BATCH_WRITES: Final = 25
"""Puts and deletes in one BatchWriteItem. [3]"""
MAX_CLIENT_REQUEST_TOKEN_LENGTH: Final = 36
"""Characters in the token of TransactWriteItems. [3]"""
TOKEN_WINDOW_S: Final = 600.0
"""Seconds in which a repeat with the same ClientRequestToken is recognised. [3]"""
MAX_ITEM_BYTES: Final = 409_600
"""An item, by the formula of "DynamoDB item sizes and formats". [1]"""
MAX_PARTITION_KEY_BYTES: Final = 2048
"""The value of a partition key. [2]"""
MAX_SORT_KEY_BYTES: Final = 1024
"""The value of a sort key. [2]"""
MAX_TRANSACT_ITEMS: Final = 100
"""Operations in one transaction. [3]"""
MAX_TRANSACTION_BYTES: Final = 4_194_304
"""The items that a transaction puts, together. [3, 4]"""
MAX_TOTAL_SEGMENTS: Final = 1_000_000
"""Segments of a parallel scan. [3]"""
MAX_VALUES_BYTES: Final = 2_097_152
"""The names and values of ExpressionAttributeValues together. [2, 4]"""
MAX_EXPRESSION_WITH_VALUES_BYTES: Final = 1_048_576
"""An expression's text and its values, each counted as often as it is used. [4]"""
