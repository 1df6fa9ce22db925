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
}

/// Looks at a topic now and then, until it holds a record.
pub(crate) struct Looker<'l> {
    target: &'l Endpoint,
    topic: &'l str,
    observer: &'l dyn Observer,
    was_unused: bool,
    is_done: bool,
    looks: FirstLooks,
}

impl<'l> Looker<'l> {
    pub(crate) fn new(target: &'l Endpoint, topic: &'l str, observer: &'l dyn Observer) -> Self {
        Self {
            target,
            topic,
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
        let Some(shape) = self.shape()? else {
            self.was_unused = true;
            return Ok(());
        };
        // the ends after the shape: whoever is empty now was of this shape while it was
        let asker = Asker::open(self.target, self.observer)?;
        let all: Vec<i32> = (0..shape.partitions).collect();
        let ends = asker.offsets(self.topic, &all, Offset::End)?;
        if ends.iter().all(|end| *end == 0) {
            self.was_unused = true;
            self.looks.while_empty = Some(shape);
            return Ok(());
        }
        if self.was_unused {
            // and the shape after the ends: it is the one of a topic with records
            self.looks.with_records = self.shape()?;
        }
        self.is_done = true;
        Ok(())
    }

    fn shape(&self) -> Result<Option<TopicFacts>, Error> {
        topics::facts(self.target, self.topic, self.observer)
    }
}
