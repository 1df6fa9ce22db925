//! The rendered manifests, judged by a real Kubernetes API server that has Strimzi's resource definitions, and by kubeconform.
//! Nothing is scheduled: there are no nodes and no operator.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/examples.rs"]
mod examples;
#[path = "support/installed.rs"]
mod installed;
#[path = "support/rendered.rs"]
mod rendered;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use e2e::{Guarded, ReservedPort, Workspace};
use examples::example;
use installed::installed;
use rendered::{render, run, said, succeed};

const TOKEN: &str = "only-on-loopback";
const START_LIMIT: Duration = Duration::from_mins(2);

/// A store and an API server, on loopback, for as long as the value lives.
struct Kubernetes {
    address: String,
    server: Guarded,
    _store: Guarded,
    _ports: Vec<ReservedPort>,
    workspace: Workspace,
}

impl Kubernetes {
    fn start() -> Self {
        let workspace = Workspace::create("kubernetes").unwrap();
        let programs = installed("MIRRORCTL_KUBERNETES");
        let ports: Vec<ReservedPort> = (0..3).map(|_| ReservedPort::any().unwrap()).collect();
        let port = |at: usize| ports[at].number();
        let store = format!("http://127.0.0.1:{}", port(0));
        let peers = format!("http://127.0.0.1:{}", port(1));
        let store_process = spawn(
            "etcd",
            &programs.join("etcd"),
            &[
                "--data-dir",
                "etcd",
                "--listen-client-urls",
                &store,
                "--advertise-client-urls",
                &store,
                "--listen-peer-urls",
                &peers,
                "--initial-advertise-peer-urls",
                &peers,
                "--initial-cluster",
                &format!("default={peers}"),
                "--unsafe-no-fsync",
            ],
            &workspace,
        );
        succeed(
            Command::new("openssl")
                .args(["genrsa", "-out", "accounts.key", "2048"])
                .current_dir(workspace.path()),
        );
        workspace
            .write(
                "tokens.csv",
                format!("{TOKEN},admin,admin,system:masters\n"),
            )
            .unwrap();
        let server = spawn(
            "kube-apiserver",
            &programs.join("kube-apiserver"),
            &[
                "--etcd-servers",
                &store,
                "--bind-address",
                "127.0.0.1",
                "--advertise-address",
                "127.0.0.1",
                "--secure-port",
                &port(2).to_string(),
                "--cert-dir",
                "certificates",
                "--service-account-key-file",
                "accounts.key",
                "--service-account-signing-key-file",
                "accounts.key",
                "--service-account-issuer",
                "https://mirrorctl.test",
                "--service-cluster-ip-range",
                "10.0.0.0/24",
                "--token-auth-file",
                "tokens.csv",
            ],
            &workspace,
        );
        let mut kubernetes = Self {
            address: format!("https://127.0.0.1:{}", port(2)),
            server,
            _store: store_process,
            _ports: ports,
            workspace,
        };
        kubernetes.wait_until_ready();
        kubernetes.define();
        kubernetes
    }

    fn wait_until_ready(&mut self) {
        let started = Instant::now();
        while !run(self.kubectl().args(["get", "--raw", "/readyz"]))
            .status
            .success()
        {
            let ended = self.server.try_wait().unwrap();
            assert!(
                ended.is_none() && started.elapsed() < START_LIMIT,
                "{}",
                self.server.stderr()
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Strimzi's definitions and those of `ServiceMonitor` and `ScaledObject`.
    fn define(&self) {
        succeed(
            self.kubectl()
                .args(["apply", "--server-side", "--filename"])
                .arg(installed("MIRRORCTL_STRIMZI")),
        );
        for definition in ["servicemonitor.yaml", "scaledobject.yaml"] {
            succeed(
                self.kubectl()
                    .args(["apply", "--server-side", "--filename"])
                    .arg(installed("MIRRORCTL_KUBERNETES").join(definition)),
            );
        }
        succeed(self.kubectl().args([
            "wait",
            "--for=condition=Established",
            "crd",
            "--all",
            "--timeout=60s",
        ]));
    }

    fn kubectl(&self) -> Command {
        let mut command = Command::new("kubectl");
        command
            .current_dir(self.workspace.path())
            .env("HOME", self.workspace.path())
            .env_remove("KUBECONFIG")
            .args(["--server", &self.address, "--token", TOKEN])
            .arg("--insecure-skip-tls-verify");
        command
    }

    /// A command of a comment, in the folder of the file that has it.
    fn as_said(&self, comment: &str, folder: &Path) -> Command {
        let arguments = comment.split_once("kubectl ").unwrap().1;
        let kubectl = self.kubectl();
        let mut shell = Command::new("sh");
        shell
            .current_dir(folder)
            .env("HOME", self.workspace.path())
            .env_remove("KUBECONFIG")
            .args(["-c", &format!("\"$@\" {arguments}"), "sh"])
            .arg(kubectl.get_program())
            .args(kubectl.get_args());
        shell
    }

    fn make_namespace(&self, name: &str) {
        succeed(self.kubectl().args(["create", "namespace", name]));
    }

    /// Would the server take all of it? Every field has to be known, and every value allowed.
    fn judge(&self, what: &[&str], path: &Path) -> std::process::Output {
        run(self
            .kubectl()
            .args(["apply", "--dry-run=server", "--validate=strict"])
            .args(what)
            .arg(path))
    }

    fn accepts(&self, what: &[&str], path: &Path) -> String {
        let output = self.judge(what, path);
        let words = said(&output);
        assert!(output.status.success(), "{}: {words}", path.display());
        // Pod Security says it as a warning
        assert!(!words.contains("Warning"), "{}: {words}", path.display());
        words
    }
}

fn spawn(name: &str, program: &Path, arguments: &[&str], workspace: &Workspace) -> Guarded {
    let arguments: Vec<_> = arguments.iter().map(std::ffi::OsString::from).collect();
    Guarded::spawn(name, program.as_os_str(), &arguments, &[], workspace.path()).unwrap()
}

/// A topology with everything that Strimzi's resources may hold.
fn secured(workspace: &Workspace) -> PathBuf {
    workspace
        .write(
            "secured.yaml",
            r#"
apiVersion: mirrorctl.io/v1
kind: Topology
clusters:
- alias: here
  platform: strimzi
  bootstrapServers: here-kafka-bootstrap.kafka.svc:9093
  tls: {}
  sasl: {mechanism: scram-sha-512, username: mirror, password: {env: HERE_PW}}
  brokers: {count: 5, kafkaVersion: 4.2.0}
  storage: {type: persistent-claim, size: 100GiB, disks: 2}
  kubernetes: {namespace: kafka, listeners: [plain, tls], entityOperator: true}
- alias: there
  bootstrapServers: [there.example:9093]
  tls: {caFile: certs/there.pem}
  sasl: {mechanism: plain, username: "o'brien: \"x\"", password: {file: secrets/there}}
topics:
- {name: pay.Orders_v1, clusters: [here], partitions: 12, replicationFactor: 3, configs: {cleanup.policy: "compact,delete"}}
users:
- {name: orders, clusters: [here], password: {env: ORDERS_PW}}
acls:
- {principal: "User:orders", clusters: [here], resource: {type: topic, name: pay., pattern: prefixed}, operations: [read, write, describe]}
mirrors:
- name: to_Here
  engine: strimzi-mirrormaker2
  source: there
  target: here
  topicsPattern: "pay\\..*"
  groupsPattern: ".*"
- {name: Back.again, source: here, target: there, topicsPattern: "other", replicationPolicy: {type: default}}
"#,
        )
        .unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|it| it == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn a_real_api_server_takes_what_is_rendered_and_refuses_what_is_not() {
    let workspace = Workspace::create("manifests").unwrap();
    let kubernetes = Kubernetes::start();
    for namespace in ["amq-streams", "kafka"] {
        kubernetes.make_namespace(namespace);
    }

    let seed = render(
        &workspace,
        &example("seed-003-strimzi.yaml"),
        "strimzi",
        &[],
    );
    let words = kubernetes.accepts(&["--recursive", "--filename"], &seed);
    for made in [
        "kafka.kafka.strimzi.io/europe-cluster created",
        "kafka.kafka.strimzi.io/us-cluster created",
        "kafkanodepool.kafka.strimzi.io/europe-cluster-brokers created",
        "kafkatopic.kafka.strimzi.io/my-topic created",
    ] {
        assert!(words.contains(made), "{made}: {words}");
    }
    let topology = secured(&workspace);
    let all = render(
        &workspace,
        &topology,
        "strimzi",
        &["strimzi.nodes=separate"],
    );
    let words = kubernetes.accepts(&["--recursive", "--filename"], &all);
    for made in [
        "here-controllers created",
        "orders created",
        "kafkamirrormaker2",
    ] {
        assert!(words.contains(made), "{made}: {words}");
    }

    let named = fs::read_to_string(&topology).unwrap();
    let named = named.replace("clusters:\n", "metadata: {name: pay.ments}\nclusters:\n");
    let named = workspace.write("named.yaml", named).unwrap();
    for topology in [topology, named, example("seed-000-hybrid-cloud.yaml")] {
        let replicator = render(&workspace, &topology, "kubernetes", &[]);
        // what is in it has to be allowed there
        succeed(
            kubernetes
                .kubectl()
                .args(["apply", "--filename"])
                .arg(replicator.join("namespace.yaml")),
        );
        let words = kubernetes.accepts(&["--kustomize"], &replicator);
        for made in [
            "deployment.apps/",
            "poddisruptionbudget",
            "networkpolicy",
            "servicemonitor",
        ] {
            assert!(words.contains(made), "{made}: {words}");
        }
    }

    pods_come_with_the_lag(&kubernetes, &workspace);
    mirrors_that_are_gone_are_deleted(&kubernetes, &workspace);
    objects_of_another_topology_without_a_name_stay(&kubernetes, &workspace);

    // the judge is awake
    let kafka = seed.join("europe-cluster/kafka.yaml");
    let text = fs::read_to_string(&kafka).unwrap();
    for (right, wrong, word) in [
        ("topologyKey:", "topologyKei:", "topologyKei"),
        ("type: internal", "type: internally", "internally"),
        ("[controller, broker]", "[controller, broke]", "broke"),
    ] {
        fs::write(&kafka, text.replacen(right, wrong, 1)).unwrap();
        let output = kubernetes.judge(&["--filename"], &kafka);
        assert!(!output.status.success(), "{wrong}");
        assert!(said(&output).contains(word), "{}", said(&output));
    }
}

/// Mirrors between two clusters of a domain, each of the topic of its name.
fn between(workspace: &Workspace, metadata: &str, domain: &str, mirrors: &[&str]) -> PathBuf {
    let mut text = format!(
        "apiVersion: mirrorctl.io/v1\nkind: Topology\n{metadata}clusters:\n\
         - {{alias: a, bootstrapServers: 'a.{domain}:9092'}}\n\
         - {{alias: b, bootstrapServers: 'b.{domain}:9092'}}\nmirrors:\n"
    );
    for mirror in mirrors {
        let line = format!("- {{name: {mirror}, source: a, target: b, topicsPattern: {mirror}}}\n");
        text.push_str(&line);
    }
    let file = workspace.write("between.yaml", text).unwrap();
    render(workspace, &file, "kubernetes", &[])
}

/// Of mirrors with `tasks`, by either autoscaler; where a mirror has none any more, its own is deleted by the command in the
/// kustomization.
fn pods_come_with_the_lag(kubernetes: &Kubernetes, workspace: &Workspace) {
    let topology = |tasks: &str| {
        let text = format!(
            "apiVersion: mirrorctl.io/v1\nkind: Topology\nmetadata: {{name: wide}}\nclusters:\n\
             - {{alias: a, bootstrapServers: 'a.example:9092'}}\n\
             - {{alias: b, bootstrapServers: 'b.example:9092'}}\nmirrors:\n\
             - {{name: orders, source: a, target: b, topicsPattern: orders, tasks: 6}}\n\
             - {{name: bills, source: a, target: b, topicsPattern: bills{tasks}}}\n"
        );
        workspace.write("wide.yaml", text).unwrap()
    };
    let both = topology(", tasks: 2");
    let by_lag = [
        "kubernetes.autoscaler=keda",
        "kubernetes.prometheus=http://prometheus.example:9090",
    ];
    let keda = render(workspace, &both, "kubernetes", &by_lag);
    let words = kubernetes.accepts(&["--kustomize"], &keda);
    assert_eq!(words.matches("scaledobject.keda.sh/").count(), 2, "{words}");

    let apply = |folder: &Path| {
        let kubectl = &mut kubernetes.kubectl();
        succeed(kubectl.args(["apply", "--kustomize"]).arg(folder));
    };
    apply(&render(workspace, &both, "kubernetes", &[]));
    let most = || {
        let selected = "--selector=app.kubernetes.io/part-of=wide";
        let columns = "--output=jsonpath={range .items[*]}{.spec.scaleTargetRef.name} {.spec.maxReplicas} {end}";
        succeed(kubernetes.kubectl().args([
            "get",
            "horizontalpodautoscaler.v2.autoscaling",
            "--namespace=mirrorctl",
            selected,
            columns,
        ]))
    };
    let found = most();
    assert!(
        found.contains("orders") && found.contains(" 6") && found.contains(" 2"),
        "{found}"
    );
    let one = render(workspace, &topology(""), "kubernetes", &[]);
    apply(&one);
    let text = fs::read_to_string(one.join("kustomization.yaml")).unwrap();
    let delete = text
        .lines()
        .find(|it| it.contains("horizontalpodautoscaler"));
    succeed(&mut kubernetes.as_said(delete.unwrap(), &one));
    let found = most();
    assert!(
        found.contains("orders") && !found.contains("bills"),
        "{found}"
    );
}

/// By the command in the kustomization, which leaves those of other topologies alone.
fn mirrors_that_are_gone_are_deleted(kubernetes: &Kubernetes, workspace: &Workspace) {
    let apply = |folder: &Path| {
        succeed(
            kubernetes
                .kubectl()
                .args(["apply", "--kustomize"])
                .arg(folder),
        );
    };
    let named = |name: &str, mirrors: &[&str]| {
        let metadata = format!("metadata: {{name: {name}}}\n");
        between(workspace, &metadata, "example", mirrors)
    };
    apply(&named("pay", &["orders", "bills"]));
    apply(&named("pay-2", &["bills"]));
    let left = named("pay", &["orders"]);
    apply(&left);
    let text = fs::read_to_string(left.join("kustomization.yaml")).unwrap();
    let delete = text.lines().find(|line| line.contains(" delete ")).unwrap();
    succeed(&mut kubernetes.as_said(delete, &left));
    for kind in ["deployment", "poddisruptionbudget"] {
        let labels = succeed(kubernetes.kubectl().args([
            "get",
            kind,
            "--namespace=mirrorctl",
            "--selector=app.kubernetes.io/part-of in (pay,pay-2)",
            "--output=jsonpath={.items[*].metadata.labels['app\\.kubernetes\\.io/part-of']}",
        ]));
        let mut of: Vec<&str> = labels.split_whitespace().collect();
        of.sort_unstable();
        assert_eq!(of, ["pay", "pay-2"], "{kind}: {labels}");
    }
}

/// They are called the same, and the command in the kustomization does not take them over.
fn objects_of_another_topology_without_a_name_stay(kubernetes: &Kubernetes, workspace: &Workspace) {
    let apply = |folder: &Path, more: &str| {
        let text = fs::read_to_string(folder.join("kustomization.yaml")).unwrap();
        let command = text
            .lines()
            .find(|it| it.contains("--server-side"))
            .unwrap();
        run(&mut kubernetes.as_said(&format!("{command}{more}"), folder))
    };
    let topology = || {
        succeed(kubernetes.kubectl().args([
            "get",
            "configmap/mirrorctl-topology",
            "--namespace=mirrorctl",
            "--output=jsonpath={.data}",
        ]))
    };
    let ours = between(workspace, "", "example", &["orders"]);
    let output = apply(&ours, "");
    assert!(output.status.success(), "{}", said(&output));
    let theirs = between(workspace, "", "test", &["orders"]);
    let output = apply(&theirs, "");
    let words = said(&output);
    assert!(!output.status.success(), "{words}");
    assert!(words.contains("conflict with \"mirrorctl-"), "{words}");
    assert!(topology().contains("a.example:9092"), "{}", topology());
    // its own it changes
    let more = between(workspace, "", "example", &["orders", "bills"]);
    let output = apply(&more, "");
    assert!(output.status.success(), "{}", said(&output));
    assert!(topology().contains("bills"), "{}", topology());
    let output = apply(&theirs, " --force-conflicts");
    assert!(output.status.success(), "{}", said(&output));
    assert!(topology().contains("a.test:9092"), "{}", topology());
}

/// `kubeconform` reads JSON schemas; a definition carries one a version. `PyYAML` is there for Ansible.
const SCHEMAS: &str = r#"
import json, pathlib, sys, yaml
target = pathlib.Path(sys.argv[1])
def close(schema):
    if isinstance(schema, dict):
        if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
        for key, value in schema.items():
            # alternatives name a part of the properties each
            if key not in ("oneOf", "anyOf", "allOf", "not"):
                close(value)
    elif isinstance(schema, list):
        for value in schema:
            close(value)
for name in sys.argv[2:]:
    definition = yaml.safe_load(open(name))["spec"]
    for version in definition["versions"]:
        schema = version["schema"]["openAPIV3Schema"]
        close(schema)
        kind = definition["names"]["kind"].lower()
        # of every object, wherever it is defined
        schema["properties"].update({"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}})
        (target / f"{kind}_{version['name']}.json").write_text(json.dumps(schema))
"#;

#[test]
fn kubeconform_takes_strimzi_s_resources() {
    let workspace = Workspace::create("kubeconform").unwrap();
    let schemas = workspace.path().join("schemas");
    fs::create_dir(&schemas).unwrap();
    succeed(
        Command::new(installed("MIRRORCTL_ANSIBLE").join("python"))
            .args(["-c", SCHEMAS])
            .arg(&schemas)
            .args(files(&installed("MIRRORCTL_STRIMZI"))),
    );
    let conform = |folder: &Path| {
        let mut command = Command::new(installed("MIRRORCTL_KUBERNETES").join("kubeconform"));
        command
            .args(["-strict", "-summary", "-schema-location"])
            .arg(format!(
                "{}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json",
                schemas.display()
            ))
            .args(files(folder));
        command
    };
    let seed = render(
        &workspace,
        &example("seed-003-strimzi.yaml"),
        "strimzi",
        &[],
    );
    let words = succeed(&mut conform(&seed));
    assert!(
        words.contains("Invalid: 0, Errors: 0, Skipped: 0"),
        "{words}"
    );
    let all = render(&workspace, &secured(&workspace), "strimzi", &[]);
    succeed(&mut conform(&all));
    let kafka = seed.join("us-cluster/kafka.yaml");
    let text = fs::read_to_string(&kafka).unwrap();
    fs::write(&kafka, text.replacen("topologyKey:", "topologyKei:", 1)).unwrap();
    assert!(!run(&mut conform(&seed)).status.success());
}
