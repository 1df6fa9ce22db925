//! The keys of a role: of the container (ECS, EKS Pod Identity) or of the machine (EC2, metadata service version 2).
//!
//! Both are asked over HTTP on an address of the machine itself, and nothing of the answer is kept: a connection authenticates
//! seldom, and the services hand out the next keys before the last ones end. Web identities (IRSA) are not asked for.

use std::net::IpAddr;
use std::time::Duration;

use aws_credential_types::Credentials;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, RequestBuilder, Url};
use serde_json::Value;

use super::error::SecurityError;
use super::tls::web_config;

/// For one question; the service is one hop away, or not there.
const WITHIN: Duration = Duration::from_secs(2);
/// An answer is small; this much of it is read.
const MAX_ANSWER: usize = 64 << 10;
/// Where ECS serves what `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` names.
const ECS: &str = "http://169.254.170.2";
/// Hosts that may be asked without TLS, as AWS's own clients have them: ECS and EKS Pod Identity.
const CONTAINER_HOSTS: [&str; 3] = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];
const EC2: &str = "http://169.254.169.254";
const TOKEN_SECONDS: &str = "60";

/// Asks the container's service where its variables are set, else the machine's. Cancel safe: it only reads.
pub(super) async fn credentials(
    variable: &(impl Fn(&str) -> Option<String> + Sync),
) -> Result<Credentials, SecurityError> {
    let http = Client::builder()
        .tls_backend_preconfigured(web_config(None)?)
        // these addresses are the machine's own, and a token must not travel
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(WITHIN)
        .build()
        .map_err(|error| problem(format!("no HTTP: {error}")))?;
    let relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let full = relative
        .map(|path| format!("{ECS}{path}"))
        .or_else(|| variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"));
    match full {
        Some(address) => of_container(&http, &address, variable).await,
        None => of_machine(&http, variable).await,
    }
}

async fn of_container(
    http: &Client,
    address: &str,
    variable: &(impl Fn(&str) -> Option<String> + Sync),
) -> Result<Credentials, SecurityError> {
    let url = Url::parse(address)
        .ok()
        .filter(may_be_asked)
        .ok_or_else(|| {
            problem(format!(
                "AWS_CONTAINER_CREDENTIALS_FULL_URI is {address}, which is neither https nor this machine"
            ))
        })?;
    let mut request = http.get(url);
    let token = match variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        // read each time: it is renewed there
        Some(path) => Some(
            std::fs::read_to_string(&path).map_err(|error| problem(format!("{path}: {error}")))?,
        ),
        None => variable("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
    };
    if let Some(token) = token {
        let mut value = HeaderValue::from_str(token.trim())
            .map_err(|_| problem("the container's token is none".to_owned()))?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    let body = answer(request, "the container's role").await?;
    keys(&body, "the container's role")
}

/// Whether a token may be sent there.
fn may_be_asked(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let loopback = host.parse::<IpAddr>().is_ok_and(|it| it.is_loopback());
    match url.scheme() {
        "https" => true,
        "http" => loopback || host == "localhost" || CONTAINER_HOSTS.contains(&host),
        _ => false,
    }
}

async fn of_machine(
    http: &Client,
    variable: &(impl Fn(&str) -> Option<String> + Sync),
) -> Result<Credentials, SecurityError> {
    const WHAT: &str = "the machine's role";
    const ROLES: &str = "latest/meta-data/iam/security-credentials/";
    if variable("AWS_EC2_METADATA_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true")) {
        return Err(problem(
            "AWS_EC2_METADATA_DISABLED says not to ask for the machine's role".to_owned(),
        ));
    }
    let service = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or_else(|| EC2.to_owned());
    let service = service.trim_end_matches('/');
    let token = answer(
        http.put(format!("{service}/latest/api/token"))
            .header("X-aws-ec2-metadata-token-ttl-seconds", TOKEN_SECONDS),
        WHAT,
    )
    .await?;
    let mut token =
        HeaderValue::from_str(&token).map_err(|_| problem(format!("{WHAT}: its token is none")))?;
    token.set_sensitive(true);
    let get = |path: String| {
        http.get(format!("{service}/{path}"))
            .header("X-aws-ec2-metadata-token", token.clone())
    };
    let roles = answer(get(ROLES.to_owned()), WHAT).await?;
    let role = roles.lines().next().map(str::trim).unwrap_or_default();
    // it becomes part of an address
    let legal = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    if role.is_empty() || !role.chars().all(legal) {
        return Err(problem(format!("{WHAT}: the machine has none")));
    }
    let body = answer(get(format!("{ROLES}{role}")), WHAT).await?;
    keys(&body, WHAT)
}

/// The text of an answer that is none of an error.
async fn answer(request: RequestBuilder, what: &str) -> Result<String, SecurityError> {
    let failed = |error: reqwest::Error| {
        let reason = if error.is_timeout() || error.is_connect() {
            "nothing answers"
        } else {
            "the answer breaks off"
        };
        problem(format!("{what}: {reason}"))
    };
    let mut response = request.send().await.map_err(failed)?;
    if !response.status().is_success() {
        return Err(problem(format!("{what}: status {}", response.status())));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER {
            return Err(problem(format!("{what}: the answer is too long to be one")));
        }
    }
    String::from_utf8(body).map_err(|_| problem(format!("{what}: the answer is no text")))
}

/// What both services answer with.
fn keys(body: &str, what: &'static str) -> Result<Credentials, SecurityError> {
    let found: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |key: &str| found[key].as_str().map(str::to_owned);
    match (text("AccessKeyId"), text("SecretAccessKey")) {
        (Some(id), Some(secret)) => Ok(Credentials::new(id, secret, text("Token"), None, what)),
        // the answer itself is not repeated: it may hold a part of them
        _ => Err(problem(format!("{what}: the answer holds no keys"))),
    }
}

fn problem(problem: String) -> SecurityError {
    SecurityError::AwsKeys { problem }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;
    use tokio::task::JoinSet;

    use super::*;

    /// The status and body for a request.
    type Answer = fn(&str) -> (&'static str, &'static str);

    /// Answers each request by its first line and headers.
    async fn service(servers: &mut JoinSet<()>, answer: Answer) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        servers.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream = BufReader::new(stream);
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    if stream.read_line(&mut head).await.unwrap_or(0) == 0 {
                        break;
                    }
                }
                let (status, body) = answer(&head);
                let text = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(text.as_bytes()).await.expect("an answer");
            }
        });
        address
    }

    const KEYS: &str = r#"{"Code":"Success","AccessKeyId":"AKID","SecretAccessKey":"hush","Token":"session","Expiration":"2030-01-01T00:00:00Z"}"#;

    fn metadata(head: &str) -> (&'static str, &'static str) {
        let head = head.to_ascii_lowercase();
        let known = head.contains("x-aws-ec2-metadata-token: secret\r\n");
        if head.starts_with("put /latest/api/token ")
            && head.contains("x-aws-ec2-metadata-token-ttl-seconds: 60\r\n")
        {
            ("200 OK", "secret")
        } else if !known {
            ("401 Unauthorized", "")
        } else if head.starts_with("get /latest/meta-data/iam/security-credentials/ ") {
            ("200 OK", "replicator\n")
        } else if head.starts_with("get /latest/meta-data/iam/security-credentials/replicator ") {
            ("200 OK", KEYS)
        } else {
            ("404 Not Found", "")
        }
    }

    #[tokio::test]
    async fn the_machine_s_role_is_asked_with_a_token() {
        let mut servers = JoinSet::new();
        let address = service(&mut servers, metadata).await;
        let variable = |name: &str| {
            (name == "AWS_EC2_METADATA_SERVICE_ENDPOINT").then(|| format!("{address}/"))
        };
        let keys = credentials(&variable).await.expect("keys");
        assert_eq!(keys.access_key_id(), "AKID");
        assert_eq!(keys.secret_access_key(), "hush");
        assert_eq!(keys.session_token(), Some("session"));
        let disabled = |name: &str| match name {
            "AWS_EC2_METADATA_DISABLED" => Some("true".to_owned()),
            other => variable(other),
        };
        let error = credentials(&disabled).await.expect_err("switched off");
        assert!(error.to_string().contains("DISABLED"), "{error}");
    }

    #[tokio::test]
    async fn the_container_s_role_is_asked_with_what_its_file_holds() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("token");
        std::fs::write(&path, "pod\n").expect("write");
        let mut servers = JoinSet::new();
        let address = service(&mut servers, |head| {
            if head.to_ascii_lowercase().contains("authorization: pod\r\n") {
                ("200 OK", KEYS)
            } else {
                ("403 Forbidden", "")
            }
        })
        .await;
        let with_token = |name: &str| match name {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI" => Some(format!("{address}/v1/credentials")),
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" => Some(path.display().to_string()),
            _ => None,
        };
        let keys = credentials(&with_token).await.expect("keys");
        assert_eq!(keys.access_key_id(), "AKID");
        let without = |name: &str| match name {
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" => None,
            other => with_token(other),
        };
        let error = credentials(&without).await.expect_err("refused");
        assert!(error.to_string().contains("403"), "{error}");
        assert!(!format!("{error:?}").contains("hush"));
    }

    #[tokio::test]
    async fn a_role_that_is_not_there_is_said() {
        let mut servers = JoinSet::new();
        let cases: [(Answer, &str); 4] = [
            (|_| ("200 OK", ""), "has none"),
            (|_| ("200 OK", "../../x"), "has none"),
            (|_| ("404 Not Found", ""), "404"),
            (|_| ("200 OK", "role"), "no keys"),
        ];
        for (answers, words) in cases {
            let address = service(&mut servers, answers).await;
            let variable =
                |name: &str| (name == "AWS_EC2_METADATA_SERVICE_ENDPOINT").then(|| address.clone());
            let error = credentials(&variable).await.expect_err(words);
            // an empty token is sent as one, and the role is asked for
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn tokens_go_to_this_machine_or_over_tls() {
        for (address, fine) in [
            ("http://169.254.170.23/v1/credentials", true),
            ("http://[fd00:ec2::23]/v1/credentials", true),
            ("http://127.0.0.1:1/x", true),
            ("http://localhost/x", true),
            ("https://keys.example/x", true),
            ("http://keys.example/x", false),
            ("http://169.254.170.23.example/x", false),
            ("ftp://127.0.0.1/x", false),
        ] {
            let url = Url::parse(address).expect("an address");
            assert_eq!(may_be_asked(&url), fine, "{address}");
        }
    }
}
