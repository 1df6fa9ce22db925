//! Where mirrors on machines serve metrics: Prometheus asks there, and no broker of the machine is in the way.

use mirrorctl_render::{RenderError, Rendering, Request, Settings, Templates, render};
use topology::Part;

use crate::support::{SECURED, file, parse, try_set};

/// Brokers on three machines, the first two of which run the mirrors.
const MACHINES: &str = r#"
apiVersion: mirrorctl.io/v1
kind: Topology
clusters:
- alias: site
  platform: ansible
  bootstrapServers: ["k1.site:9092", "k2.site:9092", "k3.site:9492"]
  brokers: {count: 3, hosts: [k1.site, k2.site, k3.site]}
- {alias: cloud, bootstrapServers: ["c:9092"]}
mirrors:
- {name: first, source: site, target: cloud, topicsPattern: pay}
- {name: second, source: site, target: cloud, topicsPattern: bill}
"#;

fn all(text: &str, settings: &[&str]) -> Rendering {
    let topology = parse(text);
    let request = Request {
        topology: &topology,
        source: text,
        settings: &Settings::parse(settings).unwrap(),
    };
    render(&request, &[], &Templates::embedded().unwrap()).unwrap()
}

#[track_caller]
fn scraped(rendering: &Rendering, expected: &[&str]) {
    let text = file(rendering, "monitoring/prometheus.yml");
    let line = text.lines().find(|it| it.contains("- targets:")).unwrap();
    let addresses: Vec<&str> = line
        .split('"')
        .filter(|it| it.starts_with("127.0.0.1:"))
        .collect();
    assert_eq!(addresses, expected, "{text}");
}

#[test]
fn prometheus_asks_where_the_machines_listen() {
    scraped(&all(MACHINES, &[]), &["127.0.0.1:9464", "127.0.0.1:9465"]);
    let rendering = all(MACHINES, &["ansible.first-port=9600"]);
    scraped(&rendering, &["127.0.0.1:9600", "127.0.0.1:9601"]);
    let variables = file(&rendering, "ansible/group_vars/mirrorctl/mirrors.yml");
    for address in ["127.0.0.1:9600", "127.0.0.1:9601"] {
        assert!(variables.contains(address), "{variables}");
    }
    let rendering = all(MACHINES, &["systemd.first-port=9700"]);
    scraped(&rendering, &["127.0.0.1:9700", "127.0.0.1:9701"]);
    // by either, each where it is
    let both = ["ansible.first-port=9701", "systemd.first-port=9700"];
    let expected = ["127.0.0.1:9700", "127.0.0.1:9701", "127.0.0.1:9702"];
    scraped(&all(MACHINES, &both), &expected);
    // what is said to be asked is asked
    let said = ["ansible.first-port=9600", "monitoring.listen=9999"];
    scraped(&all(MACHINES, &said), &["127.0.0.1:9999"]);
}

#[track_caller]
fn refused(text: &str, target: &str, settings: &[&str], port: u16, cluster: &str) {
    match try_set(text, target, settings) {
        Err(RenderError::Targets(complaints)) => {
            let said = complaints[0].to_string();
            assert!(said.contains(&format!("port {port} ")), "{said}");
            assert!(said.contains(&format!("`{target}.first-port`")), "{said}");
            let place = Part::Cluster {
                alias: cluster.to_owned(),
                key: "bootstrapServers".to_owned(),
            };
            assert_eq!(complaints[0].source.part(), place, "{said}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_port_of_a_broker_on_the_machine_is_refused() {
    for (first, port) in [(9092, 9092), (9091, 9092), (9093, 9093)] {
        let setting = format!("ansible.first-port={first}");
        refused(MACHINES, "ansible", &[&setting], port, "site");
    }
    // of a machine that runs no mirrors
    let elsewhere = ["ansible.first-port=9492"];
    assert!(try_set(MACHINES, "ansible", &elsewhere).is_ok());
    let moved = ["ansible.first-port=9092", "ansible.replicators=other"];
    assert!(try_set(MACHINES, "ansible", &moved).is_ok());
    // and of whatever machine runs the units
    let here = SECURED.replace("\"b:9092\"", "\"localhost:9465\"");
    assert_ne!(here, SECURED);
    let here = here.replace("state: promoted", "state: paused");
    refused(&here, "systemd", &[], 9465, "b");
    assert!(try_set(&here, "systemd", &["systemd.first-port=9500"]).is_ok());
}
