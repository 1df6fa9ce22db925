//! The connections that all clones of a [`crate::Cluster`] use for metadata and admin calls, one a broker.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::connection::Connection;
use crate::error::Error;

/// Connections by address.
///
/// Who opens one holds a lock of that address alone, so that two ask a broker once and a broker that does not answer
/// makes nobody wait for another.
#[derive(Debug, Default)]
pub(crate) struct SharedConnections {
    /// Held only to look something up.
    by_address: std::sync::Mutex<HashMap<String, Slot>>,
    /// Held by who looks for any broker at all.
    introduction: Mutex<()>,
}

type Slot = Arc<Mutex<Option<Connection>>>;

impl SharedConnections {
    /// These were opened before.
    pub(crate) fn of(connection: Connection) -> Self {
        let shared = Self::default();
        shared.put(connection);
        shared
    }

    /// One to whichever broker, `introduce`d where none is open. Cancel safe.
    pub(crate) async fn any<F>(&self, introduce: impl FnOnce() -> F) -> Result<Connection, Error>
    where
        F: Future<Output = Result<Connection, Error>>,
    {
        if let Some(open) = self.open_one() {
            return Ok(open);
        }
        let _one_at_a_time = self.introduction.lock().await;
        if let Some(open) = self.open_one() {
            return Ok(open);
        }
        let connection = introduce().await?;
        self.put(connection.clone());
        Ok(connection)
    }

    /// The one to `address`; `open` makes it where there is none. Cancel safe.
    pub(crate) async fn to<F>(
        &self,
        address: String,
        open: impl FnOnce() -> F,
    ) -> Result<Connection, Error>
    where
        F: Future<Output = Result<Connection, Error>>,
    {
        let slot = self.slots().entry(address).or_default().clone();
        let mut slot = slot.lock().await;
        if let Some(open) = slot.as_ref().filter(|connection| connection.is_open()) {
            return Ok(open.clone());
        }
        *slot = None;
        let connection = open().await?;
        *slot = Some(connection.clone());
        Ok(connection)
    }

    /// One that is open already; those that are not are forgotten.
    fn open_one(&self) -> Option<Connection> {
        let mut found = None;
        self.slots().retain(|_, slot| {
            // who holds it is opening it
            let Ok(slot) = slot.try_lock() else {
                return true;
            };
            let open = slot.as_ref().filter(|connection| connection.is_open());
            found = found.take().or_else(|| open.cloned());
            open.is_some()
        });
        found
    }

    fn put(&self, connection: Connection) {
        let address = connection.address().to_owned();
        self.slots()
            .insert(address, Arc::new(Mutex::new(Some(connection))));
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, HashMap<String, Slot>> {
        // nothing panics while it is held, and a map of connections cannot be half-changed
        self.by_address
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    /// A connection over one half of a pipe; the other half keeps it open.
    fn connection(address: &str) -> (Connection, tokio::io::DuplexStream) {
        let (ours, theirs) = tokio::io::duplex(64);
        let open = Connection::over(
            Box::new(ours),
            address.into(),
            "test",
            Duration::from_secs(1),
        );
        (open, theirs)
    }

    #[tokio::test]
    async fn a_broker_that_does_not_answer_makes_nobody_wait_for_another() {
        let shared = SharedConnections::default();
        let (one, _open) = connection("one:1");
        let silent = shared.to("silent:1".to_owned(), std::future::pending);
        tokio::pin!(silent);
        assert!(futures::poll!(&mut silent).is_pending());
        let given = shared.to("one:1".to_owned(), || async { Ok(one) });
        assert_eq!(given.await.expect("a connection").address(), "one:1");
        let any = shared
            .any(std::future::pending)
            .await
            .expect("a connection");
        assert_eq!(any.address(), "one:1");
    }

    #[tokio::test]
    async fn two_that_want_one_broker_open_one_connection() {
        let shared = SharedConnections::default();
        let opened = AtomicUsize::new(0);
        let (one, _open) = connection("one:1");
        let ask = || {
            shared.to("one:1".to_owned(), || async {
                opened.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Ok(one.clone())
            })
        };
        let (a, b) = tokio::join!(ask(), ask());
        assert!(a.is_ok() && b.is_ok());
        assert_eq!(opened.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_connection_that_has_ended_is_opened_again() {
        let shared = SharedConnections::default();
        let (first, end) = connection("one:1");
        let given = shared.to("one:1".to_owned(), || async { Ok(first.clone()) });
        given.await.expect("a connection");
        drop(end);
        while first.is_open() {
            tokio::task::yield_now().await;
        }
        let (second, _open) = connection("one:1");
        let any = shared
            .any(|| async { Ok(second) })
            .await
            .expect("a connection");
        assert!(any.is_open());
        let again = shared.to("one:1".to_owned(), std::future::pending);
        assert!(again.await.expect("a connection").is_open());
    }
}
