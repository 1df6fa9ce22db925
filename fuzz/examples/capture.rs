//! Writes what a cluster and our client say to each other as seeds:
//! `cargo run --example capture -- HOST:PORT NAME`. The cluster's topic `t` is created and deleted.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use bytes::{Buf, BytesMut};
use fuzz::Call;
use kafka::{Plaintext, Stream, Transport};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Larger ones would only slow the fuzzer down.
const LARGEST: usize = 8_192;

#[derive(Debug)]
struct Recording {
    seeds: PathBuf,
    name: String,
}

struct Recorded {
    inner: Box<dyn Stream>,
    seeds: PathBuf,
    name: String,
    sent: BytesMut,
    received: BytesMut,
    asked: HashMap<i32, (i16, i16)>,
}

#[async_trait]
impl Transport for Recording {
    async fn connect(&self, host: &str, port: u16) -> io::Result<Box<dyn Stream>> {
        Ok(Box::new(Recorded {
            inner: Plaintext.connect(host, port).await?,
            seeds: self.seeds.clone(),
            name: self.name.clone(),
            sent: BytesMut::new(),
            received: BytesMut::new(),
            asked: HashMap::new(),
        }))
    }
}

fn frames(buffer: &mut BytesMut) -> Vec<BytesMut> {
    let mut whole = Vec::new();
    while buffer.len() >= 4 {
        let length = 4 + (&buffer[..4]).get_u32() as usize;
        if buffer.len() < length {
            break;
        }
        let mut frame = buffer.split_to(length);
        frame.advance(4);
        whole.push(frame);
    }
    whole
}

impl Recorded {
    fn save(&self, target: &str, name: &str, prefix: &[u8], bytes: &[u8]) {
        if bytes.len() <= LARGEST {
            let directory = self.seeds.join(target);
            std::fs::create_dir_all(&directory).expect("a directory");
            let path = directory.join(format!("{}-{name}", self.name));
            std::fs::write(path, [prefix, bytes].concat()).expect("a seed");
        }
    }

    fn sent(&mut self) {
        for frame in frames(&mut self.sent) {
            let mut head = &frame[..8];
            let (api, version, correlation) = (head.get_i16(), head.get_i16(), head.get_i32());
            self.asked.insert(correlation, (api, version));
            self.save("requests", &format!("{api}-v{version}"), &[1], &frame);
        }
    }

    fn received(&mut self) {
        for frame in frames(&mut self.received) {
            let correlation = (&frame[..4]).get_i32();
            let Some((api, version)) = self.asked.remove(&correlation) else {
                continue;
            };
            let Some(selector) = Call::ALL.iter().position(|call| call.api() as i16 == api) else {
                continue;
            };
            let prefix = [selector as u8, version as u8];
            let name = format!("{:?}-v{version}", Call::ALL[selector]);
            self.save("responses", &name, &prefix, &frame[4..]);
            let whole = [&(frame.len() as u32).to_be_bytes(), &frame[..]].concat();
            self.save("frames", &name, &[], &whole);
        }
    }
}

impl AsyncRead for Recorded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = out.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, out))?;
        let read = out.filled()[before..].to_vec();
        self.received.extend_from_slice(&read);
        self.received();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Recorded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes))?;
        self.sent.extend_from_slice(&bytes[..written]);
        self.sent();
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(bootstrap), Some(name)) = (arguments.next(), arguments.next()) else {
        panic!("HOST:PORT NAME");
    };
    let transport = Arc::new(Recording {
        seeds: Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds"),
        name,
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let order = [
        Call::CreateTopics,
        Call::Metadata,
        Call::Produce,
        Call::Produce,
        Call::Fetch,
        Call::ListOffsets,
        Call::AlterConfigs,
        Call::DescribeConfigs,
        Call::CreatePartitions,
        Call::InitProducerId,
        Call::DescribeProducers,
        Call::EndOfEpoch,
        Call::DeleteTopics,
        Call::ApiVersions,
    ];
    for call in order {
        let outcome = runtime.block_on(async {
            // a topic that was just created may have no leader yet
            for _ in 0..20 {
                let outcome = call.make(transport.clone(), &bootstrap).await;
                if outcome.is_ok() {
                    return outcome;
                }
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            }
            call.make(transport.clone(), &bootstrap).await
        });
        eprintln!("{call:?}: {outcome:?}");
    }
}
