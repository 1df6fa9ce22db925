//! What the fuzz targets share: a broker that exists only as bytes, and the calls that read them.

mod call;
mod peer;

pub use call::{Call, exercise_records};
pub use peer::{Peer, Script};

/// Runs `future` on a clock that jumps over every pause, so that retries cost nothing.
pub fn run<F: Future>(future: F) -> F::Output {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}
