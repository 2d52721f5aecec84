"""What is to be known about a code: why it is refused, an example, its fix."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """One code: a title, why it is refused, what is wrong, what is right, and the source.

    Codes about source code have more: what boto3 or DynamoDB answers, and where the rule is silent
    or may be mistaken.
    """

    title: str
    why: str
    wrong: str
    right: str
    source: str
    answer: str = ""
    limits: str = ""
