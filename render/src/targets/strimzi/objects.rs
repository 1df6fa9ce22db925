//! What topics and users are called among those of all clusters: Kubernetes knows one object of a kind by a name in a namespace,
//! whichever cluster its label names, so that a second one of that name would take the first one's place.

use std::collections::BTreeMap;

use super::Place;
use crate::targets::names::kubernetes_name;

/// The names of one kind that are taken, and the cluster that each is of.
#[derive(Debug, Default)]
pub(super) struct Taken(BTreeMap<(Option<String>, String), String>);

impl Taken {
    /// Takes a name for a cluster; the cluster that has it already, where one does.
    pub(super) fn take(&mut self, place: &Place, cluster: &str) -> Result<(), String> {
        let key = (place.namespace.clone(), place.name.clone());
        if let Some(other) = self.0.get(&key) {
            return Err(other.clone());
        }
        self.0.insert(key, cluster.to_owned());
        Ok(())
    }

    /// Takes a name for something that has its real one elsewhere: where it is taken, one with the cluster in it. Whoever is
    /// declared first keeps the plain one, so that what is applied already stays where clusters are added behind.
    pub(super) fn take_or_rename(
        &mut self,
        mut place: Place,
        cluster: &str,
        longest: usize,
    ) -> Place {
        while self.take(&place, cluster).is_err() {
            // a character that no name has, so that the digest tells `a-b` of `c` from `a` of `b-c`
            place.name = kubernetes_name(&format!("{}/{cluster}", place.name), longest);
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(namespace: Option<&str>, name: &str) -> Place {
        Place {
            name: name.to_owned(),
            namespace: namespace.map(str::to_owned),
        }
    }

    #[test]
    fn one_name_in_one_namespace_is_taken_once() {
        let mut taken = Taken::default();
        assert_eq!(taken.take(&place(Some("one"), "app"), "a"), Ok(()));
        assert_eq!(taken.take(&place(Some("two"), "app"), "b"), Ok(()));
        assert_eq!(taken.take(&place(None, "app"), "c"), Ok(()));
        let again = taken.take(&place(Some("one"), "app"), "b");
        assert_eq!(again, Err("a".to_owned()));
    }

    #[test]
    fn the_second_one_has_its_cluster_in_its_name() {
        let mut taken = Taken::default();
        let mut named = |name: &str, cluster: &str| {
            let place = place(Some("kafka"), name);
            taken.take_or_rename(place, cluster, 63).name
        };
        assert_eq!(named("orders", "eu"), "orders");
        let second = named("orders", "us");
        assert!(second.starts_with("orders-us-"), "{second}");
        // even where somebody is called like that
        let third = named(&second, "asia");
        assert!(third.starts_with("orders-us-"), "{third}");
        assert_ne!(second, third);
    }
}
