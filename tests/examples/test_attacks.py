"""Each fault that a review of the recipes found, and the attack that shows that it is gone.

Where the service itself leaves no way out, the recipe says so: then its words are named.
"""

from __future__ import annotations

import ast
from functools import cache

import pytest

from tests.examples.templates import ROOT

HIGH, MEDIUM, LOW = "high", "medium", "low"
Fault = tuple[str, str, str]
"""How bad it was, what was possible, and the test (or "says: " and words of the docstring)."""

FAULTS: dict[str, list[Fault]] = {
    "email_verification": [
        (HIGH, "a patched address stays verified", "test_changed_address"),
        (HIGH, "a patch sets the flag itself", "test_flag_is_not_patchable"),
        (MEDIUM, "a second click says that the token is invalid", "test_race"),
        (
            MEDIUM,
            "a scanner opens the link and uses the token up",
            "says: Mail scanners open links",
        ),
        (MEDIUM, "time tells who has an account", "test_unknown_person_costs_the_same"),
    ],
    "password_management": [
        (HIGH, "more work for scrypt fails for want of memory", "test_cost"),
        (
            HIGH,
            "an item without `attempts` locks its owner out for good",
            "test_migrated",
        ),
        (MEDIUM, "guesses tell a name that exists from one that does not", "test_unknown_name"),
        (MEDIUM, "a stranger locks the owner out", "test_known_device"),
        (MEDIUM, "right passwords count as attempts", "test_right_passwords_at_once"),
        (MEDIUM, "typos a month apart add up to a lockout", "test_lockout_ends"),
        (MEDIUM, "the old password succeeds after the change has returned", "test_old_password"),
        (LOW, "two Unicode forms of one password differ; lone surrogates fail", "test_spellings"),
        (LOW, "a password of any length is hashed", "test_length"),
        (LOW, "a copy of the table is enough to guess with", "test_stored"),
    ],
    "password_reset": [
        (MEDIUM, "time tells who has an account", "test_unknown_person_costs_the_same"),
        (MEDIUM, "a session opened meanwhile survives the reset", "test_epoch"),
        (MEDIUM, "asking again voids the owner's link", "test_asking_again"),
        (
            MEDIUM,
            "a reset repeats a password or leaves the lockout",
            "test_lockout_and_history",
        ),
        (LOW, "odd tokens raise other errors", "test_bad_tokens"),
        (LOW, "a read is not consistent", "test_reads_are_consistent"),
    ],
    "audit_log": [
        (HIGH, "entries taken from the end leave no gap", "test_end_taken"),
        (HIGH, "PutItem overwrites an entry", "test_attacks"),
        (MEDIUM, "appends at once fight for their numbers", "test_turns"),
        (MEDIUM, "of many appends at once some give up", "test_race"),
    ],
    "unique_email": [
        (MEDIUM, "an answer tells who has an account", "says: tells who has an account"),
        (MEDIUM, "the address of a deleted person is lost for good", "test_removed_later"),
        (LOW, "a list of two addresses registers", "test_not_an_address"),
        (LOW, "one address in two spellings registers twice", "test_spellings"),
    ],
    "person_deletion": [
        (MEDIUM, "who was deleted softly cannot be erased", "test_erasure"),
        (MEDIUM, "leaders of teams are deleted", "test_leaders"),
        (MEDIUM, "the deleted become leaders", "test_deleted_get_nothing"),
        (MEDIUM, "an item without its counts can never be deleted", "test_migrated"),
        (MEDIUM, "of three deletions two blame references", "test_three_at_once"),
        (LOW, "a person is restored after the end of the month", "test_restore"),
        (LOW, "nothing is said of a hundred children and more", "says: see cascade_delete"),
    ],
    "rate_limiting": [
        (MEDIUM, "conflicts refuse calls below the limit", "test_conflicts"),
        (MEDIUM, "calls at once meet conflicts", "test_plain"),
        (MEDIUM, "clocks 40 s apart let twice the limit through", "test_window_skew"),
        (MEDIUM, "and a bucket lets more through than it refills", "test_skew"),
        (LOW, "a refused call costs a write", "says: A refused call costs a write unit too"),
        (LOW, "windows have edges", "test_bucket_race"),
    ],
    "webhook_consumer": [
        (HIGH, "a payment before its account is refused for good", "test_before_its_account"),
        (MEDIUM, "an event of a new type is an error", "test_other_types"),
        (MEDIUM, "the same id with another amount is taken for known", "test_same_id"),
        (MEDIUM, "a refund makes a balance negative", "test_overdraft"),
        (MEDIUM, "the sender's repeat an hour later is refused", "test_age"),
    ],
    "security_dashboard": [
        (MEDIUM, "a page has fewer events than asked for", "test_large_events"),
        (MEDIUM, "a cursor of 20,000 brackets ends the request", "test_bad_cursors"),
        (MEDIUM, "an event overwrites another of its id", "test_recorded_once"),
        (LOW, "expired events are shown", "says: old events may still show"),
        (LOW, "one kind is a hot partition", "says: put the day into the key"),
    ],
    "lambda_handler": [
        (HIGH, "a cold start and a hang answer after the function's time", "test_deadline"),
        (HIGH, "nobody is asked who they are", "test_authentication"),
        (HIGH, "without an authorizer everybody is served", "test_no_authorizer"),
        (MEDIUM, "a body of 20,000 brackets is unhandled", "test_bad_bodies"),
        (MEDIUM, "a missing region is unhandled", "test_missing_region"),
        (MEDIUM, "a wrong table name is blamed on the caller", "test_wrong_table_name"),
        (LOW, "a lost read speaks of a change", "test_unknown"),
    ],
    "fastapi_app": [
        (MEDIUM, "an old ETag overwrites a person that was made again", "test_etag_after_deletion"),
        (MEDIUM, "a mistake of the service is blamed on the caller", "test_whose_mistake"),
        (MEDIUM, "lone surrogates and NaN end in 500", "test_bad_bodies"),
        (LOW, "a throttle becomes 429", "test_status_of_each_error"),
        (
            LOW,
            "If-Match: * is refused",
            "test_patch_in_version_2",
        ),
    ],
    "field_names": [
        (HIGH, "a put drops attributes that the class does not know", "test_unknown_attributes"),
    ],
    "partial_update": [
        (MEDIUM, "a late repeat undoes another caller's change", "test_late_repeat"),
        (LOW, "blank names, and tags without a bound, are stored", "test_bad_bodies"),
    ],
    "optimistic_locking": [
        (MEDIUM, "of 50 editors 40 give up", "test_race"),
    ],
    "registry": [
        (MEDIUM, "it cannot be copied", "test_alone"),
        (MEDIUM, "patches in JSON fail", "test_json_patches"),
        (MEDIUM, "cursors raise four kinds of errors", "test_bad_cursors"),
        (MEDIUM, "an item without its counts stays in use", "test_migrated"),
    ],
    "every_recipe": [
        (MEDIUM, "TransactionConflict, which test engines never give", "test_conflicts"),
        (MEDIUM, "a condition is false where an attribute is absent", "test_old_items"),
        (LOW, "no recipe has its table", "test_template"),
    ],
    "rules": [
        (LOW, "no recipe has a call", "test_alone"),
    ],
}
CASES = [
    pytest.param(example, evidence, id=f"{example}: {fault} ({level})")
    for example, faults in FAULTS.items()
    for level, fault, evidence in faults
]


@cache
def functions_of(example: str) -> frozenset[str]:
    tree = ast.parse((ROOT / f"tests/examples/test_{example}.py").read_text())
    return frozenset(
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")
    )


@pytest.mark.parametrize(("example", "evidence"), CASES)
def test_fault_has_its_attack(example: str, evidence: str) -> None:
    """The test is there, or the recipe says what it cannot prevent."""
    words = evidence.removeprefix("says: ")
    if words == evidence:
        assert evidence in functions_of(example)
        return
    source = (ROOT / f"examples/recipes/{example}.py").read_text()
    assert words in " ".join((ast.get_docstring(ast.parse(source)) or "").split())
