//! Loops and overlaps between mirrors: what is reported, and what is rightly not.

use std::collections::BTreeSet;

use mirrorctl_topology as topology;

/// The codes for a file with the clusters a, b and c, and these mirrors.
fn codes(mirrors: &[&str]) -> BTreeSet<&'static str> {
    let text = format!(
        "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n{}mirrors:\n{}",
        ["a", "b", "c"]
            .map(|alias| format!("- {{alias: {alias}, platform: embedded}}\n"))
            .concat(),
        mirrors
            .iter()
            .enumerate()
            .map(|(at, mirror)| format!("- {{name: m{at}, {mirror}}}\n"))
            .collect::<Vec<_>>()
            .concat()
    );
    match topology::parse("naming.yaml", &text) {
        Ok(loaded) => loaded.warnings.iter().map(|it| it.code).collect(),
        Err(found) => found.iter().map(|it| it.code).collect(),
    }
}

fn assert_codes(mirrors: &[&str], expected: &[&str]) {
    let expected: BTreeSet<&str> = expected.iter().copied().collect();
    assert_eq!(codes(mirrors), expected, "{mirrors:?}");
}

const IDENTITY: &str = "replicationPolicy: {type: identity}";
const BOTH_WAYS: &str = "topology::identity-both-ways";
const CYCLE: &str = "topology::mirror-cycle";
const OVERLAP: &str = "topology::overlapping-target";

#[test]
fn identity_in_both_directions_needs_patterns_that_do_not_meet() {
    let there =
        |pattern: &str| format!("source: a, target: b, topicsPattern: '{pattern}', {IDENTITY}");
    let back =
        |pattern: &str| format!("source: b, target: a, topicsPattern: '{pattern}', {IDENTITY}");
    assert_codes(&[&there(".*"), &back(".*")], &[BOTH_WAYS]);
    assert_codes(&[&there(r"pay\..*"), &back(r"pay\.orders")], &[BOTH_WAYS]);
    assert_codes(&[&there(r"pay\..*"), &back(r"bill\..*")], &[]);
    assert_codes(&[&there(".*")], &[]);
}

#[test]
fn a_promoted_mirror_fills_nothing_any_more() {
    let there = format!("source: a, target: b, {IDENTITY}");
    let back = format!("source: b, target: a, {IDENTITY}");
    let other = format!("source: c, target: b, {IDENTITY}");
    for (state, way_back, meets) in [
        ("promoted", &[][..], &[][..]),
        ("paused", &[BOTH_WAYS], &[OVERLAP]),
    ] {
        let there = format!("{there}, state: {state}");
        assert_codes(&[&there, &back], way_back);
        assert_codes(&[&there, &other], meets);
    }
}

#[test]
fn default_naming_ends_loops() {
    assert_codes(&["source: a, target: b", "source: b, target: a"], &[]);
    assert_codes(
        &[
            "source: a, target: b",
            "source: b, target: c",
            "source: c, target: a",
        ],
        &[],
    );
}

#[test]
fn a_prefix_does_not_end_a_loop() {
    let there = "source: a, target: b, replicationPolicy: {type: prefix, prefix: from-a-}";
    let back = "source: b, target: a, replicationPolicy: {type: prefix, prefix: from-b-}";
    assert_codes(&[there, back], &[CYCLE]);
    // …unless what came over is left out on the way back
    let careful = "source: b, target: a, topicsExcludePattern: 'from-a-.*', replicationPolicy: {type: prefix, prefix: from-b-}";
    let careful_too = "source: a, target: b, topicsExcludePattern: 'from-b-.*', replicationPolicy: {type: prefix, prefix: from-a-}";
    assert_codes(&[careful_too, careful], &[]);
}

#[test]
fn renaming_back_closes_a_loop() {
    assert_codes(
        &[
            "source: a, target: b, topicsPattern: 'o.*', replicationPolicy: {type: prefix, prefix: x-}",
            "source: b, target: a, topicsPattern: 'x-.*', replicationPolicy: {type: rename, rules: [{from: 'x-(.*)', to: '$1'}]}",
        ],
        &[CYCLE],
    );
}

#[test]
fn a_chain_and_a_fan_out_are_no_loops() {
    assert_codes(
        &[
            &format!("source: a, target: b, {IDENTITY}"),
            &format!("source: a, target: c, {IDENTITY}"),
        ],
        &[],
    );
    assert_codes(
        &[
            &format!("source: a, target: b, {IDENTITY}"),
            &format!("source: b, target: c, {IDENTITY}"),
        ],
        &[],
    );
}

#[test]
fn sources_that_land_in_one_topic_overlap() {
    assert_codes(
        &[&format!("source: [a, b], target: c, {IDENTITY}")],
        &[OVERLAP],
    );
    assert_codes(&["source: [a, b], target: c"], &[]);
    assert_codes(
        &[
            &format!("source: a, target: c, topicsPattern: 'pay.*', {IDENTITY}"),
            &format!("source: b, target: c, topicsPattern: 'bill.*', {IDENTITY}"),
        ],
        &[],
    );
    assert_codes(
        &[
            "source: a, target: c, replicationPolicy: {type: prefix, prefix: x_}",
            "source: b, target: c, replicationPolicy: {type: prefix, prefix: x_}",
        ],
        &[OVERLAP],
    );
}
