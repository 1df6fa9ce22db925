//! Asks AWS, and compares.

use futures::future::join_all;
use plan::{Infrastructure, NotObserved};
use topology::Topology;

use crate::compare::{Comparison, compare};
use crate::read::{Account, ReadError};
use crate::wanted::{Wanted, WantedNetwork, declares_networks, wanted};

/// Looks at what `topology` declares on AWS, all regions at once; nothing where it declares no network there. What could
/// not be looked at is in the result, with the reason: it is never taken for "no drift".
///
/// Reads only, and waits three minutes at most, so it may be dropped anywhere.
pub async fn observe(topology: &Topology) -> Option<Infrastructure> {
    if !declares_networks(topology) {
        return None;
    }
    let wanted = match wanted(topology) {
        Ok(wanted) => wanted,
        Err(error) => {
            return Some(Infrastructure {
                not_observed: vec![NotObserved {
                    message: format!("infrastructure on AWS is not compared: {error}"),
                    hint: Some("Terraform is not rendered for it either: `mirrorctl render --target terraform-aws`".to_owned()),
                    failed: true,
                }],
                ..Infrastructure::default()
            });
        }
    };
    Some(ask(&wanted).await)
}

async fn ask(wanted: &Wanted) -> Infrastructure {
    let mut seen = Infrastructure::default();
    let Some(first) = wanted.regions.keys().next() else {
        return seen;
    };
    match Account::log_in(first).await {
        Ok(account) => {
            let regions = wanted.regions.iter().map(|(region, networks)| {
                let account = &account;
                async move { (region, look(account, region, networks).await) }
            });
            for (region, result) in join_all(regions).await {
                match result {
                    Ok(Comparison { compared, drift }) => {
                        seen.observed.push(region.clone());
                        seen.compared += compared;
                        seen.drift.extend(drift);
                    }
                    Err(error) => seen.not_observed.push(failed(region, &error)),
                }
            }
        }
        Err(error) => {
            let regions: Vec<&str> = wanted.regions.keys().map(String::as_str).collect();
            seen.not_observed.push(failed(&regions.join(", "), &error));
        }
    }
    if !wanted.msk.is_empty() && !seen.observed.is_empty() {
        seen.not_observed.push(NotObserved {
            message: format!(
                "of MSK ({}), networks and security groups are compared, not the clusters themselves",
                wanted.msk.join(", ")
            ),
            hint: None,
            failed: false,
        });
    }
    seen
}

async fn look(
    account: &Account,
    region: &str,
    networks: &[WantedNetwork],
) -> Result<Comparison, ReadError> {
    let live = account.read(region, networks).await?;
    Ok(compare(region, networks, &live))
}

fn failed(regions: &str, error: &ReadError) -> NotObserved {
    NotObserved {
        message: format!("AWS in {regions} could not be observed: {error}"),
        hint: Some(error.hint().to_owned()),
        failed: true,
    }
}
