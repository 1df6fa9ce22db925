//! The write half of a connection: frames in the order they are queued, and logins between them.
//!
//! A login is a conversation with nothing in between, so the writer itself holds it: frames wait in the queue until it
//! is over. That is how a session is renewed on the live connection (KIP-368): responses to what was sent before come
//! first, then the conversation, then the frames that waited. Nothing is lost and nothing is sent twice.

use std::io::IoSlice;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt, OptionFuture};
use kafka_protocol::protocol::{Request, StrBytes};
use tokio::io::{AsyncWriteExt, WriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::connection::{Frame, Pending, Reply, decode, encode, fail_all, lock};
use crate::error::Error;
use crate::security::{Asks, Authenticator, Conversation};
use crate::transport::Stream;
use crate::versions::api_name;

/// Where in a frame's head the correlation id lies: length (4), API key (2), version (2).
const CORRELATION_ID_AT: usize = 8;
/// After a failed write: how long the read half may take to say what the peer said last.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What waits for the writer.
#[derive(Debug)]
pub(crate) enum Queued {
    Frame(Frame, Reply),
    Login(Box<Login>),
}

/// The first authentication of a connection.
#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) authenticator: Authenticator,
    pub(crate) conversation: Conversation,
    pub(crate) reply: oneshot::Sender<Result<(), Error>>,
}

/// The next login of a connection, being prepared while frames are written.
type Renewal = BoxFuture<'static, (Authenticator, Conversation)>;

pub(crate) struct Writer {
    pub(crate) write: WriteHalf<Box<dyn Stream>>,
    pub(crate) pending: Pending,
    pub(crate) address: Arc<str>,
    pub(crate) client_id: StrBytes,
    pub(crate) request_timeout: Duration,
    pub(crate) over: CancellationToken,
    pub(crate) correlation_id: i32,
}

impl Writer {
    /// Runs until the connection is over or nobody can queue any more.
    pub(crate) async fn run(mut self, mut queue: mpsc::Receiver<Queued>) {
        let mut renewal: Option<Renewal> = None;
        loop {
            let next = tokio::select! {
                () = self.over.cancelled() => break,
                Some((authenticator, conversation)) = OptionFuture::from(renewal.as_mut()) => {
                    tracing::debug!(address = %self.address, "authenticates again");
                    match self.login(authenticator, conversation).await {
                        Ok(next) => renewal = next,
                        Err(error) => {
                            tracing::warn!(%error, "could not authenticate again");
                            fail_all(&self.pending, &error);
                            break;
                        }
                    }
                    continue;
                }
                next = queue.recv() => next,
            };
            match next {
                None => break,
                Some(Queued::Frame(frame, reply)) => {
                    if self.send(frame, reply).await.is_err() {
                        break;
                    }
                }
                Some(Queued::Login(login)) => {
                    let Login {
                        authenticator,
                        conversation,
                        reply,
                    } = *login;
                    let outcome = self.login(authenticator, conversation).await;
                    let outcome = outcome.map(|next| renewal = next);
                    let failed = outcome.is_err();
                    let _ = reply.send(outcome);
                    if failed {
                        break;
                    }
                }
            }
        }
        self.over.cancel();
        queue.close();
        let ended = self.closed("the connection had ended before".to_owned());
        while let Some(queued) = queue.recv().await {
            // A caller that stopped waiting does not need the news.
            match queued {
                Queued::Frame(_, reply) => drop(reply.send(Err(ended.clone()))),
                Queued::Login(login) => drop(login.reply.send(Err(ended.clone()))),
            }
        }
        // Wakes the reader on the other side even where the peer keeps its half open.
        let _ = self.write.shutdown().await;
    }

    /// Writes one frame. After an error the connection is over, and everybody who waited knows.
    async fn send(&mut self, mut frame: Frame, reply: Reply) -> Result<(), Error> {
        self.correlation_id = self.correlation_id.wrapping_add(1);
        let length = frame.wire_len() - 4;
        frame.head[..4].copy_from_slice(&(length as i32).to_be_bytes());
        frame.head[CORRELATION_ID_AT..CORRELATION_ID_AT + 4]
            .copy_from_slice(&self.correlation_id.to_be_bytes());
        // Before the write: the response may come before the write call returns.
        lock(&self.pending).push_back((self.correlation_id, reply));
        if let Err(error) = write_vectored(&mut self.write, &frame).await {
            // The peer may have said why before it hung up.
            let _ = tokio::time::timeout(LAST_WORDS, self.over.cancelled()).await;
            self.over.cancel();
            let error = Error::of_stream(&self.address, &error, |error| {
                self.closed(format!("write failed: {error}"))
            });
            fail_all(&self.pending, &error);
            return Err(error);
        }
        tracing::trace!(address = %self.address, api = frame.api_key, bytes = length, "sent");
        Ok(())
    }

    /// Authenticates; gives what prepares the next time, where the session has an end.
    async fn login(
        &mut self,
        authenticator: Authenticator,
        conversation: Conversation,
    ) -> Result<Option<Renewal>, Error> {
        let session = authenticator.run(conversation, self).await?;
        Ok(session.map(|session| {
            async move {
                let conversation = authenticator.begin_again(session).await;
                (authenticator, conversation)
            }
            .boxed()
        }))
    }

    fn closed(&self, reason: String) -> Error {
        Error::Closed {
            address: self.address.to_string(),
            reason,
        }
    }
}

impl Asks for Writer {
    async fn ask<R: Request + Sync>(
        &mut self,
        request: &R,
        version: i16,
    ) -> Result<R::Response, Error> {
        let frame = encode(&self.client_id, request, version)?;
        let (reply, response) = oneshot::channel::<Result<Bytes, Error>>();
        self.send(frame, reply).await?;
        let body = tokio::select! {
            // first, because it says more than that the connection is over
            biased;
            body = response => body.map_err(|_| self.closed("the broker closed it".to_owned()))??,
            () = self.over.cancelled() => {
                return Err(self.closed("the broker closed it".to_owned()));
            }
            () = tokio::time::sleep(self.request_timeout) => {
                return Err(Error::Timeout {
                    api: api_name(R::KEY),
                    address: self.address.to_string(),
                    timeout: self.request_timeout,
                });
            }
        };
        decode::<R>(&self.address, body, version)
    }
}

/// Head and payload chunks in as few system calls as the kernel allows, then out of every buffer: TLS keeps what the
/// socket did not take at once.
async fn write_vectored(
    write: &mut WriteHalf<Box<dyn Stream>>,
    frame: &Frame,
) -> std::io::Result<()> {
    if frame.rest.is_empty() {
        write.write_all(&frame.head).await?;
        return write.flush().await;
    }
    let mut chunks: Vec<&[u8]> = Vec::with_capacity(1 + frame.rest.len());
    chunks.push(&frame.head);
    chunks.extend(frame.rest.iter().map(|chunk| &chunk[..]));
    let mut slices: Vec<IoSlice<'_>> = chunks.into_iter().map(IoSlice::new).collect();
    let mut left = &mut slices[..];
    while !left.is_empty() {
        let written = write.write_vectored(left).await?;
        if written == 0 {
            return Err(std::io::ErrorKind::WriteZero.into());
        }
        IoSlice::advance_slices(&mut left, written);
    }
    write.flush().await
}
