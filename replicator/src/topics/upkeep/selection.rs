//! A selection that finds nothing is said: a mirror with a typing error in its pattern copies nothing, and looks well.

use std::collections::BTreeMap;

use kafka::TopicMetadata;
use topology::Mirror;

use super::Upkeep;
use crate::topics::{is_selectable, selection};
use crate::words::and_more;

/// Names of topics that are shown.
const SHOWN: usize = 5;

/// The topics that a mirror could select if its pattern were another one: those that nothing excludes.
#[derive(Debug)]
pub(super) struct Offer {
    topics: usize,
    /// The first few of them.
    names: Vec<String>,
}

impl Offer {
    pub(super) fn of(mirror: &Mirror, topics: &BTreeMap<String, TopicMetadata>) -> Self {
        let exclude = mirror.topics.exclude.as_ref();
        let offered = || {
            topics
                .values()
                .filter(|topic| is_selectable(topic))
                .map(|topic| &topic.name)
                .filter(|name| !exclude.is_some_and(|it| it.matches(name)))
        };
        Self {
            topics: offered().count(),
            names: offered().take(SHOWN).cloned().collect(),
        }
    }

    fn hint(&self) -> String {
        if self.topics == 0 {
            return "the source shows this user no topic but what is excluded: none is there yet, or the right to describe them \
                    is missing"
                .to_owned();
        }
        format!(
            "a pattern has to match the whole name of a topic; the source has {}",
            and_more(&self.names, self.topics - self.names.len())
        )
    }
}

impl Upkeep {
    /// Says once that nothing is selected, and once that something is again.
    pub(super) fn say_selection(&mut self, selected: usize, offer: &Offer) {
        let nothing = selected == 0;
        if std::mem::replace(&mut self.selects_nothing, nothing) == nothing {
            return;
        }
        let pattern = selection(&self.mirror);
        if nothing {
            tracing::warn!(
                pattern,
                topics = offer.topics,
                hint = offer.hint(),
                "no topic of the source is selected: nothing is copied until there is one"
            );
        } else {
            tracing::info!(
                pattern,
                topics = selected,
                "topics of the source are selected"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_names_what_there_is() {
        let offer = |names: &[&str], topics| Offer {
            topics,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        assert!(
            offer(&[], 0)
                .hint()
                .contains("no topic but what is excluded")
        );
        assert!(
            offer(&["a", "b"], 2)
                .hint()
                .ends_with("the source has a, b")
        );
        assert!(offer(&["a"], 9).hint().ends_with("has a and 8 more"));
    }
}
