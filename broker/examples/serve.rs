//! Runs an embedded cluster until Ctrl-C: `cargo run -p mirrorctl-broker --example serve -- 3 19092`
//! starts three brokers on ports 19092 to 19094.

use broker::{ClusterOptions, EmbeddedCluster};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let brokers: u16 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let first: u16 = arguments.next().map_or(Ok(0), |text| text.parse())?;
    let ports = if first == 0 {
        Vec::new()
    } else {
        (first..first + brokers).collect()
    };
    let options = ClusterOptions {
        brokers,
        ports,
        ..ClusterOptions::default()
    };
    let cluster = EmbeddedCluster::start(options).await?;
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    tracing::info!(
        bootstrap = cluster.bootstrap_servers(),
        "embedded cluster is up"
    );
    tokio::signal::ctrl_c().await?;
    cluster.shutdown().await;
    Ok(())
}
