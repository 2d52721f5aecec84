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
        f"{UNIT}/test_call_ends.py::test_a_call_that_raises_has_one_event_for_its_end",
        f"{UNIT}/test_call_ends.py::test_a_call_on_a_closed_client_has_one_event_for_its_end",
    ),
    "timeout_s is for the whole call, reading back included": Proof(
        f"{UNIT}/test_call_ends.py::test_reading_back_is_within_the_time_of_the_call",
        f"{UNIT}/test_settling.py::test_read_is_within_the_deadline",
        f"{UNIT}/test_attempts.py::test_refresh_counts_against_the_deadline",
    ),
    "attempts counts every request": Proof(
        f"{UNIT}/test_call_ends.py::test_attempts_counts_every_request",
        f"{UNIT}/test_settling.py::test_own_id_is_stored",
    ),
    "max_delay_s is the longest delay; the service may ask for up to 5 s more": Proof(
        f"{UNIT}/test_retry.py::test_given_anything_when_a_delay_is_drawn_then_it_is_within_its_bounds",
    ),
    "the retry quota is the client's, shared by its tasks and threads": Proof(
        "tests/threads/test_invariants.py::test_a_quota_is_shared",
        f"{UNIT}/test_retry.py::test_given_two_concurrent_calls_when_both_succeed_then_each_gives_its_last_cost_back",
    ),
    "over 600 calls in an outage the mean is 1.06 attempts": Proof(
        "tests/simulation/test_simulation.py::"
        "test_given_a_failing_server_when_called_then_retries_help_and_stay_bounded",
    ),
    "expired static credentials are not sent twice": Proof(
        f"{UNIT}/test_attempts.py::test_static_credentials_are_not_sent_twice",
    ),
    "a collection is checked as a whole before anything of it is sent": Proof(
        f"{UNIT}/test_table.py::test_given_a_collection_when_one_entry_is_wrong_then_nothing_is_sent",
    ),
    "two writes of one item in a list are refused before anything is sent": Proof(
        "tests/integration/test_tables.py::"
        "test_given_one_key_twice_when_written_in_a_batch_then_it_is_refused",
        f"{UNIT}/test_table.py::test_given_a_number_that_is_spelt_otherwise_then_a_batch_finds_its_item",
    ),
    "what is written is read, or it is refused": Proof(
        "tests/properties/test_stored_is_read.py::test_read_is_what_was_written",
        "tests/integration/test_stored_is_read.py::test_read_is_what_was_written",
        "tests/integration/test_tables.py::"
        "test_given_unknown_attributes_when_read_and_put_then_nothing_is_lost",
    ),
    "a ttl=True attribute is stored in seconds, and milliseconds are refused": Proof(
        f"{UNIT}/test_item.py::test_given_a_ttl_when_written_then_it_is_in_epoch_seconds",
        f"{UNIT}/test_item.py::test_given_a_ttl_of_another_type_then_it_is_refused",
    ),
    "messages have no attribute values": Proof(
        "tests/properties/test_no_leaks.py::test_typed",
        "tests/properties/test_no_leaks.py::test_raw",
        "tests/integration/test_outcomes.py::test_wrong_statement_prints_no_value",
    ),
    "errors survive pickle, notes included": Proof(
        f"{UNIT}/test_errors.py::test_notes_survive_pickle",
        f"{UNIT}/test_errors.py::"
        "test_given_an_error_when_pickled_or_copied_then_its_facts_are_kept",
    ),
    "an operation that is not known is a finding": Proof(
        f"{UNIT}/test_operations.py::test_check_of_an_unknown_operation",
        "tests/properties/test_check_request.py::"
        "test_given_an_operation_of_no_item_then_its_members_are_checked",
    ),
    "no request has an empty member": Proof(
        "tests/properties/test_update_builder.py::"
        "test_given_any_update_when_built_then_no_member_is_none_or_empty",
        f"{UNIT}/test_call_ends.py::test_no_empty_member_is_sent_without_validation",
    ),
    "a frozen builder keeps the values that it was given": Proof(
        "tests/properties/test_fast_paths.py::test_a_built_request_is_of_its_own",
        f"{UNIT}/test_updates.py::"
        "test_given_a_built_update_when_changed_then_it_is_refused_and_a_copy_is_not",
    ),
    "matches() says what DynamoDB would decide, or refuses what has no order": Proof(
        f"{UNIT}/test_conditions.py::test_only_what_has_an_order_is_compared_by_it",
        "tests/integration/test_evaluator.py::"
        "test_given_many_triples_then_items_returns_and_errors_are_dynamodb_locals",
    ),
    "a new instance does not overwrite an item with a version": Proof(
        f"{UNIT}/test_batch_versions.py::test_a_new_instance_does_not_overwrite",
    ),
    "a call on a closed client raises ClientClosedError, also with a client of yours": Proof(
        "tests/integration/test_outcomes.py::test_own_client_is_closed_after_its_block",
    ),
    "reset() forgets everything, also permits that are still out": Proof(
        f"{UNIT}/test_circuit_breaker.py::test_e19_given_a_reset_then_everything_is_forgotten",
        f"{UNIT}/test_circuit_breaker.py::test_x3_given_a_late_result_then_it_changes_nothing",
    ),
    "what a write costs in memory is what DynamoDB Local says": Proof(
        "tests/integration/test_memory.py::"
        "test_given_a_write_then_its_capacity_is_that_of_dynamodb_local",
    ),
}
"""Promises that were once broken: each has a test by name, whatever words a page uses for it."""

_SENT_ONCE = Proof(
    f"{UNIT}/test_table.py::"
    "test_given_a_lost_answer_when_the_update_is_not_idempotent_then_it_is_unknown",
    "tests/exactness/test_exactness.py::"
    "test_given_the_plain_mode_when_incrementing_then_nothing_counts_twice",
)
_FROZEN = Proof(
    f"{UNIT}/test_updates.py::"
    "test_given_a_built_update_when_changed_then_it_is_refused_and_a_copy_is_not",
    "tests/properties/test_fast_paths.py::test_a_built_request_is_of_its_own",
)
_ALIASED = Proof(f"{UNIT}/test_conditions.py::test_given_escape_always_then_every_name_is_aliased")
_TWICE = Proof(
    f"{UNIT}/test_errors.py::test_retryable_errors",
    f"{UNIT}/test_errors.py::test_refusals_that_are_retryable",
)
_GIVEN_UP = Proof(
    "tests/threads/test_boto3.py::test_what_is_given_up_before_it_is_sent_is_never_sent"
)
_WORDS = Service("words of DynamoDB Local and the service, compared in tests/integration")

CLAIMS: Final[Mapping[str, Mapping[str, Entry]]] = {
    "SECURITY.md": {
        "a name cannot end a line": Proof(
            f"{UNIT}/test_quoting.py::test_quoted",
            f"{UNIT}/test_quoting.py::test_printable",
            f"{UNIT}/test_quoting.py::test_listed",
            f"{UNIT}/test_bounded_work.py::test_messages_are_bounded_and_printable",
        ),
        "**Bounded work.**": Proof(
            f"{UNIT}/test_bounded_work.py::test_cost_is_linear",
            f"{UNIT}/test_bounded_work.py::test_memory_is_linear",
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
            f"{UNIT}/test_circuit_breaker.py::"
            "test_x1_given_ten_thousand_at_half_open_then_exactly_the_permits_get_through",
            "tests/threads/test_invariants.py::test_a_half_open_circuit_admits_exactly_its_permits",
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
            f"{UNIT}/test_updates.py::"
            "test_given_a_patch_when_none_takes_away_what_an_item_needs_then_it_is_refused",
        ),
    },
    "docs/guides/retries.md": {
        "The stored item cannot show this": Proof(
            f"{UNIT}/test_table.py::"
            "test_given_a_lost_create_when_its_condition_fails_then_equality_proves_nothing",
        ),
    },
    "docs/guides/sync.md": {
        "cannot do that, and raises": Proof(
            "tests/integration/test_outcomes.py::test_forked_child_is_refused"
        ),
    },
    "docs/guides/tables.md": {
        "cannot be overridden": Proof(
            f"{UNIT}/test_call_ends.py::test_connections_are_a_setting_of_the_client"
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
            "tests/integration/test_updates_on_engines.py::"
            "test_given_any_update_when_sent_then_the_stored_item_is_as_in_plain_python",
            "tests/integration/test_conformance.py::"
            "test_given_an_update_valid_or_broken_then_the_verdict_is_the_engines",
        ),
    },
    "dynasafe/aio/database.py": {"a write is sent again only if that cannot": _SENT_ONCE},
    "dynasafe/sync/database.py": {"a write is sent again only if that cannot": _SENT_ONCE},
    "dynasafe/cache.py": {
        "bounded in bytes": Proof(
            "tests/properties/test_fast_paths.py::test_new_names_push_out_only_each_other",
            f"{UNIT}/test_bounded_work.py::test_large_requests_are_remembered",
        ),
    },
    "dynasafe/calls/requests.py": {
        "never repeated, whatever the settings say": Proof(
            f"{UNIT}/test_settling.py::test_read_that_fails_is_sent_once"
        ),
    },
    "dynasafe/environment/clients.py": {
        "never repeats a request by itself": Proof(
            "tests/integration/test_clients.py::"
            "test_given_a_config_then_its_options_are_kept_and_it_still_sends_once",
        ),
    },
    "dynasafe/environment/clock.py": {
        "A clock that never goes back": Proof(
            f"{UNIT}/test_wrong_use.py::test_time_of_sleep_counts"
        ),
        "too early, never too late": Proof(f"{UNIT}/test_wrong_use.py::test_time_of_sleep_counts"),
    },
    "dynasafe/errors.py": {
        "making it again cannot apply a write twice": _TWICE,
        "value that DynamoDB cannot store, with": Proof(
            f"{UNIT}/test_attribute_value.py::"
            "test_given_a_value_that_cannot_be_stored_then_the_error_has_its_path",
        ),
        "a supported type that DynamoDB cannot store": Proof(
            f"{UNIT}/test_attribute_value.py::"
            "test_given_a_value_that_cannot_be_stored_then_the_error_has_its_path",
        ),
    },
    "dynasafe/expressions/__init__.py": {'"always" aliases all': _ALIASED},
    "dynasafe/items/updates.py": {
        '"always" aliases all': _ALIASED,
        "a shared one cannot take values": _FROZEN,
    },
    "dynasafe/expressions/render.py": {
        "values always do": Proof(
            "tests/properties/test_expressions.py::"
            "test_given_any_condition_when_rendered_then_placeholders_used_are_those_defined",
            f"{UNIT}/test_wrong_use.py::test_what_is_rendered_shows_no_values",
        ),
        "never on what the values are": Proof(
            "tests/properties/test_fast_paths.py::"
            "test_given_one_chain_with_other_values_then_each_has_its_own",
            "tests/properties/test_repeatability.py::test_no_counterexample",
        ),
    },
    "dynasafe/guard/retries.py": {
        "A success that DynamoDB cannot have sent": Proof(
            "tests/guard/test_retries.py::test_lost_answers"
        ),
    },
    "dynasafe/hooks.py": {
        "observing a call cannot break it": Proof(
            f"{UNIT}/test_wrong_use.py::test_a_hook_may_raise_anything"
        ),
        "It cannot replace or swallow the error": Proof(
            "tests/observability/test_hooks.py::test_surrounded"
        ),
    },
    "dynasafe/http/signing.py": {
        "never see half of a second": Proof(f"{UNIT}/test_signing.py::test_threads_share_a_signer"),
    },
    "dynasafe/logs/gate.py": {
        "never wrong about No": Proof("tests/logs/test_scan.py::test_places"),
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
            f"{UNIT}/test_unions_and_models.py::test_none_and_empty_sets_of_models_are_absent"
        ),
    },
    "dynasafe/values/numbers.py": {
        "never rounded": Proof(
            f"{UNIT}/test_attribute_value.py::"
            "test_given_any_number_when_written_then_it_is_exact_or_refused",
        ),
    },
}
"""By page or module: a phrase of each sentence with such a word, and what stands for it."""
