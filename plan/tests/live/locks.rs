//! One apply at a time, and a record of each.

use std::sync::Mutex;
use std::time::Duration;

use broker::{ApiKey, FaultAction, FaultRule, ResponseError};
use plan::{Applicant, ApplyError, ApplyEvent, ApplyOptions, AuditEvent, FailureKind, Plan};
use tokio_util::sync::CancellationToken;

use crate::bench::{Bench, topic};

fn options(who: &str) -> ApplyOptions {
    ApplyOptions {
        applicant: Applicant {
            who: who.to_owned(),
            pid: 7,
            processes: String::new(),
        },
        ..ApplyOptions::default()
    }
}

async fn apply(
    bench: &Bench,
    plan: &Plan,
    options: &ApplyOptions,
    observer: &(dyn Fn(&ApplyEvent) + Send + Sync),
) -> Result<plan::ApplySummary, ApplyError> {
    let cancel = CancellationToken::new();
    plan::apply_with(plan, &bench.clients, options, &observer, &cancel).await
}

#[tokio::test]
async fn a_second_apply_is_told_who_is_at_it_and_can_wait() {
    let bench = Bench::start().await;
    let slow = bench.plan(vec![topic("a", &["left"], Some(1), &[])]).await;
    let other = bench.plan(vec![topic("b", &["left"], Some(1), &[])]).await;
    let begun = CancellationToken::new();
    let observer = |event: &ApplyEvent| {
        if matches!(event, ApplyEvent::ApplyStarted { .. }) {
            begun.cancel();
        }
    };
    // the first holds the lease for as long as its topic does not show
    let lagging = FaultRule::new(FaultAction::Error(ResponseError::UnknownTopicOrPartition))
        .api(ApiKey::Metadata)
        .topic("a")
        .after(2)
        .times(6);
    bench.left.faults().inject(lagging);
    let told = Mutex::new(Vec::new());
    let (first_options, second_options) = (options("ann@night"), options("bob@day"));
    let first = apply(&bench, &slow, &first_options, &observer);
    let second = async {
        begun.cancelled().await;
        let refused = apply(&bench, &other, &second_options, &|_| {}).await;
        let waiting = ApplyOptions {
            lock_timeout: Duration::from_secs(30),
            ..second_options.clone()
        };
        let waits = |event: &ApplyEvent| {
            if let ApplyEvent::Waiting { cluster, holder } = event {
                told.lock().unwrap().push(format!("{cluster}: {holder}"));
            }
        };
        (refused, apply(&bench, &other, &waiting, &waits).await)
    };
    let (first, (refused, waited)) = tokio::join!(first, second);
    first.unwrap();
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Refused);
    let ApplyError::Locked { alias, holder } = &error else {
        panic!("{error}")
    };
    assert_eq!(alias, "left");
    assert_eq!(holder.as_ref().unwrap().by.who, "ann@night");
    assert!(
        error.to_string().contains("ann@night (process 7)"),
        "{error}"
    );
    assert_eq!(waited.unwrap().applied, ["topic.left.b"]);
    let told = told.into_inner().unwrap();
    assert_eq!(told.len(), 1, "once, not at each look: {told:?}");
    assert!(
        told[0].starts_with("left: ann@night (process 7), since"),
        "{told:?}"
    );
}

#[tokio::test]
async fn every_apply_leaves_its_record_and_gives_the_lease_back() {
    let bench = Bench::start().await;
    let plan = bench.plan(vec![topic("a", &["left"], Some(1), &[])]).await;
    apply(&bench, &plan, &options("ann@night"), &|_| {})
        .await
        .unwrap();
    let stale = bench.plan(vec![topic("a", &["left"], Some(2), &[])]).await;
    bench
        .settle(vec![topic("a", &["left"], Some(5), &[])])
        .await;
    let failed = apply(&bench, &stale, &options("bob@day"), &|_| {}).await;
    assert!(matches!(failed, Err(ApplyError::Stale { .. })));

    let history = plan::history(&bench.clients["left"]).await.unwrap();
    let told: Vec<String> = history
        .iter()
        .filter(|(_, record)| !record.who.is_empty())
        .map(|(at, record)| {
            assert!(*at > 1_600_000_000_000, "the brokers' time, not {at}");
            let what = match &record.event {
                AuditEvent::Started { changes } => format!("started {}", changes[0].address),
                AuditEvent::Finished {
                    outcome,
                    applied,
                    not_started,
                    ..
                } => format!("{outcome:.20} {applied:?} {not_started:?}"),
            };
            format!("{} {what}", record.who)
        })
        .collect();
    assert_eq!(
        told,
        [
            "ann@night started topic.left.a",
            "ann@night done [\"topic.left.a\"] []",
            "bob@day started topic.left.a",
            "bob@day the plan is stale at [] [\"topic.left.a\"]",
        ]
    );
    assert_eq!(history[0].1.apply, history[1].1.apply);
    // nobody holds the lease any more
    bench
        .settle(vec![topic("a", &["left"], Some(6), &[])])
        .await;
}
