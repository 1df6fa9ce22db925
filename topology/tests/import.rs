//! What an import writes of realistic resources: read by people, and valid as it is.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use mirrorctl_topology::import::{ImportFile, strimzi};
use mirrorctl_topology::{Delivery, MirrorState, Topology};

fn file(name: &str, text: &str) -> ImportFile {
    ImportFile {
        name: name.to_owned(),
        text: text.to_owned(),
    }
}

/// What is written, once it is read again.
fn valid(yaml: &str) -> Topology {
    match mirrorctl_topology::parse("imported.yaml", yaml) {
        Ok(loaded) => loaded.topology,
        Err(wrong) => panic!("{wrong:?} in:\n{yaml}"),
    }
}

#[test]
fn resources_of_v1beta2() {
    let files = [file(
        "all.yaml",
        include_str!("import/strimzi-v1beta2.yaml"),
    )];
    let yaml = strimzi(&files).unwrap().to_yaml();
    assert!(!yaml.contains("hunter2"), "{yaml}");
    insta::assert_snapshot!(yaml);
    let topology = valid(&yaml);
    let onprem = topology.cluster("onprem").unwrap();
    assert_eq!(onprem.cluster_id.as_deref(), Some("UOQJOPPeR2m1Zc4kGeXBVA"));
    let mirror = &topology.mirrors[0];
    assert_eq!(mirror.state, MirrorState::Paused);
    assert_eq!(mirror.delivery, Delivery::ExactlyOnce);
    assert!(mirror.topics.selects("audit") && !mirror.topics.selects("pay.tmp"));
    assert_eq!(topology.users.len(), 2);
    // what the user operator writes: another number would set the passwords anew
    assert!(topology.users.iter().all(|user| user.iterations == 4096));
    assert_eq!(topology.quotas.len(), 2);
}

#[test]
fn resources_of_v1() {
    let files = [file("all.yaml", include_str!("import/strimzi-v1.yaml"))];
    let yaml = strimzi(&files).unwrap().to_yaml();
    insta::assert_snapshot!(yaml);
    let topology = valid(&yaml);
    let names: Vec<&str> = topology
        .mirrors
        .iter()
        .map(|mirror| mirror.name.as_str())
        .collect();
    assert_eq!(names, ["north-to-central", "south-to-central"]);
}

#[test]
fn what_cannot_be_read_is_said_with_its_place() {
    for (text, words) in [
        ("a: 1\n---\nb: [1\n", "bad.yaml: line"),
        (
            "a: 1\na: 2\n",
            "bad.yaml: line 2: the key `a` is written twice",
        ),
        ("", "nothing to import"),
        (
            "kind: Deployment\nmetadata: {name: web}\n",
            "nothing to import",
        ),
        ("- 1\n- two\n", "nothing to import"),
    ] {
        let error = strimzi(&[file("bad.yaml", text)]).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
