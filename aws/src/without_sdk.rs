//! A build that cannot ask AWS says so.

use std::future::{Ready, ready};

use plan::{Infrastructure, NotObserved};
use topology::Topology;

use crate::wanted::declares_networks;

/// That nothing was looked at; nothing where the topology declares no network on AWS. Never waits: it is a future because
/// the build that asks AWS has to.
pub fn observe(topology: &Topology) -> Ready<Option<Infrastructure>> {
    ready(declares_networks(topology).then(|| Infrastructure {
        not_observed: vec![NotObserved {
            message: "infrastructure on AWS is not observed: this mirrorctl was built without the feature `aws`"
                .to_owned(),
            hint: None,
            failed: false,
        }],
        ..Infrastructure::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::observe;
    use crate::testbed::{TOPOLOGY, topology};

    #[test]
    fn it_is_said_once_where_there_is_something_to_look_at() {
        let seen = observe(&topology(TOPOLOGY)).into_inner();
        let seen = seen.expect("networks are declared");
        assert_eq!(seen.not_observed.len(), 1);
        assert!(seen.observed.is_empty() && !seen.has_failed());
    }

    #[test]
    fn nothing_is_said_of_clusters_that_are_only_used() {
        let without = "
apiVersion: mirrorctl.io/v1
kind: Topology
clusters:
- {alias: a, platform: aws-msk, bootstrapServers: [b-1.example:9098]}
- {alias: b, bootstrapServers: [b:9092], network: {cidr: 10.0.0.0/16}}
";
        assert_eq!(observe(&topology(without)).into_inner(), None);
    }
}
