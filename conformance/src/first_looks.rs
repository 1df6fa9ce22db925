//! What the target's topic was like before it held a record, and when it held one.

use rdkafka::Offset;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::asker::Asker;
use crate::checks::TopicFacts;
use crate::endpoint::Endpoint;
use crate::observer::Observer;
use crate::topics;

/// Shapes of a topic that was looked at from before its first record on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstLooks {
    /// The latest of when it had never held a record; `None` where nobody saw it so.
    pub while_empty: Option<TopicFacts>,
    /// When it held records for the first time; `None` where nobody had seen it missing or empty before.
    pub with_records: Option<TopicFacts>,
    /// What the source's topic was like then; `None` where it had changed since the first look, so that nobody can say what
    /// the target's was to be like.
    #[serde(default)]
    pub source: Option<TopicFacts>,
}

/// A topic, and where it is.
pub(crate) type At<'l> = (&'l Endpoint, &'l str);

/// Looks at the target's topic now and then, until it holds a record.
pub(crate) struct Looker<'l> {
    source: At<'l>,
    target: At<'l>,
    /// The source's topic at the first look.
    source_at_first: Option<TopicFacts>,
    observer: &'l dyn Observer,
    was_unused: bool,
    is_done: bool,
    looks: FirstLooks,
}

impl<'l> Looker<'l> {
    pub(crate) fn new(source: At<'l>, target: At<'l>, observer: &'l dyn Observer) -> Self {
        Self {
            source,
            target,
            source_at_first: None,
            observer,
            was_unused: false,
            is_done: false,
            looks: FirstLooks::default(),
        }
    }

    /// Whether there is nothing more to see.
    pub(crate) fn is_done(&self) -> bool {
        self.is_done
    }

    /// What was seen.
    pub(crate) fn end(self) -> FirstLooks {
        self.looks
    }

    /// Once. A target that is away shows nothing.
    pub(crate) fn look(&mut self) {
        match self.seen() {
            Ok(()) => {}
            Err(Error::Cancelled) => self.is_done = true,
            Err(error) => tracing::debug!(%error, "the target's topic could not be looked at"),
        }
    }

    fn seen(&mut self) -> Result<(), Error> {
        if self.source_at_first.is_none() {
            self.source_at_first = self.shape(self.source)?;
        }
        let Some(shape) = self.shape(self.target)? else {
            self.was_unused = true;
            return Ok(());
        };
        // the ends after the shape: whoever is empty now was of this shape while it was
        let (target, topic) = self.target;
        let asker = Asker::open(target, self.observer)?;
        let all: Vec<i32> = (0..shape.partitions).collect();
        let ends = asker.offsets(topic, &all, Offset::End)?;
        if ends.iter().all(|end| *end == 0) {
            self.was_unused = true;
            self.looks.while_empty = Some(shape);
            return Ok(());
        }
        if self.was_unused {
            // and the shape after the ends: it is the one of a topic with records
            self.looks.with_records = self.shape(self.target)?;
            let source = self.shape(self.source)?;
            self.looks.source = source.filter(|now| self.source_at_first.as_ref() == Some(now));
        }
        self.is_done = true;
        Ok(())
    }

    fn shape(&self, (endpoint, topic): At<'_>) -> Result<Option<TopicFacts>, Error> {
        topics::facts(endpoint, topic, self.observer)
    }
}
