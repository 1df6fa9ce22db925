//! How Strimzi's clients reach a cluster: `tls` and `authentication`. Its secrets become references.

use super::part::Part;
use crate::import::settings::variable;
use crate::import::{ImportedSasl, ImportedTls, engine};

/// What is said of one cluster.
pub(super) struct Reach<'a> {
    pub(super) alias: &'a str,
    pub(super) servers: &'a [String],
}

/// Takes `tls` and `authentication` out of `part`.
pub(super) fn login(
    part: &mut Part,
    reach: &Reach<'_>,
    left: &mut Vec<String>,
    remarks: &mut Vec<String>,
) -> (Option<ImportedTls>, Option<ImportedSasl>) {
    let mut tls = part.part("tls").map(|part| trusted(part, left, remarks));
    let Some(mut authentication) = part.part("authentication") else {
        return (tls, None);
    };
    let kind = authentication.text("type").unwrap_or_default();
    let sasl = match kind.as_str() {
        "tls" => {
            if let Some(mut pair) = authentication.part("certificateAndKey") {
                let secret = pair.text("secretName").unwrap_or_default();
                let mut file = |key| {
                    let entry = pair.text(key)?;
                    Some(placed(&secret, &entry, remarks))
                };
                let tls = tls.get_or_insert_default();
                tls.cert_file = file("certificate");
                tls.key_file = file("key");
                pair.end(left);
            }
            None
        }
        "plain" | "scram-sha-256" | "scram-sha-512" => {
            let mechanism = match kind.as_str() {
                "plain" => "plain",
                "scram-sha-256" => "scram-sha-256",
                _ => "scram-sha-512",
            };
            let password = authentication.part("passwordSecret");
            let password_variable = variable(reach.alias);
            hint(password, "password", &password_variable, left, remarks);
            authentication
                .text("username")
                .map(|username| ImportedSasl::Password {
                    mechanism,
                    username,
                    password_variable,
                })
        }
        "oauth" => {
            let secret_variable = variable(reach.alias);
            let secret = authentication.part("clientSecret");
            hint(secret, "key", &secret_variable, left, remarks);
            let endpoint = authentication.text("tokenEndpointUri");
            let client = authentication.text("clientId");
            let scope = authentication.text("scope");
            endpoint
                .zip(client)
                .map(|(token_endpoint, client_id)| ImportedSasl::OAuth {
                    token_endpoint,
                    client_id,
                    secret_variable,
                    scope,
                })
        }
        "custom" => {
            let sasl = authentication.text("sasl").as_deref() == Some("true");
            let mut settings = authentication.settings("config");
            let encrypted = if tls.is_some() { "SSL" } else { "PLAINTEXT" };
            let protocol = if sasl { "SASL_" } else { "" };
            settings.say("security.protocol", format!("{protocol}{encrypted}"));
            let mut scope = settings.scope(&[""]);
            let (_, found) = engine::connection(&mut scope, reach.alias, reach.servers, remarks);
            authentication.unused("config", &settings, left);
            found
        }
        other => {
            remarks.push(format!(
                "how {} logs in ({other}) could not be taken over: write its `sasl` by hand",
                reach.alias
            ));
            None
        }
    };
    authentication.end(left);
    (tls, sasl)
}

/// The certificates that a client trusts.
fn trusted(mut part: Part, left: &mut Vec<String>, remarks: &mut Vec<String>) -> ImportedTls {
    let mut certificates = part.list("trustedCertificates").into_iter();
    let ca_file = certificates.next().and_then(|mut first| {
        let secret = first.text("secretName")?;
        // a pattern stands for several: Strimzi's own secrets have one
        let pattern = first.text("pattern");
        let entry = first.text("certificate").or(pattern);
        let entry = entry.unwrap_or_else(|| "ca.crt".to_owned());
        first.end(left);
        Some(placed(&secret, &entry.replace('*', "ca"), remarks))
    });
    for mut further in certificates {
        let secret = further.text("secretName").unwrap_or_default();
        remarks.push(format!(
            "add the certificates of the secret {secret} to {}",
            ca_file.as_deref().unwrap_or("the `caFile`")
        ));
    }
    part.end(left);
    ImportedTls {
        ca_file,
        ..ImportedTls::default()
    }
}

/// Where a part of a secret is expected, and the word that somebody has to put it there.
pub(super) fn placed(secret: &str, entry: &str, remarks: &mut Vec<String>) -> String {
    let file = format!("secrets/{secret}/{entry}");
    remarks.push(format!(
        "put `{entry}` of the secret {secret} into the file {file}"
    ));
    file
}

/// The word that somebody has to fill the variable.
fn hint(
    secret: Option<Part>,
    key: &str,
    variable: &str,
    left: &mut Vec<String>,
    remarks: &mut Vec<String>,
) {
    let Some(mut secret) = secret else {
        remarks.push(format!("put the password into the variable {variable}"));
        return;
    };
    let name = secret.text("secretName").unwrap_or_default();
    let entry = secret.text(key).unwrap_or_default();
    secret.end(left);
    remarks.push(format!(
        "put `{entry}` of the secret {name} into the variable {variable}"
    ));
}
