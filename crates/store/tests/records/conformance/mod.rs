//! The conformance suite: every test of the contract, on every back end.
//!
//! Adding a back end is one line at the end of this file; adding a test is one line in the table.

mod counters;
mod expiry;
mod guards;
mod logs;
mod model;
mod reading;
mod retiring;
mod scanning;
mod sweeping;
mod watching;

macro_rules! conformance {
    ($name:ident, $open:expr) => {
        conformance! { $name, $open,
            reading: a_record_is_read_as_it_was_written, a_put_replaces_and_a_delete_removes,
                several_records_are_read_in_the_order_asked, partitions_and_tables_are_apart,
                keys_may_be_any_bytes, a_value_of_one_mebibyte_survives, what_is_over_a_limit_is_refused;
            guards: of_many_racing_creations_one_wins, no_update_is_lost_under_contention,
                a_refused_commit_changes_nothing_and_names_the_guard, a_guard_looks_at_the_version,
                versions_are_never_used_twice;
            counters: a_counter_adds_up_under_contention, a_counter_guard_admits_exactly_its_range,
                bytes_and_counters_do_not_mix, a_counter_stays_within_its_limits;
            expiry: an_expired_record_is_absent_to_every_reader, a_guard_takes_an_expired_record_for_absent,
                an_expired_counter_begins_anew, a_put_decides_the_expiry_anew;
            scanning: a_scan_is_in_bytewise_order, pages_join_without_gap_or_overlap,
                a_prefix_range_holds_its_children_only, an_empty_range_is_empty,
                a_page_of_large_values_ends_early;
            sweeping: a_sweep_finds_everything_of_its_table, a_sweep_misses_nothing_while_others_commit,
                a_partition_that_was_emptied_is_found_again;
            watching: a_commit_wakes_a_watcher, only_a_watched_table_can_be_watched;
            logs: an_entry_stands_at_the_version_of_its_commit,
                a_follower_sees_every_entry_once_and_in_order_under_contention,
                a_log_is_read_in_pages_from_a_version, an_expired_entry_is_no_longer_in_the_log,
                a_sweep_finds_the_entries_of_a_log, a_commit_appends_to_a_log_once;
            model: random_commits_do_what_the_model_does,
                commits_at_the_same_time_do_what_they_do_in_some_order;
            retiring: what_is_retired_keeps_its_version_under_the_key_of_its_past,
                what_is_not_there_is_not_retired, a_record_is_retired_once_in_a_commit;
        }
    };
    ($name:ident, $open:expr, $($topic:ident: $($test:ident),+;)+) => {
        mod $name {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$topic::$test($open.await).await;
                }
            )+)+
        }
    };
}

conformance!(memory, std::future::ready(crate::bed::Bed::memory()));
conformance!(observed_memory, std::future::ready(crate::bed::Bed::observed_memory()));
conformance!(redis, crate::bed::Bed::redis());
conformance!(sealed_memory, std::future::ready(crate::bed::Bed::sealed_memory()));
conformance!(sqlite, std::future::ready(crate::bed::Bed::sqlite()));
