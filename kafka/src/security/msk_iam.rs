//! `AWS_MSK_IAM`: one message, a presigned request of the action `kafka-cluster:Connect` as JSON.
//!
//! The format is that of Amazon's `aws-msk-iam-auth`, version `2020_10_22`; the signature is AWS Signature Version 4 of
//! `GET https://HOST/?Action=kafka-cluster:Connect` with its parts in the query.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use serde_json::{Map, Value};

use super::aws_keys::AwsKeys;
use super::error::SecurityError;

const VERSION: &str = "2020_10_22";
const SERVICE: &str = "kafka-cluster";
const ACTION: &str = "kafka-cluster:Connect";
const VALID_FOR: Duration = Duration::from_mins(15);

/// IAM access control of Amazon MSK.
#[derive(Debug, Clone)]
pub struct MskIam {
    /// The region of the cluster, `eu-west-1`.
    pub region: String,
    /// Who signs.
    pub keys: AwsKeys,
}

impl MskIam {
    /// Cancel safe.
    pub(super) async fn payload(&self, host: &str) -> Result<Vec<u8>, SecurityError> {
        let keys = self.keys.read().await?;
        payload(keys, &self.region, host, SystemTime::now())
    }
}

fn payload(
    keys: Credentials,
    region: &str,
    host: &str,
    time: SystemTime,
) -> Result<Vec<u8>, SecurityError> {
    // these errors speak of the request, never of the keys
    let failed = |error: &dyn std::error::Error| SecurityError::AwsKeys {
        problem: format!("the request cannot be signed: {error}"),
    };
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(VALID_FOR);
    let identity = keys.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(SERVICE)
        .time(time)
        .settings(settings)
        .build()
        .map_err(|error| failed(&error))?
        .into();
    let address = format!("https://{host}/?Action=kafka-cluster%3AConnect");
    let request =
        SignableRequest::new("GET", address, std::iter::empty(), SignableBody::Bytes(&[]))
            .map_err(|error| failed(&error))?;
    let (signed, _) = sign(request, &parameters)
        .map_err(|error| failed(&error))?
        .into_parts();
    let mut message = Map::new();
    let mut put = |key: &str, value: &str| message.insert(key.to_owned(), Value::from(value));
    put("version", VERSION);
    put("host", host);
    put(
        "user-agent",
        concat!("mirrorctl/", env!("CARGO_PKG_VERSION")),
    );
    put("action", ACTION);
    for (key, value) in signed.params() {
        put(&key.to_ascii_lowercase(), value);
    }
    Ok(Value::Object(message).to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "b-1.example.abc123.c2.kafka.us-east-1.amazonaws.com";

    fn keys(token: Option<&str>) -> Credentials {
        Credentials::new(
            "AKIDEXAMPLE",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            token.map(str::to_owned),
            None,
            "test",
        )
    }

    /// 2015-08-30T12:36:00Z, the time of AWS's test vectors.
    fn then() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_mins(24_015_636)
    }

    /// AWS's published vector `get-vanilla`: that the crate signs as AWS says, through the calls that we make.
    #[test]
    fn the_published_vector_get_vanilla() {
        let identity = keys(None).into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("service")
            .time(then())
            .settings(SigningSettings::default())
            .build()
            .expect("parameters")
            .into();
        let request = SignableRequest::new(
            "GET",
            "https://example.amazonaws.com/",
            std::iter::empty(),
            SignableBody::Bytes(&[]),
        )
        .expect("request");
        let (_, signature) = sign(request, &parameters).expect("signed").into_parts();
        assert_eq!(
            signature,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
    }

    /// Signatures computed with Python's `hmac` and `hashlib` from AWS's description of Signature Version 4, not with
    /// any AWS library:
    /// ```python
    /// q = sorted(params.items()); canonical_query = '&'.join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in q)
    /// request = '\n'.join(['GET', '/', canonical_query, f'host:{host}\n', 'host', sha256(b'').hexdigest()])
    /// text = '\n'.join(['AWS4-HMAC-SHA256', date, scope, sha256(request.encode()).hexdigest()])
    /// key = H(H(H(H(b'AWS4' + secret, day), region), service), 'aws4_request'); signature = H(key, text).hex()
    /// ```
    #[test]
    fn the_payload_is_as_computed_independently() {
        for (token, signature) in [
            (
                None,
                "0f3d3cc42aa9cc0c35ed3c72df1df4e508f1c2c94c14234eae2b84d180bb538f",
            ),
            (
                Some("AQoDYXdzEPT//////////wEXAMPLE+/=="),
                "821563cc9dcb71cbf3f11cea90a651503ecd9e3bd53a2383ee640f7c970ae336",
            ),
        ] {
            let message = payload(keys(token), "us-east-1", HOST, then()).expect("payload");
            let message: Value = serde_json::from_slice(&message).expect("JSON");
            let mut expected = serde_json::json!({
                "version": "2020_10_22",
                "host": HOST,
                "user-agent": concat!("mirrorctl/", env!("CARGO_PKG_VERSION")),
                "action": "kafka-cluster:Connect",
                "x-amz-algorithm": "AWS4-HMAC-SHA256",
                "x-amz-credential": "AKIDEXAMPLE/20150830/us-east-1/kafka-cluster/aws4_request",
                "x-amz-date": "20150830T123600Z",
                "x-amz-signedheaders": "host",
                "x-amz-expires": "900",
                "x-amz-signature": signature,
            });
            if let Some(token) = token {
                expected["x-amz-security-token"] = Value::from(token);
            }
            assert_eq!(message, expected);
        }
    }
}
