//! Whether a region is one of the cloud's.

use std::sync::LazyLock;

use regex::Regex;

use super::super::scope::Scope;
use crate::choices::Platform;
use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;

/// Regions of AWS: a continent or partition, places or sides, and a number (`eu-west-1`, `us-gov-east-1`).
static AWS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}$").ok());

/// Regions of Azure as programs write them, in its public, Chinese and American clouds, without the number at the end.
const AZURE: &[&str] = &[
    "australiacentral",
    "australiaeast",
    "australiasoutheast",
    "austriaeast",
    "belgiumcentral",
    "brazilsouth",
    "brazilsoutheast",
    "canadacentral",
    "canadaeast",
    "centralindia",
    "centralus",
    "chilecentral",
    "chinaeast",
    "chinanorth",
    "denmarkeast",
    "eastasia",
    "eastus",
    "francecentral",
    "francesouth",
    "germanynorth",
    "germanywestcentral",
    "indonesiacentral",
    "israelcentral",
    "italynorth",
    "japaneast",
    "japanwest",
    "jioindiacentral",
    "jioindiawest",
    "koreacentral",
    "koreasouth",
    "malaysiawest",
    "mexicocentral",
    "newzealandnorth",
    "northcentralus",
    "northeurope",
    "norwayeast",
    "norwaywest",
    "polandcentral",
    "qatarcentral",
    "southafricanorth",
    "southafricawest",
    "southcentralus",
    "southeastasia",
    "southindia",
    "spaincentral",
    "swedencentral",
    "swedensouth",
    "switzerlandnorth",
    "switzerlandwest",
    "taiwannorth",
    "uaecentral",
    "uaenorth",
    "uksouth",
    "ukwest",
    "usdodcentral",
    "usdodeast",
    "usgovarizona",
    "usgovtexas",
    "usgovvirginia",
    "westcentralus",
    "westeurope",
    "westindia",
    "westus",
];

/// The region of the cluster at `path`.
pub(super) fn check(scope: &mut Scope<'_>, path: &Path, platform: Platform, region: &str) {
    let (cloud, hint) = match platform {
        Platform::AwsMsk | Platform::AwsEc2 if !is_of_aws(region) => {
            ("AWS", "write it as in `eu-west-1`".to_owned())
        }
        Platform::AzureHdinsight => match of_azure(region) {
            Known::Yes | Known::Perhaps => return,
            Known::No(meant) => (
                "Azure",
                meant.map_or_else(
                    || "write it as in `westeurope`".to_owned(),
                    |meant| format!("did you mean `{meant}`?"),
                ),
            ),
        },
        Platform::AwsMsk
        | Platform::AwsEc2
        | Platform::Existing
        | Platform::Embedded
        | Platform::Ansible
        | Platform::Strimzi => return,
    };
    let span = scope.span(&path.key("region"));
    scope.add(
        Finding::new(
            Code::UnknownRegion,
            span,
            format!("`{region}` is no region of {cloud}"),
            "unknown region",
        )
        .hint(hint),
    );
}

fn is_of_aws(region: &str) -> bool {
    AWS.as_ref().is_none_or(|it| it.is_match(region))
}

enum Known {
    Yes,
    /// It may have come since.
    Perhaps,
    /// And what may be meant.
    No(Option<&'static str>),
}

/// Azure takes `West Europe`, too.
fn of_azure(region: &str) -> Known {
    let name = region.replace(' ', "").to_ascii_lowercase();
    let place = name.trim_end_matches(|c: char| c.is_ascii_digit());
    if !place.bytes().all(|byte| byte.is_ascii_lowercase()) || place.is_empty() {
        return Known::No(None);
    }
    if AZURE.contains(&place) {
        return Known::Yes;
    }
    // new regions are called after other places or sides, which are more than one letter apart
    match AZURE
        .iter()
        .find(|known| strsim::damerau_levenshtein(place, known) == 1)
    {
        Some(meant) => Known::No(Some(meant)),
        None => Known::Perhaps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_of_aws_have_a_form() {
        for good in [
            "eu-west-1",
            "us-gov-east-1",
            "ap-southeast-7",
            "eusc-de-east-1",
        ] {
            assert!(is_of_aws(good), "{good}");
        }
        for bad in ["westeurope", "eu-west", "eu-west-1a", "EU-WEST-1", ""] {
            assert!(!is_of_aws(bad), "{bad}");
        }
    }

    #[test]
    fn regions_of_azure_are_known_and_new_ones_pass() {
        for good in ["westeurope", "West Europe", "eastus2", "chinanorth3"] {
            assert!(matches!(of_azure(good), Known::Yes), "{good}");
        }
        for new in ["atlantiscentral", "westus9", "finlandeast"] {
            assert!(!matches!(of_azure(new), Known::No(_)), "{new}");
        }
        for (bad, meant) in [
            ("eu-west-1", None),
            ("westeuropa", Some("westeurope")),
            ("esatus", Some("eastus")),
            ("", None),
        ] {
            assert!(
                matches!(of_azure(bad), Known::No(found) if found == meant),
                "{bad}"
            );
        }
    }
}
