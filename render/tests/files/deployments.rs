//! Ansible, systemd, Kubernetes and Strimzi, read back.

use std::collections::BTreeSet;

use mirrorctl_render::{Rendering, Settings};
use saphyr::{LoadableYamlNode as _, Yaml};

use crate::support::{SECURED, documents, example, examples, file, set, try_set};

/// The document of this kind.
#[track_caller]
fn kind<'a>(documents: &'a [Yaml<'a>], kind: &str) -> &'a Yaml<'a> {
    documents
        .iter()
        .find(|it| it["kind"].as_str() == Some(kind))
        .unwrap_or_else(|| panic!("no {kind}"))
}

fn texts<'a>(list: &'a Yaml<'a>) -> Vec<&'a str> {
    list.as_vec()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect()
}

#[test]
fn everything_that_ends_like_yaml_is_yaml() {
    for (name, text) in examples() {
        for target in ["ansible", "kubernetes", "strimzi"] {
            let rendering = set(&text, target, &[]);
            for path in rendering.files.keys() {
                if matches!(path.rsplit('.').next(), Some("yaml" | "yml")) {
                    assert!(
                        Yaml::load_from_str(file(&rendering, path)).is_ok(),
                        "{name}: {path}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_seed_s_clusters_are_three_brokers_on_claims_of_20_gibibytes() {
    let rendering = set(&example("seed-003-strimzi"), "strimzi", &[]);
    for cluster in ["europe-cluster", "us-cluster"] {
        let written = documents(file(&rendering, &format!("strimzi/{cluster}/kafka.yaml")));
        let kafka = kind(&written, "Kafka");
        assert_eq!(kafka["apiVersion"].as_str(), Some("kafka.strimzi.io/v1"));
        assert_eq!(kafka["metadata"]["name"].as_str(), Some(cluster));
        assert_eq!(kafka["metadata"]["namespace"].as_str(), Some("amq-streams"));
        let listeners = kafka["spec"]["kafka"]["listeners"].as_vec().unwrap();
        let names: Vec<_> = listeners
            .iter()
            .map(|it| (it["name"].as_str().unwrap(), it["tls"].as_bool().unwrap()))
            .collect();
        assert_eq!(names, [("plain", false), ("tls", true)]);
        assert!(kafka["spec"]["entityOperator"]["topicOperator"].is_mapping());
        let pool = kind(&written, "KafkaNodePool");
        let spec = &pool["spec"];
        assert_eq!(
            pool["metadata"]["labels"]["strimzi.io/cluster"].as_str(),
            Some(cluster)
        );
        assert_eq!(spec["replicas"].as_integer(), Some(3));
        assert_eq!(texts(&spec["roles"]), ["controller", "broker"]);
        let volume = &spec["storage"]["volumes"][0];
        assert_eq!(volume["type"].as_str(), Some("persistent-claim"));
        assert_eq!(volume["size"].as_str(), Some("20Gi"));
        assert_eq!(
            volume["class"].as_str(),
            Some("ocs-storagecluster-ceph-rbd")
        );
        assert_eq!(volume["deleteClaim"].as_bool(), Some(true));
        assert_eq!(volume["kraftMetadata"].as_str(), Some("shared"));
        assert_eq!(
            spec["template"]["pod"]["topologySpreadConstraints"]
                .as_vec()
                .map(Vec::len),
            Some(2)
        );
    }
}

#[test]
fn controllers_get_nodes_of_their_own_when_asked() {
    let rendering = set(
        &example("seed-003-strimzi"),
        "strimzi",
        &["strimzi.nodes=separate", "strimzi.rack-key=none"],
    );
    let written = documents(file(&rendering, "strimzi/us-cluster/kafka.yaml"));
    let roles: Vec<_> = written
        .iter()
        .filter(|it| it["kind"].as_str() == Some("KafkaNodePool"))
        .map(|it| texts(&it["spec"]["roles"]).join(","))
        .collect();
    assert_eq!(roles, ["controller", "broker"]);
    assert!(!file(&rendering, "strimzi/us-cluster/kafka.yaml").contains("rack:"));
}

#[test]
fn the_shape_of_the_seed_s_day_is_there_on_request() {
    let rendering = set(
        &example("seed-003-strimzi"),
        "strimzi",
        &["strimzi.api-version=v1beta1"],
    );
    let written = documents(file(&rendering, "strimzi/europe-cluster/kafka.yaml"));
    assert_eq!(written.len(), 1);
    let kafka = kind(&written, "Kafka");
    assert_eq!(
        kafka["apiVersion"].as_str(),
        Some("kafka.strimzi.io/v1beta1")
    );
    assert_eq!(kafka["spec"]["kafka"]["version"].as_str(), Some("2.4.0"));
    assert_eq!(kafka["spec"]["kafka"]["replicas"].as_integer(), Some(3));
    assert!(kafka["spec"]["kafka"]["listeners"]["plain"].is_mapping());
    assert!(kafka["spec"]["kafka"]["listeners"]["tls"].is_mapping());
    assert_eq!(
        kafka["spec"]["kafka"]["config"]["log.message.format.version"].as_str(),
        Some("2.4")
    );
    assert_eq!(
        kafka["spec"]["kafka"]["storage"]["size"].as_str(),
        Some("20Gi")
    );
    assert_eq!(
        kafka["spec"]["zookeeper"]["storage"]["size"].as_str(),
        Some("10Gi")
    );
}

#[test]
fn a_mirror_of_the_seed_s_day_has_as_many_replicas_as_brokers_insist_on() {
    let text = example("seed-003-strimzi").replace(
        "  topicsPattern:",
        "  engine: strimzi-mirrormaker2\n  topicsPattern:",
    );
    let replicas = |text: &str| -> BTreeSet<(String, String)> {
        let rendering = set(text, "strimzi", &["strimzi.api-version=v1beta1"]);
        let written = file(&rendering, "strimzi/mirrors/europe-to-us.yaml");
        let lines = written
            .lines()
            .filter_map(|line| line.trim().split_once(": "));
        lines
            .filter(|(key, _)| key.ends_with("replication.factor"))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    };
    // the clusters have `min.insync.replicas` of 2
    let all = replicas(&text);
    assert_eq!(all.len(), 7, "{all:?}");
    assert!(all.iter().all(|(_, value)| value == "3"), "{all:?}");
    // offset syncs lie on the source
    let small = text.replacen("count: 3", "count: 1", 1);
    let small = small.replacen(
        "offsets.topic.replication.factor: 3, transaction.state.log.replication.factor: 3, transaction.state.log.min.isr: 2",
        "",
        1,
    );
    let small = small.replace(
        "replicationFactor: 3, configs: {min.insync.replicas: 2}",
        "",
    );
    let one: Vec<_> = replicas(&small)
        .into_iter()
        .filter(|(_, value)| value == "1")
        .map(|(key, _)| key)
        .collect();
    assert_eq!(one, ["offset-syncs.topic.replication.factor"]);
}

#[test]
fn a_deployment_is_hardened_and_gets_secrets_by_reference() {
    let rendering = set(
        SECURED,
        "kubernetes",
        &["kubernetes.image=registry.example/m:1"],
    );
    let paths: Vec<_> = rendering
        .files
        .keys()
        .filter(|it| it.contains("/mirror-"))
        .collect();
    assert_eq!(paths.len(), 1, "promoted mirrors do not run: {paths:?}");
    let text = file(&rendering, paths[0]);
    let written = documents(text);
    let deployment = kind(&written, "Deployment");
    assert_eq!(deployment["spec"]["replicas"].as_integer(), Some(1));
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(pod["automountServiceAccountToken"].as_bool(), Some(false));
    assert_eq!(pod["securityContext"]["runAsNonRoot"].as_bool(), Some(true));
    assert_eq!(
        pod["securityContext"]["seccompProfile"]["type"].as_str(),
        Some("RuntimeDefault")
    );
    let container = &pod["containers"][0];
    assert_eq!(container["image"].as_str(), Some("registry.example/m:1"));
    let security = &container["securityContext"];
    assert_eq!(security["readOnlyRootFilesystem"].as_bool(), Some(true));
    assert_eq!(security["allowPrivilegeEscalation"].as_bool(), Some(false));
    assert_eq!(texts(&security["capabilities"]["drop"]), ["ALL"]);
    assert_eq!(
        container["livenessProbe"]["httpGet"]["path"].as_str(),
        Some("/healthz")
    );
    assert_eq!(
        container["readinessProbe"]["httpGet"]["path"].as_str(),
        Some("/readyz")
    );
    assert!(texts(&container["args"]).contains(&"Pay_to.b"));
    let password = container["env"]
        .as_vec()
        .unwrap()
        .iter()
        .find(|it| it["name"].as_str() == Some("B_PW"))
        .unwrap();
    assert_eq!(
        password["valueFrom"]["secretKeyRef"]["name"].as_str(),
        Some("mirrorctl-credentials")
    );
    let sources = pod["volumes"][0]["projected"]["sources"].as_vec().unwrap();
    let items: BTreeSet<_> = sources[1]["secret"]["items"]
        .as_vec()
        .unwrap()
        .iter()
        .map(|it| (it["key"].as_str().unwrap(), it["path"].as_str().unwrap()))
        .collect();
    assert_eq!(
        items,
        BTreeSet::from([
            ("certs-a.pem", "certs/a.pem"),
            ("certs-me.pem", "certs/me.pem")
        ])
    );
    let mounts = container["volumeMounts"].as_vec().unwrap();
    assert_eq!(mounts[1]["mountPath"].as_str(), Some("/etc/keys/me.pem"));
    let budget = kind(&written, "PodDisruptionBudget");
    assert_eq!(budget["spec"]["maxUnavailable"].as_integer(), Some(1));
    // nothing that would start a second copy of a mirror
    assert!(!text.contains("Autoscaler") && !text.contains("ScaledObject"));
    let policy = documents(file(&rendering, "kubernetes/network-policy.yaml"));
    let ports: Vec<_> = policy[0]["spec"]["egress"][1]["ports"]
        .as_vec()
        .unwrap()
        .iter()
        .map(|it| it["port"].as_integer().unwrap())
        .collect();
    assert_eq!(ports, [9092, 9093, 9094]);
}

const WIDE: &str = "apiVersion: mirrorctl.io/v1\nkind: Topology\nmetadata: {name: shop}\nclusters:\n\
                    - {alias: a, bootstrapServers: 'a.example:9092'}\n\
                    - {alias: b, bootstrapServers: 'b.example:9092'}\nmirrors:\n\
                    - {name: orders, source: a, target: b, topicsPattern: orders, tasks: 4}\n\
                    - {name: bills, source: a, target: b, topicsPattern: bills}\n";

/// The text of the only file whose name begins so.
#[track_caller]
fn begins<'a>(rendering: &'a Rendering, with: &str) -> &'a str {
    let mut found = rendering.files.keys().filter(|it| it.starts_with(with));
    let path = found.next().unwrap_or_else(|| panic!("no {with}"));
    assert_eq!(found.next(), None);
    file(rendering, path)
}

#[test]
fn pods_are_added_to_mirrors_with_tasks_alone() {
    let rendering = set(WIDE, "kubernetes", &["kubernetes.lag=5000"]);
    let autoscaler = documents(begins(&rendering, "kubernetes/autoscaler-"));
    let autoscaler = kind(&autoscaler, "HorizontalPodAutoscaler");
    let orders = documents(begins(&rendering, "kubernetes/mirror-shop-orders"));
    let orders = kind(&orders, "Deployment");
    assert_eq!(
        autoscaler["spec"]["scaleTargetRef"]["name"].as_str(),
        orders["metadata"]["name"].as_str()
    );
    assert_eq!(autoscaler["spec"]["maxReplicas"].as_integer(), Some(4));
    let metric = &autoscaler["spec"]["metrics"][0]["pods"];
    assert_eq!(metric["target"]["averageValue"].as_str(), Some("5000"));
    // an apply does not take back what the autoscaler did
    assert!(!orders["spec"].contains_mapping_key("replicas"));
    let bills = documents(begins(&rendering, "kubernetes/mirror-shop-bills"));
    let bills = kind(&bills, "Deployment");
    assert_eq!(bills["spec"]["replicas"].as_integer(), Some(1));
    assert_eq!(rendering.remarks.len(), 1, "{:?}", rendering.remarks);

    let alone = set(WIDE, "kubernetes", &["kubernetes.autoscaler=none"]);
    assert!(!alone.files.keys().any(|it| it.contains("autoscaler")));
    let orders = documents(begins(&alone, "kubernetes/mirror-shop-orders"));
    let replicas = &kind(&orders, "Deployment")["spec"]["replicas"];
    assert_eq!(replicas.as_integer(), Some(4));
}

#[test]
fn pods_begin_anew_where_their_own_mirror_changes_alone() {
    let digest = |text: &str, mirror: &str| {
        let rendering = set(text, "kubernetes", &[]);
        let written = documents(begins(
            &rendering,
            &format!("kubernetes/mirror-shop-{mirror}"),
        ));
        let annotations =
            &kind(&written, "Deployment")["spec"]["template"]["metadata"]["annotations"];
        annotations["mirrorctl.io/mirror"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let before = ["orders", "bills"].map(|it| digest(WIDE, it));
    assert_ne!(before[0], before[1]);
    for (from, to, anew) in [
        ("mirrors:", "# a remark\nmirrors:", [false, false]),
        ("topicsPattern: bills", "topicsPattern: bill", [false, true]),
        ("tasks: 4", "tasks: 5", [true, false]),
        ("b.example:9092", "c.example:9092", [true, true]),
    ] {
        let changed = WIDE.replace(from, to);
        let after = ["orders", "bills"].map(|it| digest(&changed, it));
        assert_eq!([0, 1].map(|it| before[it] != after[it]), anew, "{to}");
    }
}

/// A mount into the read-only folder of the topology would keep the pod from starting.
#[test]
fn files_beside_the_topology_come_with_it_however_they_are_named() {
    let text = SECURED.replace("certs/a.pem", "/etc/mirrorctl/certs/a.pem");
    let rendering = set(&text, "kubernetes", &[]);
    let mut of_mirrors = rendering.files.keys().filter(|it| it.contains("/mirror-"));
    let written = documents(file(&rendering, of_mirrors.next().unwrap()));
    let pod = &kind(&written, "Deployment")["spec"]["template"]["spec"];
    let mounts = pod["containers"][0]["volumeMounts"].as_vec().unwrap();
    let mounts: Vec<_> = mounts
        .iter()
        .map(|it| it["mountPath"].as_str().unwrap())
        .collect();
    assert_eq!(mounts, ["/etc/mirrorctl", "/etc/keys/me.pem"]);
    let items = pod["volumes"][0]["projected"]["sources"][1]["secret"]["items"].as_vec();
    let mut items: Vec<_> = items
        .unwrap()
        .iter()
        .map(|it| it["path"].as_str().unwrap())
        .collect();
    items.sort_unstable();
    assert_eq!(items, ["certs/a.pem", "certs/me.pem"]);
}

#[test]
fn keda_asks_for_the_metric_of_these_pods() {
    let settings = [
        "kubernetes.autoscaler=keda",
        "kubernetes.prometheus=https://prometheus.example:9090",
    ];
    let rendering = set(WIDE, "kubernetes", &settings);
    let written = documents(begins(&rendering, "kubernetes/autoscaler-"));
    let asked = &kind(&written, "ScaledObject")["spec"]["triggers"][0]["metadata"];
    assert_eq!(
        asked["serverAddress"].as_str(),
        Some("https://prometheus.example:9090")
    );
    assert_eq!(
        asked["query"].as_str(),
        Some(concat!(
            r#"sum(mirrorctl_mirror_lag_records{mirror="orders", namespace="mirrorctl", "#,
            r#"pod=~"mirrorctl-shop-orders-644f7b8c-[^-]+-[^-]+"})"#
        ))
    );
    let metrics = include_str!("../../../METRICS.md");
    assert!(metrics.contains("`mirrorctl_mirror_lag_records` | gauge | mirror,"));
    assert!(rendering.remarks.is_empty(), "{:?}", rendering.remarks);
}

/// Whatever engine copies it.
#[test]
fn tasks_are_what_other_engines_call_so() {
    for (engine, target, tasks) in [
        ("mirrormaker2", "mirrormaker2", "tasks.max = 4"),
        ("mirrormaker2", "connect", "\"tasks.max\": \"4\""),
        ("mirrormaker", "mirrormaker", "--num.streams 4 "),
    ] {
        let engine = format!("tasks: 4, engine: {engine}, replicationPolicy: {{type: identity}}");
        let four = set(&WIDE.replace("tasks: 4", &engine), target, &[]);
        let six = engine.replace('4', "6");
        let six = set(&WIDE.replace("tasks: 4", &six), target, &[]);
        let says = |rendering: &Rendering, words: &str| {
            let mut texts = rendering.files.keys().map(|it| file(rendering, it));
            texts.any(|it| it.contains(words))
        };
        assert!(
            says(&four, tasks) && !says(&four, &tasks.replace('4', "6")),
            "{target}"
        );
        assert!(says(&six, &tasks.replace('4', "6")), "{target}");
    }
}

#[test]
fn the_topology_is_taken_along_as_it_was_written() {
    for (name, text) in examples() {
        let rendering = set(&text, "kubernetes", &[]);
        if rendering.files.is_empty() {
            continue;
        }
        let written = documents(file(&rendering, "kubernetes/topology.yaml"));
        assert_eq!(
            written[0]["data"]["topology.yaml"].as_str(),
            Some(text.as_str()),
            "{name}"
        );
    }
}

#[test]
fn every_resource_of_the_kustomization_is_there() {
    let rendering = set(SECURED, "kubernetes", &["kubernetes.monitor=annotations"]);
    let written = documents(file(&rendering, "kubernetes/kustomization.yaml"));
    let mut listed: Vec<String> = texts(&written[0]["resources"])
        .into_iter()
        .map(|it| format!("kubernetes/{it}"))
        .collect();
    listed.push("kubernetes/kustomization.yaml".to_owned());
    listed.sort();
    let there: Vec<_> = rendering.files.keys().cloned().collect();
    assert_eq!(listed, there);
}

#[test]
fn secrets_on_kubernetes_are_made_and_changed_by_the_same_command() {
    let rendering = set(SECURED, "kubernetes", &[]);
    let text = file(&rendering, "kubernetes/kustomization.yaml");
    let makes: Vec<&str> = text
        .lines()
        .filter(|it| it.contains(" create secret "))
        .collect();
    assert_eq!(makes.len(), 2, "{text}");
    for command in makes {
        assert!(
            command.ends_with(
                " --dry-run=client --output yaml | kubectl --namespace mirrorctl apply --server-side --filename -"
            ),
            "{command}"
        );
    }
    let names: Vec<String> = rendering
        .files
        .keys()
        .filter_map(|it| it.strip_prefix("kubernetes/mirror-")?.strip_suffix(".yaml"))
        .map(|it| format!(" deployment/mirrorctl-{it}"))
        .collect();
    let restart = format!(
        "#   kubectl --namespace mirrorctl rollout restart{}",
        names.concat()
    );
    assert!(text.lines().any(|it| it == restart), "{restart}: {text}");
    // nothing is to be restarted where there are no secrets
    let open = set(&example("seed-000-hybrid-cloud"), "kubernetes", &[]);
    assert!(!file(&open, "kubernetes/kustomization.yaml").contains("rollout"));
}

#[test]
fn units_load_secrets_as_credentials() {
    let rendering = set(SECURED, "systemd", &["systemd.memory-max=2G"]);
    let settings = file(
        &rendering,
        "systemd/units/mirrorctl@Pay_to.b.service.d/10-mirror.conf",
    );
    assert!(settings.contains("\nLoadCredential=B_PW:/etc/mirrorctl/credentials/B_PW\n"));
    assert!(settings.contains("\nMemoryMax=2G\n"), "{settings}");
    let script = file(&rendering, "systemd/install.sh");
    for needed in [
        "need /etc/mirrorctl/credentials/B_PW",
        "need /etc/mirrorctl/certs/a.pem",
        "need /etc/keys/me.pem",
    ] {
        assert_eq!(script.matches(needed).count(), 1, "{needed}: {script}");
    }
}

#[test]
fn the_script_asks_for_each_thing_once_and_stops_mirrors_that_are_gone() {
    let text = SECURED.replace(", state: promoted", "");
    let rendering = set(&text, "systemd", &[]);
    let script = file(&rendering, "systemd/install.sh");
    for line in [
        "need /etc/mirrorctl/credentials/B_PW",
        "#   install -D -m 0400 FILE-WITH-THE-SECRET /etc/mirrorctl/credentials/B_PW",
        "#   systemctl restart 'mirrorctl@*'",
        "    mirrorctl@Pay_to.b.service) continue ;;",
        "    mirrorctl@other.service) continue ;;",
        "  systemctl disable --now \"$gone\"",
    ] {
        let found = script.lines().filter(|it| *it == line).count();
        assert_eq!(found, 1, "{line}: {script}");
    }
}

#[test]
fn every_machine_is_a_node_with_an_id_of_its_own() {
    let rendering = set(&example("seed-000-hybrid-cloud"), "ansible", &[]);
    let inventory = documents(file(&rendering, "ansible/inventory.yml"));
    let hosts = &inventory[0]["all"]["children"]["kafka"]["children"]["kafka_onprem"]["hosts"];
    for (at, host) in ["kafka1", "kafka2", "kafka3"].into_iter().enumerate() {
        let host = format!("{host}.dc1.example");
        let node = &hosts[host.as_str()];
        assert_eq!(node["kafka_node_id"].as_integer(), Some(at as i64 + 1));
        assert_eq!(
            texts(&node["kafka_process_roles"]),
            ["broker", "controller"]
        );
    }
    let cluster = documents(file(
        &rendering,
        "ansible/group_vars/kafka_onprem/cluster.yml",
    ));
    let id = cluster[0]["kafka_cluster_id"].as_str().unwrap();
    assert_eq!(id.len(), 22);
    let remark = format!("`clusterId: {id}`");
    assert!(rendering.remarks.iter().any(|it| it.contains(&remark)));
    // where machines come to it, it is the same cluster
    let grown = example("seed-000-hybrid-cloud").replace(
        "kafka3.dc1.example]",
        "kafka3.dc1.example, kafka4.dc1.example, kafka5.dc1.example]",
    );
    let grown = grown.replacen("count: 3", "count: 5", 1);
    let grown = set(&grown, "ansible", &[]);
    let inventory = file(&grown, "ansible/inventory.yml");
    assert!(inventory.contains("kafka5.dc1.example"), "{inventory}");
    let grown = documents(file(&grown, "ansible/group_vars/kafka_onprem/cluster.yml"));
    assert_eq!(grown[0]["kafka_cluster_id"].as_str(), Some(id));
    assert!(
        rendering
            .files
            .contains_key("ansible/roles/kafka/tasks/main.yml")
    );
    assert!(
        rendering
            .files
            .contains_key("ansible/roles/mirrorctl/tasks/main.yml")
    );
    assert!(!rendering.files.keys().any(|it| it.contains("molecule")));
}

/// The seed's brokers, with what their clients connect by.
fn secured_brokers(security: &str) -> String {
    let text = example("seed-000-hybrid-cloud").replace(
        "  network: {cidr: 10.10.0.0/16",
        &format!("  {security}\n  network: {{cidr: 10.10.0.0/16"),
    );
    assert!(text.contains(security));
    text
}

#[test]
fn brokers_get_certificates_and_a_first_user() {
    let rendering = set(
        &secured_brokers(
            "tls: {caFile: certs/ca.pem, certFile: me.pem, keyFile: me.key}\n  \
             sasl: {mechanism: scram-sha-512, username: mirror, password: {env: ONPREM_PW}}",
        ),
        "ansible",
        &[],
    );
    let cluster = documents(file(
        &rendering,
        "ansible/group_vars/kafka_onprem/cluster.yml",
    ));
    for (key, value) in [
        (
            "kafka_tls_certificate",
            "{{ playbook_dir }}/files/{{ inventory_hostname }}.pem",
        ),
        (
            "kafka_tls_key",
            "{{ playbook_dir }}/files/{{ inventory_hostname }}.key",
        ),
        ("kafka_tls_ca", "{{ playbook_dir }}/files/certs/ca.pem"),
        ("kafka_tls_client_auth", "required"),
        ("kafka_controller_protocol", "SSL"),
        ("kafka_sasl_mechanism", "SCRAM-SHA-512"),
        ("kafka_sasl_username", "mirror"),
        (
            "kafka_sasl_password",
            "{{ vault_ONPREM_PW | default(lookup('ansible.builtin.env', 'ONPREM_PW', \
             default=undef(hint='set vault_ONPREM_PW or ONPREM_PW'))) }}",
        ),
    ] {
        assert_eq!(cluster[0][key].as_str(), Some(value), "{key}");
    }
    // and a cluster without any says nothing of it
    let plain = set(&example("seed-000-hybrid-cloud"), "ansible", &[]);
    let plain = file(&plain, "ansible/group_vars/kafka_onprem/cluster.yml");
    assert!(
        !plain.contains("kafka_tls") && !plain.contains("kafka_sasl"),
        "{plain}"
    );
}

#[test]
fn logins_that_the_role_does_not_set_up_are_refused() {
    let text = secured_brokers(
        "tls: {}\n  sasl: {mechanism: oauthbearer, oauth: {tokenEndpoint: 'https://idp/token', clientId: c, \
         clientSecret: {env: S}}}",
    );
    let error = try_set(&text, "ansible", &[]).unwrap_err().to_string();
    assert!(error.contains("sasl.mechanism"), "{error}");
}

#[test]
fn what_ansible_would_evaluate_is_refused() {
    let text = example("seed-000-hybrid-cloud");
    let nasty = text.replace(
        "hosts: [kafka1.dc1.example, kafka2.dc1.example, kafka3.dc1.example]",
        "hosts: [kafka1.dc1.example, kafka2.dc1.example, \"{{ lookup('pipe', 'id') }}\"]",
    );
    assert_ne!(text, nasty);
    let error = try_set(&nasty, "ansible", &[]).unwrap_err().to_string();
    assert!(error.contains("evaluate"), "{error}");
    assert!(Settings::parse(&["ansible.replicators={{ x }}"]).is_err());
}

#[test]
fn brokers_without_machines_are_refused() {
    let text = example("seed-000-hybrid-cloud").replace(
        "hosts: [kafka1.dc1.example, kafka2.dc1.example, kafka3.dc1.example]",
        "hosts: []",
    );
    let error = try_set(&text, "ansible", &[]).unwrap_err().to_string();
    assert!(error.contains("brokers.hosts"), "{error}");
}

#[test]
fn strimzi_s_mirror_reaches_both_sides() {
    let text = SECURED
        .replace("keyFile: /etc/keys/me.pem", "keyFile: certs/key.pem")
        .replace(
            "{name: Pay_to.b, ",
            "{name: Pay_to.b, engine: strimzi-mirrormaker2, replicationPolicy: {type: default}, ",
        );
    let of_mirror = |rendering: &Rendering| {
        let path = rendering
            .files
            .keys()
            .find(|it| it.starts_with("strimzi/mirrors/pay-to-b-"));
        file(rendering, path.unwrap()).to_owned()
    };
    let text_of_mirror = of_mirror(&set(&text, "strimzi", &[]));
    let written = documents(&text_of_mirror);
    let spec = &kind(&written, "KafkaMirrorMaker2")["spec"];
    assert_eq!(spec["target"]["alias"].as_str(), Some("b"));
    assert_eq!(
        spec["target"]["authentication"]["username"].as_str(),
        Some("o'brien: \"x\"")
    );
    assert_eq!(
        spec["target"]["authentication"]["passwordSecret"]["password"].as_str(),
        Some("B_PW")
    );
    let source = &spec["mirrors"][0]["source"];
    assert_eq!(source["bootstrapServers"].as_str(), Some("a1:9093,a2:9094"));
    assert_eq!(
        source["tls"]["trustedCertificates"][0]["certificate"].as_str(),
        Some("certs-a.pem")
    );
    assert_eq!(
        source["authentication"]["certificateAndKey"]["key"].as_str(),
        Some("certs-key.pem")
    );
    let old = try_set(&text, "strimzi", &["strimzi.api-version=v1beta1"]).unwrap();
    let old = of_mirror(&old);
    let old = documents(&old);
    assert_eq!(
        old[0]["apiVersion"].as_str(),
        Some("kafka.strimzi.io/v1alpha1")
    );
    assert_eq!(old[0]["spec"]["connectCluster"].as_str(), Some("b"));
}

#[test]
fn every_secret_of_strimzi_s_resources_comes_with_the_command_that_makes_it() {
    let mirror =
        "{name: Pay_to.b, engine: strimzi-mirrormaker2, replicationPolicy: {type: default}, ";
    let text = SECURED
        .replace("{name: Pay_to.b, ", mirror)
        .replace("keyFile: /etc/keys/me.pem", "keyFile: \"it's a key.pem\"");
    let rendering = set(&text, "strimzi", &[]);
    let guide = file(&rendering, "strimzi/README.md");
    for command in [
        "kubectl create secret generic mirrorctl-passwords \\\n  --from-file=B_PW=FILE \\\n",
        "kubectl create secret generic mirrorctl-certificates \\\n  --from-file=certs-a.pem=certs/a.pem \\\n",
        "  --from-file=it-s-a-key.pem='it'\\''s a key.pem' \\\n",
        "kubectl apply --server-side --filename -\n",
    ] {
        assert!(guide.contains(command), "{command} is not in {guide}");
    }
    let header = "# It waits for mirrorctl-certificates, mirrorctl-passwords: ../README.md";
    let of_mirror = rendering.files.keys().find(|it| it.contains("/mirrors/"));
    assert!(file(&rendering, of_mirror.unwrap()).contains(header));
    // each topology with a name has Secrets of its own
    let named = text.replace(
        "kind: Topology\n",
        "kind: Topology\nmetadata: {name: pay}\n",
    );
    let guide = set(&named, "strimzi", &[]);
    let guide = file(&guide, "strimzi/README.md");
    assert!(
        guide.contains(" mirrorctl-pay-passwords ") && !guide.contains(" mirrorctl-passwords ")
    );
    // where nothing is needed, nothing is said
    let seed = set(&example("seed-003-strimzi"), "strimzi", &[]);
    assert!(!seed.files.contains_key("strimzi/README.md"));
}

#[test]
fn an_operator_s_secret_of_another_namespace_is_copied() {
    let text = "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
         - {alias: a, platform: strimzi, bootstrapServers: 'a-kafka-bootstrap.one.svc:9093', tls: {}, kubernetes: {namespace: one, listeners: [tls]}, brokers: {count: 3}, storage: {size: 20GiB}}\n\
         - {alias: b, platform: strimzi, bootstrapServers: 'b-kafka-bootstrap.two.svc:9093', tls: {}, kubernetes: {namespace: two, listeners: [tls]}, brokers: {count: 3}, storage: {size: 20GiB}}\n\
         mirrors:\n- {name: m, source: a, target: b, engine: strimzi-mirrormaker2, replicationPolicy: {type: default}}\n";
    let rendering = set(text, "strimzi", &[]);
    let guide = file(&rendering, "strimzi/README.md");
    for said in [
        "kubectl --namespace one get secret a-cluster-ca-cert --output 'jsonpath={.data.ca\\.crt}'",
        "kubectl --namespace two create secret generic a-cluster-ca-cert --from-file=ca.crt",
    ] {
        assert!(guide.contains(said), "{said} is not in {guide}");
    }
    assert!(!guide.contains("b-cluster-ca-cert"), "{guide}");
}

#[test]
fn files_that_a_unit_does_not_see_are_loaded_for_it() {
    let text = SECURED
        .replace(
            "keyFile: /etc/keys/me.pem",
            "keyFile: /home/mirror/me_2.key",
        )
        .replace("caFile: certs/a.pem", "caFile: /tmp/a.pem");
    let rendering = set(&text, "systemd", &[]);
    let settings = file(
        &rendering,
        "systemd/units/mirrorctl@Pay_to.b.service.d/10-mirror.conf",
    );
    for line in [
        "LoadCredential=file_-home_-mirror_-me__2.key:/home/mirror/me_2.key",
        "LoadCredential=file_-tmp_-a.pem:/tmp/a.pem",
    ] {
        assert!(settings.lines().any(|it| it == line), "{line}: {settings}");
    }
    let script = file(&rendering, "systemd/install.sh");
    assert!(
        script.contains("need /tmp/a.pem\n")
            && !script.contains("/tmp/a.pem has to be there, readable")
    );
    // and those that it does are not, so that it notices when they are renewed
    let plain = set(SECURED, "systemd", &[]);
    let plain = file(
        &plain,
        "systemd/units/mirrorctl@Pay_to.b.service.d/10-mirror.conf",
    );
    assert!(!plain.contains("me.pem"), "{plain}");
    let plays = set(&text, "ansible", &["ansible.replicators=m1"]);
    let variables = documents(file(&plays, "ansible/group_vars/mirrorctl/mirrors.yml"));
    assert_eq!(
        texts(&variables[0]["mirrorctl_hidden_files"]),
        ["/home/mirror/me_2.key", "/tmp/a.pem"]
    );
}

#[test]
fn controllers_listen_beside_brokers_and_topics_have_replicas() {
    let text = example("seed-000-hybrid-cloud").replace("dc1.example:9092", "dc1.example:9093");
    let rendering = set(&text, "ansible", &[]);
    let cluster = documents(file(
        &rendering,
        "ansible/group_vars/kafka_onprem/cluster.yml",
    ));
    let controllers = cluster[0]["kafka_controllers"].as_vec().unwrap();
    assert!(
        controllers
            .iter()
            .all(|it| it["port"].as_integer() == Some(9094))
    );
    let config = |text: &str| -> String {
        let rendering = set(text, "ansible", &[]);
        let cluster = documents(file(
            &rendering,
            "ansible/group_vars/kafka_onprem/cluster.yml",
        ));
        let value = &cluster[0]["kafka_config"];
        [
            "default.replication.factor",
            "min.insync.replicas",
            "offsets.topic.replication.factor",
            "transaction.state.log.min.isr",
        ]
        .map(|key| value[key].as_str().unwrap_or("-").to_owned())
        .join(" ")
    };
    assert_eq!(config(&text), "3 2 3 2");
    let written = text.replacen(
        "    count: 3\n",
        "    count: 3\n    config: {default.replication.factor: 2}\n",
        1,
    );
    assert_eq!(config(&written), "2 2 3 2");
    let one = text
        .replacen("    count: 3\n", "    count: 1\n", 1)
        .replace(
            "hosts: [kafka1.dc1.example, kafka2.dc1.example, kafka3.dc1.example]",
            "hosts: [kafka1.dc1.example]",
        );
    let one = one.replace("clusters: [onprem, aws]", "clusters: [aws]");
    assert_eq!(config(&one), "1 1 1 1");
}

#[test]
fn the_image_holds_the_binary_and_runs_as_nobody() {
    let rendering = set(
        SECURED,
        "container",
        &["container.base=registry.example/base:1"],
    );
    let text = file(&rendering, "container/Containerfile");
    for line in [
        "ARG BASE=\"registry.example/base:1\"",
        "COPY mirrorctl /usr/local/bin/mirrorctl",
        "USER 65532:65532",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}: {text}");
    }
}

#[test]
fn loopback_addresses_are_no_error_and_said_where_they_lead_nowhere() {
    let text = "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
                - {alias: a, bootstrapServers: 'localhost:9092'}\n\
                - {alias: b, bootstrapServers: 'b.example:9092'}\n\
                mirrors:\n- {name: one, source: a, target: b, topicsPattern: x}\n\
                - {name: two, source: a, target: b, topicsPattern: y}\n";
    let remarks = |target: &str, settings: &[&str]| -> Vec<String> {
        let remarks = set(text, target, settings).remarks.into_iter();
        remarks.filter(|it| it.starts_with(target)).collect()
    };
    let of_pods = remarks("kubernetes", &[]);
    assert_eq!(of_pods.len(), 1, "{of_pods:?}");
    assert!(of_pods[0].contains("`a`") && of_pods[0].contains("localhost:9092"));
    // on the machine itself it is one
    assert!(remarks("systemd", &[]).is_empty());
    // no machines, no plays
    assert!(remarks("ansible", &[]).is_empty());
    let of_machines = remarks("ansible", &["ansible.replicators=m1"]);
    assert_eq!(of_machines.len(), 1, "{of_machines:?}");
}

#[test]
fn rules_that_brokers_on_machines_would_not_take_are_warned_of() {
    let rule = "acls:\n- {principal: 'User:a', clusters: [onprem], resource: {type: topic, name: t}, operations: [read]}\n";
    let plain = format!("{}\n{rule}", example("seed-000-hybrid-cloud"));
    let remarks = |text: &str| -> Vec<String> {
        let remarks = set(text, "ansible", &[]).remarks.into_iter();
        remarks.filter(|it| it.contains("authorizer")).collect()
    };
    let said = remarks(&plain);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("ansible: cluster `onprem`"), "{said:?}");
    let ruled = plain.replacen(
        "    count: 3\n",
        "    count: 3\n    config: {authorizer.class.name: org.apache.kafka.metadata.authorizer.StandardAuthorizer}\n",
        1,
    );
    assert!(remarks(&ruled).is_empty());
    assert!(remarks(&example("seed-000-hybrid-cloud")).is_empty());
}

#[test]
fn mirrors_of_clusters_in_memory_are_warned_of() {
    for target in ["systemd", "kubernetes", "monitoring"] {
        let mut remarks = set(&example("demo"), target, &[]).remarks;
        remarks.retain(|it| it.starts_with(target));
        assert_eq!(remarks.len(), 1, "{target}: {remarks:?}");
        assert!(
            remarks[0].starts_with(&format!("{target}: mirror `"))
                && remarks[0].contains("`source` is embedded"),
            "{remarks:?}"
        );
    }
}

#[test]
fn pods_may_ask_for_a_role_of_aws_and_nothing_else() {
    let text = SECURED.replace(
        r#"sasl: {mechanism: scram-sha-512, username: "o'brien: \"x\"", password: {env: B_PW}}"#,
        "tls: {}\n  sasl: {mechanism: aws-msk-iam, aws: {region: eu-west-1}}",
    );
    assert_ne!(text, SECURED);
    let rendering = set(&text, "kubernetes", &[]);
    let policy = file(&rendering, "kubernetes/network-policy.yaml");
    assert!(policy.contains("169.254.170.23/32"), "{policy}");
    assert!(
        !file(
            &set(SECURED, "kubernetes", &[]),
            "kubernetes/network-policy.yaml"
        )
        .contains("169.254")
    );
}

#[test]
fn clusters_whose_addresses_are_not_known_yet_open_nothing() {
    let rendering = set(&example("aws-msk"), "kubernetes", &[]);
    let policy = documents(file(&rendering, "kubernetes/network-policy.yaml"));
    let egress = policy[0]["spec"]["egress"].as_vec().unwrap();
    for rule in egress {
        assert!(rule["ports"].as_vec().is_some(), "{rule:?}");
    }
    let main = set(&example("aws-msk"), "terraform-aws", &[]);
    let main = file(&main, "terraform-aws/main.tf");
    // where MSK asks for IAM
    assert!(main.contains("[9098]") && !main.contains("9092"), "{main}");
}
