//! What a client says when the other side is not a broker, or not well.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::time::Duration;

use kafka::{ClientOptions, Cluster, Error, Plaintext};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Connects to a listener that does `serve` with every connection.
async fn meet<S, F>(serve: S) -> Error
where
    S: Fn(TcpStream) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = ClientOptions::new([listener.local_addr().unwrap().to_string()]);
    options.connect_timeout = Duration::from_millis(300);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            serve(stream).await;
        }
    });
    Cluster::connect(options, Arc::new(Plaintext))
        .await
        .unwrap_err()
}

/// Reads one request; returns its correlation id.
async fn request(stream: &mut TcpStream) -> i32 {
    let length = stream.read_i32().await.unwrap();
    let mut body = vec![0; length as usize];
    stream.read_exact(&mut body).await.unwrap();
    i32::from_be_bytes(body[4..8].try_into().unwrap())
}

#[tokio::test]
async fn a_port_where_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let options = ClientOptions::new([address.clone()]);
    let error = Cluster::connect(options, Arc::new(Plaintext))
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains(&address) && text.contains("refused"),
        "{text}"
    );
}

#[tokio::test]
async fn an_address_that_is_none() {
    let options = ClientOptions::new(["kafka1"]);
    let error = Cluster::connect(options, Arc::new(Plaintext))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("host:port"), "{error}");
}

#[tokio::test]
async fn a_server_that_hangs_up() {
    let error = meet(|stream| async { drop(stream) }).await;
    assert!(error.to_string().contains("closed"), "{error}");
}

#[tokio::test]
async fn a_server_that_says_nothing() {
    let error = meet(|stream| async {
        tokio::time::sleep(Duration::from_mins(1)).await;
        drop(stream);
    })
    .await;
    assert!(error.to_string().contains("no answer"), "{error}");
}

#[tokio::test]
async fn a_web_server() {
    let error = meet(|mut stream| async move {
        request(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
        // Kept open: the client must decide by itself.
        tokio::time::sleep(Duration::from_mins(1)).await;
    })
    .await;
    assert!(
        error.to_string().contains("is this a Kafka listener"),
        "{error}"
    );
}

#[tokio::test]
async fn answers_out_of_step() {
    let error = meet(|mut stream| async move {
        let correlation_id = request(&mut stream).await;
        stream.write_i32(4).await.unwrap();
        stream.write_i32(correlation_id + 7).await.unwrap();
        tokio::time::sleep(Duration::from_mins(1)).await;
    })
    .await;
    assert!(error.to_string().contains("correlation id"), "{error}");
}

#[tokio::test]
async fn an_answer_cut_short() {
    let error = meet(|mut stream| async move {
        let correlation_id = request(&mut stream).await;
        stream.write_i32(6).await.unwrap();
        stream.write_i32(correlation_id).await.unwrap();
        stream.write_i16(0).await.unwrap();
        tokio::time::sleep(Duration::from_mins(1)).await;
    })
    .await;
    assert!(
        error.to_string().contains("malformed ApiVersions"),
        "{error}"
    );
}
