//! What secured connections do, and what is said when they cannot be had: against a scripted peer, behind TLS or not.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod login;
mod peer;
mod tls;
