//! Carries out changes of ACLs.

use std::collections::BTreeSet;

use kafka::Cluster;
use topology::AclBinding;

use super::live::{exists, read, to_wire};
use crate::apply::ApplyOptions;
use crate::apply::execute::{ChangeError, Done};
use crate::apply::work::{Outlook, Work, carry_out, only};
use crate::change::{Change, ResourceChange};
use crate::difference::Difference;
use crate::topic::ReadError;

/// One rule that shall be there, or shall not.
struct Rule<'a> {
    cluster: &'a Cluster,
    label: &'a str,
    change: &'a Change<AclBinding>,
}

impl Work for Rule<'_> {
    type Live = bool;

    async fn read(&self) -> Result<bool, ReadError> {
        match rule(self.change) {
            Some(rule) => exists(self.cluster, rule).await,
            None => Ok(false),
        }
    }

    fn outlook(&self, live: &bool) -> Outlook {
        outlook(self.change, *live)
    }

    async fn request(&self, _: &bool) -> Result<(), kafka::Error> {
        let Some(rule) = rule(self.change) else {
            return Ok(());
        };
        let one = BTreeSet::from([to_wire(rule)]);
        if self.change.after().is_some() {
            only(
                "CreateAcls",
                self.label,
                self.cluster.create_acls(&one).await?,
            )
        } else {
            only(
                "DeleteAcls",
                self.label,
                self.cluster.delete_acls(&one).await?,
            )
        }
    }

    fn step(&self) -> String {
        if self.change.after().is_some() {
            "create the ACL".to_owned()
        } else {
            "delete the ACL".to_owned()
        }
    }
}

fn rule(change: &Change<AclBinding>) -> Option<&AclBinding> {
    change.after().or(change.before())
}

/// A rule that is there is as it shall be: it has no attributes. So nothing but its absence can differ from a plan, and
/// absence is what a creation is for and a deletion reaches.
pub(crate) fn outlook(change: &Change<AclBinding>, live: bool) -> Outlook {
    let difference = |expected: bool| {
        let word = |there: bool| there.then(|| "the ACL".to_owned());
        Outlook::Stale(vec![Difference {
            attribute: "acl".to_owned(),
            expected: word(expected),
            found: word(live),
        }])
    };
    match (change, live) {
        (Change::NoOp { .. }, _)
        | (Change::Create { .. }, true)
        | (Change::Delete { .. }, false) => Outlook::AlreadyDone,
        (Change::Create { .. }, false) | (Change::Delete { .. }, true) => Outlook::Remaining,
        // two states of one rule that differ: no plan of ours
        (Change::Update { .. }, there) => difference(!there),
    }
}

/// Rechecks the change and carries it out.
pub(crate) async fn execute(
    cluster: &Cluster,
    label: &str,
    change: &Change<AclBinding>,
    options: &ApplyOptions,
    steps_done: &mut Vec<String>,
) -> Result<Done, ChangeError> {
    let rule = Rule {
        cluster,
        label,
        change,
    };
    carry_out(&rule, options, steps_done).await
}

/// What the live rules mean for each of these changes; all are read at once.
pub(crate) async fn outlooks<'a>(
    cluster: &Cluster,
    changes: &[(&'a ResourceChange, &'a Change<AclBinding>)],
) -> Result<Vec<(&'a ResourceChange, Outlook)>, ReadError> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let live = read(cluster).await?;
    let seen = |resource: &ResourceChange, change| match &live {
        Some(live) => outlook(change, live.contains_key(&resource.name)),
        None => Outlook::Stale(vec![Difference {
            attribute: "authorizer".to_owned(),
            expected: Some("an authorizer".to_owned()),
            found: None,
        }]),
    };
    let changes = changes.iter();
    Ok(changes
        .map(|(resource, change)| (*resource, seen(resource, change)))
        .collect())
}
