//! Whether machines and disks are such as the platform has.

use std::sync::LazyLock;

use regex::Regex;

use super::super::scope::Scope;
use crate::choices::{Platform, StorageType};
use crate::code::Code;
use crate::finding::Finding;
use crate::infrastructure::{Brokers, Storage};
use crate::path::Path;

/// Data disks of one worker node of `HDInsight`, and the size of each.
const HDINSIGHT_DISKS: u32 = 8;
const HDINSIGHT_DISK: u64 = 1 << 40;
/// The most that a broker of MSK has, in bytes.
const MSK_STORAGE: u64 = 16_384 << 30;
/// What smaller disks of brokers hold fills up before anything of it may be deleted: ten segments of the default size.
const COMFORTABLE_DISK: u64 = 10 << 30;

/// The sizes of EC2: a machine and its size.
static EC2: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^[a-z]{1,3}[0-9]{0,2}[a-z]{0,5}(-[a-z0-9]+)?",
        r"\.(nano|micro|small|medium|large|xlarge|[0-9]{1,3}xlarge|metal(-[0-9]+xl)?)$"
    ))
    .ok()
});

/// Amazon MSK has some sizes of EC2, under a name of its own for each kind of broker; of the family `t` only small ones.
static MSK: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^(kafka|express)\.(t[0-9]{1,2}[a-z]{0,5}\.small",
        r"|[mr][0-9]{1,2}[a-z]{0,5}\.(large|xlarge|[0-9]{1,3}xlarge))$"
    ))
    .ok()
});

/// The families of EC2, and the newest generation known of each.
const EC2_FAMILIES: &[(&str, u8)] = &[
    ("a", 1),
    ("c", 8),
    ("d", 3),
    ("dl", 2),
    ("f", 2),
    ("g", 6),
    ("gr", 6),
    ("h", 1),
    ("hpc", 8),
    ("i", 8),
    ("im", 4),
    ("inf", 2),
    ("is", 4),
    ("m", 8),
    ("mac", 2),
    ("p", 6),
    ("r", 8),
    ("t", 4),
    ("trn", 3),
    ("u", 7),
    ("vt", 1),
    ("x", 8),
    ("z", 1),
];

/// Those of MSK.
const MSK_FAMILIES: &[(&str, u8)] = &[("t", 3), ("m", 8), ("r", 8)];

/// Generations that may have come since: Amazon counts by one, so that a typing error is further away.
const GENERATIONS_TO_COME: u8 = 2;

/// `HDInsight` takes the series A, D, E, F, G and NC in any version, and the sizes of old without a series.
static HDINSIGHT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)^(extrasmall|small|medium|large|extralarge|a([5-9]|1[01])",
        r"|standard_(a|d|ds|e|f|g|gs|nc)[0-9]{1,3}[a-z]{0,4}(_v[0-9]{1,2})?)$"
    ))
    .ok()
});

/// How a platform writes the sizes of its machines.
struct Sizes {
    pattern: &'static LazyLock<Option<Regex>>,
    /// Empty where generations are not told apart.
    families: &'static [(&'static str, u8)],
    platform: &'static str,
    example: &'static str,
}

impl Sizes {
    fn has(&self, size: &str) -> bool {
        let in_pattern = self.pattern.as_ref().is_none_or(|it| it.is_match(size));
        in_pattern && (self.families.is_empty() || self.has_family(size))
    }

    fn has_family(&self, size: &str) -> bool {
        // what stands before it is the kind of broker
        let machine = size.rsplit('.').nth(1).unwrap_or_default();
        let digits = |c: char| !c.is_ascii_digit();
        let letters = |c: char| !c.is_ascii_lowercase();
        let (family, rest) = machine.split_at(machine.find(letters).unwrap_or(machine.len()));
        let generation = &rest[..rest.find(digits).unwrap_or(rest.len())];
        let Some((_, newest)) = self.families.iter().find(|(name, _)| *name == family) else {
            return false;
        };
        match generation.parse::<u8>() {
            Ok(generation) => (1..=newest + GENERATIONS_TO_COME).contains(&generation),
            // some have that of their chip alone
            Err(_) => family == "mac",
        }
    }
}

fn sizes(platform: Platform) -> Option<Sizes> {
    match platform {
        Platform::AwsEc2 => Some(Sizes {
            pattern: &EC2,
            families: EC2_FAMILIES,
            platform: "EC2",
            example: "m7g.large",
        }),
        Platform::AwsMsk => Some(Sizes {
            pattern: &MSK,
            families: MSK_FAMILIES,
            platform: "MSK",
            example: "kafka.m7g.large",
        }),
        Platform::AzureHdinsight => Some(Sizes {
            pattern: &HDINSIGHT,
            families: &[],
            platform: "HDInsight",
            example: "Standard_D3_V2",
        }),
        Platform::Existing | Platform::Embedded | Platform::Ansible | Platform::Strimzi => None,
    }
}

/// The machines of the cluster at `path`, in its region.
pub(super) fn brokers(
    scope: &mut Scope<'_>,
    path: &Path,
    platform: Platform,
    region: Option<&str>,
    brokers: &Brokers,
) {
    instance_type(scope, path, platform, brokers);
    if let (Platform::AwsMsk | Platform::AwsEc2, Some(region)) = (platform, region) {
        zones(scope, path, region, brokers);
    }
    let zones = u32::try_from(brokers.zones.len()).unwrap_or(u32::MAX);
    if platform == Platform::AwsMsk && zones > 0 && !brokers.count.is_multiple_of(zones) {
        let span = scope.span(&path.key("brokers").key("count"));
        let more = brokers.count.next_multiple_of(zones);
        scope.add(
            Finding::new(
                Code::UnevenBrokers,
                span,
                format!("as many brokers of MSK are in each of the {zones} zones"),
                format!("{} cannot be spread so", brokers.count),
            )
            .hint(format!("write `count: {more}`, or name other zones")),
        );
    }
}

/// Zones of AWS are called as their region and a letter (`eu-west-1a`); local ones have a place in between
/// (`us-west-2-lax-1a`).
fn zones(scope: &mut Scope<'_>, path: &Path, region: &str, brokers: &Brokers) {
    let list = path.key("brokers").key("zones");
    for (at, zone) in brokers.zones.iter().enumerate() {
        let fits = zone.strip_prefix(region).is_some_and(|rest| {
            matches!(
                rest.as_bytes(),
                [b'a'..=b'z'] | [b'-', .., b'0'..=b'9', b'a'..=b'z']
            )
        });
        if !fits {
            let span = scope.span(&list.index(at));
            scope.add(
                Finding::new(
                    Code::ZoneOfOtherRegion,
                    span,
                    format!("`{zone}` is no zone of the region `{region}`"),
                    "not in the region of the cluster",
                )
                .hint(format!(
                    "write it as in `{region}a`, or change the cluster's `region`"
                )),
            );
        }
    }
}

fn instance_type(scope: &mut Scope<'_>, path: &Path, platform: Platform, brokers: &Brokers) {
    let Some(written) = &brokers.instance_type else {
        return;
    };
    let place = path.key("brokers").key("instanceType");
    let Some(sizes) = sizes(platform) else {
        let span = scope.key_span(&place);
        scope.add(
            Finding::new(
                Code::UnusedKey,
                span,
                "the platform creates no machines, so that none has a size",
                "not used",
            )
            .hint(
                "leave `instanceType` out, or give the cluster the `platform` that it is to run on",
            ),
        );
        return;
    };
    if !sizes.has(written) {
        let span = scope.span(&place);
        scope.add(
            Finding::new(
                Code::UnknownInstanceType,
                span,
                format!("no machine of {} has the size `{written}`", sizes.platform),
                "unknown size",
            )
            .hint(format!("write it as in `{}`", sizes.example)),
        );
    }
}

/// The disks of the cluster at `path`.
pub(super) fn storage(scope: &mut Scope<'_>, path: &Path, platform: Platform, storage: &Storage) {
    let place = path.key("storage");
    if let Some(kind) = storage.kind
        && let Some(possible) = kinds(platform)
        && !possible.contains(&kind)
    {
        let names: Vec<String> = possible
            .iter()
            .map(|kind| format!("`{}`", name(*kind)))
            .collect();
        let span = scope.span(&place.key("type"));
        scope.add(
            Finding::new(
                Code::StorageOfOtherPlatform,
                span,
                format!("the platform has no storage of the type `{}`", name(kind)),
                "storage of another platform",
            )
            .hint(format!("write {}", names.join(" or "))),
        );
    }
    if let Some(size) = storage.size {
        sizes_of_disks(scope, &place.key("size"), platform, size);
    }
    if platform == Platform::AzureHdinsight
        && let Some(disks) = storage.disks.filter(|disks| *disks > HDINSIGHT_DISKS)
    {
        let span = scope.span(&place.key("disks"));
        scope.add(
            Finding::new(
                Code::OutOfRange,
                span,
                format!("a worker node of HDInsight has {HDINSIGHT_DISKS} disks or fewer"),
                format!("this asks for {disks}"),
            )
            .hint(format!("write `disks: {HDINSIGHT_DISKS}`")),
        );
    }
}

fn sizes_of_disks(scope: &mut Scope<'_>, path: &Path, platform: Platform, size: u64) {
    let (code, message, label, hint) = match platform {
        Platform::AwsMsk if size > MSK_STORAGE => (
            Code::OutOfRange,
            "a broker of MSK has 16384 GiB or less",
            "too large",
            "write `size: 16384GiB` or less, or more brokers",
        ),
        Platform::AzureHdinsight if !size.is_multiple_of(HDINSIGHT_DISK) => (
            Code::OutOfRange,
            "disks of HDInsight have 1 TiB each",
            "not a number of such disks",
            "write `disks` instead, or a multiple of 1TiB",
        ),
        Platform::AwsMsk
        | Platform::AwsEc2
        | Platform::Strimzi
        | Platform::Ansible
        | Platform::AzureHdinsight
            if size < COMFORTABLE_DISK =>
        {
            (
                Code::SmallDisk,
                "so small a disk is full before its brokers may delete anything",
                "less than 10 GiB",
                "a segment of a partition has 1 GiB, unless `segment.bytes` is set, and is deleted only as a whole",
            )
        }
        Platform::Existing
        | Platform::Embedded
        | Platform::AwsMsk
        | Platform::AwsEc2
        | Platform::Strimzi
        | Platform::Ansible
        | Platform::AzureHdinsight => return,
    };
    let span = scope.span(path);
    scope.add(Finding::new(code, span, message, label).hint(hint));
}

/// What can be asked of a platform; nothing is known of clusters that exist.
fn kinds(platform: Platform) -> Option<&'static [StorageType]> {
    match platform {
        Platform::Existing | Platform::Embedded => None,
        Platform::Ansible => Some(&[StorageType::LocalDisk]),
        Platform::AwsMsk => Some(&[StorageType::Ebs]),
        Platform::AwsEc2 => Some(&[StorageType::Ebs, StorageType::LocalDisk]),
        Platform::AzureHdinsight => Some(&[StorageType::ManagedDisk]),
        Platform::Strimzi => Some(&[StorageType::PersistentClaim, StorageType::Ephemeral]),
    }
}

fn name(kind: StorageType) -> &'static str {
    match kind {
        StorageType::PersistentClaim => "persistent-claim",
        StorageType::Ephemeral => "ephemeral",
        StorageType::Ebs => "ebs",
        StorageType::ManagedDisk => "managed-disk",
        StorageType::LocalDisk => "local-disk",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(platform: Platform, size: &str) -> bool {
        let sizes = sizes(platform).expect("sizes");
        assert!(sizes.pattern.is_some(), "the pattern is none");
        sizes.has(size)
    }

    #[test]
    fn sizes_of_known_families_fit_in_any_generation() {
        for good in [
            "m5.large",
            "m7g.2xlarge",
            "m9gd.48xlarge",
            "i4i.metal",
            "c7i-flex.large",
            "r8g.metal-24xl",
            "t3.micro",
            "im4gn.large",
            "u7i-12tb.224xlarge",
            "x2iedn.32xlarge",
            "mac2-m2pro.metal",
            "mac-m4.metal",
            "hpc8a.96xlarge",
        ] {
            assert!(fits(Platform::AwsEc2, good), "{good}");
        }
        for bad in [
            "",
            "large",
            "m5",
            "m5.huge",
            "m0.large",
            "m11.large",
            "t9.micro",
            "m.large",
            "M5.large",
            "q1.large",
            "m5.large ",
            "Standard_D3_V2",
            "kafka.m5.large",
        ] {
            assert!(!fits(Platform::AwsEc2, bad), "{bad}");
        }
    }

    #[test]
    fn brokers_of_msk_have_names_of_their_own() {
        for good in [
            "kafka.t3.small",
            "kafka.m5.24xlarge",
            "kafka.m7g.large",
            "express.m7g.16xlarge",
        ] {
            assert!(fits(Platform::AwsMsk, good), "{good}");
        }
        for bad in [
            "m5.large",
            "kafka.m5",
            "kafka.m5.metal",
            "kafka.m5.small",
            "kafka.t3.large",
            "kafka.t9.small",
            "kafka.m50.large",
            "kafka.x1.large",
        ] {
            assert!(!fits(Platform::AwsMsk, bad), "{bad}");
        }
    }

    #[test]
    fn hdinsight_takes_some_series() {
        for good in [
            "Standard_D3_V2",
            "standard_d3_v2",
            "Standard_A4_V2",
            "Standard_E8s_V3",
            "Standard_D96ads_V5",
            "Standard_NC24",
            "ExtraLarge",
            "A11",
        ] {
            assert!(fits(Platform::AzureHdinsight, good), "{good}");
        }
        for bad in ["D3", "Standard_B1ms", "Standard_D3_V", "m5.large", "A12"] {
            assert!(!fits(Platform::AzureHdinsight, bad), "{bad}");
        }
    }
}
