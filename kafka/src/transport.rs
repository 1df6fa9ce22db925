use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::security::Sasl;

/// A byte stream to a broker.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Makes byte streams to brokers. TLS wraps the stream here; SASL speaks on the connection before
/// it is handed out. Everything above sees only bytes.
#[async_trait]
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Opens a stream. Cancel safe: dropping the future drops the half-open stream.
    async fn connect(&self, host: &str, port: u16) -> io::Result<Box<dyn Stream>>;

    /// How connections over these streams authenticate; not at all unless said.
    fn sasl(&self) -> Option<Arc<Sasl>> {
        None
    }
}

/// Plain TCP, the `PLAINTEXT` listener of a broker.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plaintext;

impl Plaintext {
    pub(crate) async fn open(host: &str, port: u16) -> io::Result<TcpStream> {
        let stream = TcpStream::connect((host, port)).await?;
        // Requests are written whole in one vectored write; waiting for more would only add delay.
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

#[async_trait]
impl Transport for Plaintext {
    async fn connect(&self, host: &str, port: u16) -> io::Result<Box<dyn Stream>> {
        Ok(Box::new(Self::open(host, port).await?))
    }
}
