//! The test bed itself: every way into a secured cluster works for librdkafka, and only with the right papers.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e2e::{ADMIN, Access, Authority, ClusterSpec, KafkaCluster, Security, Way, Workspace};
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError;

const LIMIT: Duration = Duration::from_mins(2);

/// Logs in with a token where the mechanism asks for one.
struct Bearer(String);

impl ClientContext for Bearer {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, _: rdkafka::config::RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, _: KafkaError, _: &str) {}

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        let in_an_hour = SystemTime::now().duration_since(UNIX_EPOCH)? + Duration::from_hours(1);
        Ok(OAuthToken {
            token: self.0.clone(),
            principal_name: ADMIN.to_owned(),
            lifetime_ms: in_an_hour.as_millis().try_into()?,
        })
    }
}

impl ConsumerContext for Bearer {}

/// The cluster's brokers, as a client with these settings sees them.
fn brokers(config: &ClientConfig, token: &str, limit: Duration) -> Result<usize, KafkaError> {
    let client: BaseConsumer<Bearer> = config.create_with_context(Bearer(token.to_owned()))?;
    // serves the request for a token
    drop(client.poll(Duration::from_millis(100)));
    Ok(client.fetch_metadata(None, limit)?.brokers().len())
}

#[test]
fn every_way_in_works_with_the_right_papers_only() {
    let workspace = Workspace::create("secured").unwrap();
    let security = Security::new(&["alice"]).unwrap();
    let spec = ClusterSpec::single().secured(&security);
    let cluster = KafkaCluster::start(&spec).unwrap();
    let token = security.tokens().token(ADMIN).unwrap();
    for way in [
        Way::Tls,
        Way::MutualTls,
        Way::Plain,
        Way::ScramSha256,
        Way::ScramSha512,
        Way::Oauthbearer,
        Way::ScramInClear,
        Way::ScramInBriefSessions,
        Way::OauthbearerInBriefSessions,
    ] {
        let access = Access::new(&security, &workspace, way, ADMIN).unwrap();
        let config = access.client_config(&cluster).unwrap();
        assert_eq!(brokers(&config, &token, LIMIT), Ok(1), "{way:?}");
    }

    let briefly = Duration::from_secs(2);
    let mutual = Access::new(&security, &workspace, Way::MutualTls, ADMIN).unwrap();
    let mut without = mutual.client_config(&cluster).unwrap();
    without.remove("ssl.certificate.location");
    without.remove("ssl.key.location");
    assert!(
        brokers(&without, &token, briefly).is_err(),
        "a certificate is required"
    );

    let stranger = Authority::new("stranger").unwrap();
    let other = workspace
        .write("other.pem", stranger.certificate())
        .unwrap();
    let mut untrusted = mutual.client_config(&cluster).unwrap();
    untrusted.set("ssl.ca.location", other.display().to_string());
    assert!(
        brokers(&untrusted, &token, briefly).is_err(),
        "another authority"
    );

    for way in [Way::Plain, Way::ScramSha256, Way::ScramSha512] {
        let access = Access::new(&security, &workspace, way, "alice").unwrap();
        let mut wrong = access.client_config(&cluster).unwrap();
        assert_eq!(brokers(&wrong, &token, LIMIT), Ok(1), "{way:?}");
        wrong.set("sasl.password", "wrong");
        assert!(brokers(&wrong, &token, briefly).is_err(), "{way:?}");
    }

    let others = Security::new(&[]).unwrap();
    let forged = others.tokens().token(ADMIN).unwrap();
    let access = Access::new(&security, &workspace, Way::Oauthbearer, ADMIN).unwrap();
    let config = access.client_config(&cluster).unwrap();
    assert!(
        brokers(&config, &forged, briefly).is_err(),
        "another signer"
    );
}
