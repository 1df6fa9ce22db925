//! One suite of client tests, run against the embedded cluster *and* against real Apache Kafka, so
//! that the two cannot drift apart.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod environment;
mod fetching;
mod librdkafka;
mod offsets;
mod producing;
mod sequences;
#[path = "../support/mod.rs"]
mod support;
mod topics;

/// Makes one test per case on the embedded cluster, and one test of all cases on real Kafka (which
/// takes seconds to start, so it is started once).
macro_rules! suite {
    ($($module:ident :: $case:ident),* $(,)?) => {
        mod embedded {
            $(
                #[tokio::test]
                async fn $case() {
                    let cluster = crate::environment::embedded().await;
                    let environment = crate::environment::Environment::of(&cluster);
                    crate::$module::$case(environment).await;
                }
            )*
        }

        #[test]
        fn the_same_on_real_kafka() {
            crate::environment::on_real_kafka(&[
                $((
                    stringify!($case),
                    |environment| Box::pin(crate::$module::$case(environment)),
                ),)*
            ]);
        }
    };
}

suite! {
    producing::a_batch_is_stored_with_offset_and_epoch,
    producing::two_batches_in_one_entry_are_refused,
    producing::the_same_partition_twice_keeps_only_the_last,
    producing::a_wrong_checksum_is_refused,
    producing::holes_and_wrong_counts_are_refused,
    producing::a_base_offset_is_refused,
    producing::control_and_half_idempotent_batches_are_refused,
    producing::old_formats_and_fragments_are_refused,
    producing::oversize_batches_are_refused,
    producing::timestamps_are_limited,
    producing::log_append_time_rewrites_the_batch,
    producing::compacted_topics_need_keys,
    producing::acknowledgement_modes,
    producing::unknown_topics_and_partitions,
    producing::zstd_needs_a_new_version,
    sequences::repeated_batches_are_acknowledged_once,
    sequences::gaps_are_refused,
    sequences::epochs_fence,
    sequences::an_unknown_producer_starts_anywhere,
    sequences::sequences_wrap,
    sequences::producers_are_described,
    sequences::producer_ids_are_handed_out,
    fetching::a_fetch_in_the_middle_gets_the_whole_batch,
    fetching::limits_cut_but_the_first_batch_comes_whole,
    fetching::out_of_range_and_unknown,
    fetching::a_long_poll_ends_with_the_first_record,
    fetching::a_long_poll_ends_at_its_deadline,
    fetching::topics_are_fetched_by_id,
    fetching::unknown_sessions_are_refused,
    offsets::ends_times_and_maximum,
    offsets::leader_epochs_are_checked,
    offsets::records_are_deleted,
    offsets::compacted_topics_refuse_record_deletion,
    topics::creation_is_checked,
    topics::creation_describes_what_it_made,
    topics::partitions_only_grow,
    topics::configs_are_described_and_altered,
    topics::topics_are_deleted_by_name_and_id,
    topics::metadata_knows_ids_and_names,
    topics::a_too_new_api_versions_request_gets_the_range,
    access::without_an_authorizer_there_are_no_acls,
    access::wrong_scram_changes_are_refused,
    librdkafka::every_codec_survives,
    librdkafka::the_admin_client_works,
}
