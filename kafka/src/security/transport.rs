use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::io::BufReader;
use tokio_rustls::TlsConnector;

use super::error::SecurityError;
use super::sasl::Sasl;
use super::tls::Tls;
use crate::transport::{Plaintext, Stream, Transport};

/// What rustls reads at once is small (4 KiB); the socket is read in pieces of this size instead.
const READ_BUFFER: usize = 64 << 10;

/// TCP, TLS on it where asked for, and SASL on that.
#[derive(Debug, Clone, Default)]
pub struct SecureTransport {
    /// How connections are encrypted; they are not when absent.
    pub tls: Option<Arc<Tls>>,
    /// How connections are authenticated; they are not when absent.
    pub sasl: Option<Arc<Sasl>>,
}

#[async_trait]
impl Transport for SecureTransport {
    async fn connect(&self, host: &str, port: u16) -> io::Result<Box<dyn Stream>> {
        let Some(tls) = &self.tls else {
            return Plaintext.connect(host, port).await;
        };
        let name = tls.name_for(host).map_err(SecurityError::into_io)?;
        let stream = Plaintext::open(host, port).await?;
        let connector = TlsConnector::from(tls.config());
        let buffered = BufReader::with_capacity(READ_BUFFER, stream);
        let stream =
            connector
                .connect(name, buffered)
                .await
                .map_err(|error| match error.kind() {
                    // a plaintext listener takes the first bytes for a huge length, and hangs up
                    io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::BrokenPipe => SecurityError::NotTls {
                        problem: "it closed the connection in the handshake".to_owned(),
                    }
                    .into_io(),
                    _ => match SecurityError::of_io(&error) {
                        Some(explained) => explained.into_io(),
                        None => error,
                    },
                })?;
        Ok(Box::new(stream))
    }

    fn sasl(&self) -> Option<Arc<Sasl>> {
        self.sasl.clone()
    }
}
