//! Reads AWS. Nothing here changes anything: every request describes.

mod convert;
mod error;

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region as AwsRegion, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{AttributeBooleanValue, Filter, VpcAttributeName};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use futures::future::try_join_all;
use tokio::time::timeout;

pub use error::ReadError;

use crate::observed::{Region, Vpc};
use crate::wanted::WantedNetwork;

/// For a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// For one attempt of one request.
const ATTEMPT: Duration = Duration::from_secs(15);
/// For a request with all its attempts.
const REQUEST: Duration = Duration::from_secs(45);
/// For credentials: the last place that is asked, the machine's own metadata, answers nobody outside of AWS.
const CREDENTIALS: Duration = Duration::from_secs(30);
/// For everything in a region.
const REGION: Duration = Duration::from_secs(140);

/// Who asks: credentials and settings in the order that every tool of AWS looks for them.
pub(crate) struct Account {
    config: SdkConfig,
}

impl Account {
    /// Finds credentials; `region` is where they are asked for, should they be somewhere in AWS.
    pub(crate) async fn log_in(region: &str) -> Result<Self, ReadError> {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .operation_attempt_timeout(ATTEMPT)
            .operation_timeout(REQUEST)
            .build();
        let found = async {
            let config = aws_config::defaults(BehaviorVersion::latest())
                .http_client(http)
                .timeout_config(timeouts)
                .region(AwsRegion::new(region.to_owned()))
                .load()
                .await;
            let Some(provider) = config.credentials_provider() else {
                return Err(ReadError::NoCredentials {
                    reason: "nobody provides any".to_owned(),
                });
            };
            match provider.provide_credentials().await {
                Ok(_) => Ok(Self { config }),
                Err(error) => Err(ReadError::without_credentials(&error)),
            }
        };
        timeout(CREDENTIALS, found)
            .await
            .unwrap_or(Err(ReadError::NoCredentials {
                reason: format!("none were found within {} s", CREDENTIALS.as_secs()),
            }))
    }

    /// What is in `region` of the networks that are wanted there.
    pub(crate) async fn read(
        &self,
        region: &str,
        networks: &[WantedNetwork],
    ) -> Result<Region, ReadError> {
        let config = aws_sdk_ec2::config::Builder::from(&self.config)
            .region(AwsRegion::new(region.to_owned()))
            .build();
        let client = Client::from_conf(config);
        timeout(REGION, read(&client, networks))
            .await
            .unwrap_or(Err(ReadError::Slow {
                seconds: REGION.as_secs(),
            }))
    }
}

async fn read(client: &Client, networks: &[WantedNetwork]) -> Result<Region, ReadError> {
    let vpcs = vpcs(client, networks).await?;
    let ids: Vec<String> = vpcs.iter().map(|vpc| vpc.id.clone()).collect();
    if ids.is_empty() {
        // a filter without values would find everything
        return Ok(Region::default());
    }
    let subnets = async {
        let found = client
            .describe_subnets()
            .filters(filter("vpc-id", &ids))
            .into_paginator()
            .items()
            .send();
        found
            .collect::<Result<Vec<_>, _>>()
            .await
            .map_err(|error| ReadError::of("DescribeSubnets", &error))
    };
    let groups = async {
        let found = client
            .describe_security_groups()
            .filters(filter("vpc-id", &ids))
            .into_paginator()
            .items()
            .send();
        found
            .collect::<Result<Vec<_>, _>>()
            .await
            .map_err(|error| ReadError::of("DescribeSecurityGroups", &error))
    };
    let reservations = async {
        let found = client
            .describe_instances()
            .filters(filter("vpc-id", &ids))
            .into_paginator()
            .items()
            .send();
        found
            .collect::<Result<Vec<_>, _>>()
            .await
            .map_err(|error| ReadError::of("DescribeInstances", &error))
    };
    let peerings = |end: &'static str| {
        let found = client
            .describe_vpc_peering_connections()
            .filters(filter(end, &ids))
            .into_paginator()
            .items()
            .send();
        async {
            found
                .collect::<Result<Vec<_>, _>>()
                .await
                .map_err(|error| ReadError::of("DescribeVpcPeeringConnections", &error))
        }
    };
    let (subnets, groups, reservations, asked, accepted) = futures::try_join!(
        subnets,
        groups,
        reservations,
        peerings("requester-vpc-info.vpc-id"),
        peerings("accepter-vpc-info.vpc-id"),
    )?;
    let mut peerings: Vec<_> = asked
        .iter()
        .chain(&accepted)
        .map(convert::peering)
        .collect();
    // those between two of ours were found at both ends
    peerings.sort_by(|one, other| one.id.cmp(&other.id));
    peerings.dedup_by(|one, other| one.id == other.id);
    Ok(Region {
        vpcs,
        subnets: subnets.iter().map(convert::subnet).collect(),
        peerings,
        groups: groups.iter().map(convert::group).collect(),
        instances: reservations
            .iter()
            .flat_map(aws_sdk_ec2::types::Reservation::instances)
            .map(convert::instance)
            .collect(),
    })
}

/// VPCs by name, and by range, because a name is only a tag.
async fn vpcs(client: &Client, networks: &[WantedNetwork]) -> Result<Vec<Vpc>, ReadError> {
    let names: Vec<String> = networks.iter().map(|it| it.name.clone()).collect();
    let ranges: Vec<String> = networks.iter().map(|it| it.cidr.clone()).collect();
    let by = |key, values: &[String]| {
        let found = client
            .describe_vpcs()
            .filters(filter(key, values))
            .into_paginator()
            .items()
            .send();
        async {
            found
                .collect::<Result<Vec<_>, _>>()
                .await
                .map_err(|error| ReadError::of("DescribeVpcs", &error))
        }
    };
    let (ours, alike) = futures::try_join!(by("tag:Name", &names), by("cidr", &ranges))?;
    let mut vpcs: Vec<Vpc> = ours.iter().chain(&alike).map(convert::vpc).collect();
    vpcs.sort_by(|one, other| one.id.cmp(&other.id));
    vpcs.dedup_by(|one, other| one.id == other.id);
    try_join_all(vpcs.into_iter().map(|vpc| names_of(client, vpc))).await
}

/// Whether a VPC resolves names; each is a request of its own.
async fn names_of(client: &Client, vpc: Vpc) -> Result<Vpc, ReadError> {
    let ask = async |attribute: VpcAttributeName| {
        client
            .describe_vpc_attribute()
            .vpc_id(&vpc.id)
            .attribute(attribute)
            .send()
            .await
            .map_err(|error| ReadError::of("DescribeVpcAttribute", &error))
    };
    let (support, hostnames) = futures::try_join!(
        ask(VpcAttributeName::EnableDnsSupport),
        ask(VpcAttributeName::EnableDnsHostnames),
    )?;
    Ok(Vpc {
        dns_support: support
            .enable_dns_support()
            .and_then(AttributeBooleanValue::value),
        dns_hostnames: hostnames
            .enable_dns_hostnames()
            .and_then(AttributeBooleanValue::value),
        ..vpc
    })
}

fn filter(name: &str, values: &[String]) -> Filter {
    Filter::builder()
        .name(name)
        .set_values(Some(values.to_vec()))
        .build()
}
