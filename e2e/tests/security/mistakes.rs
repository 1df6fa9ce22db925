//! What is wrong is said clearly, and soon.

use std::path::Path;
use std::time::{Duration, Instant};

use e2e::{ADMIN, Access, Authority, Way, Workspace};

use crate::bed::{bed, run, topology};

/// One mistake in what the topology says about the source, and what has to be said about it.
struct Mistake {
    way: Way,
    change: (String, String),
    said: &'static str,
    hint: &'static str,
}

fn mistakes(access: &Access, other: &Authority, workspace: &Workspace) -> Vec<Mistake> {
    let stranger = workspace
        .write("stranger.pem", other.certificate())
        .unwrap();
    let wrong = workspace.write("wrong.secret", "not-it\n").unwrap();
    let nobody = other.issue(ADMIN, &[]).unwrap();
    let nobody_cert = workspace.write("nobody.pem", nobody.certificate).unwrap();
    let nobody_key = workspace.write("nobody.key", nobody.key).unwrap();
    let path = |path: &Path| path.display().to_string();
    let (ca, secret) = (path(access.ca_file()), path(access.secret_file()));
    let folder = path(workspace.path());
    let mistake = |way, from: &str, to: &str, said, hint| Mistake {
        way,
        change: (from.to_owned(), to.to_owned()),
        said,
        hint,
    };
    vec![
        mistake(Way::Tls, &ca, &path(&stranger), "not trusted", "tls.caFile"),
        mistake(
            Way::Tls,
            &format!("{{caFile: {ca}}}"),
            &format!("{{caFile: {ca}, serverName: elsewhere.example}}"),
            "elsewhere.example",
            "serverName",
        ),
        mistake(
            Way::Tls,
            &format!(", tls: {{caFile: {ca}}}"),
            "",
            "speaks TLS",
            "tls",
        ),
        mistake(
            Way::ScramInClear,
            ", sasl:",
            &format!(", tls: {{caFile: {ca}}}, sasl:"),
            "does not speak TLS",
            "remove tls",
        ),
        mistake(
            Way::MutualTls,
            &format!("certFile: {folder}/{ADMIN}.pem, keyFile: {folder}/{ADMIN}.key"),
            &format!(
                "certFile: {}, keyFile: {}",
                path(&nobody_cert),
                path(&nobody_key)
            ),
            "refused",
            "tls.certFile",
        ),
        mistake(
            Way::MutualTls,
            &format!(", certFile: {folder}/{ADMIN}.pem, keyFile: {folder}/{ADMIN}.key"),
            "",
            "refused",
            "tls.certFile",
        ),
        mistake(
            Way::Plain,
            &secret,
            &path(&wrong),
            "authentication with SASL PLAIN failed",
            "secret",
        ),
        mistake(
            Way::ScramSha256,
            &secret,
            &path(&wrong),
            "authentication with SASL SCRAM-SHA-256 failed",
            "secret",
        ),
        mistake(
            Way::ScramSha512,
            &format!("username: {ADMIN}"),
            "username: nobody",
            "authentication with SASL SCRAM-SHA-512 failed",
            "user exists",
        ),
        mistake(
            Way::Oauthbearer,
            &secret,
            &path(&wrong),
            "no token",
            "sasl.oauth",
        ),
        mistake(
            Way::ScramInClear,
            "mechanism: scram-sha-512",
            "mechanism: scram-sha-256",
            "offers SCRAM-SHA-512",
            "sasl.mechanism",
        ),
        mistake(
            Way::Plain,
            &secret,
            &format!("{folder}/no-such-file"),
            "no-such-file",
            "file",
        ),
    ]
}

#[test]
fn what_is_wrong_is_said_within_seconds() {
    let bed = bed();
    let workspace = Workspace::create("wrong").unwrap();
    let other = Authority::new("stranger").unwrap();
    let any = bed.access(&workspace, Way::Tls);
    for mistake in mistakes(&any, &other, &workspace) {
        let access = bed.access(&workspace, mistake.way);
        let right = access.cluster("source", &bed.pair.source).unwrap();
        let (from, to) = &mistake.change;
        assert!(right.contains(from.as_str()), "{from} in {right}");
        let wrong = right.replace(from.as_str(), to);
        let target = any.cluster("target", &bed.pair.target).unwrap();
        let text = topology(&wrong, &target, "never");
        workspace.write("t.yaml", text).unwrap();
        for command in [
            &["plan", "-f", "t.yaml"][..],
            &["replicate", "-f", "t.yaml", "--once"],
        ] {
            let started = Instant::now();
            let printed = run(&workspace, command, 1);
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "{:?} for {to}",
                started.elapsed()
            );
            for words in [mistake.said, mistake.hint, "source"] {
                assert!(
                    printed.stderr.contains(words),
                    "{words} in:\n{}",
                    printed.stderr
                );
            }
            for secret in [bed.security.secret(ADMIN).as_str(), "not-it"] {
                assert!(!printed.stderr.contains(secret), "{}", printed.stderr);
            }
        }
    }
}
