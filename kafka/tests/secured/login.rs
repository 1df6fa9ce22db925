//! SASL on plain connections to the scripted peer.

use std::sync::Arc;
use std::time::Duration;

use kafka::security::{
    Login, OAuth, Sasl, ScramHash, Secret, SecretSource, SecureTransport, SecurityError,
};
use kafka::{Error, RetryClass};
use kafka_protocol::messages::ApiKey;

use crate::peer::{Peer, Script};

const PASSWORD: &str = "hunter2-is-secret";

fn login() -> Login {
    Login {
        username: "tim".to_owned(),
        password: SecretSource::Given(Secret::new(PASSWORD)),
    }
}

fn with(sasl: Sasl) -> SecureTransport {
    SecureTransport {
        tls: None,
        sasl: Some(Arc::new(sasl)),
    }
}

fn plain_only(message: &[u8]) -> (i16, Option<&'static str>, Vec<u8>) {
    if message == format!("\0tim\0{PASSWORD}").as_bytes() {
        (0, None, Vec::new())
    } else {
        (
            58,
            Some("Authentication failed: Invalid username or password"),
            Vec::new(),
        )
    }
}

async fn refusal(script: Script, sasl: Sasl) -> SecurityError {
    let peer = Peer::start(script).await;
    let transport = with(sasl);
    assert!(!format!("{transport:?}").contains(PASSWORD));
    let error = peer.meet("127.0.0.1", transport).await.unwrap_err();
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.contains(PASSWORD), "{text}");
    }
    assert_eq!(
        error.class(),
        RetryClass::Reconnect,
        "rotated secrets are waited for"
    );
    match error {
        Error::Security { failure, .. } => failure,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn plain_logs_in_before_anything_else_is_asked() {
    let peer = Peer::start(Script {
        turn: Some(Box::new(plain_only)),
        ..Script::default()
    })
    .await;
    let cluster = peer
        .meet("127.0.0.1", with(Sasl::Plain(login())))
        .await
        .unwrap();
    assert_eq!(cluster.cluster_id(), "scripted");
    assert_eq!(*peer.asked.lock().unwrap(), [18, 17, 36, 3]);
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let wrong = Login {
        username: "tom".to_owned(),
        ..login()
    };
    let script = Script {
        turn: Some(Box::new(plain_only)),
        ..Script::default()
    };
    let refused = refusal(script, Sasl::Plain(wrong)).await;
    assert!(
        matches!(&refused, SecurityError::Credentials { message, .. } if message.contains("Invalid username")),
        "{refused}"
    );

    let script = Script {
        mechanisms: vec!["GSSAPI", "SCRAM-SHA-512"],
        ..Script::default()
    };
    let refused = refusal(script, Sasl::Plain(login())).await;
    assert_eq!(
        refused.to_string(),
        "the listener does not offer SASL PLAIN; it offers GSSAPI, SCRAM-SHA-512"
    );

    let refused = refusal(Script::default(), Sasl::Plain(login())).await;
    assert_eq!(refused, SecurityError::SaslNotExpected);
}

#[tokio::test]
async fn a_peer_that_does_not_know_the_password_is_no_broker() {
    let script = Script {
        turn: Some(Box::new(|message: &[u8]| {
            let text = String::from_utf8_lossy(message);
            match text.strip_prefix("n,,n=tim,r=") {
                Some(nonce) => (
                    0,
                    None,
                    format!("r={nonce}more,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096").into_bytes(),
                ),
                None => (
                    0,
                    None,
                    b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=".to_vec(),
                ),
            }
        })),
        ..Script::default()
    };
    let refused = refusal(script, Sasl::Scram(ScramHash::Sha256, login())).await;
    assert!(refused.to_string().contains("cannot prove"), "{refused}");
}

#[tokio::test]
async fn a_token_endpoint_that_is_away_is_named() {
    let secret = SecretSource::Given(Secret::new(PASSWORD));
    let oauth = OAuth::new("http://127.0.0.1:9/token", "mirror", secret, None).unwrap();
    let refused = refusal(Script::default(), Sasl::OAuthBearer(oauth)).await;
    assert!(
        refused.to_string().contains("http://127.0.0.1:9/token"),
        "{refused}"
    );
}

/// KIP-368: requests flow while the session is renewed, on the same connection, with nothing between handshake and
/// authentication.
#[tokio::test]
async fn a_session_is_renewed_on_the_live_connection() {
    let peer = Peer::start(Script {
        turn: Some(Box::new(plain_only)),
        lifetime_ms: 300,
        ..Script::default()
    })
    .await;
    let cluster = peer
        .meet("127.0.0.1", with(Sasl::Plain(login())))
        .await
        .unwrap();
    let renewed = async {
        while peer.count(ApiKey::SaslHandshake) < 4 {
            cluster.metadata().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), renewed)
        .await
        .unwrap();
    assert_eq!(
        peer.count(ApiKey::ApiVersions),
        1,
        "one connection all the time"
    );
    let asked = peer.asked.lock().unwrap();
    for pair in asked.windows(2) {
        assert_eq!(pair[0] == 17, pair[1] == 36, "{pair:?}");
    }
}
