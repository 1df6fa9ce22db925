//! Nothing perpetual: after its apply, the plan of every example is empty.

use std::path::{Path, PathBuf};

use broker::{ClusterOptions, EmbeddedCluster};
use plan::{Action, ApplyEvent, Clients, Permissions, Plan};
use tokio_util::sync::CancellationToken;
use topology::{SecretRef, Topology};

use crate::bench::client;

/// The example topologies, those that are not valid left out.
fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../topology/examples");
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut examples: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .collect();
    examples.sort();
    examples
}

/// Embedded clusters in the place of those that the topology names, and passwords that are there.
async fn staged(topology: &mut Topology, password: &Path) -> (Vec<EmbeddedCluster>, Clients) {
    let mut clusters = Vec::new();
    let mut clients = Clients::new();
    for cluster in &mut topology.clusters {
        let options = ClusterOptions {
            brokers: 3,
            defaults: [(
                "authorizer.class.name".to_owned(),
                "org.apache.kafka.metadata.authorizer.StandardAuthorizer".to_owned(),
            )]
            .into(),
            ..ClusterOptions::default()
        };
        let live = EmbeddedCluster::start(options).await.unwrap();
        cluster.cluster_id = None;
        clients.insert(cluster.alias.clone(), client(&live).await);
        clusters.push(live);
    }
    for user in &mut topology.users {
        user.password = SecretRef::File(password.to_owned());
    }
    (clusters, clients)
}

async fn planned(topology: &Topology, clients: &Clients) -> Plan {
    let observed = plan::observe(topology, clients).await.unwrap();
    plan::diff(topology, &observed, &Permissions::none())
}

#[tokio::test]
async fn the_plan_of_every_example_is_empty_after_its_apply() {
    let folder = tempfile::TempDir::new().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "correct horse battery\n").unwrap();
    let examples = examples();
    assert!(examples.len() >= 9, "{examples:?}");
    let mut changed = 0;
    for example in examples {
        let name = example.display();
        let mut topology = topology::load(&example).unwrap().topology;
        let (_clusters, clients) = staged(&mut topology, &password).await;
        let first = planned(&topology, &clients).await;
        assert!(!first.is_blocked(), "{name}: {first:#?}");
        changed += first.summary().add;
        let nobody = |_: &ApplyEvent| {};
        let applied = plan::apply(&first, &clients, &nobody, &CancellationToken::new()).await;
        applied.unwrap_or_else(|error| panic!("{name}: {error}"));
        let second = planned(&topology, &clients).await;
        let left: Vec<&str> = second
            .resource_changes
            .iter()
            .filter(|it| it.action() != Action::NoOp || it.record.is_some())
            .map(|it| it.address.as_str())
            .collect();
        assert_eq!(left, Vec::<&str>::new(), "{name}");
        assert!(
            second.forget.is_empty() && second.left_behind.is_empty(),
            "{name}"
        );
    }
    assert!(changed > 20, "only {changed} resources in all");
}
