//! Connections that write only while somebody says that they may.
//!
//! A process can stand still at any point, for as long as it likes: SIGSTOP, a frozen container, a virtual machine that
//! moves. When it goes on it sends what it was about to send, to a cluster that has changed meanwhile. The only place where
//! that can be kept from happening is right before the system call that hands bytes to the kernel.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::security::Sasl;
use crate::transport::{Stream, Transport};

/// Says whether bytes may leave right now.
pub trait Gate: Send + Sync + fmt::Debug {
    /// Asked before every write; cheap. A connection that was refused a write is over: its peer may have half a frame.
    fn is_open(&self) -> bool;
}

/// A transport whose streams ask a gate.
#[derive(Debug)]
pub(crate) struct GatedTransport {
    pub(crate) inner: Arc<dyn Transport>,
    pub(crate) gate: Arc<dyn Gate>,
}

#[async_trait]
impl Transport for GatedTransport {
    async fn connect(&self, host: &str, port: u16) -> io::Result<Box<dyn Stream>> {
        Ok(Box::new(GatedStream {
            inner: self.inner.connect(host, port).await?,
            gate: self.gate.clone(),
        }))
    }

    fn sasl(&self) -> Option<Arc<Sasl>> {
        self.inner.sasl()
    }
}

struct GatedStream {
    inner: Box<dyn Stream>,
    gate: Arc<dyn Gate>,
}

impl GatedStream {
    fn pass(&self) -> io::Result<()> {
        if self.gate.is_open() {
            Ok(())
        } else {
            Err(io::Error::other("withheld: this may not be sent any more"))
        }
    }
}

impl AsyncRead for GatedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, out)
    }
}

impl AsyncWrite for GatedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.pass()?;
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.pass()?;
        Pin::new(&mut self.inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    /// TLS holds back what the socket did not take.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pass()?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    /// TLS would flush what it holds first; the end of the socket says as much.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pass()?;
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    use super::*;

    #[derive(Debug, Default)]
    struct Switch(AtomicBool);

    impl Gate for Switch {
        fn is_open(&self) -> bool {
            self.0.load(Ordering::Relaxed)
        }
    }

    #[derive(Debug)]
    struct Pipe(Mutex<Option<DuplexStream>>);

    #[async_trait]
    impl Transport for Pipe {
        async fn connect(&self, _: &str, _: u16) -> io::Result<Box<dyn Stream>> {
            let end = self.0.lock().expect("one thread").take();
            Ok(Box::new(end.expect("one connection")))
        }
    }

    #[tokio::test]
    async fn nothing_leaves_once_the_gate_is_shut_not_even_the_rest_of_a_frame() {
        // room for less than a frame
        let (ours, mut theirs) = tokio::io::duplex(4);
        let gate = Arc::new(Switch::default());
        let transport = GatedTransport {
            inner: Arc::new(Pipe(Mutex::new(Some(ours)))),
            gate: gate.clone(),
        };
        gate.0.store(true, Ordering::Relaxed);
        let mut stream = transport.connect("", 0).await.expect("connects");
        assert_eq!(stream.write(b"frames").await.expect("open"), 4);
        gate.0.store(false, Ordering::Relaxed);
        let mut room = [0; 4];
        theirs.read_exact(&mut room).await.expect("what was sent");
        assert!(stream.write(b"es").await.is_err());
        assert!(
            stream
                .write_vectored(&[io::IoSlice::new(b"es")])
                .await
                .is_err()
        );
        assert!(stream.flush().await.is_err());
        assert!(stream.shutdown().await.is_err());
        drop(stream);
        let mut rest = Vec::new();
        theirs.read_to_end(&mut rest).await.expect("the end");
        assert!(rest.is_empty(), "{rest:?}");
    }
}
