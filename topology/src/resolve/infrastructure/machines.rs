//! Whether machines and disks are such as the platform has.

use super::super::scope::Scope;
use super::sizes::sizes;
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
