//! Which topology asks for files, or rendered them.

use std::collections::BTreeMap;

/// The clusters of a topology that can be reached, by alias: a digest each of its id, or of its addresses.
pub type Clusters = BTreeMap<String, String>;

static NO_CLUSTERS: Clusters = Clusters::new();

/// The topology that asks: known by its name, and where that is missing by its clusters.
#[derive(Debug, Clone, Copy)]
pub struct Author<'a> {
    /// Its name, where it has one.
    pub name: Option<&'a str>,
    /// Its clusters.
    pub clusters: &'a Clusters,
}

impl Default for Author<'_> {
    /// A topology of which nothing is known.
    fn default() -> Self {
        Self {
            name: None,
            clusters: &NO_CLUSTERS,
        }
    }
}

/// Whether these can be the clusters of one topology, now and some time before: one of them at least is where it was, and nothing
/// but additions, or departures, or other addresses or another alias of a cluster tells them apart. What is not known says
/// nothing: a topology of which no cluster can be reached yet, and manifests of before clusters were noted.
pub(crate) fn may_be_of_one(one: &Clusters, other: &Clusters) -> bool {
    if one.is_empty() || other.is_empty() {
        return true;
    }
    let same_place = one.values().any(|it| is_place(other, it));
    same_place && (within(one, other) || within(other, one))
}

fn within(one: &Clusters, other: &Clusters) -> bool {
    let known =
        |(alias, place): (&String, &String)| other.contains_key(alias) || is_place(other, place);
    one.iter().all(known)
}

fn is_place(clusters: &Clusters, digest: &String) -> bool {
    clusters.values().any(|it| it == digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clusters(written: &[(&str, &str)]) -> Clusters {
        let written = written.iter();
        written
            .map(|(alias, place)| ((*alias).to_owned(), (*place).to_owned()))
            .collect()
    }

    #[test]
    fn a_topology_that_was_edited_is_the_same_and_one_of_other_clusters_is_not() {
        let before = clusters(&[("hub", "h:1"), ("a", "a:1")]);
        for (now, same) in [
            (vec![("hub", "h:1"), ("a", "a:1")], true),
            // one moved, came, went, or has another alias
            (vec![("hub", "h:1"), ("a", "a:2")], true),
            (vec![("hub", "h:1"), ("a", "a:1"), ("b", "b:1")], true),
            (vec![("hub", "h:1")], true),
            (vec![("hub", "h:1"), ("z", "a:1")], true),
            // nothing of it can be reached yet, or nobody wrote it down
            (vec![], true),
            // from the same hub to somewhere else
            (vec![("hub", "h:1"), ("b", "b:1")], false),
            // the same aliases, elsewhere
            (vec![("hub", "h:2"), ("a", "a:2")], false),
            (vec![("source", "s:1"), ("target", "t:1")], false),
        ] {
            let now = clusters(&now);
            assert_eq!(may_be_of_one(&before, &now), same, "{now:?}");
            assert_eq!(may_be_of_one(&now, &before), same, "{now:?}");
        }
    }
}
