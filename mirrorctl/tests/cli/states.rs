//! `mirrorctl replicate` and the states that were applied.

use std::time::Duration;

use broker::{ApiKey, FaultAction, FaultRule, ResponseError};
use register::{EndRecord, MIRRORS_TOPIC, Standing, VERSION};
use rustix::process::Signal;

use crate::bed::{Bed, TOPICS, write};
use crate::support::{Replicate, Stage, asked, run, text, until};

#[test]
fn without_a_record_the_file_alone_decides_and_none_is_made() {
    let bed = Bed::new();
    run(&[
        "apply",
        "-f",
        &bed.own,
        "--auto-approve",
        "--target",
        "topic.*",
    ])
    .code(0);
    bed.produce("30", "1.json");
    run(&["replicate", "-f", &bed.own, "--once"]).code(0);
    assert_eq!(bed.copied(), 30);
    assert!(!bed.stage.right.topics().contains(&MIRRORS_TOPIC.to_owned()));
    assert_eq!(bed.status()["by"], "topology");
}

/// What mirrors are promoted for.
#[test]
fn a_mirror_is_promoted_by_its_address_while_its_source_is_gone() {
    let bed = Bed::new();
    bed.apply("running");
    let file = write(&bed.stage, "gone.yaml", "promoted");
    let written = std::fs::read_to_string(&file).unwrap();
    let source = bed.stage.left.bootstrap_servers();
    assert!(written.contains(&source), "{source} in {written}");
    std::fs::write(&file, written.replace(&source, "127.0.0.1:1")).unwrap();
    let apply = ["apply", "-f", &file, "--auto-approve"];
    run(&apply).code(1).says("left");
    let promoted = || match bed.entry().standing {
        Some(Standing::Known { record, .. }) => record.state == topology::MirrorState::Promoted,
        other => panic!("{other:?}"),
    };
    assert!(!promoted());
    // nor where more than the mirror could be meant
    let more = ["--target", "mirror.pay", "--target", "topic.*"];
    run(&[&apply[..], &more].concat()).code(1).says("left");
    run(&[&apply[..], &["--target", "mirror.pay"]].concat()).code(0);
    assert!(promoted());
    let plan = [
        "plan",
        "-f",
        &file,
        "--target",
        "mirror.pay",
        "--detailed-exitcode",
    ];
    run(&plan).code(0);
}

#[test]
fn once_passes_over_what_was_paused() {
    let bed = Bed::new();
    bed.apply("paused");
    bed.produce("30", "1.json");
    let named = ["replicate", "-f", &bed.own, "--once", "--mirror", "pay"];
    run(&named).code(1).says("its record on right says paused");
    assert_eq!(bed.copied(), 0);
    let state = bed.status();
    assert_eq!(
        (&state["state"], &state["by"]),
        (&"paused".into(), &"record".into())
    );
    let shown = run(&["status", "-f", &bed.own]).code(0);
    shown.says("paused by its record on right");
    bed.apply("running");
    run(&named).code(0);
    assert_eq!(bed.copied(), 30);
}

#[test]
fn a_running_mirror_is_held_goes_on_and_is_promoted() {
    let bed = Bed::new();
    bed.apply("running");
    bed.produce("300", "1.json");
    let mut replicate = Replicate::with(&bed.own);
    until("it copies", || bed.copied() == 300);
    bed.apply("paused");
    replicate.until_it_says("nothing is copied");
    bed.produce("30", "2.json");
    assert_eq!(bed.copied(), 300);
    // from paused right to promoted: what arrived meanwhile is copied first
    bed.apply("promoted");
    assert_eq!(replicate.ended(), Some(0));
    assert_eq!(bed.copied(), 330);

    let entry = bed.entry();
    let end = entry.end(bed.stage.left.cluster_id()).unwrap();
    assert!(end.ended && end.complete, "{end:?}");
    let copied: i64 = end.positions["pay.orders"].values().sum();
    assert_eq!((end.partitions, copied), (3, 330));
    let promotion = bed.status()["promotion"].as_str().unwrap().to_owned();
    assert!(promotion.starts_with("complete"), "{promotion}");

    bed.produce("30", "3.json");
    run(&["replicate", "-f", &bed.own])
        .code(3)
        .says("another name");
    run(&["replicate", "-f", &bed.own, "--once"]).code(3);
    assert_eq!(bed.copied(), 330);
    let back = run(&["plan", "-f", &bed.own, "--detailed-exitcode"]).code(3);
    back.says("it was promoted, and cannot be running again");
}

#[test]
fn a_mirror_that_its_file_pauses_follows_its_record_and_takes_a_promotion_up() {
    let bed = Bed::with_own("paused");
    bed.apply("running");
    bed.produce("30", "1.json");
    let listening = ["replicate", "-f", &bed.own, "--listen", "127.0.0.1:0"];
    let mut replicate = Replicate::of(&listening);
    let address = replicate.address();
    let both = |by: &str| {
        let state = bed.status();
        let shown = (&state["state"], &state["by"]);
        assert_eq!(shown, (&"paused".into(), &by.into()));
        let ready = asked(&address, "/readyz");
        assert!(ready.starts_with("HTTP/1.0 200"), "{ready}");
        assert!(ready.contains(&format!("\"held_by\":\"{by}\"")), "{ready}");
        let sample = format!("mirrorctl_held{{mirror=\"pay\",by=\"{by}\"}} 1");
        let metrics = asked(&address, "/metrics");
        assert!(metrics.contains(&sample), "{sample} in {metrics}");
    };
    replicate.until_it_says("held: the topology file says paused; nothing is copied");
    both("topology");
    bed.apply("paused");
    replicate.until_it_says("the topology file says paused, and its record on right says paused");
    both("both");
    run(&["status", "-f", &bed.own])
        .code(0)
        .says("paused by the topology and its record on right");
    // what its file holds back is not let go by the record
    bed.apply("running");
    replicate.until_it_says("held: the topology file says paused; nothing is copied");
    both("topology");
    assert_eq!(bed.copied(), 0);
    bed.apply("promoted");
    assert_eq!(replicate.ended(), Some(0));
    assert_eq!(bed.copied(), 30);
    assert_complete(&bed);
}

#[test]
fn a_promotion_that_file_and_record_ask_for_at_once_is_taken_up() {
    for own in ["paused", "running"] {
        let bed = Bed::with_own(own);
        bed.apply("running");
        bed.produce("30", "1.json");
        let mut replicate = Replicate::with(&bed.own);
        match own {
            "paused" => drop(replicate.until_it_says("nothing is copied")),
            _ => bed.until_copied(30),
        }
        write(&bed.stage, "own.yaml", "promoted");
        replicate.running.signal(Signal::HUP);
        bed.apply("promoted");
        assert_eq!(replicate.ended(), Some(0));
        assert_eq!(bed.copied(), 30, "{own}");
        let promotion = bed.status()["promotion"].as_str().unwrap().to_owned();
        assert!(promotion.starts_with("complete"), "{own}: {promotion}");
    }
}

/// Whoever starts anew because its file changed had the mirror at hand all the time.
#[test]
fn a_promotion_that_is_applied_while_the_file_is_read_again_is_taken_up() {
    let bed = Bed::new();
    bed.apply("running");
    bed.produce("30", "1.json");
    let mut replicate = Replicate::with(&bed.own);
    bed.until_copied(30);
    let slow = FaultRule::new(FaultAction::Delay(Duration::from_secs(4)));
    let slow = slow.api(ApiKey::Produce).topic("pay.orders");
    let slow = bed.stage.right.faults().inject(slow);
    bed.produce("30", "2.json");
    until("some are on their way", || slow.hits() > 0);
    write(&bed.stage, "own.yaml", "paused");
    replicate.running.signal(Signal::HUP);
    replicate.until_it_says("reload: paused");
    bed.produce("30", "3.json");
    bed.apply("promoted");
    slow.remove();
    assert_eq!(replicate.ended(), Some(0));
    assert_eq!(bed.copied(), 90);
    assert_complete(&bed);
}

#[test]
fn what_the_file_promoted_before_it_was_applied_is_not_taken_for_left_alone() {
    let bed = Bed::new();
    bed.apply("running");
    bed.produce("30", "1.json");
    let replicate = Replicate::with(&bed.own);
    bed.until_copied(30);
    write(&bed.stage, "own.yaml", "promoted");
    replicate.running.signal(Signal::HUP);
    assert_eq!(replicate.ended(), Some(0));
    let carried_out = || {
        let promotion = bed.status()["promotion"].as_str().unwrap().to_owned();
        assert!(promotion.starts_with("complete: everything"), "{promotion}");
        assert!(
            promotion.contains("topology file said promoted"),
            "{promotion}"
        );
    };
    // also as long as nobody applies it
    carried_out();
    bed.apply("promoted");
    carried_out();
    // nor by whoever starts again
    run(&["replicate", "-f", &bed.own]).code(3);
    carried_out();
}

/// How far it came is not lost because nobody had applied it.
#[test]
fn what_the_file_promoted_and_could_not_copy_is_said_when_it_is_applied() {
    let bed = Bed::new();
    bed.apply("running");
    bed.produce("30", "1.json");
    let replicate = Replicate::with(&bed.own);
    bed.until_copied(30);
    let refused = FaultRule::new(FaultAction::Error(ResponseError::TopicAuthorizationFailed));
    let refused = refused
        .api(ApiKey::Produce)
        .topic("pay.orders")
        .partition(1);
    let refused = bed.stage.right.faults().inject(refused);
    bed.produce("30", "2.json");
    write(&bed.stage, "own.yaml", "promoted");
    replicate.running.signal(Signal::HUP);
    assert_eq!(replicate.ended(), Some(1));
    refused.remove();
    bed.apply("promoted");
    let promotion = bed.status()["promotion"].as_str().unwrap().to_owned();
    for words in ["over, and incomplete", "TOPIC_AUTHORIZATION_FAILED"] {
        assert!(promotion.contains(words), "{words} in {promotion}");
    }
}

#[test]
fn a_promoted_mirror_whose_source_is_gone_is_shown_and_misses_no_limit() {
    let bed = Bed::new();
    bed.apply("running");
    bed.produce("30", "1.json");
    let replicate = Replicate::with(&bed.own);
    bed.until_copied(30);
    // as long as it is not promoted, nobody knows how far behind it is
    let written = std::fs::read_to_string(&bed.own).unwrap();
    let source = bed.stage.left.bootstrap_servers();
    let gone = bed
        .stage
        .file("gone.yaml", &written.replace(&source, "127.0.0.1:1"));
    let gone = text(&gone);
    let shown = run(&["status", "-f", gone]).code(1);
    shown.says("left cannot be reached: its lag is not known");
    shown.says("pay.orders");
    run(&["lag", "-f", gone, "--max-lag", "5"]).code(1);
    bed.apply("promoted");
    assert_eq!(replicate.ended(), Some(0));

    bed.produce("12", "2.json");
    run(&["lag", "-f", &bed.own, "--max-lag", "5"])
        .code(0)
        .says("promoted: nothing is copied any more");
    run(&["lag", "-f", gone, "--max-lag", "5"])
        .code(0)
        .says("left cannot be reached");
    run(&["status", "-f", gone])
        .code(0)
        .says("complete: everything up to the end");
    let json = run(&["status", "-f", gone, "--output", "json"])
        .code(0)
        .json();
    let mirror = &json["mirrors"][0];
    assert!(
        mirror["lag"].is_null() && mirror["source_unreached"].is_string(),
        "{json}"
    );
    let positions = mirror["committed"].as_array().unwrap().iter();
    let copied: i64 = positions.map(|it| it["position"].as_i64().unwrap()).sum();
    assert_eq!(copied, 30);
    assert_eq!(json["unreached"].as_array().map(Vec::len), Some(0));
}

#[test]
fn why_a_partition_stopped_is_left_beside_its_position() {
    let bed = Bed::new();
    bed.apply("running");
    bed.produce("30", "1.json");
    let refused = FaultRule::new(FaultAction::Error(ResponseError::TopicAuthorizationFailed));
    let refused = refused
        .api(ApiKey::Produce)
        .topic("pay.orders")
        .partition(1);
    let refused = bed.stage.right.faults().inject(refused);
    let once = ["replicate", "-f", &bed.own, "--once"];
    run(&once).code(1);
    let shown = run(&["status", "-f", &bed.own]).code(0);
    shown.says("1 stopped");
    shown.says("! pay.orders-1: the target refuses a batch: TOPIC_AUTHORIZATION_FAILED");
    let judged = ["status", "-f", &bed.own, "--detailed-exitcode"];
    run(&judged)
        .code(5)
        .says("1 partition needs attention: pay.orders-1 of pay");
    let json = run(&[&judged[..], &["--output", "json"]].concat()).code(5);
    assert_eq!(json.json()["needs_attention"], 1);
    let conditions = || {
        let json = run(&["status", "-f", &bed.own, "--output", "json"])
            .code(0)
            .json();
        let partitions = json["mirrors"][0]["partitions"].as_array().unwrap().clone();
        let conditions = partitions
            .iter()
            .map(|it| it["condition"].as_str().unwrap().to_owned());
        conditions.collect::<Vec<_>>()
    };
    assert_eq!(conditions(), ["caught-up", "stopped", "caught-up"]);
    refused.remove();
    run(&once).code(0);
    assert_eq!(conditions(), ["caught-up"; 3]);
    assert_eq!(bed.copied(), 30);
    let json = run(&[&judged[..], &["--output", "json"]].concat()).code(0);
    assert_eq!(json.json()["needs_attention"], 0);
    // what is only behind needs nobody
    bed.produce("30", "2.json");
    run(&judged).code(0).says("behind");
}

/// It would copy nothing anyway.
#[test]
fn what_a_file_pauses_is_ready_where_its_clusters_are_gone() {
    let bed = Bed::with_own("paused");
    let written = std::fs::read_to_string(&bed.own).unwrap();
    let source = bed.stage.left.bootstrap_servers();
    let gone = bed
        .stage
        .file("gone.yaml", &written.replace(&source, "127.0.0.1:1"));
    let listening = ["replicate", "-f", text(&gone), "--listen", "127.0.0.1:0"];
    let mut replicate = Replicate::of(&listening);
    let address = replicate.address();
    replicate.until_it_says("whether its record says promoted cannot be read; trying again");
    let ready = asked(&address, "/readyz");
    assert!(ready.starts_with("HTTP/1.0 200"), "{ready}");
    assert!(ready.contains("\"held_by\":\"topology\""), "{ready}");
    replicate.running.signal(Signal::TERM);
    assert_eq!(replicate.ended(), Some(0));
}

/// What the source gets afterwards is no arrears of a mirror that is over.
#[test]
fn what_comes_after_a_promotion_is_not_shown_as_lag() {
    let bed = Bed::new();
    bed.apply("running");
    bed.produce("30", "1.json");
    let replicate = Replicate::with(&bed.own);
    bed.until_copied(30);
    bed.apply("promoted");
    assert_eq!(replicate.ended(), Some(0));
    let page = || run(&["status", "-f", &bed.own]).code(0);
    page().says("nothing of the source is missing");
    bed.produce("20", "2.json");
    let page = page();
    page.says("20 records of the source not on the target");
    assert!(!page.out.contains(", lag "), "{}", page.out);
    // nor line by line
    page.says("not copied");
    for late in ["behind", "caught up"] {
        assert!(!page.out.contains(late), "{late} in {}", page.out);
    }
}

/// As whoever watches over a replicator starts it again: with the file that was applied.
#[test]
fn a_begun_promotion_is_finished_where_the_file_says_promoted_too() {
    let bed = Bed::new();
    bed.apply("running");
    bed.produce("30", "1.json");
    bed.apply("promoted");
    let file = write(&bed.stage, "now-promoted.yaml", "promoted");
    begin(&bed);
    let promotion = bed.status()["promotion"].as_str().unwrap().to_owned();
    assert!(promotion.starts_with("not finished"), "{promotion}");
    finished_with(&bed, &file);
}

#[test]
fn once_finishes_a_promotion_that_was_begun() {
    let bed = Bed::new();
    bed.apply("running");
    bed.produce("30", "1.json");
    bed.apply("promoted");
    begin(&bed);
    let file = write(&bed.stage, "now-promoted.yaml", "promoted");
    for file in [&bed.own, &file] {
        begin(&bed);
        run(&["replicate", "-f", file, "--once", "--mirror", "pay"]).code(0);
        assert_eq!(bed.copied(), 30);
        let end = bed.entry().end(bed.stage.left.cluster_id()).cloned();
        assert!(end.is_some_and(|end| end.complete), "{file}");
        run(&["replicate", "-f", file, "--once"]).code(3);
    }
}

/// One replicator that copies and one that stands by: `newer` and `older`.
fn active_and_standby(bed: &Bed) -> (Replicate, Replicate) {
    let slow = std::fs::read_to_string(&bed.own).unwrap();
    let throttle = "throttle: {bytesPerSecond: 20KB}, state: running";
    let slow = slow.replace("state: running", throttle);
    let own = bed.stage.file("slow.yaml", &slow);
    bed.apply("running");
    bed.produce("30", "1.json");
    let mut older = Replicate::with(text(&own));
    bed.until_copied(30);
    let newer = Replicate::with(text(&own));
    older.until_it_says("standing by");
    (newer, older)
}

fn assert_complete(bed: &Bed) {
    let end = bed.entry().end(bed.stage.left.cluster_id()).cloned();
    assert!(end.is_some_and(|end| end.complete));
}

#[test]
fn of_two_replicators_one_promotes_and_the_other_waits() {
    let bed = Bed::new();
    let (newer, older) = active_and_standby(&bed);
    bed.produce("600", "2.json");
    bed.apply("promoted");
    assert_eq!((newer.ended(), older.ended()), (Some(0), Some(0)));
    assert_complete(&bed);
    assert_eq!(bed.copied(), 630, "each record once");
}

#[test]
fn a_replicator_that_is_stopped_while_it_promotes_hands_that_over() {
    let bed = Bed::new();
    let (mut newer, mut older) = active_and_standby(&bed);
    bed.apply("paused");
    newer.until_it_says("nothing is copied");
    bed.produce("600", "2.json");
    // so that it has not ended when it is stopped
    let slow = FaultRule::new(FaultAction::Delay(Duration::from_secs(3)));
    let slow = slow.api(ApiKey::Produce).topic("pay.orders");
    let slow = bed.stage.right.faults().inject(slow);
    bed.apply("promoted");
    let last = "copying what the source holds now";
    newer.until_it_says(last);
    newer.running.signal(Signal::TERM);
    older.until_it_says(last);
    slow.remove();
    // a run that is stopped drains: what it sent is acknowledged, and its positions are written
    assert_eq!(older.ended(), Some(0));
    newer.ended();
    assert_complete(&bed);
    assert_eq!(bed.copied(), 630, "each record once");
}

/// Positions are kept by the source's id, whether or not anything is declared on it.
#[test]
fn the_record_names_a_source_on_which_nothing_is_declared() {
    let bed = Bed::new();
    let own = std::fs::read_to_string(&bed.own).unwrap();
    let bare = bed.stage.file("bare.yaml", &own.replace(TOPICS, ""));
    run(&["apply", "-f", text(&bare), "--auto-approve"]).code(0);
    let Some(Standing::Known { record, .. }) = bed.entry().standing else {
        panic!("no record");
    };
    let left = bed.stage.left.cluster_id();
    assert_eq!(record.sources["left"].as_deref(), Some(left));
    run(&["plan", "-f", text(&bare), "--detailed-exitcode"]).code(0);
}

#[test]
fn two_names_of_one_cluster_are_refused_where_both_are_managed() {
    let stage = Stage::new();
    let topics =
        "topics:\n- {name: t, clusters: [left, right], partitions: 1, replicationFactor: 1}\n";
    let file = stage.topology(topics);
    let whole = std::fs::read_to_string(file).unwrap();
    let (left, right) = (
        stage.left.bootstrap_servers(),
        stage.right.bootstrap_servers(),
    );
    let file = stage.file("one.yaml", &whole.replace(&right, &left));
    for command in ["plan", "apply"] {
        let refused = run(&[command, "-f", text(&file)]).code(3);
        refused.says("clusters left and right are one and the same");
        refused.says("declare it under one alias");
    }
}

/// Leaves a promotion as a replicator does that is killed meanwhile.
fn begin(bed: &Bed) {
    let Some(Standing::Known { since_ms, .. }) = bed.entry().standing else {
        panic!("no record");
    };
    let begun = EndRecord {
        version: VERSION,
        promoted_at_ms: since_ms,
        source: "left".to_owned(),
        ended: false,
        complete: false,
        reason: None,
        partitions: 0,
        positions: [].into(),
    };
    let log = bed.log();
    let written = log.end("pay", bed.stage.left.cluster_id(), &begun);
    bed.stage.runtime.block_on(written).unwrap();
}

#[track_caller]
fn finished_with(bed: &Bed, file: &str) {
    assert_eq!(Replicate::with(file).ended(), Some(0));
    assert_eq!(bed.copied(), 30);
    let end = bed.entry().end(bed.stage.left.cluster_id()).cloned();
    assert!(end.is_some_and(|end| end.complete));
    run(&["replicate", "-f", file]).code(3);
}

#[test]
fn a_record_that_is_destroyed_stops_the_mirror_and_another_one_lets_it_go_on() {
    let bed = Bed::new();
    bed.apply("running");
    bed.produce("30", "1.json");
    let mut replicate = Replicate::with(&bed.own);
    until("it copies", || bed.copied() == 30);
    let own = std::fs::read_to_string(&bed.own).unwrap();
    let permitting = own.replacen(
        "{alias: right,",
        "{alias: right, allow: {deleteMirrors: true},",
        1,
    );
    let file = bed.stage.file("destroy.yaml", &permitting);
    let destroy = [
        "destroy",
        "-f",
        text(&file),
        "--target",
        "mirror.*",
        "--auto-approve",
    ];
    run(&destroy).code(3);
    run(&[&destroy[..], &["--allow-destroy", "mirror.pay"]].concat()).code(0);
    replicate.until_it_says("was deleted; nothing is copied");
    let page = run(&["status", "-f", &bed.own]).code(0);
    page.says("its record on right was deleted");
    assert_eq!(bed.status()["deleted"], true);
    bed.produce("30", "2.json");
    assert_eq!(bed.copied(), 30);
    bed.apply("running");
    until("it goes on", || bed.copied() == 60);
    assert!(bed.status()["deleted"].is_null());
}
