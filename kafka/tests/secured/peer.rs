//! A listener that speaks just enough Kafka: versions, SASL as scripted, and metadata.

use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use kafka::{ClientOptions, Cluster, Error, Transport};
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::metadata_response::MetadataResponseBroker;
use kafka_protocol::messages::{
    ApiKey, ApiVersionsResponse, BrokerId, MetadataResponse, SaslAuthenticateRequest,
    SaslAuthenticateResponse, SaslHandshakeResponse,
};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What the peer says to a SASL message: error code, words, bytes.
type Turn = Box<dyn Fn(&[u8]) -> (i16, Option<&'static str>, Vec<u8>) + Send + Sync>;

/// How the peer behaves.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
    pub(crate) mechanisms: Vec<&'static str>,
    pub(crate) turn: Option<Turn>,
    pub(crate) lifetime_ms: i64,
}

pub(crate) struct Peer {
    pub(crate) port: u16,
    /// The keys of the requests that came, in order.
    pub(crate) asked: Arc<Mutex<Vec<i16>>>,
    _task: JoinSet<()>,
}

impl Peer {
    pub(crate) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<Mutex<Vec<i16>>>::default();
        let heard = asked.clone();
        let script = Arc::new(script);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (script, heard) = (script.clone(), heard.clone());
                connections.spawn(async move {
                    let Some(tls) = &script.tls else {
                        return serve(stream, port, &script, &heard).await;
                    };
                    match TlsAcceptor::from(tls.clone())
                        .accept(stream)
                        .into_fallible()
                        .await
                    {
                        Ok(stream) => serve(stream, port, &script, &heard).await,
                        Err((_, mut stream)) => {
                            // hangs up after the client has, so that the alert is not lost
                            let _ = stream.shutdown().await;
                            let _ = stream.read_to_end(&mut Vec::new()).await;
                        }
                    }
                });
            }
        });
        Self {
            port,
            asked,
            _task: task,
        }
    }

    pub(crate) async fn meet(
        &self,
        host: &str,
        transport: impl Transport + 'static,
    ) -> Result<Cluster, Error> {
        let options = ClientOptions::new([format!("{host}:{}", self.port)]);
        Cluster::connect(options, Arc::new(transport)).await
    }

    pub(crate) fn count(&self, key: ApiKey) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|it| **it == key as i16).count()
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    port: u16,
    script: &Script,
    heard: &Mutex<Vec<i16>>,
) {
    while let Ok(length) = stream.read_i32().await {
        if !(14..1 << 20).contains(&length) {
            // what a broker does that hears TLS
            return;
        }
        let mut request = vec![0; length as usize];
        if stream.read_exact(&mut request).await.is_err() {
            return;
        }
        let key = i16::from_be_bytes([request[0], request[1]]);
        heard.lock().unwrap().push(key);
        let client_id = usize::from(u16::from_be_bytes([request[8], request[9]]));
        let body = Bytes::from(request.split_off(10 + client_id));
        let mut response = BytesMut::new();
        response.extend_from_slice(&request[4..8]);
        answer(key, body, port, script, &mut response);
        let length = i32::try_from(response.len()).unwrap().to_be_bytes();
        if stream.write_all(&length).await.is_err()
            || stream.write_all(&response).await.is_err()
            || stream.flush().await.is_err()
        {
            return;
        }
    }
}

fn answer(key: i16, mut body: Bytes, port: u16, script: &Script, out: &mut BytesMut) {
    match ApiKey::try_from(key).unwrap() {
        ApiKey::ApiVersions => {
            let range = |key: ApiKey, max| {
                ApiVersion::default()
                    .with_api_key(key as i16)
                    .with_min_version(0)
                    .with_max_version(max)
            };
            ApiVersionsResponse::default()
                .with_api_keys(vec![
                    range(ApiKey::Metadata, 4),
                    range(ApiKey::SaslHandshake, 1),
                    range(ApiKey::SaslAuthenticate, 1),
                ])
                .encode(out, 0)
                .unwrap();
        }
        ApiKey::SaslHandshake => {
            let code = if script.turn.is_some() {
                0
            } else if script.mechanisms.is_empty() {
                34
            } else {
                33
            };
            let offered = script.mechanisms.iter();
            SaslHandshakeResponse::default()
                .with_error_code(code)
                .with_mechanisms(offered.map(|it| StrBytes::from_static_str(it)).collect())
                .encode(out, 1)
                .unwrap();
        }
        ApiKey::SaslAuthenticate => {
            let said = SaslAuthenticateRequest::decode(&mut body, 1).unwrap();
            let (code, words, bytes) = script.turn.as_ref().unwrap()(&said.auth_bytes);
            SaslAuthenticateResponse::default()
                .with_error_code(code)
                .with_error_message(words.map(StrBytes::from_static_str))
                .with_auth_bytes(bytes.into())
                .with_session_lifetime_ms(script.lifetime_ms)
                .encode(out, 1)
                .unwrap();
        }
        ApiKey::Metadata => {
            let broker = MetadataResponseBroker::default()
                .with_node_id(BrokerId(0))
                .with_host(StrBytes::from_static_str("localhost"))
                .with_port(i32::from(port));
            MetadataResponse::default()
                .with_brokers(vec![broker])
                .with_cluster_id(Some(StrBytes::from_static_str("scripted")))
                .encode(out, 4)
                .unwrap();
        }
        other => panic!("{other:?} is not in the script"),
    }
}
