"""Which test proves which sentence, by the page or module and a phrase of the sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, init=False, slots=True)
class Proof:
    """Tests that would fail if the sentence were false, as "path::name"."""

    tests: tuple[str, ...]

    def __init__(self, *tests: str) -> None:
        object.__setattr__(self, "tests", tests)


@dataclass(frozen=True, slots=True)
class Service:
    """A fact about DynamoDB, AWS or another library, with its source."""

    source: str


@dataclass(frozen=True, slots=True)
class Limit:
    """Says what the library does not do or know, or names a condition: it promises nothing."""

    why: str


Entry = Proof | Service | Limit

UNIT = "tests/unit"

PROMISES: Final[Mapping[str, Proof]] = {
    "each call that raises has one event for its end, also if nothing was sent": Proof(
        f"{UNIT}/aio/test_execute_call_ends.py::test_raising_call_has_one_end",
        f"{UNIT}/aio/test_execute_call_ends.py::test_call_on_a_closed_client_has_one_end",
    ),
    "timeout_s is for the whole call, reading back included": Proof(
        f"{UNIT}/aio/test_execute_call_ends.py::test_reading_back_has_the_time_that_is_left",
        f"{UNIT}/calls/test_writes_settling.py::test_read_is_within_the_deadline",
        f"{UNIT}/resilience/test_attempts.py::test_refresh_counts_against_the_deadline",
    ),
    "attempts counts every request": Proof(
        f"{UNIT}/aio/test_execute_call_ends.py::test_attempts_counts_every_request",
        f"{UNIT}/calls/test_writes_settling.py::test_own_id_is_stored",
    ),
    "max_delay_s is the longest delay; the service may ask for up to 5 s more": Proof(
        f"{UNIT}/resilience/test_retry.py::test_delay_is_within_its_limits",
    ),
    "the retry quota is the client's, shared by its tasks and threads": Proof(
        "tests/threads/test_invariants.py::test_a_quota_is_shared",
        f"{UNIT}/resilience/test_retry.py::test_a17_each_call_gives_its_last_cost_back",
    ),
    "over 600 calls in an outage the mean is 1.06 attempts": Proof(
        "tests/simulation/test_simulation.py::test_retries_help_a_failing_server",
    ),
    "expired static credentials are not sent twice": Proof(
        f"{UNIT}/resilience/test_attempts.py::test_static_credentials_are_not_sent_twice",
    ),
    "a collection is checked as a whole before anything of it is sent": Proof(
        f"{UNIT}/aio/test_table.py::test_wrong_entry_of_a_collection",
    ),
    "two writes of one item in a list are refused before anything is sent": Proof(
        "tests/integration/test_tables.py::test_batch_write_refuses_one_key_twice",
        f"{UNIT}/aio/test_table.py::test_number_spelt_otherwise",
    ),
    "what is written is read, or it is refused": Proof(
        "tests/properties/test_stored_is_read.py::test_read_is_what_was_written",
        "tests/integration/test_stored_is_read.py::test_read_is_what_was_written",
        "tests/integration/test_tables.py::test_unknown_attributes_are_kept",
    ),
    "a ttl=True attribute is stored in seconds, and milliseconds are refused": Proof(
        f"{UNIT}/items/test_item.py::test_ttl_is_in_epoch_seconds",
        f"{UNIT}/items/test_item.py::test_ttl_of_another_type",
    ),
    "messages have no attribute values": Proof(
        "tests/properties/test_no_leaks.py::test_typed",
        "tests/properties/test_no_leaks.py::test_raw",
        "tests/integration/test_outcomes.py::test_wrong_statement_prints_no_value",
    ),
    "errors survive pickle, notes included": Proof(
        f"{UNIT}/test_errors.py::test_notes_survive_pickle",
        f"{UNIT}/test_errors.py::test_facts_survive_pickle_and_copy",
    ),
    "an operation that is not known is a finding": Proof(
        f"{UNIT}/test_operations.py::test_check_of_an_unknown_operation",
        "tests/properties/test_check_request.py::test_operation_without_an_item",
    ),
    "no request has an empty member": Proof(
        "tests/properties/test_update_builder.py::test_no_member_is_empty",
        f"{UNIT}/aio/test_execute_call_ends.py::test_no_empty_member_without_validation",
    ),
    "a frozen builder keeps the values that it was given": Proof(
        "tests/properties/test_fast_paths.py::test_a_built_request_is_of_its_own",
        f"{UNIT}/items/test_updates.py::test_built_update_is_frozen",
    ),
    "matches() says what DynamoDB would decide, or refuses what has no order": Proof(
        f"{UNIT}/items/test_conditions.py::test_only_what_has_an_order_is_compared_by_it",
        "tests/integration/test_evaluator.py::test_memory_agrees_with_dynamodb_local",
    ),
    "a new instance does not overwrite an item with a version": Proof(
        f"{UNIT}/calls/test_batches_versions.py::test_a_new_instance_does_not_overwrite",
    ),
    "a call on a closed client raises ClientClosedError, also with a client of yours": Proof(
        "tests/integration/test_outcomes.py::test_own_client_is_closed_after_its_block",
    ),
    "reset() forgets everything, also permits that are still out": Proof(
        f"{UNIT}/resilience/test_circuit_breaker.py::test_e19_reset_forgets_everything",
        f"{UNIT}/resilience/test_circuit_breaker.py::test_x3_late_result_changes_nothing",
    ),
    "what a write costs in memory is what DynamoDB Local says": Proof(
        "tests/integration/test_memory.py::test_capacity_of_a_write",
    ),
}
"""Promises that were once broken: each has a test by name, whatever words a page uses for it."""

_SENT_ONCE = Proof(
    f"{UNIT}/aio/test_table.py::test_lost_update_is_unknown",
    "tests/exactness/test_exactness.py::test_plain_increments_do_not_count_twice",
)
_FROZEN = Proof(
    f"{UNIT}/items/test_updates.py::test_built_update_is_frozen",
    "tests/properties/test_fast_paths.py::test_a_built_request_is_of_its_own",
)
_ALIASED = Proof(f"{UNIT}/items/test_conditions.py::test_escape_always")
_TWICE = Proof(
    f"{UNIT}/test_errors.py::test_retryable_errors",
    f"{UNIT}/test_errors.py::test_refusals_that_are_retryable",
)
_GIVEN_UP = Proof("tests/threads/test_boto3.py::test_call_given_up_while_connecting")
_WORDS = Service("words of DynamoDB Local and the service, compared in tests/integration")

CLAIMS: Final[Mapping[str, Mapping[str, Entry]]] = {
    "SECURITY.md": {
        "a name cannot end a line": Proof(
            f"{UNIT}/findings/test_quoting.py::test_quoted",
            f"{UNIT}/findings/test_quoting.py::test_printable",
            f"{UNIT}/findings/test_quoting.py::test_listed",
            "tests/hostile/test_bounded_work.py::test_messages_are_short_and_printable",
        ),
        "**Bounded work.**": Proof(
            "tests/hostile/test_bounded_work.py::test_cost_is_linear",
            "tests/hostile/test_bounded_work.py::test_memory_is_linear",
        ),
    },
    "docs/examples.md": {
        "contract: against whom and what it stands, what it guarantees": Proof(
            "tests/examples/test_rules.py::test_contract",
        ),
        "DynamoDB Local never gives": Service("measured on DynamoDB Local 1.25.1"),
    },
    "docs/why-not.md": {
        "what it cannot know of DynamoDB": Limit("the head of a column about other libraries"),
        "never trips it": Service("pybreaker's source, 1.4.1"),
    },
    "docs/guides/circuit-breaker.md": {
        "While the breaker is half-open, exactly": Proof(
            f"{UNIT}/resilience/test_circuit_breaker.py::test_x1_ten_thousand_calls_at_half_open",
            "tests/threads/test_invariants.py::test_half_open_circuit_admits_its_permits",
        ),
    },
    "docs/guides/did-the-write-happen.md": {
        "may succeed later and cannot apply a write twice": _TWICE,
    },
    "docs/guides/guard.md": {
        "DynamoDB cannot have sent counts as lost": Proof(
            "tests/guard/test_retries.py::test_lost_answers"
        ),
    },
    "docs/guides/patches.md": {
        "A patch cannot remove what the item class needs": Proof(
            f"{UNIT}/items/test_updates.py::test_none_in_a_patch",
        ),
    },
    "docs/guides/retries.md": {
        "The stored item cannot show this": Proof(
            f"{UNIT}/aio/test_table.py::test_equal_item_proves_nothing",
        ),
    },
    "docs/guides/sync.md": {
        "cannot do that, and raises": Proof(
            "tests/integration/test_outcomes.py::test_forked_child_is_refused"
        ),
    },
    "docs/guides/tables.md": {
        "cannot be overridden": Proof(
            f"{UNIT}/aio/test_execute_call_ends.py::test_connections_are_a_setting_of_the_client"
        ),
    },
    "docs/guides/updates.md": {"a shared builder cannot take the values": _FROZEN},
    "docs/guides/validation.md": {
        "cannot include multiple operations": _WORDS,
        "A value provided cannot be converted": _WORDS,
        "Consistent read cannot be true": _WORDS,
        "Cannot have null key": _WORDS,
        "Cannot have two attributes": _WORDS,
    },
    "dynasafe/__init__.py": {
        "calls that cannot be malformed": Proof(
            "tests/integration/test_updates_on_engines.py::test_update_stores_what_python_computes",
            "tests/integration/test_conformance.py::test_any_update_has_the_engines_verdict",
        ),
    },
    "dynasafe/aio/database.py": {"a write is sent again only if that cannot": _SENT_ONCE},
    "dynasafe/sync/database.py": {"a write is sent again only if that cannot": _SENT_ONCE},
    "dynasafe/cache.py": {
        "bounded in bytes": Proof(
            "tests/properties/test_fast_paths.py::test_new_names_push_out_only_each_other",
            "tests/hostile/test_bounded_work.py::test_large_requests_are_remembered",
        ),
    },
    "dynasafe/calls/requests.py": {
        "never repeated, whatever the settings say": Proof(
            f"{UNIT}/calls/test_writes_settling.py::test_read_that_fails_is_sent_once"
        ),
    },
    "dynasafe/environment/clients.py": {
        "never repeats a request by itself": Proof(
            "tests/integration/test_clients.py::test_config_is_kept",
        ),
    },
    "dynasafe/environment/clock.py": {
        "A clock that never goes back": Proof(
            "tests/hostile/test_wrong_use.py::test_time_of_sleep_counts"
        ),
        "too early, never too late": Proof(
            "tests/hostile/test_wrong_use.py::test_time_of_sleep_counts"
        ),
    },
    "dynasafe/errors.py": {
        "repeating it cannot apply a write twice": _TWICE,
        "value that DynamoDB cannot store, with": Proof(
            f"{UNIT}/values/test_convert.py::test_values_that_cannot_be_stored",
        ),
        "a supported type that DynamoDB cannot store": Proof(
            f"{UNIT}/values/test_convert.py::test_values_that_cannot_be_stored",
        ),
    },
    "dynasafe/expressions/__init__.py": {'"always" aliases all': _ALIASED},
    "dynasafe/items/updates.py": {
        '"always" aliases all': _ALIASED,
        "a shared one cannot take values": _FROZEN,
    },
    "dynasafe/expressions/render.py": {
        "values always do": Proof(
            "tests/properties/test_expressions.py::test_placeholders_are_used_and_defined",
            "tests/hostile/test_wrong_use.py::test_what_is_rendered_shows_no_values",
        ),
        "never on what the values are": Proof(
            "tests/properties/test_fast_paths.py::test_known_chain_has_its_own_values",
            "tests/properties/test_repeatability.py::test_no_counterexample",
        ),
    },
    "dynasafe/guard/retries.py": {
        "DynamoDB cannot have sent": Proof(
            "tests/guard/test_foreign_answers.py::test_foreign_answers",
            "tests/guard/test_foreign_answers.py::test_any_body",
        ),
    },
    "dynasafe/hooks.py": {
        "observing a call cannot break it": Proof(
            "tests/hostile/test_wrong_use.py::test_a_hook_may_raise_anything"
        ),
        "It cannot replace or swallow the error": Proof(
            "tests/observability/test_hooks.py::test_surrounded"
        ),
    },
    "dynasafe/http/signing.py": {
        "never see half of a second": Proof(
            f"{UNIT}/http/test_signing.py::test_threads_share_a_signer"
        ),
    },
    "dynasafe/logs/gate.py": {
        "whose No is never wrong": Proof("tests/logs/test_scan.py::test_places"),
    },
    "dynasafe/logs/matching.py": {
        "a kind that cannot be an attribute value": Proof(
            "tests/logs/test_provoked.py::test_no_value_is_shown",
            "tests/logs/test_scan.py::test_values_are_not_shown",
        ),
    },
    "dynasafe/sync/boto.py": {
        "given up before that is never sent": _GIVEN_UP,
        "If not, it never will be": _GIVEN_UP,
    },
    "dynasafe/testing/unawaited.py": {
        "Detect never-awaited coroutines": Service("the title of a page"),
    },
    "dynasafe/values/models.py": {
        "an empty set always": Proof(
            f"{UNIT}/values/test_unions_and_models.py::test_none_and_empty_sets_of_models_are_absent"
        ),
    },
    "dynasafe/values/numbers.py": {
        "never rounded": Proof(
            f"{UNIT}/values/test_convert.py::test_number_is_exact_or_refused",
        ),
    },
}
"""By page or module: a phrase of each sentence with such a word, and what stands for it."""
