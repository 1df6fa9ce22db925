//! An OAuth 2 token endpoint on the loopback interface: the client credentials grant (RFC 6749, section 4.4).

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use super::authority::Identity;
use super::signer::Signer;
use crate::{Error, Result};

/// What tokens are for.
pub(super) const AUDIENCE: &str = "kafka";
/// Who tokens are from.
pub(super) const ISSUER: &str = "https://e2e.invalid/";

/// No client takes longer to ask.
const PATIENCE: Duration = Duration::from_secs(5);
/// No request is larger.
const LARGEST: u64 = 64 * 1024;

/// Gives tokens to clients that know their secret, over HTTPS. Ends when dropped.
#[derive(Debug)]
pub struct TokenServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: Option<JoinHandle<()>>,
}

struct Shared {
    stop: AtomicBool,
    given: AtomicU64,
    lifetime: Mutex<Duration>,
    signer: Signer,
    logins: Vec<(String, String)>,
    tls: Arc<ServerConfig>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl TokenServer {
    /// Starts to listen. `logins` are client ids and secrets; a token's subject is the client id.
    pub(super) fn start(identity: &Identity, logins: Vec<(String, String)>) -> Result<Self> {
        let failed = |reason: String| Error::Tokens { reason };
        let certificate = CertificateDer::from_pem_slice(identity.certificate.as_bytes())
            .map_err(|error| failed(error.to_string()))?;
        let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes())
            .map_err(|error| failed(error.to_string()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(error.to_string()))?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .map_err(|error| failed(error.to_string()))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .map_err(|error| failed(error.to_string()))?;
        let address = listener
            .local_addr()
            .map_err(|error| failed(error.to_string()))?;
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            given: AtomicU64::new(0),
            lifetime: Mutex::new(Duration::from_hours(1)),
            signer: Signer::new()?,
            logins,
            tls: Arc::new(tls),
        });
        let server = {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || serve(&listener, &shared))
        };
        Ok(Self {
            address,
            shared,
            server: Some(server),
        })
    }

    /// Where tokens are asked for.
    pub fn endpoint(&self) -> String {
        format!("https://{}/token", self.address)
    }

    /// How many tokens have been given so far.
    pub fn given(&self) -> u64 {
        self.shared.given.load(Ordering::Relaxed)
    }

    /// How long tokens live that are given from now on. An hour at first.
    pub fn set_lifetime(&self, lifetime: Duration) {
        *self
            .shared
            .lifetime
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = lifetime;
    }

    /// A token for a client, without asking for it over the network.
    pub fn token(&self, client: &str) -> Result<String> {
        self.shared.token(client).map(|(token, _)| token)
    }

    pub(super) fn key_set(&self) -> String {
        self.shared.signer.key_set()
    }
}

impl Drop for TokenServer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // the server waits for a client: be one
        drop(TcpStream::connect(self.address));
        if let Some(server) = self.server.take() {
            drop(server.join());
        }
    }
}

impl Shared {
    /// A token and the seconds that it lives.
    fn token(&self, client: &str) -> Result<(String, u64)> {
        let lifetime = *self.lifetime.lock().unwrap_or_else(PoisonError::into_inner);
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let seconds = lifetime.as_secs();
        let token = self.signer.sign(&json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": client, "iat": now, "exp": now + seconds,
            "jti": uuid::Uuid::new_v4().to_string(),
        }))?;
        self.given.fetch_add(1, Ordering::Relaxed);
        Ok((token, seconds))
    }

    fn answer(&self, request: &Request) -> (&'static str, String) {
        let refused = |status, error: &str| (status, json!({"error": error}).to_string());
        if request.form("grant_type").as_deref() != Some("client_credentials") {
            return refused("400 Bad Request", "unsupported_grant_type");
        }
        let Some(login) = request.login().filter(|login| self.logins.contains(login)) else {
            return refused("401 Unauthorized", "invalid_client");
        };
        match self.token(&login.0) {
            Ok((token, seconds)) => (
                "200 OK",
                json!({"access_token": token, "token_type": "Bearer", "expires_in": seconds})
                    .to_string(),
            ),
            Err(error) => refused("500 Internal Server Error", &error.to_string()),
        }
    }
}

fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::Relaxed) {
            return;
        }
        let shared = Arc::clone(shared);
        // a client that goes away in the middle has no answer, which is what it sees
        std::thread::spawn(move || stream.and_then(|stream| converse(stream, &shared)));
    }
}

fn converse(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let connection =
        ServerConnection::new(Arc::clone(&shared.tls)).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    let request = Request::read(&mut stream)?;
    let (status, body) = shared.answer(&request);
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )?;
    stream.conn.send_close_notify();
    stream.flush()
}

struct Request {
    authorization: Option<String>,
    body: String,
}

impl Request {
    fn read(stream: &mut impl Read) -> std::io::Result<Self> {
        let mut reader = BufReader::new(stream.take(LARGEST));
        let (mut authorization, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "authorization" => authorization = Some(value.trim().to_owned()),
                "content-length" => length = value.trim().parse().unwrap_or(0),
                _ => {}
            }
        }
        let mut body = vec![0; usize::min(length, LARGEST as usize)];
        reader.read_exact(&mut body)?;
        Ok(Self {
            authorization,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    /// One field of the form. The texts of tests need no decoding.
    fn form(&self, name: &str) -> Option<String> {
        self.body
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
    }

    /// Client id and secret, from the header or from the form.
    fn login(&self) -> Option<(String, String)> {
        let from_header = || {
            let encoded = self.authorization.as_deref()?.strip_prefix("Basic ")?;
            let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
            let (id, secret) = text.split_once(':')?;
            Some((id.to_owned(), secret.to_owned()))
        };
        from_header().or_else(|| Some((self.form("client_id")?, self.form("client_secret")?)))
    }
}
