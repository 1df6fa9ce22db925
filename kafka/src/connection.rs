//! One pipelined connection to one broker.
//!
//! A writer task owns the write half and writes whole frames in the order they are queued; a
//! reader task owns the read half and hands responses to their callers in the same order (Kafka
//! answers a connection's requests in order). A caller that goes away never leaves half a frame
//! on the wire.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{ApiVersionsRequest, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Encodable, HeaderVersion, Request, StrBytes};
use tokio::io::{AsyncReadExt, ReadHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::security::{Authenticator, SecurityError};
use crate::transport::{Stream, Transport};
use crate::versions::{ApiVersions, api_name};
use crate::writer::{Login, Queued, Writer};

/// Frames queued behind the one being written; more would only hide backpressure.
const WRITE_QUEUE: usize = 64;
/// A response larger than this is not one: brokers cap a fetch at 55 MB (`fetch.max.bytes`).
const MAX_RESPONSE: usize = 256 << 20;
/// Responses at least this large are read into buffers that are used again.
const POOLED_RESPONSE: usize = 64 << 10;
/// How a TLS listener answers what is not TLS: an alert of TLS 1.x. As a length it is more than
/// [`MAX_RESPONSE`].
const TLS_ALERT: [u8; 2] = [0x15, 0x03];
/// Large buffers a connection keeps for reuse, in number and in bytes.
const POOL_SIZE: usize = 8;
const POOL_BYTES: usize = 16 << 20;

/// A request ready for the wire. `head` begins after the length prefix and correlation id is
/// patched in by the connection; `payload` chunks follow it and are written without copying.
#[derive(Debug)]
pub struct Frame {
    pub(crate) api_key: i16,
    /// Length prefix (4 bytes, filled in when sent), request header, and the body's first part.
    pub(crate) head: BytesMut,
    /// The rest of the body, in order.
    pub(crate) rest: Vec<Bytes>,
}

impl Frame {
    /// Bytes on the wire, the length prefix included.
    pub fn wire_len(&self) -> usize {
        self.head.len() + self.rest.iter().map(Bytes::len).sum::<usize>()
    }
}

pub(crate) type Reply = oneshot::Sender<Result<Bytes, Error>>;

pub(crate) type Pending = Arc<Mutex<VecDeque<(i32, Reply)>>>;

/// A connection with negotiated API versions. Clones share it; it closes when the last clone and
/// the last pending response are gone.
#[derive(Debug, Clone)]
pub struct Connection {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    address: Arc<str>,
    client_id: StrBytes,
    versions: ApiVersions,
    request_timeout: Duration,
    queue: mpsc::Sender<Queued>,
    /// Cancelled once either direction has failed or a request has timed out: answers come in
    /// order, so behind a silent one nothing else will come either.
    over: CancellationToken,
    /// Aborted on drop, which closes both halves.
    _tasks: JoinSet<()>,
}

impl Connection {
    /// Connects and negotiates versions (`ApiVersions`, KIP-35). Cancel safe.
    pub(crate) async fn open(
        transport: &dyn Transport,
        host: &str,
        port: u16,
        client_id: &str,
        connect_timeout: Duration,
        request_timeout: Duration,
    ) -> Result<Self, Error> {
        let address: Arc<str> = format!("{host}:{port}").into();
        let connect_error = |reason: String| Error::Connect {
            address: address.to_string(),
            reason,
        };
        let stream = tokio::time::timeout(connect_timeout, transport.connect(host, port))
            .await
            .map_err(|_| connect_error(format!("no answer within {connect_timeout:?}")))?
            .map_err(|error| {
                Error::of_stream(&address, &error, |error| connect_error(error.to_string()))
            })?;
        let mut connection = Self::over(stream, address.clone(), client_id, request_timeout);
        let handshake = connection.handshake(connect_timeout).await?;
        if let Some(sasl) = transport.sasl() {
            let authenticator = Authenticator::new(sasl, host, address.clone(), handshake.clone());
            let authentication = connection.authenticate(authenticator);
            tokio::time::timeout(connect_timeout, authentication)
                .await
                .map_err(|_| connect_error(format!("no login within {connect_timeout:?}")))??;
        }
        // Nobody else has a clone yet.
        if let Some(inner) = Arc::get_mut(&mut connection.inner) {
            inner.versions = handshake;
        }
        Ok(connection)
    }

    /// Authenticates through the writer, which does it again when the session nears its end.
    async fn authenticate(&self, authenticator: Authenticator) -> Result<(), Error> {
        let conversation = authenticator.begin().await?;
        let (reply, outcome) = oneshot::channel();
        let login = Queued::Login(Box::new(Login {
            authenticator,
            conversation,
            reply,
        }));
        let ended = || Error::Closed {
            address: self.address().to_owned(),
            reason: "the connection had ended before".to_owned(),
        };
        self.inner.queue.send(login).await.map_err(|_| ended())?;
        outcome.await.map_err(|_| ended())?
    }

    pub(crate) fn over(
        stream: Box<dyn Stream>,
        address: Arc<str>,
        client_id: &str,
        request_timeout: Duration,
    ) -> Self {
        let (read, write) = tokio::io::split(stream);
        let (queue, queued) = mpsc::channel(WRITE_QUEUE);
        let pending: Pending = Arc::default();
        let over = CancellationToken::new();
        let client_id = StrBytes::from_string(client_id.to_owned());
        let writer = Writer {
            write,
            pending: pending.clone(),
            address: address.clone(),
            client_id: client_id.clone(),
            request_timeout,
            over: over.clone(),
            correlation_id: 0,
        };
        let reader = read_responses(read, pending, address.clone(), over.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(writer.run(queued));
        tasks.spawn(reader);
        Self {
            inner: Arc::new(Inner {
                address,
                client_id,
                versions: ApiVersions::default(),
                request_timeout,
                queue,
                over,
                _tasks: tasks,
            }),
        }
    }

    async fn handshake(&self, timeout: Duration) -> Result<ApiVersions, Error> {
        // Every broker since 0.10 answers version 0, which keeps the handshake to one round trip.
        let frame = self.encode(&ApiVersionsRequest::default(), 0)?;
        let body = self
            .send(frame)
            .await?
            .within("ApiVersions", timeout)
            .await?;
        let response = self.decode::<ApiVersionsRequest>(body, 0)?;
        if let Some(error) = crate::BrokerError::from_code(response.error_code, None) {
            return Err(Error::broker("ApiVersions", error));
        }
        Ok(ApiVersions::from_response(&response))
    }

    /// `host:port` of the peer.
    pub fn address(&self) -> &str {
        &self.inner.address
    }

    /// False once either direction has failed or a request has timed out; requests then fail at
    /// once.
    pub fn is_open(&self) -> bool {
        !self.inner.over.is_cancelled()
    }

    /// The version of `R` that both sides speak.
    pub fn version_of<R: Request>(&self) -> Result<i16, Error> {
        self.inner.versions.negotiate::<R>(self.address())
    }

    /// One request, one response, within the connection's request timeout.
    ///
    /// Cancel safe: a response that nobody waits for is read and dropped.
    pub async fn call<R: Request>(&self, request: &R) -> Result<R::Response, Error> {
        self.call_within(request, self.inner.request_timeout).await
    }

    /// As [`Connection::call`], with a limit of its own.
    pub async fn call_within<R: Request>(
        &self,
        request: &R,
        timeout: Duration,
    ) -> Result<R::Response, Error> {
        let version = self.version_of::<R>()?;
        let frame = self.encode(request, version)?;
        let pending = self.send(frame).await?;
        let body = pending.within(api_name(R::KEY), timeout).await?;
        self.decode::<R>(body, version)
    }

    /// Queues a frame; the future it returns resolves to the response's body after its header.
    ///
    /// Waits only while the write queue is full. Cancel safe: either the whole frame is queued or
    /// nothing of it.
    pub async fn send(&self, frame: Frame) -> Result<PendingResponse, Error> {
        let (reply, response) = oneshot::channel();
        self.inner
            .queue
            .send(Queued::Frame(frame, reply))
            .await
            .map_err(|_| Error::Closed {
                address: self.address().to_owned(),
                reason: "the connection had ended before".to_owned(),
            })?;
        Ok(PendingResponse {
            response,
            connection: self.clone(),
        })
    }

    /// The default limit for a request.
    pub fn request_timeout(&self) -> Duration {
        self.inner.request_timeout
    }

    pub(crate) fn client_id(&self) -> &StrBytes {
        &self.inner.client_id
    }

    pub(crate) fn encode<R: Request>(&self, request: &R, version: i16) -> Result<Frame, Error> {
        encode(&self.inner.client_id, request, version)
    }

    pub(crate) fn decode<R: Request>(
        &self,
        body: Bytes,
        version: i16,
    ) -> Result<R::Response, Error> {
        decode::<R>(self.address(), body, version)
    }
}

pub(crate) fn encode<R: Request>(
    client_id: &StrBytes,
    request: &R,
    version: i16,
) -> Result<Frame, Error> {
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_client_id(Some(client_id.clone()));
    let mut head = BytesMut::with_capacity(256);
    head.put_i32(0);
    header
        .encode(&mut head, R::header_version(version))
        .and_then(|()| request.encode(&mut head, version))
        .map_err(|error| Error::Malformed {
            address: "this client".to_owned(),
            what: api_name(R::KEY),
            detail: error.to_string(),
        })?;
    Ok(Frame {
        api_key: R::KEY,
        head,
        rest: Vec::new(),
    })
}

pub(crate) fn decode<R: Request>(
    address: &str,
    mut body: Bytes,
    version: i16,
) -> Result<R::Response, Error> {
    let header_version = R::Response::header_version(version);
    codec::message::decode::<ResponseHeader>(&mut body, header_version)
        .and_then(|_| codec::message::decode(&mut body, version))
        .map_err(|error| Error::Malformed {
            address: address.to_owned(),
            what: api_name(R::KEY),
            detail: error.to_string(),
        })
}

/// A response on its way. Resolves to the bytes after the length prefix.
#[derive(Debug)]
pub struct PendingResponse {
    response: oneshot::Receiver<Result<Bytes, Error>>,
    connection: Connection,
}

impl PendingResponse {
    /// Waits for at most `timeout`. On a timeout the connection ends for everybody: answers come
    /// in order, so nothing more would come behind the missing one.
    pub async fn within(self, api: &'static str, timeout: Duration) -> Result<Bytes, Error> {
        let address = self.connection.inner.address.clone();
        match tokio::time::timeout(timeout, self).await {
            Ok(result) => result,
            Err(_) => Err(Error::Timeout {
                api,
                address: address.to_string(),
                timeout,
            }),
        }
    }
}

impl Future for PendingResponse {
    type Output = Result<Bytes, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let address = self.connection.inner.address.clone();
        Pin::new(&mut self.response).poll(cx).map(|received| {
            received.unwrap_or_else(|_| {
                Err(Error::Closed {
                    address: address.to_string(),
                    reason: "the broker closed it".to_owned(),
                })
            })
        })
    }
}

pub(crate) fn lock(pending: &Pending) -> std::sync::MutexGuard<'_, VecDeque<(i32, Reply)>> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Fails everybody who waits, with the reason the connection ended.
pub(crate) fn fail_all(pending: &Pending, error: &Error) {
    for (_, reply) in lock(pending).drain(..) {
        // A caller that stopped waiting does not need the news.
        let _ = reply.send(Err(error.clone()));
    }
}

async fn read_responses(
    mut read: ReadHalf<Box<dyn Stream>>,
    pending: Pending,
    address: Arc<str>,
    over: CancellationToken,
) {
    let mut buffers = BufferPool::default();
    let closed = |reason: &str| Error::Closed {
        address: address.to_string(),
        reason: reason.to_owned(),
    };
    let error = loop {
        let response = tokio::select! {
            // what the peer said last comes before that the connection is over
            biased;
            response = read_response(&mut read, &mut buffers) => response,
            () = over.cancelled() => break closed("a request before it got no answer"),
        };
        match response {
            Ok(mut body) => {
                // The header is decoded by the caller; only the correlation id is looked at here.
                let correlation_id = (&body[..4]).get_i32();
                let Some((expected, reply)) = lock(&pending).pop_front() else {
                    break closed("the peer sent a response that nobody asked for");
                };
                if expected != correlation_id {
                    let _ = reply.send(Err(Error::Malformed {
                        address: address.to_string(),
                        what: "response",
                        detail: format!("correlation id {correlation_id}, expected {expected}"),
                    }));
                    break closed("responses are out of step with requests");
                }
                let _ = reply.send(Ok(std::mem::take(&mut body)));
            }
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                break closed("the broker closed it");
            }
            Err(error) => {
                break Error::of_stream(&address, &error, |error| closed(&error.to_string()));
            }
        }
    };
    over.cancel();
    fail_all(&pending, &error);
}

async fn read_response(
    read: &mut ReadHalf<Box<dyn Stream>>,
    buffers: &mut BufferPool,
) -> std::io::Result<Bytes> {
    let prefix = read.read_i32().await?;
    if prefix.to_be_bytes()[..2] == TLS_ALERT {
        return Err(SecurityError::TlsExpected.into_io());
    }
    let length = usize::try_from(prefix).unwrap_or(usize::MAX);
    if !(4..=MAX_RESPONSE).contains(&length) {
        return Err(std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            format!("a response of {length} bytes: is this a Kafka listener of the expected kind?"),
        ));
    }
    let mut buffer = buffers.take(length);
    {
        let mut limited = read.take(length as u64);
        while buffer.len() < length {
            if limited.read_buf(&mut buffer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
    let body = buffer.split_to(length).freeze();
    buffers.give_back(length, buffer);
    Ok(body)
}

/// Large response buffers, used again once every slice of the last response is gone. Page faults
/// on fresh memory cost more than the copy from the socket.
#[derive(Debug, Default)]
struct BufferPool {
    spare: VecDeque<BytesMut>,
}

impl BufferPool {
    fn take(&mut self, length: usize) -> BytesMut {
        if length < POOLED_RESPONSE {
            return BytesMut::with_capacity(length);
        }
        for _ in 0..self.spare.len() {
            let Some(mut buffer) = self.spare.pop_front() else {
                break;
            };
            if buffer.try_reclaim(length) {
                return buffer;
            }
            self.spare.push_back(buffer);
        }
        // Every spare buffer is still in use: forget the oldest (its memory lives as long as its
        // slices do) rather than keep more than the pool's share.
        let most = POOL_SIZE.min(POOL_BYTES / length).max(1);
        while self.spare.len() >= most {
            self.spare.pop_front();
        }
        // Rounded up, so that the next response, a little larger or smaller, fits as well.
        BytesMut::with_capacity(length.next_multiple_of(1 << 20))
    }

    fn give_back(&mut self, length: usize, buffer: BytesMut) {
        // An empty handle still holds the allocation; `try_reclaim` gets all of it back.
        if length >= POOLED_RESPONSE {
            self.spare.push_back(buffer);
        }
    }
}
