//! What the embedded broker reads.
#![no_main]

use std::cell::RefCell;

use broker::{ClusterOptions, EmbeddedCluster};
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

/// Runs against one cluster before a new one begins: what requests left behind must not add up.
const RUNS: u32 = 2_000;

struct Stage {
    runtime: Runtime,
    cluster: Option<(EmbeddedCluster, u32)>,
}

thread_local! {
    static STAGE: RefCell<Stage> = RefCell::new(Stage {
        runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"),
        cluster: None,
    });
}

fuzz_target!(|data: &[u8]| {
    STAGE.with_borrow_mut(|stage| {
        let Stage { runtime, cluster } = stage;
        runtime.block_on(async {
            if cluster.as_ref().is_none_or(|(_, runs)| *runs >= RUNS) {
                let options = ClusterOptions {
                    memory_limit: 64 << 20,
                    ..ClusterOptions::default()
                };
                let started = EmbeddedCluster::start(options).await.expect("starts");
                *cluster = Some((started, 0));
            }
            let (cluster, runs) = cluster.as_mut().expect("just started");
            *runs += 1;
            converse(&cluster.bootstrap_servers(), data).await;
        });
    });
});

/// The first byte chooses between bytes as they are and one well-framed request.
async fn converse(address: &str, data: &[u8]) {
    let Some((how, rest)) = data.split_first() else {
        return;
    };
    let mut stream = TcpStream::connect(address).await.expect("connects");
    stream.set_nodelay(true).expect("an option");
    // No TIME_WAIT for each run.
    stream.set_zero_linger().expect("an option");
    if how % 4 == 0 {
        let _ = stream.write_all(rest).await;
    } else {
        let length = (rest.len() as u32).to_be_bytes();
        let _ = stream.write_all(&[&length, rest].concat()).await;
    }
    let _ = stream.shutdown().await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
}
