//! TLS to the scripted peer, with certificates made here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kafka::security::{SecureTransport, SecurityError, Tls, TlsFiles};
use kafka::{Cluster, Error, Plaintext};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::RootCertStore;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;

use crate::peer::{Peer, Script};

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for `name` and its key.
    fn issue(&self, name: &str, expired: bool) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if expired {
            parameters.not_after = date_time_ymd(2020, 1, 1);
        }
        (parameters.signed_by(&key, &self.0).unwrap(), key)
    }

    fn server(&self, name: &str, expired: bool, asks_for_certificate: bool) -> Script {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if asks_for_certificate {
            let mut roots = RootCertStore::empty();
            roots.add(self.0.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let (certificate, key) = self.issue(name, expired);
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let tls = builder
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Script {
            tls: Some(Arc::new(tls)),
            ..Script::default()
        }
    }

    fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("ca.pem");
        std::fs::write(&path, self.0.pem()).unwrap();
        path
    }
}

fn trusting(ca: PathBuf, server_name: Option<&str>) -> SecureTransport {
    let files = TlsFiles {
        ca: Some(ca),
        client: None,
    };
    SecureTransport {
        tls: Some(Arc::new(Tls::new(files, server_name).unwrap())),
        sasl: None,
    }
}

fn failure(outcome: Result<Cluster, Error>) -> SecurityError {
    match outcome.unwrap_err() {
        Error::Security { failure, .. } => failure,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn names_and_addresses_are_verified() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let ca = authority.write(folder.path());

    let named = Peer::start(authority.server("localhost", false, false)).await;
    named
        .meet("localhost", trusting(ca.clone(), None))
        .await
        .unwrap();
    let wrong = failure(named.meet("127.0.0.1", trusting(ca.clone(), None)).await);
    assert!(
        matches!(&wrong, SecurityError::WrongName { expected, presented } if expected == "127.0.0.1" && presented.contains("localhost")),
        "{wrong}"
    );
    named
        .meet("127.0.0.1", trusting(ca.clone(), Some("localhost")))
        .await
        .unwrap();

    let addressed = Peer::start(authority.server("127.0.0.1", false, false)).await;
    addressed
        .meet("127.0.0.1", trusting(ca, None))
        .await
        .unwrap();
}

#[tokio::test]
async fn certificates_that_are_not_good() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let ca = authority.write(folder.path());
    let stranger = Peer::start(Authority::new().server("localhost", false, false)).await;
    let untrusted = failure(stranger.meet("localhost", trusting(ca.clone(), None)).await);
    assert!(
        matches!(untrusted, SecurityError::Untrusted { .. }),
        "{untrusted}"
    );
    let late = Peer::start(authority.server("localhost", true, false)).await;
    let expired = failure(late.meet("localhost", trusting(ca, None)).await);
    assert!(
        matches!(expired, SecurityError::OutOfDate { .. }),
        "{expired}"
    );
}

#[tokio::test]
async fn tls_on_one_side_only() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let ca = authority.write(folder.path());
    let plain = Peer::start(Script::default()).await;
    let not_tls = failure(plain.meet("localhost", trusting(ca, None)).await);
    assert!(matches!(not_tls, SecurityError::NotTls { .. }), "{not_tls}");
    let secured = Peer::start(authority.server("localhost", false, false)).await;
    let expected = failure(secured.meet("localhost", Plaintext).await);
    assert_eq!(expected, SecurityError::TlsExpected);
}

#[tokio::test]
async fn client_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let ca = authority.write(folder.path());
    let peer = Peer::start(authority.server("localhost", false, true)).await;
    let refused = failure(peer.meet("localhost", trusting(ca.clone(), None)).await);
    assert!(
        matches!(&refused, SecurityError::RefusedByPeer { alert } if alert == "CertificateRequired"),
        "{refused}"
    );
    let (certificate, key) = authority.issue("mirror", false);
    let (cert, key_file) = (folder.path().join("c.pem"), folder.path().join("c.key"));
    std::fs::write(&cert, certificate.pem()).unwrap();
    std::fs::write(&key_file, key.serialize_pem()).unwrap();
    let files = TlsFiles {
        ca: Some(ca),
        client: Some((cert.clone(), key_file.clone())),
    };
    let tls = Arc::new(Tls::new(files.clone(), None).unwrap());
    let transport = SecureTransport {
        tls: Some(tls),
        sasl: None,
    };
    peer.meet("localhost", transport).await.unwrap();

    // a key that belongs to another certificate
    std::fs::write(&key_file, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let mismatch = Tls::new(files.clone(), None).unwrap_err();
    assert!(
        matches!(mismatch, SecurityError::ClientCertificate { .. }),
        "{mismatch}"
    );
    let pem = "-----BEGIN ENCRYPTED PRIVATE KEY-----\naGk=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    std::fs::write(&key_file, pem).unwrap();
    let encrypted = Tls::new(files, None).unwrap_err().to_string();
    assert!(encrypted.contains("encrypted"), "{encrypted}");
}

#[tokio::test]
async fn changed_files_are_read_again_and_broken_ones_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (Authority::new(), Authority::new());
    let ca = old.write(folder.path());
    let transport = trusting(ca.clone(), None);
    let before = Peer::start(old.server("localhost", false, false)).await;
    let after = Peer::start(new.server("localhost", false, false)).await;
    before.meet("localhost", transport.clone()).await.unwrap();

    std::fs::write(&ca, "half a file").unwrap();
    before.meet("localhost", transport.clone()).await.unwrap();
    std::fs::remove_file(&ca).unwrap();
    before.meet("localhost", transport.clone()).await.unwrap();

    new.write(folder.path());
    after.meet("localhost", transport.clone()).await.unwrap();
    let gone = failure(before.meet("localhost", transport).await);
    assert!(matches!(gone, SecurityError::Untrusted { .. }), "{gone}");
}
