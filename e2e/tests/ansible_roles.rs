//! The Ansible roles and what is rendered around them, judged by ansible-lint and molecule. The role for Kafka really starts a
//! broker: by its start script, and under the systemd of a container.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/examples.rs"]
mod examples;
#[path = "support/installed.rs"]
mod installed;
#[path = "support/machine.rs"]
mod machine;
#[path = "support/rendered.rs"]
mod rendered;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use e2e::{Authority, ReservedPort, Workspace, mirrorctl_binary};
use examples::{example, root};
use installed::installed;
use machine::{Machine, folders_of};
use rendered::{render, run, said, succeed};
use serde_json::Value;

/// A program of the virtual environment, in a folder.
fn ansible(program: &str, folder: &Path) -> Command {
    let bin = installed("MIRRORCTL_ANSIBLE");
    let path = format!(
        "{}:{}",
        bin.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let mut command = Command::new(bin.join(program));
    command
        .current_dir(folder)
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .env("LC_ALL", "C.UTF-8");
    command
}

#[test]
fn the_roles_are_clean_in_the_production_profile() {
    let said = succeed(ansible("ansible-lint", &root().join("ansible")).args(["--offline", "-q"]));
    assert!(!said.contains("WARNING"), "{said}");
}

#[test]
fn the_kafka_role_starts_a_broker_once_and_restarts_it_for_a_reason() {
    let workspace = Workspace::create("molecule-kafka").unwrap();
    // the role's user has to get at the jars and the data
    fs::set_permissions(workspace.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let jars = workspace.path().join("jars");
    succeed(
        Command::new("cp")
            .arg("-rL")
            .arg(installed("MIRRORCTL_KAFKA_LIBS"))
            .arg(&jars),
    );
    let certificates = workspace.path().join("certificates");
    fs::create_dir(&certificates).unwrap();
    let authority = Authority::new("molecule").unwrap();
    let node = authority.issue("node", &["127.0.0.1"]).unwrap();
    for (file, text) in [
        ("ca.pem", authority.certificate()),
        ("node.pem", &node.certificate),
        ("node.key", &node.key),
    ] {
        fs::write(certificates.join(file), text).unwrap();
    }
    let [port, secured, controllers] = [(); 3].map(|()| ReservedPort::any().unwrap());
    let said = succeed(
        ansible("molecule", &root().join("ansible"))
            .args(["test", "--scenario-name", "kafka"])
            .env("MIRRORCTL_MOLECULE_PORT", port.number().to_string())
            .env(
                "MIRRORCTL_MOLECULE_SECURED_PORT",
                secured.number().to_string(),
            )
            .env("MIRRORCTL_MOLECULE_CERTIFICATES", &certificates)
            .env(
                "MIRRORCTL_MOLECULE_CONTROLLER_PORT",
                controllers.number().to_string(),
            )
            .env("MIRRORCTL_MOLECULE_ROOT", workspace.path())
            .env("MIRRORCTL_KAFKA_LIBS", &jars),
    );
    assert!(said.contains("idempotence: Executed: Successful"), "{said}");
    assert!(said.contains("verify: Executed: Successful"), "{said}");
}

/// Kafka's own role: what it has set up stays as it is, also where systemd makes it anew at each start.
#[test]
fn the_role_of_ansible_keeps_a_broker_under_systemd() {
    let bin = installed("MIRRORCTL_ANSIBLE");
    let workspace = Workspace::create("systemd-kafka").unwrap();
    let shared = workspace.path().join("shared");
    fs::create_dir(&shared).unwrap();
    succeed(
        Command::new("cp")
            .arg("-rL")
            .arg(installed("MIRRORCTL_KAFKA_LIBS"))
            .arg(shared.join("jars")),
    );
    let [clients, controllers] = [(); 2].map(|()| ReservedPort::any().unwrap());
    let topology = format!(
        "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n- alias: here\n  platform: ansible\n  \
         bootstrapServers: ['localhost:{}']\n  brokers: {{count: 1, hosts: [localhost]}}\n",
        clients.number()
    );
    let topology = workspace.write("kafka.yaml", topology).unwrap();
    let plays = render(&workspace, &topology, "ansible", &[]);
    fs::rename(plays, shared.join("plays")).unwrap();
    let java = succeed(Command::new("sh").args(["-c", "command -v java"]));
    let java = Path::new(java.trim()).canonicalize().unwrap();
    let mut seen = folders_of(&bin);
    seen.extend(java.ancestors().nth(2).map(Path::to_owned));
    seen.retain(|it| !it.starts_with("/usr"));
    let machine = Machine::boot(&workspace, &shared, &seen);
    let done = |line: &str| {
        let output = machine.run(line);
        let journal = || said(&machine.run("journalctl --no-pager --lines=100"));
        assert!(
            output.status.success(),
            "{line}\n{}\n{}",
            said(&output),
            journal()
        );
        said(&output)
    };
    let play = |threads: &str| {
        let variables = serde_json::json!({
            "ansible_become": false,
            "kafka_jars": "/srv/jars",
            "kafka_java": java,
            "kafka_heap": "256m",
            "kafka_bind_address": "127.0.0.1",
            "kafka_controllers": [{"id": 1, "host": "localhost", "port": controllers.number()}],
            "kafka_config": {"offsets.topic.replication.factor": "1", "num.network.threads": threads},
        });
        done(&format!(
            "cd /srv/plays && HOME=/root LANG=C.UTF-8 {}/ansible-playbook --connection local --extra-vars '{variables}' site.yml",
            bin.display()
        ))
    };
    let process = || done("systemctl show --property=MainPID --value kafka.service");
    play("3");
    let before = process();
    let again = play("3");
    assert!(again.contains("changed=0"), "{again}");
    assert_eq!(process(), before);
    done("systemctl restart kafka.service");
    let again = play("3");
    assert!(again.contains("changed=0"), "{again}");
    // another setting is a reason
    let before = process();
    let changed = play("4");
    assert!(changed.contains("changed=2"), "{changed}");
    assert_ne!(process(), before);
    done("systemctl stop kafka.service");
    let result = done("systemctl show --property=Result --value kafka.service");
    assert_eq!(result.trim(), "success");
}

#[test]
fn the_replicator_role_installs_what_the_unit_needs() {
    let workspace = Workspace::create("molecule-mirrorctl").unwrap();
    let said = succeed(
        ansible("molecule", &root().join("ansible"))
            .args(["test", "--scenario-name", "mirrorctl"])
            .env("MIRRORCTL_MOLECULE_ROOT", workspace.path())
            .env("MIRRORCTL_BINARY", mirrorctl_binary().unwrap())
            .env("MIRRORCTL_TOPOLOGY", example("seed-000-hybrid-cloud.yaml")),
    );
    assert!(said.contains("idempotence: Executed: Successful"), "{said}");
}

#[test]
fn what_is_rendered_is_read_and_clean() {
    let workspace = Workspace::create("ansible").unwrap();
    let folder = render(
        &workspace,
        &example("seed-000-hybrid-cloud.yaml"),
        "ansible",
        &[],
    );
    succeed(ansible("ansible-lint", &folder).args(["--offline", "-q", "--profile", "production"]));
    succeed(ansible("ansible-playbook", &folder).args(["--syntax-check", "site.yml"]));
    let said = run_quietly(ansible("ansible-inventory", &folder).arg("--list"));
    let inventory: Value = serde_json::from_str(&said).unwrap();
    let variables = &inventory["_meta"]["hostvars"];
    for (at, host) in [
        "kafka1.dc1.example",
        "kafka2.dc1.example",
        "kafka3.dc1.example",
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(variables[host]["kafka_node_id"], at + 1, "{host}");
        assert_eq!(variables[host]["kafka_listeners"][0]["host"], host);
        assert_eq!(
            variables[host]["kafka_controllers"]
                .as_array()
                .map(Vec::len),
            Some(3)
        );
    }
    assert_eq!(
        variables["kafka1.dc1.example"]["mirrorctl_mirrors"][0]["name"],
        "onprem-to-aws"
    );
    assert_eq!(
        inventory["mirrorctl"]["hosts"],
        serde_json::json!(["kafka1.dc1.example", "kafka2.dc1.example"])
    );
}

#[test]
fn what_is_rendered_for_secured_brokers_is_read_and_clean() {
    let workspace = Workspace::create("ansible-secured").unwrap();
    let topology = workspace
        .write(
            "topology.yaml",
            "apiVersion: mirrorctl.io/v1\n\
             kind: Topology\n\
             clusters:\n\
             - alias: onprem\n  platform: ansible\n  bootstrapServers: ['k1.dc.example:9094']\n  \
             tls: {caFile: certs/ca.pem}\n  \
             sasl: {mechanism: scram-sha-512, username: mirror, password: {file: pw}}\n  \
             brokers: {count: 1, hosts: [k1.dc.example]}\n",
        )
        .unwrap();
    let folder = render(&workspace, &topology, "ansible", &[]);
    succeed(ansible("ansible-lint", &folder).args(["--offline", "-q", "--profile", "production"]));
    fs::create_dir(folder.join("files")).unwrap();
    fs::write(folder.join("files/pw"), "only-for-tests\n").unwrap();
    let debug = |variable: &str| {
        let message = format!("msg={{{{ {variable} }}}}");
        let module = ["all", "-m", "ansible.builtin.debug", "-a", &message];
        succeed(ansible("ansible", &folder).args(module).args([
            "--extra-vars",
            &format!("playbook_dir={}", folder.display()),
        ]))
    };
    for (variable, value) in [
        ("kafka_listeners[0].protocol", "SASL_SSL"),
        ("kafka_tls_key", "/files/k1.dc.example.key"),
        ("kafka_tls_ca", "/files/certs/ca.pem"),
        ("kafka_sasl_password", "only-for-tests"),
    ] {
        let said = debug(variable);
        assert!(said.contains(value), "{variable}: {said}");
    }
}

/// Standard output alone: Ansible warns on the other one.
fn run_quietly(command: &mut Command) -> String {
    let output = run(command);
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}
