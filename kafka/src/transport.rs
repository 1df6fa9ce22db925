use std::io;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// A byte stream to a broker.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Makes byte streams to brokers. TLS wraps the stream here; SASL speaks on it before it is
/// handed out. Everything above sees only bytes.
#[async_trait]
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Opens a stream. Cancel safe: dropping the future drops the half-open stream.
    async fn connect(&self, host: &str, port: u16) -> io::Result<Box<dyn Stream>>;
}

/// Plain TCP, the `PLAINTEXT` listener of a broker.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plaintext;

#[async_trait]
impl Transport for Plaintext {
    async fn connect(&self, host: &str, port: u16) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect((host, port)).await?;
        // Requests are written whole in one vectored write; waiting for more would only add delay.
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}
