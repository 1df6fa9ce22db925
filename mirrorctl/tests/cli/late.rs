//! Promotions that were applied while no replicator looked: killed before, stopped, or standing still.

use std::time::Duration;

use broker::{ApiKey, FaultAction, FaultRule};
use register::MIRRORS_TOPIC;
use replicator::POSITIONS_TOPIC;
use rustix::process::Signal;

use crate::bed::{Bed, write};
use crate::support::{Replicate, run, text, until};
use crate::way_back::{beside, identity, produce_to_source_of};

fn promotion(bed: &Bed) -> String {
    bed.status()["promotion"].as_str().unwrap().to_owned()
}

fn assert_complete(bed: &Bed) {
    let end = bed.entry().end(bed.stage.left.cluster_id()).cloned();
    assert!(end.is_some_and(|end| end.complete));
}

/// As those do that go over to the target once it is promoted.
fn applications_write(bed: &Bed, records: &str) {
    let file = beside(bed, "promoted", &identity("back", "right", "left", ""));
    produce_to_source_of(bed, &file, "back", records, "applications.json");
}

/// A file whose mirror sends a few records at a time, so that for a while there are more of them at hand.
fn few_at_a_time(bed: &Bed) -> String {
    let own = std::fs::read_to_string(&bed.own).unwrap();
    let few = own.replace("state: running", "replayWindow: 10, state: running");
    let file = bed.stage.file("few.yaml", &few);
    text(&file).to_owned()
}

/// Many small batches, of which none is answered at once.
fn much_to_copy(bed: &Bed) -> broker::FaultHandle {
    let slow = FaultRule::new(FaultAction::Delay(Duration::from_secs(1)));
    let slow = slow.api(ApiKey::Produce).topic("pay.orders");
    let slow = bed.stage.right.faults().inject(slow);
    for journal in 2..10 {
        bed.produce("30", &format!("{journal}.json"));
    }
    until("it copies on", || bed.copied() > 30);
    slow
}

/// It goes on while whoever looks at these topics of the target waits for the answer: there is time to do harm before it comes.
fn goes_on_before_it_can_look(bed: &Bed, replicate: &Replicate) {
    let mut slow = Vec::new();
    for topic in [MIRRORS_TOPIC, POSITIONS_TOPIC] {
        for api in [ApiKey::Fetch, ApiKey::ListOffsets] {
            let rule = FaultRule::new(FaultAction::Delay(Duration::from_secs(2)));
            slow.push(bed.stage.right.faults().inject(rule.api(api).topic(topic)));
        }
    }
    replicate.running.signal(Signal::CONT);
    std::thread::sleep(Duration::from_secs(6));
    for slow in slow {
        slow.remove();
    }
}

#[test]
fn a_promotion_whose_replicator_was_killed_is_carried_out_by_the_next_one() {
    let bed = Bed::new();
    bed.apply("running");
    bed.produce("30", "1.json");
    let killed = Replicate::with(&bed.own);
    bed.until_copied(30);
    drop(killed);
    bed.produce("20", "2.json");
    let file = write(&bed.stage, "promoted.yaml", "promoted");
    let applied = run(&["apply", "-f", &file, "--auto-approve"]).code(0);
    applied.says("warning: mirror.pay: no replicator has taken the promotion up");
    let said = promotion(&bed);
    assert!(said.contains("no replicator has taken"), "{said}");
    assert!(
        said.contains("`mirrorctl replicate` copies the rest"),
        "{said}"
    );
    let mut next = Replicate::with(&bed.own);
    next.until_it_says("taken up now");
    assert_eq!(next.ended(), Some(0));
    assert_eq!(bed.copied(), 50, "each record once");
    assert_complete(&bed);
    run(&["replicate", "-f", &bed.own]).code(3);
}

#[test]
fn once_carries_out_a_promotion_that_nobody_took_up() {
    let bed = Bed::new();
    bed.apply("running");
    bed.produce("30", "1.json");
    let once = ["replicate", "-f", &bed.own, "--once"];
    run(&once).code(0);
    bed.produce("20", "2.json");
    bed.apply("promoted");
    run(&once).code(0);
    assert_eq!(bed.copied(), 50);
    assert_complete(&bed);
    run(&once).code(3);
}

#[test]
fn a_promotion_of_a_mirror_that_never_ran_is_not_begun_by_a_start() {
    let bed = Bed::new();
    bed.apply("running");
    bed.produce("30", "1.json");
    bed.apply("promoted");
    run(&["replicate", "-f", &bed.own])
        .code(3)
        .says("no replicator of it has run before");
    assert_eq!(bed.copied(), 0);
    let said = promotion(&bed);
    assert!(said.starts_with("over, and incomplete"), "{said}");
    assert!(said.contains("30 records of the source"), "{said}");
}

#[test]
fn a_promotion_that_nobody_took_up_is_over_where_applications_write_to_the_target() {
    let bed = Bed::new();
    bed.apply("running");
    bed.produce("30", "1.json");
    let replicate = Replicate::with(&bed.own);
    bed.until_copied(30);
    replicate.stop();
    bed.produce("20", "2.json");
    bed.apply("promoted");
    applications_write(&bed, "6");
    run(&["replicate", "-f", &bed.own])
        .code(3)
        .says("is not one of the source's");
    assert_eq!(bed.copied(), 36, "nothing lands behind what they wrote");
    let said = promotion(&bed);
    assert!(said.starts_with("over, and incomplete"), "{said}");
    assert!(said.contains("20 records of the source"), "{said}");
}

/// The other one promotes the mirror, and applications go over; then the first one goes on where it stood still.
#[test]
fn a_replicator_that_stood_still_while_another_one_promoted_sends_nothing_more() {
    let bed = Bed::new();
    let file = few_at_a_time(&bed);
    bed.apply("running");
    bed.produce("30", "1.json");
    let mut older = Replicate::with(&file);
    bed.until_copied(30);
    let newer = Replicate::with(&file);
    older.until_it_says("standing by");
    let slow = much_to_copy(&bed);
    newer.running.signal(Signal::STOP);
    bed.apply("promoted");
    slow.remove();
    assert_eq!(older.ended(), Some(0));
    assert_complete(&bed);
    applications_write(&bed, "6");
    let there = bed.copied();
    assert!(there >= 276, "{there}");
    goes_on_before_it_can_look(&bed, &newer);
    assert_eq!(newer.ended(), Some(0));
    assert_eq!(bed.copied(), there);
}

/// Nobody else has the mirror, and yet its topics are the applications' by now.
#[test]
fn a_replicator_that_stood_still_while_it_was_promoted_sends_nothing_behind_what_others_wrote() {
    let bed = Bed::new();
    let file = few_at_a_time(&bed);
    bed.apply("running");
    bed.produce("30", "1.json");
    let replicate = Replicate::with(&file);
    bed.until_copied(30);
    let slow = much_to_copy(&bed);
    replicate.running.signal(Signal::STOP);
    bed.apply("promoted");
    slow.remove();
    // what it had sent before is answered
    std::thread::sleep(Duration::from_secs(9));
    applications_write(&bed, "6");
    let there = bed.copied();
    goes_on_before_it_can_look(&bed, &replicate);
    assert_eq!(replicate.ended(), Some(3));
    assert_eq!(bed.copied(), there);
    let said = promotion(&bed);
    assert!(said.starts_with("over, and incomplete"), "{said}");
}

/// It stood still for long, and nobody has written to its topics: nothing is lost.
#[test]
fn a_replicator_that_stood_still_while_it_was_promoted_carries_that_out_where_nobody_else_wrote() {
    let bed = Bed::new();
    let file = few_at_a_time(&bed);
    bed.apply("running");
    bed.produce("30", "1.json");
    let replicate = Replicate::with(&file);
    bed.until_copied(30);
    let slow = much_to_copy(&bed);
    replicate.running.signal(Signal::STOP);
    bed.apply("promoted");
    slow.remove();
    std::thread::sleep(Duration::from_secs(9));
    replicate.running.signal(Signal::CONT);
    assert_eq!(replicate.ended(), Some(0));
    assert!(bed.copied() >= 270);
    assert_complete(&bed);
}
