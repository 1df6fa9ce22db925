//! The HTTP side of a running mirror: metrics, health, readiness and a snapshot, for scrapers and
//! probes. Reads only.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use replicator::metrics::{Metrics, OPEN_METRICS, PROMETHEUS_TEXT, PartitionMetrics, Watchlist};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::serve::{Listening, answer, serve};

/// What is not ready is named up to here, and counted beyond.
const NAMED: usize = 100;

#[derive(Debug)]
struct Shared {
    runs: Watchlist,
    metrics: Metrics,
    started: Instant,
}

/// Serves `runs` at this address, `host:port`.
///
/// Fails at once where the address cannot be had. Cancel safe.
pub(crate) async fn listen(
    address: &str,
    runs: Watchlist,
    partitions: PartitionMetrics,
) -> Result<Listening, Failure> {
    let shared = Shared {
        metrics: Metrics::new(runs.clone(), partitions),
        runs,
        started: Instant::now(),
    };
    serve(address, router(Arc::new(shared))).await
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/readyz", get(readyz))
        .route("/status", get(status))
        .with_state(shared)
}

async fn metrics(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    let (content_type, text) = if accepts_open_metrics(accept) {
        (OPEN_METRICS, shared.metrics.open_metrics())
    } else {
        (PROMETHEUS_TEXT, shared.metrics.prometheus_text())
    };
    match text {
        Ok(text) => ([(CONTENT_TYPE, content_type)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Whether the scraper can read it; which of several it likes best does not matter to us.
fn accepts_open_metrics(accept: Option<&str>) -> bool {
    accept.is_some_and(|accept| {
        accept
            .split(',')
            .any(|kind| kind.trim().starts_with("application/openmetrics-text"))
    })
}

async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    let (ready, body) = readiness(&shared.runs);
    answer(ready, &body)
}

fn readiness(list: &Watchlist) -> (bool, Value) {
    let (runs, paused) = (list.runs(), list.paused());
    // before the first mirror has begun there is nothing that could be ready, unless that is what was asked for
    let mut all_ready = !runs.is_empty() || !paused.is_empty();
    let mut mirrors: Vec<Value> = runs
        .iter()
        .map(|run| {
            let mut ailing = run.progress.ailing();
            all_ready &= ailing.is_empty();
            let total = ailing.len();
            ailing.truncate(NAMED);
            json!({
                "mirror": run.mirror,
                "source": run.source,
                "target": run.target,
                "ready": total == 0,
                "phase": run.progress.snapshot().phase,
                "not_ready": ailing,
                "not_named": total.saturating_sub(NAMED),
            })
        })
        .collect();
    mirrors.extend(paused.iter().map(|(mirror, held)| {
        json!({
            "mirror": mirror, "ready": true, "phase": "paused", "held_by": held.by(), "reason": held.why(),
            "not_ready": [], "not_named": 0,
        })
    }));
    (all_ready, json!({ "ready": all_ready, "mirrors": mirrors }))
}

async fn status(State(shared): State<Arc<Shared>>) -> Response {
    let mirrors: Vec<Value> = shared
        .runs
        .runs()
        .iter()
        .map(|run| {
            json!({
                "mirror": run.mirror,
                "source": run.source,
                "target": run.target,
                "lag_objective_seconds": run.lag_objective.map(|it| it.as_secs_f64()),
                "now": run.progress.snapshot(),
                "partitions": run.progress.figures(),
            })
        })
        .collect();
    let body = json!({
        "format_version": "1.0",
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": shared.started.elapsed().as_secs(),
        "mirrors": mirrors,
    });
    answer(true, &body)
}

#[cfg(test)]
mod tests {
    use replicator::Progress;
    use replicator::metrics::Watched;
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn open_metrics_is_given_to_who_can_read_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;q=0.4";
        assert!(accepts_open_metrics(Some(prometheus)));
        assert!(!accepts_open_metrics(Some("text/plain, */*")));
        assert!(!accepts_open_metrics(None));
    }

    #[test]
    fn what_has_not_begun_is_not_ready() {
        let runs = Watchlist::new();
        assert!(!readiness(&runs).0, "no run yet");
        runs.add(Watched {
            mirror: "m".to_owned(),
            source: "a".to_owned(),
            target: "b".to_owned(),
            lag_objective: None,
            progress: Progress::new(),
        });
        let (ready, body) = readiness(&runs);
        assert!(!ready);
        assert_eq!(body["mirrors"][0]["not_ready"][0]["state"], "preparing");
    }

    #[test]
    fn what_is_paused_on_purpose_is_ready() {
        let list = Watchlist::new();
        list.pause(["m"]);
        let (ready, body) = readiness(&list);
        assert!(ready);
        assert_eq!(body["mirrors"][0]["phase"], "paused");
        assert_eq!(body["mirrors"][0]["held_by"], "topology");
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = taken.local_addr().expect("address").to_string();
        let refused = listen(&address, Watchlist::new(), PartitionMetrics::On).await;
        let failure = refused.expect_err("it is taken");
        assert!(failure.to_string().contains(&address), "{failure}");
    }
}
