//! Topologies that share a machine, a namespace, an account or a cluster: what is called after them, and what tells those without
//! a name apart.

use std::collections::BTreeSet;

use mirrorctl_render::{Rendering, Settings};

use crate::support::{MM2, SECURED, documents, example, file, parse, rendering, set};

/// SECURED with a name.
fn named(name: &str) -> String {
    let metadata = format!("kind: Topology\nmetadata: {{name: {name}}}\n");
    SECURED.replace("kind: Topology\n", &metadata)
}

#[test]
fn topologies_with_names_share_a_machine_and_a_namespace() {
    let (one, other) = (named("pay"), named("ledger"));
    let (one_units, other_units) = (set(&one, "systemd", &[]), set(&other, "systemd", &[]));
    let paths = |rendering: &Rendering, within: &str| -> BTreeSet<String> {
        let paths = rendering.files.keys().filter(|it| it.contains(within));
        paths.cloned().collect()
    };
    assert_eq!(
        paths(&one_units, "/units/"),
        BTreeSet::from([
            "systemd/units/mirrorctl-pay@.service".to_owned(),
            "systemd/units/mirrorctl-pay@Pay_to.b.service.d/10-mirror.conf".to_owned(),
        ])
    );
    assert!(paths(&one_units, "/units/").is_disjoint(&paths(&other_units, "/units/")));
    let script = file(&one_units, "systemd/install.sh");
    for line in [
        // looks after its own mirrors alone
        "for folder in /etc/systemd/system/mirrorctl-pay@*.service.d; do",
        "need /etc/mirrorctl-pay/credentials/B_PW",
        "put topology.yaml /etc/mirrorctl-pay/topology.yaml 0640 mirrorctl-pay && topology=changed",
        "  if grep -qxF 'Environment=MIRRORCTL_LISTEN=127.0.0.1:9464' \"$other\"; then",
    ] {
        assert!(script.lines().any(|it| it == line), "{line}: {script}");
    }
    let settings = file(
        &one_units,
        "systemd/units/mirrorctl-pay@Pay_to.b.service.d/10-mirror.conf",
    );
    for line in [
        "User=mirrorctl-pay",
        "Group=mirrorctl-pay",
        "Environment=MIRRORCTL_FOLDER=/etc/mirrorctl-pay",
        "LoadCredential=B_PW:/etc/mirrorctl-pay/credentials/B_PW",
    ] {
        assert!(settings.lines().any(|it| it == line), "{line}: {settings}");
    }
    let elsewhere = set(&one, "systemd", &["systemd.first-port=9500"]);
    let script = file(&elsewhere, "systemd/install.sh");
    assert!(
        script.contains("MIRRORCTL_LISTEN=127.0.0.1:9500'"),
        "{script}"
    );

    let objects = |text: &str| -> BTreeSet<String> {
        let rendering = set(text, "kubernetes", &[]);
        let mut objects = BTreeSet::new();
        let paths = rendering.files.keys();
        for path in paths.filter(|it| !it.contains("kustomization")) {
            for object in documents(file(&rendering, path)) {
                let name = object["metadata"]["name"].as_str();
                if let (Some(kind), Some(name)) = (object["kind"].as_str(), name) {
                    objects.insert(format!("{kind} {name}"));
                }
            }
        }
        objects
    };
    let (ours, theirs) = (objects(&one), objects(&other));
    assert!(
        ours.contains("ConfigMap mirrorctl-pay-topology"),
        "{ours:?}"
    );
    let shared: Vec<&String> = ours.intersection(&theirs).collect();
    assert_eq!(shared, ["Namespace mirrorctl"]);
    // neither is what finds pods
    let rendering = set(&one, "kubernetes", &[]);
    let policy = documents(file(&rendering, "kubernetes/network-policy.yaml"));
    let part = &policy[0]["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/part-of"];
    assert_eq!(part.as_str(), Some("pay"));

    let plays = set(&one, "ansible", &["ansible.replicators=m1"]);
    let variables = documents(file(&plays, "ansible/group_vars/mirrorctl/mirrors.yml"));
    assert_eq!(variables[0]["mirrorctl_name"].as_str(), Some("pay"));
    assert_eq!(
        variables[0]["mirrorctl_user"].as_str(),
        Some("mirrorctl-pay")
    );
}

#[test]
fn a_topology_without_a_name_is_told_that_it_shares_one() {
    let text = example("seed-000-hybrid-cloud");
    let named = text.replace(
        "kind: Topology\n",
        "kind: Topology\nmetadata: {name: pay.eu}\n",
    );
    assert_ne!(text, named);
    let about_names = |rendering: &Rendering| -> usize {
        let remarks = rendering.remarks.iter();
        remarks.filter(|it| it.contains("metadata: {name")).count()
    };
    // by all targets together once
    assert_eq!(about_names(&rendering(&text, &[])), 1);
    let named = rendering(&named, &[]);
    assert_eq!(about_names(&named), 0);
    let main = file(&named, "terraform-aws/main.tf");
    assert!(main.contains("= \"mirrorctl-pay-eu-"), "{main}");
    // what is watched, and not installed, has no name of its own
    assert_eq!(about_names(&set(&text, "monitoring", &[])), 0);
}

#[test]
fn a_topology_without_a_name_takes_nothing_from_another_one() {
    let script = |text: &str| -> String {
        let rendering = set(text, "systemd", &[]);
        file(&rendering, "systemd/install.sh").to_owned()
    };
    let nameless = script(SECURED);
    for line in [
        "    */mirrorctl@Pay_to.b.service.d/*) copies='a to b' clusters=",
        "if [ \"$foreign\" = 1 ] && [ \"${1-}\" != --replace ]; then",
    ] {
        assert!(
            nameless.lines().any(|it| it.starts_with(line)),
            "{line}: {nameless}"
        );
    }
    let settings = set(SECURED, "systemd", &[]);
    let path = "systemd/units/mirrorctl@Pay_to.b.service.d/10-mirror.conf";
    let settings = file(&settings, path);
    assert!(
        settings.lines().any(|it| it == "# copies a to b"),
        "{settings}"
    );
    assert!(!script(&named("pay")).contains("--replace"));
}

#[test]
fn clusters_of_the_same_aliases_tell_topologies_without_names_apart() {
    let elsewhere = SECURED.replace("\"b:9092\"", "\"b.test:9092\"");
    assert_ne!(elsewhere, SECURED);
    let clusters = |text: &str| -> String {
        let units = set(text, "systemd", &[]);
        let path = "systemd/units/mirrorctl@Pay_to.b.service.d/10-mirror.conf";
        let mut lines = file(&units, path).lines();
        let digest = lines.find_map(|it| it.strip_prefix("# clusters ")).unwrap();
        let script = file(&units, "systemd/install.sh");
        assert!(script.contains(&format!(" clusters={digest} ;;\n")));
        let plays = set(text, "ansible", &["ansible.replicators=m1"]);
        let variables = documents(file(&plays, "ansible/group_vars/mirrorctl/mirrors.yml"));
        let mirror = &variables[0]["mirrorctl_mirrors"][0];
        assert_eq!(mirror["clusters"].as_str(), Some(digest));
        digest.to_owned()
    };
    assert_ne!(clusters(SECURED), clusters(&elsewhere));

    let manager = |text: &str| -> String {
        let rendering = set(text, "kubernetes", &[]);
        let mut lines = file(&rendering, "kubernetes/kustomization.yaml").lines();
        let begin = "# kubectl apply --server-side --field-manager=";
        let command = lines.find_map(|it| it.strip_prefix(begin)).unwrap();
        command.strip_suffix(" --kustomize .").unwrap().to_owned()
    };
    assert_eq!(manager(SECURED), format!("mirrorctl-{}", clusters(SECURED)));
    assert_ne!(manager(SECURED), manager(&elsewhere));
    // mirrors come and go
    let more = format!("{SECURED}- {{name: more, source: b, target: a, topicsPattern: more}}\n");
    assert_eq!(manager(&more), manager(SECURED));
    assert_eq!(manager(&named("pay")), "mirrorctl-pay");
}

#[test]
fn what_an_earlier_version_installed_is_given_to_the_group_of_its_own() {
    let script = |text: &str| -> String {
        let rendering = set(text, "systemd", &[]);
        file(&rendering, "systemd/install.sh").to_owned()
    };
    let line = "find /etc/mirrorctl-pay -path /etc/mirrorctl-pay/credentials -prune \
                -o ! -group mirrorctl-pay -exec chgrp -h mirrorctl-pay {} +";
    let script_of_pay = script(&named("pay"));
    assert!(
        script_of_pay.lines().any(|it| it == line),
        "{script_of_pay}"
    );
    assert!(!script(SECURED).contains("chgrp"));
}

#[test]
fn groups_of_other_engines_are_called_after_the_topology() {
    let name = |text: &str, name: &str| {
        text.replace(
            "kind: Topology\n",
            &format!("kind: Topology\nmetadata: {{name: {name}}}\n"),
        )
    };
    let property = |rendering: &Rendering, path: &str, key: &str| -> String {
        let text = file(rendering, path);
        let all = java_properties::read(text.as_bytes()).unwrap();
        all[key].clone()
    };
    let worker = |text: &str, settings: &[&str]| -> [String; 2] {
        let rendering = set(text, "connect", settings);
        ["group.id", "offset.storage.topic"]
            .map(|key| property(&rendering, "connect/a-to-b/worker.properties", key))
    };
    let [group, topic] = worker(MM2, &[]);
    assert_eq!(
        (group.as_str(), topic.as_str()),
        ("connect-a-to-b", "connect-a-to-b-offsets")
    );
    let [pay, topic] = worker(&name(MM2, "pay"), &[]);
    assert!(pay.starts_with("connect-pay-a-to-b-"), "{pay}");
    assert_eq!(topic, format!("{pay}-offsets"));
    assert!(!parse(MM2).mirrors[0].topics.selects(&topic), "{topic}");
    assert_ne!(worker(&name(MM2, "bill"), &[])[0], pay);
    // a worker that runs already keeps its names
    let kept = worker(&name(MM2, "pay"), &["connect.group=connect"]);
    assert_eq!(kept, worker(MM2, &[]));
    for wrong in ["mine", "connect x", "connect/x", ""] {
        let setting = format!("connect.group={wrong}");
        assert!(Settings::parse(&[setting]).is_err(), "{wrong:?}");
    }

    let legacy = MM2
        .replace("mirrormaker2", "mirrormaker")
        .replace("{type: default}", "{type: identity}");
    let group = |text: &str| -> String {
        let rendering = set(text, "mirrormaker", &[]);
        property(
            &rendering,
            "mirrormaker/a-to-b/consumer.properties",
            "group.id",
        )
    };
    assert_eq!(group(&legacy), "mirrorgroup");
    let pay = group(&name(&legacy, "pay"));
    assert!(pay.starts_with("mirrorgroup-pay-a-to-b-"), "{pay}");
    assert_ne!(group(&name(&legacy, "bill")), pay);

    // Strimzi's operators of that day have one name for all of them
    let strimzi = MM2.replace("mirrormaker2", "strimzi-mirrormaker2");
    let strimzi = strimzi.replace("/etc/ca.pem", "ca.pem");
    let group = |text: &str| -> String {
        let rendering = set(text, "strimzi", &["strimzi.api-version=v1beta1"]);
        let path = rendering.files.keys().find(|it| it.contains("/mirrors/"));
        let written = documents(file(&rendering, path.unwrap()));
        let clusters = written[0]["spec"]["clusters"].as_vec().unwrap();
        let groups = clusters
            .iter()
            .map(|it| it["config"].as_mapping_get("group.id")?.as_str());
        let groups: Vec<_> = groups.flatten().collect();
        assert_eq!(groups.len(), 1, "the target's alone");
        groups[0].to_owned()
    };
    assert_eq!(group(&strimzi), "mirrorctl-a-to-b");
    assert_ne!(group(&name(&strimzi, "pay")), group(&strimzi));
}
