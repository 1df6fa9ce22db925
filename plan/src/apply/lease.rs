//! Who may apply to a cluster: a lease in the cluster's own record.
//!
//! A claim is a record of its own key. Its place in the order is the brokers' append time of its first record, so no
//! clock but the brokers' counts. The oldest claim that was renewed within [`LEASE`] holds the lease; whoever finds an
//! older one takes the own claim back. A claim that was not renewed in time is over for good: its owner claims anew.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use kafka::record::Record;
use kafka::{KeyedLog, Uuid};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::journal;

/// A claim lasts this long after it was renewed.
pub(crate) const LEASE: Duration = Duration::from_mins(1);
/// It is renewed this often.
pub(crate) const RENEWAL: Duration = Duration::from_secs(15);
/// Before the claim's id, in the key.
const CLAIM: &str = "lock/";

/// Who applies, as shown to whoever finds the lease taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applicant {
    /// Who and where: `user@host`.
    pub who: String,
    /// Process id.
    pub pid: u32,
    /// Names the process table that the id is of, so that a dead owner on the same machine is known to be dead; empty
    /// where that cannot be known.
    #[serde(default)]
    pub processes: String,
}

impl fmt::Display for Applicant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.who, self.pid)
    }
}

/// The one who holds the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Who it is.
    pub by: Applicant,
    /// Since when, in milliseconds since 1970 UTC by the brokers' clock.
    pub since: i64,
    /// How long ago it was renewed.
    pub renewed: Duration,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = LEASE.saturating_sub(self.renewed).as_secs();
        write!(f, "{}", self.by)?;
        if let Some(since) = DateTime::from_timestamp_millis(self.since) {
            write!(f, ", since {}", since.format("%Y-%m-%d %H:%M:%SZ"))?;
        }
        write!(
            f,
            ", renewed {} s ago; if that process is gone, the lease ends in {rest} s",
            self.renewed.as_secs()
        )
    }
}

/// Why there is no lease.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeaseError {
    /// Somebody else applies.
    #[error("{0}")]
    Held(Holder),
    /// It was not renewed in time, and somebody else may apply by now.
    #[error("the lease was not renewed within {} s", LEASE.as_secs())]
    Lost,
    /// The record could not be read or written.
    #[error(transparent)]
    Cluster(#[from] kafka::Error),
}

/// A held lease. Dropped without [`release`](Self::release) it ends by itself after [`LEASE`].
#[derive(Debug)]
pub(crate) struct Lease {
    log: KeyedLog,
    claim: Claim,
    id: Uuid,
    /// When the record that was last confirmed was about to be sent.
    confirmed: Instant,
}

/// The value of a claim's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Claim {
    by: Applicant,
    /// Append time of the claim's first record; absent in that record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<i64>,
}

/// A claim as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Standing {
    by: Applicant,
    since: i64,
    renewed: i64,
}

impl Lease {
    /// Claims the lease. Not cancel safe: a claim that is left behind ends after [`LEASE`].
    pub(crate) async fn acquire(log: KeyedLog, by: Applicant) -> Result<Self, LeaseError> {
        let mut lease = Self {
            log,
            claim: Claim { by, since: None },
            id: Uuid::new_v4(),
            confirmed: Instant::now(),
        };
        lease.append().await?;
        let standing = lease.standing().await?;
        let own = standing.get(&lease.id).ok_or(LeaseError::Lost)?.clone();
        if let Some(holder) = holder_before(&standing, lease.id, &own) {
            lease.release().await?;
            return Err(LeaseError::Held(holder));
        }
        lease.claim.since = Some(own.since);
        Ok(lease)
    }

    /// Whether nobody else can hold the lease now, by this machine's clock.
    pub(crate) fn is_held(&self) -> bool {
        self.confirmed.elapsed() < LEASE
    }

    /// Renews the claim. Cancel safe.
    pub(crate) async fn renew(&mut self) -> Result<(), LeaseError> {
        let before = self.standing().await?;
        let before = before.get(&self.id).ok_or(LeaseError::Lost)?.renewed;
        let about_to = Instant::now();
        self.append().await?;
        let now = self.standing().await?;
        let now = now.get(&self.id).ok_or(LeaseError::Lost)?.renewed;
        // the gap as the brokers saw it is what others judged by
        if now - before >= LEASE.as_millis() as i64 {
            return Err(LeaseError::Lost);
        }
        self.confirmed = about_to;
        Ok(())
    }

    /// Gives the lease back.
    pub(crate) async fn release(self) -> Result<(), kafka::Error> {
        self.log.append(&[record(self.id, None)]).await
    }

    async fn append(&self) -> Result<(), kafka::Error> {
        self.log.append(&[record(self.id, Some(&self.claim))]).await
    }

    async fn standing(&self) -> Result<BTreeMap<Uuid, Standing>, kafka::Error> {
        let mut standing = BTreeMap::new();
        self.log.read(|record| note(record, &mut standing)).await?;
        Ok(standing)
    }
}

fn record(id: Uuid, claim: Option<&Claim>) -> Record {
    Record {
        offset_delta: 0,
        timestamp: 0,
        key: Some(Bytes::from(format!("{CLAIM}{id}"))),
        // text and numbers: serialisation has no way to fail
        value: claim.map(|claim| Bytes::from(serde_json::to_vec(claim).unwrap_or_default())),
        headers: Vec::new(),
    }
}

fn note(record: &Record, standing: &mut BTreeMap<Uuid, Standing>) {
    let key = record.key.as_deref().map(std::str::from_utf8);
    let Some(Ok(key)) = key else { return };
    let Some(Ok(id)) = key.strip_prefix(CLAIM).map(str::parse::<Uuid>) else {
        return;
    };
    match record.value.as_deref().map(serde_json::from_slice::<Claim>) {
        Some(Ok(claim)) => {
            let since = claim.since.unwrap_or(record.timestamp);
            let renewed = record.timestamp;
            let by = claim.by;
            standing.insert(id, Standing { by, since, renewed });
        }
        None | Some(Err(_)) => {
            standing.remove(&id);
        }
    }
}

/// The claim that stands before one's own, if any.
fn holder_before(standing: &BTreeMap<Uuid, Standing>, id: Uuid, own: &Standing) -> Option<Holder> {
    standing
        .iter()
        .filter(|(other, claim)| (claim.since, **other) < (own.since, id))
        .filter(|(_, claim)| own.renewed - claim.renewed < LEASE.as_millis() as i64)
        .filter(|(_, claim)| !is_dead(&claim.by, &own.by))
        .min_by_key(|(other, claim)| (claim.since, **other))
        .map(|(_, claim)| Holder {
            by: claim.by.clone(),
            since: claim.since,
            renewed: Duration::from_millis((own.renewed - claim.renewed).max(0) as u64),
        })
}

/// Whether the process is certainly gone: it was of this machine's process table, and is not in it or has ended there.
fn is_dead(other: &Applicant, own: &Applicant) -> bool {
    !own.processes.is_empty() && other.processes == own.processes && has_ended(other.pid)
}

/// What was killed stays in the table until its parent has looked at it, which in a container may be never.
fn has_ended(pid: u32) -> bool {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        // the state comes after the name, which may hold parentheses of its own
        Ok(stat) => stat
            .rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with(['Z', 'X'])),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// Opens the record of a cluster and claims the lease.
pub(crate) async fn acquire(cluster: &kafka::Cluster, by: &Applicant) -> Result<Lease, LeaseError> {
    let log = journal::log(cluster);
    journal::ensure(&log).await?;
    Lease::acquire(log, by.clone()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(who: &str, since: i64, renewed: i64) -> Standing {
        Standing {
            by: Applicant {
                who: who.to_owned(),
                pid: 1,
                processes: String::new(),
            },
            since,
            renewed,
        }
    }

    fn judged(others: &[Standing], own: &Standing) -> Option<String> {
        let id = Uuid::from_u128(u128::MAX);
        let mut standing: BTreeMap<Uuid, Standing> = others
            .iter()
            .zip(1..)
            .map(|(other, number)| (Uuid::from_u128(number), other.clone()))
            .collect();
        standing.insert(id, own.clone());
        holder_before(&standing, id, own).map(|holder| holder.by.who)
    }

    #[test]
    fn the_oldest_claim_that_is_alive_holds() {
        let own = claim("own", 100_000, 100_000);
        assert_eq!(judged(&[], &own), None);
        assert_eq!(
            judged(&[claim("a", 90_000, 90_000)], &own).as_deref(),
            Some("a")
        );
        assert_eq!(
            judged(&[claim("a", 1_000, 95_000)], &own).as_deref(),
            Some("a"),
            "renewed"
        );
        assert_eq!(judged(&[claim("a", 30_000, 40_000)], &own), None, "expired");
        assert_eq!(
            judged(&[claim("a", 100_001, 100_001)], &own),
            None,
            "came later"
        );
        let both = [claim("b", 90_000, 90_000), claim("a", 80_000, 90_000)];
        assert_eq!(judged(&both, &own).as_deref(), Some("a"));
    }

    #[test]
    fn a_claim_keeps_its_place_when_it_is_renewed_and_is_gone_when_given_back() {
        let id = Uuid::new_v4();
        let mut value = Claim {
            by: Applicant::default(),
            since: None,
        };
        let at = |timestamp, record: Record| Record {
            timestamp,
            ..record
        };
        let mut standing = BTreeMap::new();
        note(&at(10, record(id, Some(&value))), &mut standing);
        value.since = Some(10);
        note(&at(99, record(id, Some(&value))), &mut standing);
        assert_eq!((standing[&id].since, standing[&id].renewed), (10, 99));
        note(&at(100, record(id, None)), &mut standing);
        assert!(standing.is_empty());
    }

    #[test]
    fn a_process_that_is_gone_holds_nothing() {
        let of = |pid| Applicant {
            who: "a".to_owned(),
            pid,
            processes: "this".to_owned(),
        };
        let own = of(std::process::id());
        assert!(is_dead(&of(u32::MAX), &own));
        assert!(!is_dead(&of(std::process::id()), &own));
        let elsewhere = Applicant {
            processes: "other".to_owned(),
            ..of(u32::MAX)
        };
        assert!(!is_dead(&elsewhere, &own));

        // killed, and nobody has asked how it ended
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .expect("sleep");
        assert!(!is_dead(&of(child.id()), &own));
        child.kill().expect("a child of one's own");
        let began = std::time::Instant::now();
        while !is_dead(&of(child.id()), &own) {
            assert!(began.elapsed() < Duration::from_secs(10), "it still holds");
            std::thread::sleep(Duration::from_millis(5));
        }
        child.wait().expect("it was not waited for");
    }
}
