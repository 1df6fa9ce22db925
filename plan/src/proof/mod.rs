//! What can be proven of the declared mirrors before they run: what is live against what they promise.
//!
//! [`gather`] reads the clusters at both ends of every mirror (reads only); [`judge`] is a pure function of the topology and
//! that evidence, with one file for each kind of finding. It judges what will be after this plan was applied: what the
//! topology declares counts before what is live. Mirrors of other engines, and promoted ones, are not judged.

mod acls;
mod compacted;
mod evidence;
mod finding;
mod gather;
mod gather_topics;
mod handed_over;
mod judge;
mod naming;
mod outlook;
mod quota;
mod retention;
mod size;
mod target;
#[cfg(test)]
mod testbed;
mod timestamps;
mod way_back;

pub use evidence::{Evidence, Filled, Setting, SiteEvidence, TopicEvidence};
pub use finding::{Finding, FindingId, Severity};
pub use gather::{gather, judged_clusters};
pub use judge::judge;
