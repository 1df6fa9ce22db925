//! Listening, connections, frames.

use std::io;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use thiserror::Error;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::dispatch::{Context, DispatchError, Outcome, Request};
use crate::faults::{Cut, Strike};
use crate::state::Shared;

/// `socket.request.max.bytes` of a real broker.
const MAX_FRAME: i32 = 104_857_600;
/// Bytes asked from the socket at a time.
const READ_CHUNK: usize = 64 * 1024;

/// Why a connection ended.
#[derive(Debug, Error)]
enum ConnectionError {
    #[error("connection failed")]
    Io(#[from] io::Error),
    #[error("frame of {0} bytes is outside what a broker accepts")]
    FrameLength(i32),
    #[error(transparent)]
    Dispatch(#[from] DispatchError),
}

/// Accepts connections for one broker until the task is dropped, which cuts them all.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>, broker: i32) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(run(stream, Arc::clone(&shared), broker));
                }
                Err(error) => tracing::warn!(broker, %error, "accept failed"),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn run(stream: TcpStream, shared: Arc<Shared>, broker: i32) {
    if let Err(error) = converse(stream, shared, broker).await {
        match error {
            ConnectionError::Io(error) => tracing::debug!(broker, %error, "connection ended"),
            ConnectionError::FrameLength(_) | ConnectionError::Dispatch(_) => {
                tracing::warn!(broker, %error, "connection closed");
            }
        }
    }
}

/// Handles one request after another: a real broker, too, starts on the next request of a
/// connection only when it has answered the last.
async fn converse(
    mut stream: TcpStream,
    shared: Arc<Shared>,
    broker: i32,
) -> Result<(), ConnectionError> {
    stream.set_nodelay(true)?;
    let mut buffer = BytesMut::new();
    while let Some(frame) = read_frame(&mut stream, &mut buffer).await? {
        let request = Request::decode(frame)?;
        shared.counters.count(request.api as i16);
        let strike = if shared.faults.any() {
            shared
                .faults
                .strike(request.api, broker, &request.targets(&shared))
        } else {
            Strike::default()
        };
        if strike.cut == Some(Cut::Before) {
            return Ok(());
        }
        if !strike.delay.is_zero() {
            tokio::time::sleep(strike.delay).await;
        }
        let context = Context {
            shared: Arc::clone(&shared),
            broker,
            version: request.version,
            correlation_id: request.correlation_id,
            strike,
        };
        let outcome = request.handle(&context).await?;
        if context.strike.cut == Some(Cut::After) {
            return Ok(());
        }
        match outcome {
            Outcome::Reply(_) if context.strike.drop_response => {}
            Outcome::Reply(frame) => frame.write_to(&mut stream).await?,
            Outcome::Silent => {}
            Outcome::Close => return Ok(()),
        }
        if !context.strike.throttle.is_zero() {
            tokio::time::sleep(context.strike.throttle).await;
        }
    }
    Ok(())
}

/// Reads one frame; `None` when the client hung up between two.
async fn read_frame(
    stream: &mut TcpStream,
    buffer: &mut BytesMut,
) -> Result<Option<Bytes>, ConnectionError> {
    loop {
        if let Some(mut prefix) = buffer.get(..4) {
            let length = prefix.get_i32();
            if !(0..=MAX_FRAME).contains(&length) {
                return Err(ConnectionError::FrameLength(length));
            }
            let whole = 4 + length as usize;
            if buffer.len() >= whole {
                let mut frame = buffer.split_to(whole).freeze();
                frame.advance(4);
                return Ok(Some(frame));
            }
            buffer.reserve(whole - buffer.len());
        } else {
            buffer.reserve(READ_CHUNK);
        }
        if stream.read_buf(buffer).await? == 0 {
            return if buffer.is_empty() {
                Ok(None)
            } else {
                Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())
            };
        }
    }
}
