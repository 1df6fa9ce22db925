//! The TLS side of connections: files to a rustls configuration, read again when they change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::client::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem};
use rustls::{CertificateError, RootCertStore};

use super::credential;
use super::error::SecurityError;

/// The files that TLS needs, all PEM; under systemd, a credential may stand for one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificates to trust; the system's when absent.
    pub ca: Option<PathBuf>,
    /// The client certificate with its chain, and its key.
    pub client: Option<(PathBuf, PathBuf)>,
}

impl TlsFiles {
    fn all(&self) -> impl Iterator<Item = &Path> {
        let client = self.client.iter().flat_map(|(cert, key)| [cert, key]);
        client.chain(&self.ca).map(PathBuf::as_path)
    }
}

/// TLS to the brokers of one cluster, with verification of their certificates and names.
///
/// At each new connection the files are looked at, and read again when one of them has changed. Files that cannot be
/// used do not replace those that could: a warning is logged, and the old ones stay. Connections that are open already
/// stay as they are.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    server_name: Option<ServerName<'static>>,
    current: Mutex<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    config: Arc<ClientConfig>,
    stamps: Vec<Option<Stamp>>,
}

/// What tells that a file has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
}

impl Tls {
    /// Reads the files. `server_name` is the name that certificates have to carry, instead of the host that is
    /// connected to.
    ///
    /// # Errors
    /// When a file cannot be read or used.
    pub fn new(files: TlsFiles, server_name: Option<&str>) -> Result<Self, SecurityError> {
        let server_name = server_name.map(name_of).transpose()?;
        let stamps = stamps(&files);
        let config = Arc::new(read(&files)?);
        Ok(Self {
            files,
            server_name,
            current: Mutex::new(Loaded { config, stamps }),
        })
    }

    /// The configuration as the files are now.
    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = stamps(&self.files);
        if stamps != current.stamps {
            match read(&self.files) {
                Ok(config) => {
                    tracing::info!("certificate files have changed and are used from now on");
                    current.config = Arc::new(config);
                }
                Err(error) => {
                    tracing::warn!(%error, "changed certificate files cannot be used; the old ones stay in use");
                }
            }
            // also where they cannot be used: one warning a change is enough
            current.stamps = stamps;
        }
        current.config.clone()
    }

    /// The name that the certificate at `host` has to carry.
    pub(crate) fn name_for(&self, host: &str) -> Result<ServerName<'static>, SecurityError> {
        match &self.server_name {
            Some(name) => Ok(name.clone()),
            None => name_of(host),
        }
    }
}

fn name_of(name: &str) -> Result<ServerName<'static>, SecurityError> {
    // a trailing dot is legal in DNS and never in certificates
    ServerName::try_from(name.trim_end_matches('.').to_owned()).map_err(|_| {
        SecurityError::ServerName {
            name: name.to_owned(),
        }
    })
}

fn stamps(files: &TlsFiles) -> Vec<Option<Stamp>> {
    files
        .all()
        .map(|path| {
            let metadata = std::fs::metadata(credential::in_place_of(path)).ok()?;
            Some(Stamp {
                modified: metadata.modified().ok(),
                length: metadata.len(),
            })
        })
        .collect()
}

fn read(files: &TlsFiles) -> Result<ClientConfig, SecurityError> {
    let roots = match &files.ca {
        Some(path) => roots_of(path)?,
        None => system_roots()?,
    };
    let builder = builder()?.with_root_certificates(roots);
    let Some((cert, key)) = &files.client else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates("tls.certFile", cert)?;
    let key = private_key(key)?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| SecurityError::ClientCertificate {
            problem: error.to_string(),
        })
}

/// A configuration with the ring provider, named here so that no process-wide default is needed.
fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, SecurityError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SecurityError::Handshake {
            problem: error.to_string(),
        })
}

/// TLS to servers that are not brokers (token endpoints): the system's certificates and, where given, those of `ca`.
///
/// # Errors
/// When the certificates cannot be read, or there are none to trust.
pub fn web_config(ca: Option<&Path>) -> Result<ClientConfig, SecurityError> {
    let roots = match ca {
        None => system_roots()?,
        Some(path) => {
            let mut roots = roots_of(path)?;
            // a machine without system certificates can still reach an endpoint of its own authority
            if let Ok(system) = system_roots() {
                roots.extend(system.roots);
            }
            roots
        }
    };
    Ok(builder()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn system_roots() -> Result<RootCertStore, SecurityError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    if usable > 0 {
        return Ok(roots);
    }
    let problem = found
        .errors
        .first()
        .map_or_else(|| "the system has none".to_owned(), ToString::to_string);
    Err(SecurityError::NoRoots { problem })
}

fn roots_of(path: &Path) -> Result<RootCertStore, SecurityError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("tls.caFile", path)? {
        roots
            .add(certificate)
            .map_err(|error| unusable("tls.caFile", path, error.to_string()))?;
    }
    Ok(roots)
}

fn certificates(
    what: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, SecurityError> {
    let text = std::fs::read(credential::in_place_of(path))
        .map_err(|error| unusable(what, path, error.to_string()))?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| unusable(what, path, words(&error)))?;
    if found.is_empty() {
        return Err(unusable(what, path, "it holds no certificate".to_owned()));
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, SecurityError> {
    let what = "tls.keyFile";
    let text = std::fs::read(credential::in_place_of(path))
        .map_err(|error| unusable(what, path, error.to_string()))?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        let encrypted = String::from_utf8_lossy(&text).contains("ENCRYPTED");
        let problem = match error {
            pem::Error::NoItemsFound if encrypted => {
                "the key is encrypted, and encrypted keys are not supported".to_owned()
            }
            pem::Error::NoItemsFound => "it holds no private key".to_owned(),
            other => words(&other),
        };
        unusable(what, path, problem)
    })
}

/// Without the bytes of the file, which the crate's own words repeat and which may be a key.
fn words(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no end".to_owned(),
        pem::Error::IllegalSectionStart { .. } => "a section begins in a wrong way".to_owned(),
        pem::Error::Base64Decode(_) => "a section is not base64".to_owned(),
        pem::Error::NoItemsFound => "it holds nothing of the expected kind".to_owned(),
        pem::Error::Io(error) => error.to_string(),
        _ => "it is not PEM".to_owned(),
    }
}

fn unusable(what: &'static str, path: &Path, problem: String) -> SecurityError {
    SecurityError::File {
        what,
        path: path.to_owned(),
        problem,
    }
}

/// What an error of TLS means for whoever set it up.
pub(super) fn explain(error: &rustls::Error) -> SecurityError {
    match error {
        rustls::Error::InvalidCertificate(problem) => explain_certificate(problem),
        rustls::Error::AlertReceived(alert) => SecurityError::RefusedByPeer {
            alert: format!("{alert:?}"),
        },
        rustls::Error::InvalidMessage(_) => SecurityError::NotTls {
            problem: "what came back is not TLS".to_owned(),
        },
        // the list grows with the crate; what is not named above explains itself
        other => SecurityError::Handshake {
            problem: other.to_string(),
        },
    }
}

fn explain_certificate(problem: &CertificateError) -> SecurityError {
    match problem {
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => SecurityError::WrongName {
            expected: expected.to_str().into_owned(),
            presented: if presented.is_empty() {
                "no name at all (it has no subjectAltName)".to_owned()
            } else {
                presented.join(", ")
            },
        },
        CertificateError::NotValidForName => SecurityError::WrongName {
            expected: "this host".to_owned(),
            presented: "another name".to_owned(),
        },
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => SecurityError::OutOfDate {
            problem: problem.to_string(),
        },
        CertificateError::UnknownIssuer => SecurityError::Untrusted {
            problem: "it is signed by an unknown authority".to_owned(),
        },
        other => SecurityError::Untrusted {
            problem: other.to_string(),
        },
    }
}
