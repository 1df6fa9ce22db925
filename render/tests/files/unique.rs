//! Kubernetes knows an object by its kind, namespace and name: two of one output that agree in all three would be one, which the last
//! to be applied makes of both.

use std::collections::BTreeMap;
use std::path::Path;

use mirrorctl_render::{RenderError, Rendering};
use topology::Part;

use crate::support::{documents, examples, file, set, try_set};

/// Two clusters of one namespace, with topics and access rules of the same names, and mirrors run by either operator.
const SHARED: &str = r#"
apiVersion: mirrorctl.io/v1
kind: Topology
clusters:
- alias: eu
  platform: strimzi
  bootstrapServers: ["eu-kafka-bootstrap.kafka.svc:9092"]
  brokers: {count: 3}
  storage: {type: persistent-claim, size: 20Gi}
  kubernetes: {namespace: kafka, listeners: [plain], entityOperator: true}
- alias: us
  platform: strimzi
  bootstrapServers: ["us-kafka-bootstrap.kafka.svc:9092"]
  brokers: {count: 3}
  storage: {type: persistent-claim, size: 20Gi}
  kubernetes: {namespace: kafka, listeners: [plain], entityOperator: true}
topics:
- {name: orders, clusters: [eu, us], partitions: 3}
- {name: Orders.Paid, clusters: [us, eu], partitions: 3}
- {name: alone, clusters: [us], partitions: 3}
users:
- {name: writer, clusters: [eu], password: {env: WRITER_PW}}
- {name: reader, clusters: [us], password: {env: READER_PW}}
mirrors:
- {name: ours, source: eu, target: us, topicsPattern: orders}
- name: theirs
  source: eu
  target: us
  engine: strimzi-mirrormaker2
  topicsPattern: "Orders.*"
  replicationPolicy: {type: default}
"#;

const OBJECTS: [&str; 2] = ["kubernetes", "strimzi"];

/// Where each object is, by version and kind, namespace and name.
fn objects(rendering: &Rendering) -> BTreeMap<[String; 3], Vec<&str>> {
    let mut objects: BTreeMap<[String; 3], Vec<&str>> = BTreeMap::new();
    let is_yaml = |path: &&String| Path::new(path).extension().is_some_and(|it| it == "yaml");
    for path in rendering.files.keys().filter(is_yaml) {
        for object in documents(file(rendering, path)) {
            // what kustomize reads is no object
            if path.rsplit('/').next() == Some("kustomization.yaml") {
                continue;
            }
            let text = |key: &str| object[key].as_str().unwrap().to_owned();
            let metadata = &object["metadata"];
            let namespace = metadata.as_mapping_get("namespace");
            let key = [
                format!("{}/{}", text("apiVersion"), text("kind")),
                namespace.map_or("", |it| it.as_str().unwrap()).to_owned(),
                metadata["name"].as_str().unwrap().to_owned(),
            ];
            objects.entry(key).or_default().push(path);
        }
    }
    objects
}

#[test]
fn every_object_of_an_output_is_there_once() {
    let topologies = examples()
        .into_iter()
        .chain([("shared".to_owned(), SHARED.to_owned())]);
    let mut seen = 0;
    for (name, text) in topologies {
        for version in ["v1", "v1beta1"] {
            for nodes in ["combined", "separate"] {
                let settings = [
                    format!("strimzi.api-version={version}"),
                    format!("strimzi.nodes={nodes}"),
                ];
                let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
                let mut all: BTreeMap<[String; 3], Vec<String>> = BTreeMap::new();
                for target in OBJECTS {
                    // what Strimzi's early days cannot do is refused
                    let Ok(rendering) = try_set(&text, target, &settings) else {
                        continue;
                    };
                    for (key, paths) in objects(&rendering) {
                        let paths = paths.into_iter().map(str::to_owned);
                        all.entry(key).or_default().extend(paths);
                    }
                }
                for (key, paths) in &all {
                    assert_eq!(paths.len(), 1, "{name}, {version}: {key:?} is in {paths:?}");
                }
                seen += all.len();
            }
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn a_topic_of_two_clusters_in_one_namespace_has_two_objects_of_one_topic() {
    for version in ["v1", "v1beta1"] {
        let rendering = set(
            SHARED,
            "strimzi",
            &[&format!("strimzi.api-version={version}")],
        );
        let topics = |cluster: &str| -> Vec<(String, String)> {
            let path = format!("strimzi/{cluster}/topics.yaml");
            let objects = documents(file(&rendering, &path));
            let objects = objects.iter().map(|object| {
                let label = &object["metadata"]["labels"]["strimzi.io/cluster"];
                assert_eq!(label.as_str(), Some(cluster));
                let name = object["metadata"]["name"].as_str().unwrap().to_owned();
                let topic = object["spec"]["topicName"].as_str().unwrap().to_owned();
                (name, topic)
            });
            objects.collect()
        };
        let (first, second) = (topics("eu"), topics("us"));
        assert_eq!(first[0], ("orders".to_owned(), "orders".to_owned()));
        assert_eq!(second[0].1, "orders");
        assert!(second[0].0.starts_with("orders-us-"), "{second:?}");
        assert_eq!(first[1].1, "Orders.Paid");
        assert_eq!(second[1].1, "Orders.Paid");
        // one that nobody else has keeps its name
        assert_eq!(second[2], ("alone".to_owned(), "alone".to_owned()));
    }
    let apart = SHARED.replacen("namespace: kafka", "namespace: other", 1);
    let rendering = set(&apart, "strimzi", &[]);
    let objects = documents(file(&rendering, "strimzi/us/topics.yaml"));
    assert_eq!(objects[0]["metadata"]["name"].as_str(), Some("orders"));
}

/// What Strimzi says of a topology, and of which part.
#[track_caller]
fn refusal(text: &str) -> (Part, String) {
    match try_set(text, "strimzi", &[]) {
        Err(RenderError::Targets(complaints)) => {
            (complaints[0].source.part(), complaints[0].to_string())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_user_of_two_clusters_in_one_namespace_is_refused() {
    let both = SHARED.replace(
        "name: reader, clusters: [us]",
        "name: reader, clusters: [eu, us]",
    );
    let rules = "acls:\n- {principal: 'User:writer', clusters: [us], \
        resource: {type: topic, name: orders}, operations: [read]}\nmirrors:\n";
    let by_a_rule = SHARED.replace("mirrors:\n", rules);
    for (text, user) in [(&both, "`reader`"), (&by_a_rule, "`writer`")] {
        let (part, said) = refusal(text);
        let expected = Part::Cluster {
            alias: "us".to_owned(),
            key: "kubernetes.namespace".to_owned(),
        };
        assert_eq!(part, expected, "{said}");
        assert!(
            said.contains(user) && said.contains("on `eu`, too"),
            "{said}"
        );
        let apart = text.replacen("namespace: kafka", "namespace: other", 1);
        assert!(try_set(&apart, "strimzi", &[]).is_ok());
    }
}

#[test]
fn a_password_and_a_certificate_of_one_name_are_refused() {
    let rules = "acls:\n- {principal: 'User:CN=writer', clusters: [eu], \
        resource: {type: topic, name: orders}, operations: [read]}\nmirrors:\n";
    let (part, said) = refusal(&SHARED.replace("mirrors:\n", rules));
    let expected = Part::Cluster {
        alias: "eu".to_owned(),
        key: "users".to_owned(),
    };
    assert_eq!(part, expected, "{said}");
    assert!(
        said.contains("`writer`: Strimzi has one KafkaUser"),
        "{said}"
    );
}
