"""The explanation of a finding's code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """The title, the reason, a wrong and a right example, and the source of one code.

    Codes of `dynasafe lint` also have the answer of boto3 or DynamoDB, and the limits of the rule:
    what it does not report, and its false alarms.
    """

    title: str
    why: str
    wrong: str
    right: str
    source: str
    answer: str = ""
    limits: str = ""
