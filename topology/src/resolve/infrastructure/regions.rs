//! Whether a region is one of the cloud's.

use super::super::scope::Scope;
use crate::choices::Platform;
use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;

/// Regions of AWS, in all of its partitions.
const AWS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-isoe-west-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
];

/// New regions of AWS lie on one of these sides of a place that has regions already, and are counted by one.
const AWS_SIDES: &[&str] = &[
    "central",
    "east",
    "north",
    "northeast",
    "northwest",
    "south",
    "southeast",
    "southwest",
    "west",
];

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
        Platform::AwsMsk | Platform::AwsEc2 => match of_aws(region) {
            Known::Yes | Known::Perhaps => return,
            Known::No(meant) => ("AWS", hint(meant, "eu-west-1")),
        },
        Platform::AzureHdinsight => match of_azure(region) {
            Known::Yes | Known::Perhaps => return,
            Known::No(meant) => ("Azure", hint(meant, "westeurope")),
        },
        Platform::Existing | Platform::Embedded | Platform::Ansible | Platform::Strimzi => return,
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

fn hint(meant: Option<&str>, example: &str) -> String {
    meant.map_or_else(
        || format!("write it as in `{example}`"),
        |meant| format!("did you mean `{meant}`?"),
    )
}

enum Known {
    Yes,
    /// It may have come since.
    Perhaps,
    /// And what may be meant.
    No(Option<&'static str>),
}

/// The place, the side and the number of a region of AWS, as in `us-gov`, `east` and `1`.
fn parts(region: &str) -> Option<(&str, &str, &str)> {
    let (rest, number) = region.rsplit_once('-')?;
    let (place, side) = rest.rsplit_once('-')?;
    Some((place, side, number))
}

fn of_aws(region: &str) -> Known {
    if AWS.contains(&region) {
        return Known::Yes;
    }
    let has_form = parts(region).is_some_and(|(place, side, number)| {
        let mut known = AWS.iter().filter_map(|it| parts(it));
        known.any(|(other, ..)| other == place)
            && AWS_SIDES.contains(&side)
            && matches!(number.as_bytes(), [b'1'..=b'9'])
    });
    if has_form {
        return Known::Perhaps;
    }
    // two letters make another place
    let meant = AWS
        .iter()
        .find(|known| strsim::damerau_levenshtein(region, known) == 1);
    Known::No(meant.copied())
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
    fn regions_of_aws_are_known_and_new_ones_pass() {
        for good in [
            "eu-west-1",
            "us-gov-east-1",
            "ap-southeast-7",
            "eusc-de-east-1",
        ] {
            assert!(matches!(of_aws(good), Known::Yes), "{good}");
        }
        for new in ["us-east-3", "sa-west-1", "ap-southeast-8"] {
            assert!(matches!(of_aws(new), Known::Perhaps), "{new}");
        }
        for (bad, meant) in [
            ("us-eest-1", Some("us-east-1")),
            ("eu-wst-2", Some("eu-west-2")),
            ("eu-west-1a", Some("eu-west-1")),
            ("xx-west-1", None),
            ("us-east-0", Some("us-east-1")),
            ("eu-west", None),
            ("EU-WEST-1", None),
            ("westeurope", None),
            ("", None),
        ] {
            assert!(
                matches!(of_aws(bad), Known::No(found) if found == meant),
                "{bad}"
            );
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
