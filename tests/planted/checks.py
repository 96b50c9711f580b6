"""The tests that are to notice planted bugs, by pytest's node ids. A test that moves is changed here only."""

from __future__ import annotations


def needs_kafka(check: str) -> bool:
    """Whether the check runs against a real Kafka."""
    return check.startswith("tests/integration/")


# --- the pure core: no Kafka, seconds --------------------------------------------------------------------------------

_STEP = "tests/unit/core/test_step.py"
_STEP_MATTERS = "tests/unit/core/test_step_matters.py"
_STEP_MOVES = "tests/unit/core/test_step_moves.py"
MATCHES = "tests/oracle/test_matches.py::test_matches_are_what_the_rules_sentences_say"
NOTIFICATIONS = "tests/oracle/test_notification.py::test_every_record_says_what_the_oracle_says"
FREED = f"{_STEP}::test_what_a_slightly_late_event_retracts_frees_what_it_had_suppressed_before"
EXPLAINED = f"{_STEP}::test_an_alert_that_stands_again_after_a_late_event_is_explained_again"
RETRACTION = f"{_STEP}::test_a_late_event_retracts_what_no_longer_holds"
LIMITS = (
    "tests/oracle/test_notification.py::test_at_the_limits_of_what_is_remembered_every_record_says_what_the_oracle_says"
)
MISSING_PARTS = f"{_STEP_MOVES}::test_half_a_history_fires_no_false_alert"
COPIES = f"{_STEP_MOVES}::test_a_copy_is_ignored_whatever_its_arrival_and_another_content_is_refused"
DECIDED_WORLDS = "tests/oracle/test_notification.py::test_what_was_decided_long_ago_is_as_it_was_whatever_asks_for_it"
CUTS = "tests/oracle/test_cuts.py::test_however_batches_are_cut_and_whatever_is_lost_outputs_are_equal_to_a_byte"
PAID_LONG_AGO = (
    f"{_STEP_MATTERS}::test_a_dunning_for_an_invoice_paid_long_ago_is_over_whether_the_case_comes_before_or_after_it"
)
FORGOTTEN_ALERT = f"{_STEP}::test_an_alert_is_forgotten_when_all_that_it_could_silence_is_decided"
EARLIER_COPY = f"{_STEP_MOVES}::test_of_copies_the_earlier_one_counts_whichever_comes_first"
EARLIER_ALERT = f"{_STEP_MOVES}::test_an_alert_whose_trigger_stands_earlier_is_updated"
_CLOSED = "tests/unit/core/test_archive.py"
ENDS_IN_TIME = "tests/unit/core/test_judging.py::test_an_end_that_an_event_in_order_puts_earlier_is_said_in_time"
CLOSED_ONCE = f"{_CLOSED}::test_what_is_archived_is_written_once_and_stands_apart"
CLOSED_AS_THEY_WERE = f"{_CLOSED}::test_a_late_event_that_changes_no_archived_alert_writes_none_of_them"
CLOSED_TAKEN_OUT = f"{_CLOSED}::test_a_retracted_one_is_taken_out"
CLOSED_MOVED = f"{_CLOSED}::test_archived_alerts_go_along_with_a_merge"
CLOSED_OTHER_RULES = f"{_CLOSED}::test_rules_with_a_shorter_cooldown_forget_earlier"
CLOSED_RESTORED = (
    "tests/unit/agents/test_closed_alerts.py::test_a_worker_that_has_lost_its_store_gets_them_back_and_takes_one_back"
)
CONDITIONS = "tests/unit/core/test_conditions.py"
EDGES = "tests/unit/core/test_edges.py"
MATTERS = "tests/unit/core/test_matters.py"
PROFILE_PARTS = "tests/unit/agents/test_profile_parts.py"
STATES = "tests/oracle/test_matters.py"
IDENTITY = "tests/unit/core/test_links.py"
FUSE = (
    "tests/unit/core/test_fuse.py"
    "::test_strangers_who_share_a_value_are_joined_up_to_the_limit_and_the_next_one_blocks_it"
)
FUSE_COPIES = "tests/unit/core/test_fuse.py::test_a_copy_and_what_is_known_to_be_one_customer_never_count"
FUSE_ALPHABET = (
    "tests/unit/core/test_fuse.py::test_of_two_values_of_a_type_it_makes_no_difference_which_is_the_stronger"
)
FUSE_DAY = "tests/unit/core/test_fuse.py::test_links_count_for_a_day_open_at_its_left_end"

# --- folding again, case by case -------------------------------------------------------------------------------------

_LATE_EVENTS = "tests/unit/core/test_late_events.py"
_RECALL = "tests/unit/core/test_recall.py"
_MERGES = "tests/unit/core/test_merges_and_copies.py"
OF_ONE_KEY = f"{_RECALL}::test_matches_of_one_key_may_be_resolved_by_different_entries"
FORWARD = f"{_MERGES}::test_time_does_not_go_back_when_a_copy_puts_the_latest_entry_earlier"
TIE = f"{_LATE_EVENTS}::test_a_tie_is_taken_in_before_any_of_it_is_judged"
RESOLVED_AT_ONCE = f"{_LATE_EVENTS}::test_what_is_resolved_at_its_own_instant_ends_a_microsecond_later"
LATE_TRIGGER = f"{_LATE_EVENTS}::test_a_late_trigger_within_a_cooldown_takes_nobodys_place"
FREED_BEFORE = f"{_LATE_EVENTS}::test_a_retraction_frees_matches_before_the_late_event"
LATE_END = f"{_LATE_EVENTS}::test_a_late_end_ends_an_alert_earlier_and_what_it_had_suppressed_since_is_decided"
BOUND = f"{_LATE_EVENTS}::test_an_old_alert_whose_end_is_later_than_the_snapshot_keeps_what_it_was_bound_to"
ENDED_BEFORE = f"{_LATE_EVENTS}::test_an_alert_that_ended_before_the_late_event_keeps_its_end"
STANDS_AGAIN = f"{_LATE_EVENTS}::test_an_ended_alert_that_nothing_in_order_can_concern_stands_again_after_a_late_event"
SILENCES = f"{_LATE_EVENTS}::test_an_ended_alert_silences_until_its_own_cooldown_is_over"
NAMED_LONG_AFTER = f"{_RECALL}::test_a_closed_matter_that_is_named_long_after_is_as_its_history_says"
RECALLED = f"{_RECALL}::test_a_closed_matter_is_recalled_as_of_the_instant_and_not_as_it_became"
ENDED_LONG_AGO = f"{_RECALL}::test_an_end_that_a_closed_matter_decides_is_recalled_as_of_the_instant"
WIDEST_OF_MATTERS = f"{_RECALL}::test_of_windows_and_what_is_pruned_the_widest_counts_to_its_last_instant"
WIDEST_OF_CONTACTS = f"{_RECALL}::test_of_contacts_the_widest_window_counts_to_its_last_instant"
DUE_DATES = f"{_RECALL}::test_of_many_due_dates_the_first_ends_an_alert"
SEEN = f"{_RECALL}::test_what_was_seen_is_remembered_whatever_else_is_seen_and_however_long_ago"
VOID = f"{_MERGES}::test_a_merges_entries_make_every_state_of_before_void"
NOTHING_FOLDED = f"{_MERGES}::test_while_parts_of_a_merge_are_missing_nothing_is_folded"
BOTH_SIDES = f"{_MERGES}::test_after_a_merge_what_the_other_was_told_is_notified_here_or_dropped_in_silence"
UNTIL = f"{_MERGES}::test_a_merge_brings_along_how_far_time_had_come"
LEFT = f"{_MERGES}::test_whoever_left_has_no_open_matters_whatever_was_told_of_them_last"
GUARDED = f"{_LATE_EVENTS}::test_what_an_aborted_or_guarded_batch_has_passed_is_not_folded_from"
CHANGED_RULES = f"{_LATE_EVENTS}::test_under_changed_rules_states_of_other_rules_are_not_gone_on_with"
OTHER_RULES = "tests/unit/core/test_changed_rules.py"
ENDS_BY_NOW = f"{_LATE_EVENTS}::test_under_changed_rules_an_alert_ends_as_its_rule_says_by_now_whatever_triggers_that"
NO_STEP = f"{_MERGES}::test_copies_and_refused_events_say_nothing_not_even_an_end_that_has_come"
MOVED_ENTRY = f"{_MERGES}::test_a_copy_with_an_earlier_instant_moves_its_entry_and_is_there_once"
MOVED_TRIGGER = f"{_MERGES}::test_an_alert_whose_trigger_moves_keeps_its_id_and_takes_the_smaller_time"
DECIDED_LATE = f"{_LATE_EVENTS}::test_what_is_decided_after_400_days_is_not_told_any_more_and_still_compared"
LAGS = f"{_LATE_EVENTS}::test_an_end_has_come_when_something_happened_after_it_though_the_journal_lags_behind"
JUST_NOW = f"{_RECALL}::test_evidence_by_reference_is_found_among_what_came_just_now"
SHIPPED = f"{_MERGES}::test_evidence_by_reference_is_told_before_a_merge_ships_it"
STOOD = f"{_MERGES}::test_evidence_by_reference_is_told_at_the_instant_at_which_it_stood"
FOUND_AGAIN = f"{_RECALL}::test_evidence_of_an_ended_alert_is_looked_for_again_as_of_its_own_instant"
NO_EVIDENCE = f"{_RECALL}::test_of_an_alert_that_ended_no_evidence_is_kept"
SAME_DOCUMENT = f"{_RECALL}::test_a_document_is_the_same_to_a_byte_in_whichever_order_its_alerts_were_found"

THREAD = "tests/unit/engine/test_consumer_thread.py"

# --- the agents, with their stores and without Kafka -----------------------------------------------------------------

_JOURNEY = "tests/unit/agents/test_journey.py"
_RESTORES = "tests/unit/agents/test_restores.py"
_MOVES = "tests/unit/agents/test_moves.py"
_DECISION_ERRORS = "tests/unit/agents/test_decision_errors.py"
_INTAKE = "tests/unit/agents/test_intake.py"
_TOPOLOGY = "tests/unit/agents/test_topology.py"
PROGRESS_PLACES = f"{_TOPOLOGY}::test_groups_and_transactional_ids_stay_or_an_updated_bus_would_not_go_on_where_it_was"
DECLARED = f"{_TOPOLOGY}::test_the_stages_write_all_that_the_topology_names_and_nothing_else"
WIRED = f"{_TOPOLOGY}::test_a_worker_is_wired_as_the_topology_says"
RESTORED_JOURNEY = f"{_RESTORES}::test_a_journey_restored_from_the_public_topics_goes_on_as_if_nothing_had_happened"
MERGE_FAILS = f"{_DECISION_ERRORS}::test_a_merge_that_fails_altogether_stops_nobody_else"
LOST_AT_OPENING = f"{_RESTORES}::test_what_a_lost_unit_of_work_took_in_is_not_kept_by_an_opening"
WHATEVER_MOVES = f"{_MOVES}::test_whatever_intake_takes_moves"
MOVED_AWAY = f"{_MOVES}::test_what_moved_away_stays_away_after_a_restore"
MOVE = f"{_MOVES}::test_a_long_history_moves_in_parts_and_is_judged_once"
DECISION_ERROR = f"{_DECISION_ERRORS}::test_an_error_in_a_decision_costs_nothing_else_of_its_batch"
LATER_THAN_RECEIVED = f"{_JOURNEY}::test_no_entry_lies_ahead_of_the_moment_at_which_the_broker_had_it"
ANSWER = f"{_JOURNEY}::test_an_answer_is_no_entry_of_the_profile_whatever_else_it_says"
EARLIER_ENTRY = f"{_JOURNEY}::test_a_copy_that_the_broker_had_earlier_takes_the_place_of_its_entry"
_ARCHIVE = "tests/unit/agents/test_archive.py"
ARCHIVE = f"{_ARCHIVE}::TestAgainstADict::runTest"
RESTORED_ENTRY = f"{_ARCHIVE}::test_a_restored_entry_stands_where_it_was_put_last_whatever_compaction_has_left"
EARLIER_PLACE = f"{_ARCHIVE}::test_an_entry_that_a_copy_puts_earlier_stands_there_only"
MATTER_NAMES = f"{_ARCHIVE}::test_a_matter_has_nothing_of_one_whose_name_begins_with_its_own"
MATTER_LEFT = f"{_ARCHIVE}::test_of_a_matter_whose_entries_are_erased_one_by_one_the_others_are_found"
LOST_STATES = f"{_ARCHIVE}::test_states_of_a_unit_of_work_that_is_lost_are_lost_with_it"
HELD_BEFORE = f"{_ARCHIVE}::test_what_a_store_held_before_is_found_however_much_of_it_was_read_by_now"
FILTER = (
    "tests/unit/engine/test_bloom_filter.py"
    "::test_what_was_added_may_be_there_and_hardly_anything_else_however_much_it_is"
)
_STATES_KEPT = "tests/unit/agents/test_late_from_states.py"
ISOLATED_STATES = f"{_STATES_KEPT}::test_a_state_that_an_isolated_event_led_to_is_not_folded_from"
KEPT_STATES = f"{_STATES_KEPT}::test_it_makes_no_difference_whether_older_states_are_kept"
_SNAPSHOTS = "tests/unit/agents/test_snapshots.py"
SNAPSHOTS = f"{_SNAPSHOTS}::TestAgainstADict::runTest"
NEIGHBOURS = f"{_SNAPSHOTS}::test_so_it_is_with_long_histories"
FEW_SNAPSHOTS = f"{_SNAPSHOTS}::test_of_ten_years_a_dozen_or_two_states_are_left"
CLOCK = f"{_RESTORES}::test_the_clock_of_a_restored_journey_does_not_go_back"
SAID_OF_EARLIER = f"{_STEP_MOVES}::test_what_the_profile_says_of_an_entry_that_stands_earlier_is_of_that_instant"
COSTS = "tests/unit/core/test_costs.py"
REMEMBERED = "tests/unit/agents/test_matter_cache.py"
UNMATCHED = "tests/unit/agents/test_unmatched_closings.py"
LETTERS = f"{_INTAKE}::test_what_cannot_be_used_goes_to_the_dead_letters_untouched_with_a_reason"
LETTER_CUT = "tests/unit/agents/test_dead_letters.py"
NOT_SENT = "tests/unit/cli/test_dead_letters.py::test_what_can_never_be_taken_in_is_not_sent_again"
TWO_SOURCES = f"{_INTAKE}::test_two_sources_may_use_the_same_ids"
LINK = f"{_INTAKE}::test_a_link_between_two_customers_merges_the_younger_into_the_older"
_IDENTIFIERS = "tests/unit/agents/test_identifiers.py"
_NORMALISATION = "tests/unit/agents/test_normalisation.py"
EXTENSIONS = f"{_NORMALISATION}::test_an_extension_belongs_to_the_number"
VALID_NUMBERS = f"{_NORMALISATION}::test_only_valid_numbers_identify"
PLACEHOLDERS = f"{_NORMALISATION}::test_what_systems_write_when_they_know_nobody_identifies_nobody"
NOBODYS_ADDRESS = f"{_NORMALISATION}::test_addresses_of_nobody_identify_nobody"
REAL_PEOPLE = f"{_NORMALISATION}::test_what_real_people_have_identifies_them"
SPELLINGS = f"{_NORMALISATION}::test_two_spellings_are_one_node"
TYPE_NAMES = f"{_IDENTIFIERS}::test_of_a_type_that_is_nearly_ours_is_said_which_one_is_meant"
ONLY_SHORT = f"{_IDENTIFIERS}::test_only_what_is_short_is_kept_and_all_is_answered_alike"
FULL_CACHE = f"{_IDENTIFIERS}::test_a_full_cache_begins_anew"
MASKS = f"{_IDENTIFIERS}::test_masks_can_be_recognised_but_not_used_and_those_that_look_alike_differ"
COMPANY_BLOCKS = f"{_IDENTIFIERS}::test_a_company_blocks_values_and_patterns_of_a_type_or_of_any"
WHO_IS_MEANT = f"{_IDENTIFIERS}::test_the_bus_and_the_oracle_agree_on_who_is_meant"
NORMALISATION = f"{_INTAKE}::test_identities_of_another_normalisation_are_refused_and_what_to_rebuild_is_said"
SEND_JUDGES = "tests/unit/cli/test_send.py::test_events_that_identify_nobody_are_refused_as_intake_would"
OTHER_KEY = f"{_INTAKE}::test_another_key_refuses_to_start"
UNDER_WAY = f"{_INTAKE}::test_of_large_events_few_are_on_their_way_at_a_time"
OTHER_KEY_WARM = f"{_INTAKE}::test_another_key_refuses_to_go_on_with_what_is_on_disk"

_FUSE = "tests/unit/agents/test_fuse.py"
FUSE_RESTORED = f"{_FUSE}::test_count_and_block_are_read_back_by_a_resolver_whatever_it_is_set_to"
FUSE_HEARD = f"{_FUSE}::test_a_directory_that_has_cached_a_value_hears_that_it_is_blocked"
STRANGERS = "tests/oracle/test_bus.py::test_strangers_who_share_values_are_told_apart_as_the_oracle_says"

_BOUNDS = "tests/unit/agents/test_bounds.py"
_ONE_PASS = "tests/unit/schemas/test_one_pass.py"
ONE_PASS_TEXTS = f"{_ONE_PASS}::test_each_text_where_it_may_stand"
ONE_PASS_DEEP = f"{_ONE_PASS}::test_what_is_nested_too_deep_is_declined_and_put_into_words"
ONE_PASS_UNDECLARED = f"{_ONE_PASS}::test_what_nobody_declared_is_declined_because_it_is_not_looked_at"
ONE_PASS_BEFORE = f"{_ONE_PASS}::test_what_is_judged_by_fields_before_it_is_never_taken_for_better_than_it_is"
ONE_PASS_CONTRACTS = f"{_ONE_PASS}::test_no_contract_is_taken_for_wider_than_it_is"
_CODEC = "tests/unit/schemas/test_codec.py"
HIDDEN = f"{_CODEC}::test_what_another_value_hides_is_refused_too_when_it_is_deep"
BRACKETS = f"{_CODEC}::test_brackets_in_a_text_are_no_levels"
BYTES = f"{_CODEC}::test_a_field_is_bounded_in_bytes_as_json_and_not_only_in_characters"
EVIDENCE = f"{_BOUNDS}::test_a_campaign_in_spite_of_400_complaints_names_the_latest_twenty"
DUNNED = f"{_BOUNDS}::test_hundreds_of_dunning_letters_in_a_dispute_are_told_fifty_times"
CHAIN = f"{_MOVES}::test_through_a_chain_of_merges_an_event_is_as_it_was_sent_and_its_copies_are_copies"
UNTOUCHED = f"{_MOVES}::test_a_merge_changes_no_byte_of_an_event_however_its_numbers_are_written"
PART_OF_THEIR_OWN = f"{_MOVES}::test_alerts_that_are_too_many_for_the_last_part_of_a_move_are_one_of_their_own"
TOO_LARGE = f"{_DECISION_ERRORS}::test_what_would_not_fit_is_a_decision_error_however_a_batch_was_cut"
NOTHING_BEHIND = f"{_DECISION_ERRORS}::test_an_event_that_would_not_fit_leaves_nothing_behind"
UNWRITTEN = f"{_DECISION_ERRORS}::test_an_event_whose_alert_cannot_be_written_leaves_nothing_behind"
UNJUDGED = f"{_DECISION_ERRORS}::test_a_move_whose_judgement_fails_is_taken_in_and_judged_at_the_next_record"
DECIDED_MOVES = f"{_MOVES}::test_what_is_decided_for_a_customer_stays_so_after_a_merge"

# --- what a person meets first: the installation, its rules and the ``cxbus`` command ---------------------------------

_WHEEL = "tests/installation/test_wheel.py"
WHEEL = f"{_WHEEL}::test_the_wheel_holds_every_file_of_its_folders"
INSTALLED_RULES = f"{_WHEEL}::test_an_installation_has_the_shipped_rules_and_contracts"
CUT_ARRAY = "tests/unit/cli/test_event_file.py::test_what_breaks_a_document_is_told_with_its_line_and_column"
NONE_IS_SENT = "tests/unit/cli/test_send.py::test_each_wrong_event_is_named_with_its_line_and_reason_and_none_is_sent"
NO_RULES = "tests/unit/agents/test_rule_files.py::test_a_folder_without_a_rule_is_refused_with_what_is_there"

# --- the engine without Kafka ----------------------------------------------------------------------------------------

SCANNED_AGAIN = "tests/unit/engine/test_store.py::test_a_scan_sees_what_was_changed_since_the_one_before"
KILLED_STORE = "tests/unit/engine/test_store.py::test_a_killed_process_leaves_a_store_that_is_behind_and_whole"
COPY_DOUBTS = "tests/unit/engine/test_copies.py"
CHECKPOINT = "tests/unit/engine/test_checkpoint.py"
NEXT_OFFSET = "tests/unit/engine/test_progress.py"
ROOM = "tests/unit/engine/test_consumer_thread.py::test_what_had_no_room_is_taken_as_soon_as_a_batch_is_done"
PACKING = "tests/unit/engine/test_transaction.py"
MARKED = f"{PACKING}::test_only_the_buss_own_records_are_marked_and_only_once"
FIRST_OF_STREAM = "tests/unit/engine/test_rounds.py::test_a_hole_before_the_first_batch_that_an_agent_sees_is_an_error"
STREAM = "tests/unit/engine/test_rounds.py::test_a_hole_between_two_batches_of_a_partition_is_an_error"
ROUND = (
    "tests/unit/engine/test_rounds.py::"
    "test_what_was_fetched_together_comes_together_and_is_acknowledged_when_all_of_it_is_done"
)

UNPACKING = "tests/unit/engine/test_decompression.py"
_RECORD_BATCH = "tests/unit/engine/test_record_batch.py"
FETCHES = f"{_RECORD_BATCH}::test_of_a_fetch_that_was_read_nothing_is_kept"
UNPACKED_LIMIT = f"{_RECORD_BATCH}::test_a_batch_of_the_limit_is_read_and_of_one_byte_more_its_records_are_too_large"
BOMB = f"{_RECORD_BATCH}::test_of_a_bomb_there_is_a_letter_for_each_record_read_and_one_for_the_rest"
NONSENSE_BATCH = f"{_RECORD_BATCH}::test_nonsense_behind_a_right_crc_is_passed_as_a_whole_or_from_where_it_begins"
LYING_OFFSET = f"{_RECORD_BATCH}::test_an_offset_beyond_its_batch_does_not_carry_the_reader_past_those_of_others"
NO_ROOM = f"{_RECORD_BATCH}::test_who_finds_no_room_comes_back_and_who_has_nothing_may_always_go_on"
RELEASED = "tests/unit/engine/test_rounds.py::test_what_a_batch_has_unpacked_is_released_when_it_is_done"

# --- the engine on Kafka ---------------------------------------------------------------------------------------------

_PARTITION = "tests/integration/test_engine_partition.py"
_BATCHES = "tests/integration/test_engine_batches.py"
_CACHE = "tests/integration/test_engine_cache.py"
CUT_SHORT = f"{_CACHE}::test_a_restore_that_is_cut_short_goes_on_from_where_it_was"
_MEMBERSHIP = "tests/integration/test_engine_membership.py"
REFUSED = f"{_PARTITION}::test_a_batch_that_the_broker_refuses_ends_the_process_and_commits_nothing"
FENCED = f"{_PARTITION}::test_who_was_fenced_commits_nothing_and_says_who_took_over"
OLD_TRANSACTION = f"{_PARTITION}::test_an_older_owners_open_transaction_ends_with_the_fence_before_the_offset_is_read"
TAKEN_OVER = f"{_PARTITION}::test_an_owner_that_still_commits_while_another_takes_over_doubles_nothing"
KEPT = f"{_PARTITION}::test_a_partition_that_comes_back_keeps_its_state_unless_someone_else_committed"
HOLE = f"{_BATCHES}::test_records_below_the_next_offset_are_skipped_and_a_hole_ends_the_process"
NO_OWNER = f"{_PARTITION}::test_a_batch_without_an_owner_is_dropped_and_opens_nothing"
PARTING = f"{_BATCHES}::test_the_group_hears_a_moment_later_how_far_a_partition_is_and_at_the_latest_at_the_parting"
UNHEARD = f"{_BATCHES}::test_what_the_group_has_not_heard_of_a_killed_owner_is_not_done_twice"
REVOKED = f"{_PARTITION}::test_a_revoked_partition_finishes_its_unit_of_work_and_drops_what_waits"
PARTS = f"{_BATCHES}::test_a_batch_that_takes_several_units_of_work_tells_of_each"
LEFT_EARLY = f"{_BATCHES}::test_a_large_batch_is_committed_part_by_part_and_its_rest_left_to_the_next_owner"
ABORTED = (
    "tests/integration/test_engine_restore.py"
    "::test_a_restore_reads_committed_records_behind_another_writers_open_transaction"
)
FORGOTTEN = (
    "tests/integration/test_engine_restore.py"
    "::test_transactions_that_the_coordinator_has_forgotten_neither_stop_the_restore_nor_come_back"
)
UNCOMMITTED_CACHE = f"{_CACHE}::test_what_was_not_committed_is_not_in_the_cache"
ANEW = f"{_CACHE}::test_an_input_topic_that_was_made_anew_is_read_from_its_beginning"
OLD_CACHE = f"{_CACHE}::test_the_cache_of_a_topic_that_was_made_anew_is_discarded"
NO_OFFSET = f"{_CACHE}::test_progress_is_known_when_kafka_has_forgotten_the_groups_offset"
_JUNK = "tests/unit/agents/test_marked_junk.py"
FORGED_HEADER = f"{_JUNK}::test_a_journal_record_with_a_forged_header_is_a_foreign_one"
FORGED_LINK = f"{_JUNK}::test_a_links_record_with_a_forged_header_is_a_foreign_one"
FORGED_ALERTS = f"{_JUNK}::test_a_document_that_forged_alerts_make_too_large_is_not_written"
FORGED_MOVE = f"{_JUNK}::test_a_forged_part_of_a_move_costs_itself_only"
TOLD_ONLY = f"{_JUNK}::test_only_departments_that_are_told_of_alerts_are_told"
OTHER_ALERT = f"{_JUNK}::test_a_closed_alert_under_another_key_or_for_nobody_is_a_foreign_record"
OTHER_PROFILE = f"{_JUNK}::test_a_profile_that_contradicts_its_key_or_that_nobody_can_be_told_is_a_foreign_record"
TOO_LARGE_AGAIN = f"{_JUNK}::test_a_profile_that_is_too_large_to_be_written_again_costs_its_own_customer_only"
CLOSED_TOO_LARGE = f"{_JUNK}::test_a_closed_alert_that_is_too_large_to_be_written_again_costs_its_own_customer_only"
CLOCK_AHEAD = f"{_JUNK}::test_the_clock_of_a_profile_that_is_far_ahead_of_its_own_record_is_not_believed"
NO_PROGRESS = "tests/unit/engine/test_progress.py::test_what_is_no_progress_is_read_as_none"
RESTORE_ROOM = (
    "tests/integration/test_restore_room.py"
    "::test_two_restores_of_several_large_compressed_batches_both_come_to_their_end"
)
_FOREIGN = "tests/integration/test_engine_foreign.py"
FOREIGN_ONCE = f"{_FOREIGN}::test_foreign_records_are_passed_over_and_reported_once_by_whoever_opens_next"
TOLD_AT_ONCE = (
    "tests/unit/engine/test_foreign_search.py::test_who_has_looked_through_much_tells_it_even_if_nothing_was_found"
)
FOREIGN_MEANWHILE = f"{_FOREIGN}::test_what_comes_while_an_owner_works_is_reported_after_its_next_transaction"
NEWER = f"{_FOREIGN}::test_a_record_of_a_later_version_ends_the_owner_for_good_and_says_where_it_is"
STOPPED = f"{_MEMBERSHIP}::test_a_stopped_workers_partitions_go_over_at_once"
DISPLACED = f"{_MEMBERSHIP}::test_of_two_workers_with_one_id_the_displaced_one_ends"
REWOUND = "tests/integration/test_engine_rewind.py::test_nothing_is_passed_over_when_faust_rewinds_twice_at_once"

# --- intake and directory on a Kafka of their own --------------------------------------------------------------------

_INTAKE_ON_KAFKA = "tests/integration/test_intake.py"
INTAKE_REFUSED = f"{_INTAKE_ON_KAFKA}::test_what_kafka_refuses_is_an_error_and_its_batch_is_not_committed"
INTAKE_ACKNOWLEDGED = f"{_INTAKE_ON_KAFKA}::test_a_batch_is_committed_once_all_of_it_can_be_read"
TOGETHER = (
    f"{_INTAKE_ON_KAFKA}::test_what_comes_together_goes_through_in_the_order_of_broker_time_and_is_committed_once"
)
DIRECTORY_KEY = f"{_INTAKE_ON_KAFKA}::test_a_directory_on_disk_is_not_used_with_another_key"

# --- the sink --------------------------------------------------------------------------------------------------------

_SINKS = "tests/contract/test_sinks.py"
_SINK_LOGS = "tests/contract/test_sink_logs.py"
AS_SENT = "tests/unit/sinks/test_rows.py"
SINK_FAILS = f"{_SINKS}::test_a_flush_that_fails_anywhere_writes_nothing_at_all"
SINK_LOCKED = f"{_SINKS}::test_a_locked_database_keeps_the_batch_until_it_can_be_written"
SINK_ATTACHED = f"{_SINK_LOGS}::test_what_attaching_dropped_is_written_once_it_is_read_again"
SINK_AGAIN = f"{_SINKS}::test_records_that_come_again_change_nothing"
SINK_FOLD = (
    f"{_SINK_LOGS}"
    "::test_however_it_is_cut_repeated_and_interrupted_the_database_is_the_fold_of_the_logs_before_its_offsets"
)
SINK_RECREATED = f"{_SINK_LOGS}::test_what_is_of_another_log_is_discarded_and_read_from_the_start"
SINK_ABORTED = "tests/integration/sink/test_records.py::test_committed_records_are_copied_and_aborted_ones_never_show"

# --- how processes live and end ---------------------------------------------------------------------------------------

ENDS = "tests/unit/runtime/test_shutdown.py::test_whatever_hangs_it_leaves_in_time_and_says_why"
ENDED = "tests/unit/cli/test_supervisor.py::test_a_child_that_stands_still_is_ended_and_started_again"
KILLED = "tests/unit/cli/test_child.py::test_one_who_is_to_end_and_does_not_is_killed"
FOR_GOOD = "tests/unit/cli/test_child.py::test_a_child_that_no_restart_mends_is_not_started_again"
OWN_TIME = "tests/unit/runtime/test_own_time.py::test_a_tenth_of_the_time_counts_for_about_a_tenth"
PATIENT = (
    "tests/unit/engine/test_time_limit.py::test_a_process_that_gets_a_tenth_of_the_time_waits_several_times_as_long"
)
CROWD = "tests/unit/runtime/test_ops.py::test_more_connections_than_there_is_room_for_delay_nobody"
HUNG_UP = "tests/unit/runtime/test_ops.py::test_who_sends_nothing_or_by_drops_or_does_not_read_is_hung_up_on"
KEY_FOR_GOOD = "tests/unit/agents/test_intake.py::test_another_key_refuses_to_start"

OWN_BROKER = frozenset({FORGOTTEN, INTAKE_REFUSED, INTAKE_ACKNOWLEDGED, DIRECTORY_KEY})
"""They start a broker of their own, also because they change its settings or need the bus's own topic names."""

MANY_CLOSED = (
    "tests/unit/core/test_conditions.py::test_many_closed_matters_hold_until_the_last_of_them_leaves_the_window"
)
