//! From `tls` and `sasl` of a topology to what secures connections.

use std::sync::Arc;

use kafka::security::{
    AwsKeys, Login, MskIam, OAuth, Sasl, ScramHash, SecretSource, SecureTransport, SecurityError,
    Tls, TlsFiles,
};

/// Reads the certificates. Secrets are looked for now, so that a missing one is told at once, and read again at each
/// new connection.
pub(crate) fn transport(
    tls: Option<&topology::Tls>,
    sasl: Option<&topology::Sasl>,
) -> Result<SecureTransport, SecurityError> {
    let sasl = sasl
        .map(|declared| authentication(declared, tls))
        .transpose()?;
    Ok(SecureTransport {
        tls: tls.map(encryption).transpose()?.map(Arc::new),
        sasl: sasl.map(Arc::new),
    })
}

fn encryption(declared: &topology::Tls) -> Result<Tls, SecurityError> {
    let client = declared.client.as_ref();
    let files = TlsFiles {
        ca: declared.ca_file.clone(),
        client: client.map(|client| (client.cert_file.clone(), client.key_file.clone())),
    };
    Tls::new(files, declared.server_name.as_deref())
}

fn authentication(
    declared: &topology::Sasl,
    tls: Option<&topology::Tls>,
) -> Result<Sasl, SecurityError> {
    Ok(match declared {
        topology::Sasl::Plain(it) => Sasl::Plain(login(it)?),
        topology::Sasl::ScramSha256(it) => Sasl::Scram(ScramHash::Sha256, login(it)?),
        topology::Sasl::ScramSha512(it) => Sasl::Scram(ScramHash::Sha512, login(it)?),
        topology::Sasl::Oauthbearer(it) => {
            let secret = found(&it.client_secret, "sasl.oauth.clientSecret")?;
            let ca = tls.and_then(|tls| tls.ca_file.as_deref());
            let mut oauth = OAuth::new(&it.token_endpoint, &it.client_id, secret, ca)?
                .extensions(it.extensions.clone());
            if let Some(scope) = &it.scope {
                oauth = oauth.scope(scope);
            }
            if let Some(audience) = &it.audience {
                oauth = oauth.audience(audience);
            }
            Sasl::OAuthBearer(oauth)
        }
        topology::Sasl::AwsMskIam(it) => Sasl::MskIam(MskIam {
            region: it.region.clone(),
            keys: AwsKeys {
                profile: it.profile.clone(),
            },
        }),
    })
}

fn login(declared: &topology::Login) -> Result<Login, SecurityError> {
    Ok(Login {
        username: declared.username.clone(),
        password: found(&declared.password, "sasl.password")?,
    })
}

fn found(
    reference: &topology::SecretRef,
    what: &'static str,
) -> Result<SecretSource, SecurityError> {
    let source = match reference {
        topology::SecretRef::Env(name) => SecretSource::Env(name.clone()),
        topology::SecretRef::File(path) => SecretSource::File(path.clone()),
    };
    source.read(what)?;
    Ok(source)
}
