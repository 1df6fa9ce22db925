//! A transport whose other end answers from a script.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use bytes::{Buf, BufMut, BytesMut};
use kafka::security::Sasl;
use kafka::{Stream, Transport};
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{
    ApiKey, ApiVersionsResponse, BrokerId, MetadataResponse, ResponseHeader,
    SaslAuthenticateResponse, SaslHandshakeResponse, TopicName,
};
use kafka_protocol::protocol::{Encodable, HeaderVersion, StrBytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Connections that one run may open; a client that tries for ever is left alone.
const CONNECTIONS: usize = 40;

/// What the other end says.
#[derive(Debug, Clone)]
pub enum Script {
    /// These bytes, whatever is asked, and then the end.
    Bytes(Vec<u8>),
    /// True answers until `api` is asked (for metadata: after the introduction), then this body
    /// behind the correlation id, and then the end.
    Answer {
        api: ApiKey,
        /// The highest version that the other end claims to speak of it.
        version: i16,
        body: Vec<u8>,
    },
    /// True answers, and in the login these words, one a turn; then the end.
    Login {
        turns: Vec<Vec<u8>>,
        /// The first turn begins with the nonce that the client sent (RFC 5802, section 5.1).
        echo_nonce: bool,
    },
}

/// See the module.
#[derive(Debug)]
pub struct Peer {
    script: Script,
    sasl: Option<Arc<Sasl>>,
    connections: AtomicUsize,
}

impl Peer {
    pub fn new(script: Script) -> Arc<Self> {
        Arc::new(Self {
            script,
            sasl: None,
            connections: AtomicUsize::new(0),
        })
    }

    /// One that the client has to log in to.
    pub fn with_login(script: Script, sasl: Arc<Sasl>) -> Arc<Self> {
        Arc::new(Self {
            script,
            sasl: Some(sasl),
            connections: AtomicUsize::new(0),
        })
    }
}

#[async_trait]
impl Transport for Peer {
    async fn connect(&self, _host: &str, _port: u16) -> io::Result<Box<dyn Stream>> {
        if self.connections.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let mut answers = VecDeque::new();
        let mut over = false;
        if let Script::Bytes(bytes) = &self.script {
            answers.extend(bytes);
            over = true;
        }
        Ok(Box::new(Wire {
            script: self.script.clone(),
            asked: BytesMut::new(),
            answers,
            over,
            introductions: 0,
            turns: 0,
            reader: None,
        }))
    }

    fn sasl(&self) -> Option<Arc<Sasl>> {
        self.sasl.clone()
    }
}

struct Wire {
    script: Script,
    asked: BytesMut,
    answers: VecDeque<u8>,
    over: bool,
    introductions: u32,
    /// Of the login.
    turns: usize,
    reader: Option<Waker>,
}

impl Wire {
    fn answer_whole_requests(&mut self) {
        while self.asked.len() >= 12 && !self.over {
            let length = 4 + (&self.asked[..4]).get_u32() as usize;
            if self.asked.len() < length {
                return;
            }
            let mut request = self.asked.split_to(length);
            request.advance(4);
            let (api, version, correlation) =
                (request.get_i16(), request.get_i16(), request.get_i32());
            let (wanted, highest, body) = match &self.script {
                Script::Answer { api, version, body } => (Some(*api), *version, &body[..]),
                Script::Login { .. } => (None, i16::MAX, &[][..]),
                Script::Bytes(_) => return,
            };
            let is_introduction = api == ApiKey::Metadata as i16 && self.introductions == 0;
            let mut out = BytesMut::new();
            out.put_i32(0);
            if wanted.is_some_and(|wanted| api == wanted as i16) && !is_introduction {
                out.put_i32(correlation);
                out.put_slice(body);
                self.over = true;
            } else if api == ApiKey::ApiVersions as i16 {
                put(&mut out, correlation, version, &versions(wanted, highest));
            } else if api == ApiKey::SaslHandshake as i16 {
                put(
                    &mut out,
                    correlation,
                    version,
                    &SaslHandshakeResponse::default(),
                );
            } else if api == ApiKey::SaslAuthenticate as i16 {
                match self.turn(request, version) {
                    Some(said) => put(&mut out, correlation, version, &said),
                    None => {
                        self.over = true;
                        out.clear();
                    }
                }
            } else if api == ApiKey::Metadata as i16 {
                self.introductions += 1;
                put(&mut out, correlation, version, &metadata());
            } else {
                self.over = true;
                out.clear();
            }
            if !out.is_empty() {
                let length = (out.len() - 4) as u32;
                out[..4].copy_from_slice(&length.to_be_bytes());
            }
            self.answers.extend(&out);
        }
    }
}

impl Wire {
    /// The next words of the login; `request` is what follows its correlation id.
    fn turn(&mut self, request: BytesMut, version: i16) -> Option<SaslAuthenticateResponse> {
        let Script::Login { turns, echo_nonce } = &self.script else {
            // Empty words end the login of whoever needs no more.
            return Some(SaslAuthenticateResponse::default());
        };
        let mut said = turns.get(self.turns)?.clone();
        if self.turns == 0 && *echo_nonce {
            let asked = request.freeze();
            let nonce = asked
                .windows(3)
                .position(|window| window == b",r=")
                .map(|at| at + 3)?;
            // It is what the request ends with, but for the empty tagged fields.
            let end = asked.len() - usize::from(version >= 2);
            said = [b"r=", asked.get(nonce..end)?, &said].concat();
        }
        self.turns += 1;
        Some(SaslAuthenticateResponse::default().with_auth_bytes(said.into()))
    }
}

fn put<R: Encodable + HeaderVersion>(out: &mut BytesMut, correlation: i32, version: i16, body: &R) {
    ResponseHeader::default()
        .with_correlation_id(correlation)
        .encode(out, R::header_version(version))
        .and_then(|()| body.encode(out, version))
        .expect("a true answer");
}

fn versions(wanted: Option<ApiKey>, highest: i16) -> ApiVersionsResponse {
    let range = |key: i16| {
        let api = ApiKey::try_from(key).expect("an API");
        let range = api.valid_versions();
        let max = if wanted == Some(api) {
            highest.clamp(range.min, range.max)
        } else {
            range.max
        };
        ApiVersion::default()
            .with_api_key(key)
            .with_min_version(range.min)
            .with_max_version(max)
    };
    let keys = (0..93).filter(|key| ApiKey::try_from(*key).is_ok());
    ApiVersionsResponse::default().with_api_keys(keys.map(range).collect())
}

/// One broker, one topic `t` with partition 0.
fn metadata() -> MetadataResponse {
    let broker = MetadataResponseBroker::default()
        .with_node_id(BrokerId(0))
        .with_host(StrBytes::from_static_str("peer"))
        .with_port(9092);
    let partition = MetadataResponsePartition::default()
        .with_leader_id(BrokerId(0))
        .with_replica_nodes(vec![BrokerId(0)])
        .with_isr_nodes(vec![BrokerId(0)]);
    let topic = MetadataResponseTopic::default()
        .with_name(Some(TopicName(StrBytes::from_static_str("t"))))
        .with_partitions(vec![partition]);
    MetadataResponse::default()
        .with_cluster_id(Some(StrBytes::from_static_str("c")))
        .with_brokers(vec![broker])
        .with_topics(vec![topic])
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.answers.is_empty() && !self.over {
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        while out.remaining() > 0 {
            let Some(byte) = self.answers.pop_front() else {
                break;
            };
            out.put_slice(&[byte]);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.asked.put_slice(bytes);
        self.answer_whole_requests();
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.over = true;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(()))
    }
}
