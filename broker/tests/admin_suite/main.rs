//! The admin calls of our client, run against the embedded cluster *and* against real Apache Kafka: what the client
//! understands and what the embedded cluster answers cannot drift from the real thing.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod acls;
mod controller;
mod environment;
mod groups;
mod moves;
mod quotas;
mod scram;
mod topics;

/// Makes one test per case on the embedded cluster, and one test of all cases on real Kafka (which takes seconds to
/// start, so it is started once).
macro_rules! suite {
    ($($module:ident :: $case:ident),* $(,)?) => {
        mod embedded {
            $(
                #[tokio::test]
                async fn $case() {
                    let cluster = crate::environment::embedded().await;
                    let environment = crate::environment::Environment::of(&cluster).await;
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
    acls::acls_are_created_found_and_deleted,
    acls::every_kind_of_acl_survives,
    acls::wrong_acls_are_refused_one_by_one,
    quotas::quotas_of_every_kind_are_set_and_removed,
    quotas::wrong_quotas_are_refused,
    scram::scram_users_come_change_and_go,
    moves::partitions_move_turn_back_and_arrive,
    moves::the_replication_factor_changes_both_ways,
    moves::wrong_moves_are_refused_one_by_one,
    moves::throttles_are_set_seen_and_cleared,
    moves::brokers_tell_their_racks_and_their_bytes,
    groups::classic_groups_are_seen,
    groups::groups_of_the_new_protocol_are_seen,
    groups::share_groups_are_seen,
    groups::many_groups_are_asked_for_at_once,
    groups::a_group_that_is_not_there_is_said_so,
    topics::a_key_goes_back_to_its_default,
    topics::a_topic_that_was_made_anew_is_not_deleted_by_the_old_id,
}
