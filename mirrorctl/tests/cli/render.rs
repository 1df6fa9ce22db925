//! `render`: files, exit codes, and what is printed.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;

use crate::support::{Ended, run, text};
use tempfile::TempDir;

const TOPOLOGY: &str = "apiVersion: mirrorctl.io/v1
kind: Topology
clusters:
- {alias: a, bootstrapServers: ['a:9092']}
- {alias: b, bootstrapServers: ['b:9092']}
mirrors:
- {name: m, source: a, target: b, engine: mirrormaker2, topicsPattern: orders, replicationPolicy: {type: default}}
";
const FILE: &str = "out/mirrormaker2/m/mm2.properties";

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        place.write("t.yaml", TOPOLOGY);
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.path().join(name), content).unwrap();
    }

    fn render(&self, more: &[&str]) -> Ended {
        self.render_target("mirrormaker2", more)
    }

    fn render_target(&self, target: &str, more: &[&str]) -> Ended {
        let file = self.path().join("t.yaml");
        let out = self.path().join("out");
        let mut arguments = vec!["render", "-f", text(&file), "--out", text(&out)];
        arguments.extend(["--target", target]);
        arguments.extend(more);
        let mut ended = run(&arguments);
        let shown = self.path().display().to_string();
        ended.out = ended.out.replace(&shown, "DIR");
        ended.err = ended.err.replace(&shown, "DIR");
        ended
    }
}

#[test]
fn renders_checks_and_removes() {
    let place = Place::new();
    let pending = place.render(&["--check"]).code(2);
    pending.says("+ mirrormaker2/m/mm2.properties");
    assert!(!place.path().join("out").exists(), "--check writes nothing");

    place
        .render(&[])
        .code(0)
        .says("1 created, 0 changed, 0 removed, 0 as wanted");
    assert!(place.path().join(FILE).exists());
    place
        .render(&["--check"])
        .code(0)
        .says("as the topology says: 1 file");

    place.write("t.yaml", &TOPOLOGY.replace("orders", "payments"));
    let differs = place.render(&["--check"]).code(2);
    insta::assert_snapshot!("render-check", differs.out);
    place.render(&[]).code(0).says("1 changed");

    let none = TOPOLOGY.replace("engine: mirrormaker2, ", "");
    place.write("t.yaml", &none);
    place
        .render(&[])
        .code(0)
        .says("- mirrormaker2/m/mm2.properties");
    assert!(!place.path().join(FILE).exists());
}

#[test]
fn edited_files_are_refused_with_3() {
    let place = Place::new();
    place.render(&[]).code(0);
    fs::write(place.path().join(FILE), "mine\n").unwrap();
    let refused = place.render(&[]).code(3);
    refused.says("mirrormaker2/m/mm2.properties");
    refused.says("--force");
    assert_eq!(
        fs::read_to_string(place.path().join(FILE)).unwrap(),
        "mine\n"
    );
    let json = place
        .render(&["--check", "--output", "json"])
        .code(2)
        .json();
    assert_eq!(json["files"][0]["action"], "update");
    assert_eq!(json["files"][0]["edited"], true);
    assert!(json["files"][0]["diff"].as_str().unwrap().contains("-mine"));
    place.render(&["--force"]).code(0).says("1 changed");
    place.render(&["--check"]).code(0);
}

#[test]
fn a_folder_of_another_topology_without_a_name_is_refused_with_3() {
    let example = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../topology/examples");
        folder.join(format!("{name}.yaml"))
    };
    let place = Place::new();
    let out = place.path().join("out");
    let render = |name: &str, more: &[&str]| {
        let file = example(name);
        let arguments = ["render", "-f", text(&file), "--out", text(&out)];
        run(&[&arguments[..], more].concat())
    };
    render("seed-000-hybrid-cloud", &[]).code(0);
    let ours = fs::read(out.join("systemd/topology.yaml")).unwrap();
    let refused = render("seed-004-go-mirror", &[]).code(3);
    refused.says("! systemd/topology.yaml (rendered from another topology)");
    refused.says("0 to remove");
    assert_eq!(fs::read(out.join("systemd/topology.yaml")).unwrap(), ours);
    // still its own
    render("seed-000-hybrid-cloud", &["--check"]).code(0);
    // forced, it takes what both want, and nothing else
    render("seed-004-go-mirror", &["--force"])
        .code(0)
        .says(" 0 removed");
    render("seed-004-go-mirror", &["--check"]).code(0);
    assert!(out.join("terraform-aws/main.tf").exists());
    render("seed-000-hybrid-cloud", &["--check"])
        .code(2)
        .says("(rendered from another topology)");
}

#[test]
fn an_edited_file_that_is_not_wanted_goes_by_force() {
    let place = Place::new();
    place.render(&[]).code(0);
    fs::write(place.path().join(FILE), "mine\n").unwrap();
    place.write("t.yaml", &TOPOLOGY.replace("name: m,", "name: n,"));
    for _ in 0..2 {
        place
            .render(&[])
            .code(0)
            .says("? mirrormaker2/m/mm2.properties");
    }
    place.render(&["--force"]).code(0).says("1 removed");
    assert!(!place.path().join(FILE).exists());
}

#[test]
fn settings_that_change_nothing_are_not_taken_without_a_word() {
    let place = Place::new();
    let refused = place.render(&["--set", "systemd.memory-max=2G"]).code(64);
    refused.says("--set systemd.memory-max: systemd is not rendered");
    refused.says("add --target systemd");
    let file = place.path().join("t.yaml");
    let out = place.path().join("out");
    let all = ["render", "-f", text(&file), "--out", text(&out)];
    run(&[&all[..], &["--set", "systemd.memory-max=2G"]].concat())
        .code(0)
        .says("warning: --set systemd.memory-max changes nothing");
    for wrong in ["kubernetes.memory=128Mi", "monitoring.listen=h:0"] {
        run(&[&all[..], &["--set", wrong]].concat())
            .code(64)
            .says(wrong.split_once('=').unwrap().0);
    }
}

#[test]
fn every_target_says_what_it_cannot_and_nothing_is_written() {
    let place = Place::new();
    place.write(
        "t.yaml",
        &TOPOLOGY.replace(
            "topicsPattern: orders",
            "topicsPattern: orders, startOffset: {timestamp: \"2026-01-01T00:00:00Z\"}",
        ),
    );
    let file = place.path().join("t.yaml");
    let out = place.path().join("out");
    let refused = run(&["render", "-f", text(&file), "--out", text(&out)]).code(1);
    refused.says("connect: mirror `m`");
    refused.says("mirrormaker2: mirror `m`");
    refused.says("hint: nothing was written");
    assert!(!out.exists());
}

#[test]
#[cfg(not(feature = "aws"))]
fn infrastructure_that_is_asked_for_and_not_looked_at_is_no_news() {
    let place = Place::new();
    place.write(
        "t.yaml",
        "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
         - {alias: a, platform: aws-msk, region: eu-west-1, brokers: {count: 2, zones: [eu-west-1a, eu-west-1b]}, \
         network: {cidr: 10.0.0.0/16}}\n",
    );
    let file = place.path().join("t.yaml");
    let plan = |more: &[&str]| run(&[&["plan", "-f", text(&file)], more].concat());
    // no cluster is reached for that
    let known = plan(&["--target", "ec2\\..*"]).code(0);
    known.says("built without the feature `aws`");
    known.says("nothing is known about the infrastructure");
    assert!(!known.out.contains("No changes"), "{}", known.out);
    let unknown = plan(&["--target", "ec2\\..*", "--detailed-exitcode"]).code(1);
    unknown.says("nobody knows whether it has drifted");
    let json = plan(&["--target", "ec2\\..*", "--output", "json"])
        .code(0)
        .json();
    assert_eq!(json["infrastructure"]["not_observed"][0]["failed"], true);
}

/// Answers as Ambari of `HDInsight` does, to whoever knows the password.
fn ambari() -> (String, std::thread::JoinHandle<Vec<String>>) {
    const HOSTS: [&str; 3] = ["0", "1", "2"];
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "http://{}/api/v1/clusters/source-base",
        listener.local_addr().unwrap()
    );
    let asked = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for stream in listener.incoming().take(2) {
            let mut stream = stream.unwrap();
            let mut head = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            while !head.ends_with("\r\n\r\n") {
                assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
            }
            // admin:geheim
            let known = head.contains("Basic YWRtaW46Z2VoZWlt");
            let path = head.split(' ').nth(1).unwrap().to_owned();
            let (component, prefix) = match path.rsplit('/').next().unwrap() {
                "ZOOKEEPER_SERVER" => ("ZOOKEEPER_SERVER", "zk"),
                "KAFKA_BROKER" => ("KAFKA_BROKER", "wn"),
                other => panic!("{other}"),
            };
            let hosts: Vec<serde_json::Value> = HOSTS
                .iter()
                .map(|number| {
                    serde_json::json!({
                        "href": format!("http://hn0-source:8080/api/v1/clusters/source-base/hosts/{number}"),
                        "HostRoles": {
                            "cluster_name": "source-base",
                            "component_name": component,
                            "host_name": format!("{prefix}{number}-source.gx.internal.cloudapp.net"),
                        }
                    })
                })
                .collect();
            let body = serde_json::json!({
                "href": path,
                "ServiceComponentInfo": {"cluster_name": "source-base", "component_name": component},
                "host_components": hosts,
            })
            .to_string();
            let status = if known { "200 OK" } else { "403 Forbidden" };
            write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            )
            .unwrap();
            asked.push(path);
            if !known {
                break;
            }
        }
        asked
    });
    (url, asked)
}

#[test]
fn ambari_says_where_zookeeper_and_brokers_are() {
    let place = Place::new();
    let topology = TOPOLOGY
        .replace(
            "- {alias: a, bootstrapServers: ['a:9092']}",
            "- {alias: a, platform: azure-hdinsight, access: {login: {user: admin, password: {file: pw}}}}",
        )
        .replace("engine: mirrormaker2", "engine: mirrormaker")
        .replace("{type: default}", "{type: identity}");
    place.write("t.yaml", &topology);
    place.write("pw", "geheim\n");
    let (url, asked) = ambari();
    let argument = format!("a={url}");
    place
        .render_target("mirrormaker", &["--ambari", &argument])
        .code(0);
    assert_eq!(
        asked.join().unwrap(),
        [
            "/api/v1/clusters/source-base/services/ZOOKEEPER/components/ZOOKEEPER_SERVER",
            "/api/v1/clusters/source-base/services/KAFKA/components/KAFKA_BROKER",
        ]
    );
    let path = place.path().join("out/mirrormaker/m/consumer.properties");
    let consumer = fs::read_to_string(path).unwrap();
    for line in [
        "zookeeper.connect = zk0-source.gx.internal.cloudapp.net:2181,zk1-source.gx.internal.cloudapp.net:2181\n",
        "bootstrap.servers = wn0-source.gx.internal.cloudapp.net:9092,wn1-source.gx.internal.cloudapp.net:9092\n",
    ] {
        assert!(consumer.contains(line), "{consumer}");
    }

    place.write("pw", "wrong");
    let (url, asked) = ambari();
    let argument = format!("a={url}");
    let refused = place
        .render_target("mirrormaker", &["--ambari", &argument])
        .code(1);
    refused.says("answers 403");
    assert!(!refused.err.contains("wrong"), "{}", refused.err);
    assert_eq!(asked.join().unwrap().len(), 1);
    // the password is not sent unencrypted to another machine
    place
        .render(&["--ambari", "a=http://example.com/api/v1/clusters/x"])
        .code(64)
        .says("https://");
    place
        .render(&["--ambari", "nobody=x"])
        .code(64)
        .says("nobody");
}

#[test]
fn templates_and_settings_that_are_wrong_are_named() {
    let place = Place::new();
    let templates = place.path().join("mine/mirrormaker2");
    fs::create_dir_all(&templates).unwrap();
    fs::write(
        templates.join("mm2.properties"),
        "a = 1\nb = {{ nothing }}\n",
    )
    .unwrap();
    let folder = place.path().join("mine");
    let wrong = place.render(&["--templates", text(&folder)]).code(1);
    wrong.says("mirrormaker2/mm2.properties:2");
    wrong.says("nothing");
    place
        .render(&["--set", "mirrormaker2.x=1"])
        .code(64)
        .says("--list");
    place
        .render(&["--target", "nonsense"])
        .code(64)
        .says("nonsense");
    let wrong = place.render(&["--set", "mirrormaker.streams=-1"]).code(64);
    wrong.says("`mirrormaker.streams`: \"-1\" is no number");
}

#[test]
fn a_target_without_anything_to_render_says_what_it_is_for() {
    let place = Place::new();
    let refused = place.render_target("strimzi", &[]).code(1);
    refused.says("nothing to render for strimzi");
    refused.says("`platform: strimzi`");
    assert!(!place.path().join("out").exists(), "nothing is written");
    // what it had rendered once goes, and that is something
    place.render(&[]).code(0);
    place.write(
        "t.yaml",
        &TOPOLOGY
            .replace("engine: mirrormaker2, ", "engine: mirrormaker, ")
            .replace("default", "identity"),
    );
    place.render(&[]).code(0).says("1 removed");
    place.render(&[]).code(1).says("`engine: mirrormaker2`");

    let bare = TOPOLOGY.split_once("mirrors:").unwrap().0;
    place.write("t.yaml", bare);
    let file = place.path().join("t.yaml");
    let out = place.path().join("other");
    run(&["render", "-f", text(&file), "--out", text(&out)])
        .code(0)
        .says("warning: nothing to render");
}

#[test]
fn an_output_folder_that_is_none_is_said_to_be_so() {
    let place = Place::new();
    place.write("out", "mine");
    place.render(&[]).code(64).says("out is no folder");
    let file = place.path().join("t.yaml");
    let below = place.path().join("out/below");
    run(&["render", "-f", text(&file), "--out", text(&below)])
        .code(64)
        .says("out is no folder");
    fs::remove_file(place.path().join("out")).unwrap();
    place.render(&[]).code(0);
    for damaged in [
        "{",
        r#"{"format_version": "1.0", "files": {"../x": {"target": "a", "sha256": ""}}}"#,
    ] {
        place.write("out/mirrorctl-render.json", damaged);
        let refused = place.render(&[]).code(1);
        refused.says("mirrorctl-render.json");
        refused.says("hint: restore it from version control; or remove");
    }
    fs::remove_file(place.path().join("out/mirrorctl-render.json")).unwrap();
    place.render(&[]).code(0).says("1 as wanted");
}

#[test]
fn pipelines_are_acted_on_and_addresses_of_this_machine_warned_of() {
    let place = Place::new();
    let topology = "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
                    - {alias: a, bootstrapServers: ['localhost:9092']}\n\
                    - {alias: b, bootstrapServers: ['b:9092']}\n\
                    mirrors:\n- {name: m, source: a, target: b, topicsPattern: orders}\n\
                    pipelines:\n- {name: ingest, topic: orders}\n";
    place.write("t.yaml", topology);
    let ended = place.render(&["--target", "pipelines", "--target", "kubernetes"]);
    assert!(!ended.err.contains("not acted on"), "{}", ended.err);
    // the place asks for mirrormaker2 as well, of which there is nothing
    ended
        .code(1)
        .says("cluster `a` is reached at localhost:9092");
}

#[test]
fn targets_are_listed() {
    let list = run(&["render", "--list"]).code(0);
    list.says("mirrormaker2 ");
    list.says("mirrormaker2/mm2.properties");
    let json = run(&["render", "--list", "--output", "json"])
        .code(0)
        .json();
    assert!(!json["targets"].as_array().unwrap().is_empty());
    run(&["render"]).code(64);
}
