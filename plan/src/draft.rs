//! A change before it has an address: what the kinds of resources that are no topics have in common.

use std::collections::{BTreeMap, BTreeSet};

use crate::change::{Block, Change, Detail, RecordChange, Resource, ResourceChange, Risk};
use crate::home::Home;
use crate::journal::Recorded;
use crate::mirror;
use crate::observed::ObservedCluster;

/// The reason of what is done about a resource that was declared at the last apply and is not now.
pub(crate) const DECLARED_NO_LONGER: &str = "declared no longer";

/// Where a resource is: its kind's word, its cluster and its label there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) kind: &'static str,
    pub(crate) alias: &'a str,
    pub(crate) label: &'a str,
}

impl Place<'_> {
    /// `<kind>.<cluster alias>.<label>`, or `mirror.<name>`; an alias holds no dot.
    pub(crate) fn address(&self) -> String {
        format!("{}{}", prefix(self.kind, self.alias), self.label)
    }
}

/// What the addresses of a kind on a cluster begin with. A mirror's name is one of the whole topology: its address names
/// no cluster.
pub(crate) fn prefix(kind: &str, alias: &str) -> String {
    if kind == mirror::KIND {
        format!("{kind}.")
    } else {
        format!("{kind}.{alias}.")
    }
}

/// What the record of a cluster says of one kind, by label.
pub(crate) fn recorded<'a>(
    kind: &str,
    alias: &str,
    all: &'a BTreeMap<String, Recorded>,
) -> impl Iterator<Item = (&'a str, &'a Recorded)> {
    let prefix = prefix(kind, alias);
    all.iter()
        .filter_map(move |(address, recorded)| Some((address.strip_prefix(&prefix)?, recorded)))
}

/// The labels of one kind that a plan looks at on a cluster: what is declared there, and what its record names. Where there
/// are none, nothing has to be read.
pub(crate) fn looked_at<D>(
    kind: &str,
    alias: &str,
    declared: &BTreeMap<String, D>,
    observed: &ObservedCluster,
) -> Option<BTreeSet<String>> {
    let recorded = recorded(kind, alias, &observed.recorded).map(|(label, _)| label);
    let labels = declared.keys().map(String::as_str).chain(recorded);
    let labels: BTreeSet<String> = labels.map(str::to_owned).collect();
    (!labels.is_empty()).then_some(labels)
}

/// Why something that is declared no longer is left as it is.
pub(crate) fn left(place: Place<'_>, permission: &str) -> String {
    let address = place.address();
    format!(
        "declared no longer, and `allow.{permission}` of {} is off; `mirrorctl forget {address}` ends that this is shown",
        place.alias
    )
}

/// A change without its address.
pub(crate) struct Draft<S> {
    pub(crate) change: Change<S>,
    pub(crate) reason: String,
    pub(crate) details: Vec<Detail>,
    pub(crate) blocked: Vec<Block>,
    pub(crate) notes: Vec<String>,
    pub(crate) unmanaged: BTreeMap<String, String>,
}

impl<S> Draft<S> {
    /// A change with nothing else to say.
    pub(crate) fn new(change: Change<S>, reason: impl Into<String>) -> Self {
        Self {
            change,
            reason: reason.into(),
            details: Vec::new(),
            blocked: Vec::new(),
            notes: Vec::new(),
            unmanaged: BTreeMap::new(),
        }
    }

    /// What has to be written down about a declared resource. Where the same was declared at the last apply, whatever
    /// differs is somebody else's doing, and the reason says so.
    pub(crate) fn remember(
        &mut self,
        recorded: Option<&Recorded>,
        remember: Recorded,
    ) -> Option<RecordChange> {
        if recorded != Some(&remember) {
            return Some(RecordChange::Remember(remember));
        }
        match &self.change {
            Change::Create { .. } => "gone since the last apply".clone_into(&mut self.reason),
            Change::Update { .. } => self.reason = format!("drifted: {}", self.reason),
            Change::NoOp { .. } | Change::Delete { .. } => {}
        }
        None
    }

    /// The change of the resource at `place`.
    pub(crate) fn at(
        self,
        place: Place<'_>,
        resource: fn(Change<S>) -> Resource,
        record: Option<RecordChange>,
    ) -> ResourceChange {
        let risks = self.details.iter().map(|detail| detail.risk);
        ResourceChange {
            address: place.address(),
            home: Home::Cluster(place.alias.to_owned()),
            name: place.label.to_owned(),
            reason: self.reason,
            risk: risks.max().unwrap_or(Risk::Safe),
            resource: resource(self.change),
            details: self.details,
            diff: None,
            blocked: self.blocked,
            notes: self.notes,
            drifted: false,
            unmanaged: self.unmanaged,
            impact: None,
            record,
            owner: None,
            taken_from: None,
        }
    }
}

/// A detail of an attribute; one with a `reason` has that risk, others are safe.
pub(crate) fn detail(
    attribute: impl Into<String>,
    before: Option<String>,
    after: Option<String>,
    risk: Option<(Risk, String)>,
) -> Detail {
    let (risk, reason) = risk.map_or((Risk::Safe, None), |(risk, reason)| (risk, Some(reason)));
    Detail {
        attribute: attribute.into(),
        before,
        origin: None,
        after,
        risk,
        reason,
    }
}
