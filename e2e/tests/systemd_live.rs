//! What `render` writes for systemd, under a systemd: the script installs, starts, reloads and stops mirrors, beside those of other
//! topologies.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/installed.rs"]
mod installed;
#[path = "support/machine.rs"]
mod machine;
#[path = "support/rendered.rs"]
mod rendered;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use e2e::{
    ADMIN, Access, ClusterSpec, KafkaCluster, Pair, ReservedPort, Security, TopicAdmin, Way,
    Workspace, mirrorctl_binary, write_mixed,
};
use installed::installed;
use machine::{Machine, folders_of};
use rendered::{render, said};

const LIMIT: Duration = Duration::from_mins(2);
const RECORDS: u64 = 200;

/// Two secured clusters, a machine, and what it sees of this one.
struct Bed {
    // ends before what it sees is removed
    machine: Machine,
    pair: Pair,
    shared: PathBuf,
    workspace: Workspace,
}

impl Bed {
    /// With records in these topics of the source, and a machine that sees these folders.
    fn start(topics: &[&str], seen: &[PathBuf]) -> Self {
        let workspace = Workspace::create("systemd-live").unwrap();
        let security = Security::new(&[]).unwrap();
        let pair = Pair::start(&ClusterSpec::single().secured(&security)).unwrap();
        let servers = pair.source.bootstrap_servers();
        let admin = TopicAdmin::new(&servers).unwrap();
        for topic in topics {
            admin.create(topic, 1, &[]).unwrap();
            write_mixed(&servers, topic, 1, RECORDS).unwrap();
        }
        let shared = workspace.path().join("shared");
        fs::create_dir(&shared).unwrap();
        let access = Access::new(&security, &workspace, Way::ScramSha512, ADMIN).unwrap();
        for (from, name) in [
            (access.ca_file().clone(), "ca.pem"),
            (access.secret_file().clone(), "secret"),
            (mirrorctl_binary().unwrap(), "mirrorctl"),
        ] {
            fs::copy(from, shared.join(name)).unwrap();
        }
        let machine = Machine::boot(&workspace, &shared, seen);
        Self {
            machine,
            pair,
            shared,
            workspace,
        }
    }

    /// One password is a credential by its name, the other one a file that no unit sees.
    fn topology(&self, name: &str, mirrors: &[(&str, &str)]) -> String {
        let cluster = |alias: &str, cluster: &KafkaCluster, password: &str| {
            format!(
                "- {{alias: {alias}, clusterId: {}, bootstrapServers: ['{}'], tls: {{caFile: certs/ca.pem}}, \
                 sasl: {{mechanism: scram-sha-512, username: {ADMIN}, password: {{{password}}}}}}}\n",
                cluster.cluster_id(),
                cluster.servers(Way::ScramSha512).unwrap(),
            )
        };
        let mut text = format!(
            "apiVersion: mirrorctl.io/v1\nkind: Topology\n{name}clusters:\n{}{}mirrors:\n",
            cluster("source", &self.pair.source, "env: SOURCE_PW"),
            cluster("target", &self.pair.target, "file: /root/target.secret"),
        );
        for (name, topics) in mirrors {
            let line = format!(
                "- {{name: {name}, source: source, target: target, topicsPattern: '{topics}', \
                 replicationPolicy: {{type: identity}}, topicSync: {{interval: 1s}}}}\n"
            );
            text.push_str(&line);
        }
        text
    }

    /// Renders the units into `/srv/FOLDER` of the machine.
    fn render(&self, folder: &str, topology: &str, first_port: u16) {
        let setting = format!("systemd.first-port={first_port}");
        self.render_target("systemd", &[&setting], folder, topology);
    }

    fn render_target(&self, target: &str, settings: &[&str], folder: &str, topology: &str) {
        let file = self
            .workspace
            .write(&format!("{folder}.yaml"), topology)
            .unwrap();
        let rendered = render(&self.workspace, &file, target, settings);
        let place = self.shared.join(folder);
        if place.exists() {
            fs::remove_dir_all(&place).unwrap();
        }
        fs::rename(rendered, place).unwrap();
    }

    fn succeed(&self, line: &str) -> String {
        let output = self.machine.run(line);
        let text = said(&output);
        assert!(
            output.status.success(),
            "{line}\n{text}\n{}",
            self.journal()
        );
        text
    }

    /// Runs a line that has to fail, and say this.
    fn refused(&self, line: &str, words: &[&str]) {
        let output = self.machine.run(line);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(1), "{line}\n{text}");
        for words in words {
            assert!(text.contains(words), "{words}: {text}");
        }
    }

    fn journal(&self) -> String {
        said(&self.machine.run("journalctl --no-pager --lines=100"))
    }

    fn property(&self, unit: &str, property: &str) -> String {
        let line = format!("systemctl show --property={property} --value {unit}");
        self.succeed(&line).trim().to_owned()
    }

    fn process(&self, unit: &str) -> String {
        self.property(unit, "MainPID")
    }

    fn copied(&self, topic: &str) {
        let copied = self.pair.wait_for_records(topic, RECORDS, LIMIT);
        assert!(copied.is_ok(), "{copied:?}\n{}", self.journal());
    }

    /// Waits until a mirror says that it is ready.
    fn ready(&self, port: u16) {
        let started = Instant::now();
        while !answers_ok(port, "/readyz") {
            assert!(started.elapsed() < LIMIT, "{port}\n{}", self.journal());
            thread::sleep(Duration::from_millis(100));
        }
    }
}

fn answers_ok(port: u16, path: &str) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(LIMIT))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|it| it.starts_with("HTTP/1.1 200 "))
}

/// Two ports one after the other, as mirrors of one topology take them, and one more.
fn ports() -> [ReservedPort; 3] {
    let mut held: Vec<ReservedPort> = Vec::new();
    loop {
        held.push(ReservedPort::any().unwrap());
        let neighbours = held
            .iter()
            .position(|it| held.iter().any(|other| other.number() == it.number() + 1));
        if let Some(first) = neighbours
            && held.len() > 2
        {
            let first = held.swap_remove(first);
            let second = held.iter().position(|it| it.number() == first.number() + 1);
            let second = held.swap_remove(second.unwrap());
            return [first, second, held.swap_remove(0)];
        }
    }
}

/// Does what the head of the script says, for a topology of this account, whose folder below `/etc` is called the same.
fn supply(bed: &Bed, user: &str) {
    let folder = format!("/etc/{user}");
    for line in [
        "install -m 0755 /srv/mirrorctl /usr/local/bin/mirrorctl".to_owned(),
        format!("install -D -m 0400 /srv/secret {folder}/credentials/SOURCE_PW"),
        format!("install -D -m 0640 -g {user} /srv/ca.pem {folder}/certs/ca.pem"),
        "install -D -m 0400 /srv/secret /root/target.secret".to_owned(),
    ] {
        bed.succeed(&line);
    }
}

#[test]
fn the_script_runs_mirrors_under_systemd() {
    let bed = Bed::start(&["orders", "bills", "late", "pay"], &[]);
    let [first, second, other] = ports();
    let one = bed.topology("", &[("orders", "orders"), ("bills", "bills")]);
    bed.render("one", &one, first.number());

    // a question is no order
    let asked = bed.machine.run("sh /srv/one/install.sh --help");
    assert_eq!(asked.status.code(), Some(64), "{}", said(&asked));
    assert!(said(&asked).contains("usage: install.sh [--replace]"));
    assert!(!bed.machine.run("getent group mirrorctl").status.success());

    // what is missing is said at once, and nothing is started
    bed.refused(
        "sh /srv/one/install.sh",
        &[
            "missing: /usr/local/bin/mirrorctl",
            "missing: /etc/mirrorctl/credentials/SOURCE_PW",
            "missing: /etc/mirrorctl/certs/ca.pem",
            "missing: /root/target.secret",
        ],
    );
    supply(&bed, "mirrorctl");
    bed.succeed("sh /srv/one/install.sh");
    for topic in ["orders", "bills"] {
        bed.copied(topic);
    }
    for port in [&first, &second] {
        bed.ready(port.number());
    }
    let units = ["mirrorctl@orders.service", "mirrorctl@bills.service"];
    for unit in units {
        runs_as(&bed, unit, "mirrorctl");
        assert_eq!(
            bed.succeed(&format!("systemctl is-enabled {unit}")).trim(),
            "enabled"
        );
        secrets_are_nobody_s(&bed, unit);
    }

    // installed again, nothing happens to them
    let processes = || units.map(|unit| bed.process(unit));
    let before = processes();
    bed.succeed("sh /srv/one/install.sh");
    assert_eq!(processes(), before);

    // a mirror that has changed is taken up without a restart
    let changed = bed.topology("", &[("orders", "orders"), ("bills", "bills, late")]);
    bed.render("one", &changed, first.number());
    bed.succeed("sh /srv/one/install.sh");
    bed.copied("late");
    assert_eq!(processes(), before);

    // a new binary, or another secret, is taken up by the command in the script
    let script = fs::read_to_string(bed.shared.join("one/install.sh")).unwrap();
    let restart = script
        .lines()
        .find_map(|it| it.strip_prefix("#   systemctl restart"));
    bed.succeed(&format!("systemctl restart {}", restart.unwrap()));
    for ((unit, before), port) in units.iter().zip(before).zip([&first, &second]) {
        assert_ne!(bed.process(unit), before);
        bed.ready(port.number());
    }

    restarted_when_killed(&bed, units[0], first.number());
    others_stand_beside(&bed, first.number(), other.number());

    // a mirror that is gone is stopped, where the topology is said to be the same
    let bills = bed.process(units[1]);
    let less = bed.topology("", &[("orders", "orders")]);
    bed.render("one", &less, first.number());
    bed.refused(
        "sh /srv/one/install.sh",
        &["not in this topology", "mirrorctl@bills"],
    );
    assert_eq!(bed.process(units[1]), bills);
    let orders = bed.process(units[0]);
    bed.succeed("sh /srv/one/install.sh --replace");
    assert_eq!(bed.property(units[1], "ActiveState"), "inactive");
    assert_eq!(bed.property(units[1], "Result"), "success");
    bed.refused(
        "test -e /etc/systemd/system/multi-user.target.wants/mirrorctl@bills.service",
        &[],
    );
    assert_eq!(bed.process(units[0]), orders);

    // stopped, it drains and ends well
    bed.succeed(&format!("systemctl stop {}", units[0]));
    assert_eq!(bed.property(units[0], "Result"), "success");
    assert_eq!(bed.property(units[0], "ExecMainStatus"), "0");
    assert!(answers_ok(other.number(), "/healthz"), "the neighbour");
}

fn runs_as(bed: &Bed, unit: &str, user: &str) {
    let process = bed.process(unit);
    let owner = bed.succeed(&format!("stat --format=%U /proc/{process}"));
    assert_eq!(owner.trim(), user);
}

/// Secrets are in no environment, and credentials not for everybody.
fn secrets_are_nobody_s(bed: &Bed, unit: &str) {
    let process = bed.process(unit);
    let secret = fs::read_to_string(bed.shared.join("secret")).unwrap();
    let environment = bed.succeed(&format!("tr '\\0' '\\n' </proc/{process}/environ"));
    assert!(
        environment.contains("CREDENTIALS_DIRECTORY="),
        "{environment}"
    );
    assert!(!environment.contains(secret.trim()), "{unit}");
    let denied = bed.machine.run(&format!(
        "setpriv --reuid=nobody --regid=nogroup --clear-groups cat /run/credentials/{unit}/SOURCE_PW"
    ));
    assert!(!denied.status.success(), "{}", said(&denied));
}

fn restarted_when_killed(bed: &Bed, unit: &str, port: u16) {
    let killed = bed.process(unit);
    bed.succeed(&format!("kill -s KILL {killed}"));
    let started = Instant::now();
    while [killed.as_str(), "0"].contains(&bed.process(unit).as_str()) {
        assert!(started.elapsed() < LIMIT, "{}", bed.journal());
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(bed.property(unit, "NRestarts"), "1");
    bed.ready(port);
}

/// Another topology without a name is refused, and so is one that would listen at the same place; else they share the machine.
fn others_stand_beside(bed: &Bed, taken: u16, free: u16) {
    let before = bed.succeed("cd /etc/systemd/system && find . -type f | sort | xargs sha256sum");
    bed.render("nameless", &bed.topology("", &[("pay", "pay")]), free);
    bed.refused(
        "sh /srv/nameless/install.sh",
        &[
            "not in this topology",
            "copies source to target",
            "metadata.name",
        ],
    );
    // nor is one whose mirrors and clusters are called the same
    let twin = bed.topology("", &[("orders", "orders"), ("bills", "bills, late")]);
    let other_cluster = twin.replace(bed.pair.source.cluster_id(), "another-one");
    assert_ne!(other_cluster, twin);
    bed.render("twin", &other_cluster, free);
    bed.refused(
        "sh /srv/twin/install.sh",
        &[
            "copies source to target, but other clusters",
            "metadata.name",
        ],
    );
    let named = bed.topology("metadata: {name: pay}\n", &[("pay", "pay")]);
    bed.render("named", &named, taken);
    bed.refused(
        "sh /srv/named/install.sh",
        &["missing: /etc/mirrorctl-pay/"],
    );
    supply(bed, "mirrorctl-pay");
    bed.refused("sh /srv/named/install.sh", &["is taken"]);
    let after = bed.succeed("cd /etc/systemd/system && find . -type f | sort | xargs sha256sum");
    assert_eq!(after, before);
    bed.render("named", &named, free);
    bed.succeed("sh /srv/named/install.sh");
    bed.copied("pay");
    bed.ready(free);
    runs_as(bed, "mirrorctl-pay@pay.service", "mirrorctl-pay");
    // it was installed before topologies had groups of their own
    bed.succeed("chgrp -R mirrorctl /etc/mirrorctl-pay");
    bed.succeed("sh /srv/named/install.sh");
    bed.succeed("systemctl restart mirrorctl-pay@pay.service");
    bed.ready(free);
    let keys = "setpriv --reuid=mirrorctl-pay --regid=mirrorctl-pay --clear-groups ls /etc/mirrorctl/certs";
    assert!(!bed.machine.run(keys).status.success());
    assert!(answers_ok(taken, "/healthz"), "the neighbour");
}

#[test]
fn the_role_of_ansible_runs_mirrors_under_systemd() {
    let ansible = installed("MIRRORCTL_ANSIBLE");
    let bed = Bed::start(&["orders", "bills"], &folders_of(&ansible));
    let [first, second, _] = ports();
    bed.succeed("install -D -m 0400 /srv/secret /root/target.secret");
    let settings = format!("ansible.first-port={}", first.number());
    let settings = ["ansible.replicators=localhost", &settings];
    let render = |mirrors: &[(&str, &str)]| {
        bed.render_target("ansible", &settings, "plays", &bed.topology("", mirrors));
        let files = bed.shared.join("plays/files/certs");
        fs::create_dir_all(&files).unwrap();
        fs::copy(bed.shared.join("ca.pem"), files.join("ca.pem")).unwrap();
    };
    let play = |more: &str| {
        format!(
            "cd /srv/plays && HOME=/root LANG=C.UTF-8 SOURCE_PW=$(cat /srv/secret) {}/ansible-playbook \
             --connection local --extra-vars 'mirrorctl_binary=/srv/mirrorctl ansible_become=false' {more} site.yml",
            ansible.display()
        )
    };
    render(&[("orders", "orders"), ("bills", "bills")]);
    bed.succeed(&play(""));
    for topic in ["orders", "bills"] {
        bed.copied(topic);
    }
    for port in [&first, &second] {
        bed.ready(port.number());
    }
    let units = ["mirrorctl@orders.service", "mirrorctl@bills.service"];
    for unit in units {
        secrets_are_nobody_s(&bed, unit);
    }
    let processes = || units.map(|unit| bed.process(unit));
    let before = processes();
    let said = bed.succeed(&play(""));
    assert!(said.contains("changed=0"), "{said}");
    assert_eq!(processes(), before);

    // what runs here is not taken for the same topology unasked
    render(&[("orders", "orders")]);
    let refused = bed.machine.run(&play(""));
    assert!(!refused.status.success());
    assert!(
        rendered::said(&refused).contains("Not in this topology"),
        "{}",
        rendered::said(&refused)
    );
    assert_eq!(processes(), before);
    bed.succeed(&play("--extra-vars mirrorctl_replace=true"));
    assert_eq!(bed.property(units[1], "ActiveState"), "inactive");
    assert_eq!(bed.property(units[1], "Result"), "success");
    assert_eq!(bed.process(units[0]), before[0]);
}
