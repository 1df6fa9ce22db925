//! An HTTP server of a long command: binding, liveness, and an end. What else is served comes with a router.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

const JSON: &str = "application/json";
/// The heart beats this often, and is taken for dead after a silence of so many seconds.
const BEAT: Duration = Duration::from_secs(1);
const DEAD_AFTER_SECONDS: u64 = 10;
/// How long open requests may take once the run is over.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// A server that answers until it is ended or dropped.
#[derive(Debug)]
pub(crate) struct Listening {
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

/// Whether the event loop turns.
#[derive(Debug)]
struct Pulse {
    started: Instant,
    /// Second of the server's life in which the event loop last turned.
    beat: AtomicU64,
}

/// Serves `routes` and `/healthz` at this address, `host:port`.
///
/// Fails at once where the address cannot be had. Cancel safe.
pub(crate) async fn serve(address: &str, routes: Router) -> Result<Listening, Failure> {
    let cannot = |error| Failure::Listen {
        address: address.to_owned(),
        error,
    };
    let listener = TcpListener::bind(address).await.map_err(cannot)?;
    let bound = listener.local_addr().map_err(cannot)?;
    let pulse = Arc::new(Pulse {
        started: Instant::now(),
        beat: AtomicU64::new(0),
    });
    let health = Router::new()
        .route("/healthz", get(healthz))
        .with_state(pulse.clone());
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(heart(pulse, stop.clone()));
    let server = axum::serve(listener, routes.merge(health))
        .with_graceful_shutdown(stop.clone().cancelled_owned());
    tasks.spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(%error, "metrics and health are not served any more");
        }
    });
    tracing::info!(address = %bound, "serving /metrics, /healthz, /readyz and /status");
    Ok(Listening { tasks, stop })
}

impl Listening {
    /// Answers what was asked already, and no more.
    pub(crate) async fn end(mut self) {
        self.stop.cancel();
        let answered = async { while self.tasks.join_next().await.is_some() {} };
        // whoever is slower than that does not get the end of its answer
        let _ = tokio::time::timeout(LAST_ANSWERS, answered).await;
    }
}

async fn heart(pulse: Arc<Pulse>, stop: CancellationToken) {
    let mut beats = tokio::time::interval(BEAT);
    while stop.run_until_cancelled(beats.tick()).await.is_some() {
        let second = pulse.started.elapsed().as_secs();
        pulse.beat.store(second, Ordering::Relaxed);
    }
}

async fn healthz(State(pulse): State<Arc<Pulse>>) -> Response {
    let now = pulse.started.elapsed().as_secs();
    let silent = now.saturating_sub(pulse.beat.load(Ordering::Relaxed));
    let alive = silent < DEAD_AFTER_SECONDS;
    answer(
        alive,
        &json!({ "alive": alive, "uptime_seconds": now, "seconds_since_last_turn": silent }),
    )
}

/// A JSON answer with 200 or 503.
pub(crate) fn answer(well: bool, body: &Value) -> Response {
    let status = if well {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, [(CONTENT_TYPE, JSON)], format!("{body}\n")).into_response()
}
