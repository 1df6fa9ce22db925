//! What sizes the machines of a platform have.
//!
//! Sizes of known generations are known; the next generations of a family pass with any size that some machine has, so that what
//! came after this was written can be asked for. A typing error is further away.

use crate::choices::Platform;

/// How a platform writes the sizes of its machines.
pub(super) struct Sizes {
    pub(super) platform: &'static str,
    pub(super) example: &'static str,
    has: fn(&str) -> bool,
}

impl Sizes {
    /// Whether a machine has this size.
    pub(super) fn has(&self, size: &str) -> bool {
        (self.has)(size)
    }
}

/// Those of a platform that creates machines.
pub(super) fn sizes(platform: Platform) -> Option<Sizes> {
    match platform {
        Platform::AwsEc2 => Some(Sizes {
            platform: "EC2",
            example: "m7g.large",
            has: is_of_ec2,
        }),
        Platform::AwsMsk => Some(Sizes {
            platform: "MSK",
            example: "kafka.m7g.large",
            has: is_of_msk,
        }),
        Platform::AzureHdinsight => Some(Sizes {
            platform: "HDInsight",
            example: "Standard_D3_V2",
            has: is_of_hdinsight,
        }),
        Platform::Existing | Platform::Embedded | Platform::Ansible | Platform::Strimzi => None,
    }
}

/// A family, the first and the last of its generations that have these sizes, and the sizes; numbers are of `xlarge`. What letters
/// follow the generation (`m7gd`) is not told apart.
type Row = (&'static str, u8, u8, &'static str);

const EC2: &[Row] = &[
    ("a", 1, 1, "medium large xlarge 2 4 metal"),
    ("c", 1, 1, "medium xlarge"),
    ("c", 3, 4, "large xlarge 2 4 8"),
    ("c", 5, 5, "large xlarge 2 4 8 9 12 16 18 24 metal"),
    ("c", 6, 6, "medium large xlarge 2 4 8 12 16 24 32 48 metal"),
    ("c", 7, 7, SEVENTH),
    ("c", 8, 8, EIGHTH),
    ("d", 2, 3, "xlarge 2 4 6 8 12"),
    ("dl", 1, 2, "24"),
    ("f", 1, 1, "2 4 16"),
    ("f", 2, 2, "6 12 48"),
    ("g", 3, 3, "xlarge 4 8 16"),
    ("g", 4, 4, "xlarge 2 4 8 12 16 metal"),
    ("g", 5, 5, "xlarge 2 4 8 12 16 24 48 metal"),
    ("g", 6, 7, "large xlarge 2 4 8 12 16 24 48"),
    ("gr", 6, 6, "4 8"),
    ("h", 1, 1, "2 4 8 16"),
    ("hpc", 6, 6, "32 48"),
    ("hpc", 7, 8, "4 8 12 16 24 48 96"),
    ("i", 2, 2, "xlarge 2 4 8"),
    ("i", 3, 3, "large xlarge 2 3 4 6 8 12 16 24 metal"),
    ("i", 4, 4, "large xlarge 2 4 8 12 16 24 32 metal"),
    (
        "i",
        7,
        8,
        "large xlarge 2 3 4 6 8 12 16 18 24 32 48 96 metal-24xl metal-48xl metal-96xl",
    ),
    ("im", 4, 4, "large xlarge 2 4 8 16"),
    ("inf", 1, 1, "xlarge 2 6 24"),
    ("inf", 2, 2, "xlarge 8 24 48"),
    ("is", 4, 4, "medium large xlarge 2 4 8"),
    ("m", 1, 1, "small medium large xlarge"),
    ("m", 2, 2, "xlarge 2 4"),
    ("m", 3, 3, "medium large xlarge 2"),
    ("m", 4, 4, "large xlarge 2 4 10 16"),
    ("m", 5, 5, "large xlarge 2 3 4 6 8 12 16 24 metal"),
    ("m", 6, 6, "medium large xlarge 2 4 8 12 16 24 32 48 metal"),
    ("m", 7, 7, SEVENTH),
    ("m", 8, 8, EIGHTH),
    ("mac", 1, 2, "metal"),
    ("p", 2, 2, "xlarge 8 16"),
    ("p", 3, 3, "2 8 16 24"),
    ("p", 4, 4, "24"),
    ("p", 5, 5, "4 48"),
    ("p", 6, 6, "36 48"),
    ("r", 3, 3, "large xlarge 2 4 8"),
    ("r", 4, 4, "large xlarge 2 4 8 16"),
    ("r", 5, 5, "large xlarge 2 4 8 12 16 24 metal"),
    ("r", 6, 6, "medium large xlarge 2 4 8 12 16 24 32 48 metal"),
    ("r", 7, 7, SEVENTH),
    ("r", 8, 8, EIGHTH),
    ("t", 1, 1, "micro"),
    ("t", 2, 4, "nano micro small medium large xlarge 2"),
    ("trn", 1, 1, "2 32"),
    ("trn", 2, 3, "3 48"),
    ("u", 7, 7, "56 112 224 480"),
    ("vt", 1, 1, "3 6 24"),
    ("x", 1, 1, "xlarge 2 4 8 16 32"),
    ("x", 2, 2, "medium large xlarge 2 4 6 8 12 16 24 32 metal"),
    ("x", 8, 8, EIGHTH),
    ("z", 1, 1, "large xlarge 2 3 6 12 metal"),
];

const SEVENTH: &str =
    "medium large xlarge 2 4 8 12 16 24 32 48 metal metal-16xl metal-24xl metal-32xl metal-48xl";
const EIGHTH: &str = "medium large xlarge 2 3 4 6 8 12 16 24 32 48 64 96 metal-12xl metal-16xl metal-24xl metal-32xl \
                      metal-48xl metal-96xl";

/// Generations that may have come since: Amazon counts by one.
const GENERATIONS_TO_COME: u8 = 2;

fn is_of_ec2(size: &str) -> bool {
    let Some((machine, size)) = size.split_once('.') else {
        return false;
    };
    let Some(Machine {
        family,
        generation,
        rest,
    }) = Machine::read(machine)
    else {
        // some are called after their chip alone
        return machine.strip_prefix("mac-").is_some_and(is_word) && size == "metal";
    };
    let generations = EC2.iter().filter(|(name, ..)| *name == family);
    let Some(newest) = generations.clone().map(|(_, _, last, _)| *last).max() else {
        return false;
    };
    let known = if generation > newest {
        generation <= newest + GENERATIONS_TO_COME && EC2.iter().any(|row| has_size(row, size))
    } else {
        let mut here =
            generations.filter(|(_, first, last, _)| (*first..=*last).contains(&generation));
        here.any(|row| has_size(row, size))
    };
    known && are_attributes(rest)
}

fn has_size((.., sizes): &Row, size: &str) -> bool {
    sizes.split(' ').any(|known| {
        // a number stands for so many
        size.strip_suffix("xlarge").filter(|it| !it.is_empty()) == Some(known)
            || known == size && !known.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// What the name of a machine says.
struct Machine<'a> {
    family: &'a str,
    generation: u8,
    /// `gd` of `m7gd`, `i-flex` of `c7i-flex`.
    rest: &'a str,
}

impl<'a> Machine<'a> {
    fn read(name: &'a str) -> Option<Self> {
        let family = name.find(|c: char| !c.is_ascii_lowercase())?;
        let (family, rest) = name.split_at(family);
        let digits = rest.find(|c: char| !c.is_ascii_digit());
        let (generation, rest) = rest.split_at(digits.unwrap_or(rest.len()));
        Some(Self {
            family,
            generation: generation
                .parse()
                .ok()
                .filter(|_| !generation.starts_with('0'))?,
            rest,
        })
    }
}

/// Letters for the chip, the disks or the network, and perhaps a word behind a hyphen.
fn are_attributes(rest: &str) -> bool {
    const MOST: usize = 5;
    let (letters, word) = rest
        .split_once('-')
        .map_or((rest, None), |(letters, word)| (letters, Some(word)));
    letters.len() <= MOST
        && letters.bytes().all(|it| it.is_ascii_lowercase())
        && word.is_none_or(is_word)
}

fn is_word(word: &str) -> bool {
    let legal = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit();
    !word.is_empty() && word.bytes().all(legal)
}

const MSK_SMALL: &str = "large xlarge 2 4 8 12 16";
const MSK_LARGE: &str = "large xlarge 2 4 8 12 16 24";

/// A kind of broker, its machine, and the sizes of that.
const MSK: &[(&str, &str, &str)] = &[
    ("kafka", "t3", "small"),
    ("kafka", "m5", MSK_LARGE),
    ("kafka", "m7g", MSK_SMALL),
    ("express", "m7g", MSK_SMALL),
];
/// Amazon goes on with its own chips: what may have come since.
const MSK_TO_COME: [&str; 6] = ["m8g", "m9g", "r7g", "r8g", "r9g", "t4g"];

fn is_of_msk(size: &str) -> bool {
    let mut parts = size.splitn(3, '.');
    let (Some(kind), Some(machine), Some(size)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let mut known = MSK.iter();
    let to_come = MSK_TO_COME
        .contains(&machine)
        .then_some(if machine.starts_with('t') {
            "small"
        } else {
            MSK_LARGE
        });
    let sizes = known
        .find(|(known, name, _)| *known == kind && *name == machine)
        .map(|(.., sizes)| *sizes)
        .or_else(|| to_come.filter(|_| matches!(kind, "kafka" | "express")));
    sizes.is_some_and(|sizes| has_size(&("", 0, 0, sizes), size))
}

/// What Terraform's provider takes for nodes of `HDInsight`, in any letters: what stands in front of numbers, the numbers, and what
/// stands behind them.
const HDINSIGHT: &[(&str, &str, &str)] = &[
    ("a", "5 6 7 8 9 10 11", ""),
    ("standard_a", "1 2 2m 4 4m 8 8m", "_v2"),
    ("standard_a", "3", ""),
    ("standard_d", "1 2 3 4 11 12 13 14", ""),
    ("standard_d", "1 2 3 4 5 11 12 13 14", "_v2"),
    ("standard_ds", "1 2 3 4 5 11 12 13 14", "_v2"),
    ("standard_d", "2 4 8 16 32 48 64 96", "a_v4"),
    ("standard_d", "2 4 8 16 32 48 64 96", "ads_v5"),
    ("standard_e", "2 4 8 16 20 32 64 64i", "_v3"),
    ("standard_e", "2 4 8 16 20 32 64 64i", "s_v3"),
    ("standard_e", "2 4 8 16 20 32 48 64 96", "a_v4"),
    ("standard_e", "2 4 8 16 20 32 48 64 96", "ads_v5"),
    ("standard_f", "2 4 8 16 32 64 72", "s_v2"),
    ("standard_g", "1 2 3 4 5", ""),
    ("standard_gs", "1 2 3 4 5", ""),
    ("standard_nc", "24", ""),
];
/// Sizes of old without a number.
const HDINSIGHT_WORDS: [&str; 5] = ["extrasmall", "small", "medium", "large", "extralarge"];

fn is_of_hdinsight(size: &str) -> bool {
    let size = size.to_ascii_lowercase();
    let in_series = HDINSIGHT.iter().any(|(before, numbers, behind)| {
        let number = size
            .strip_prefix(before)
            .and_then(|it| it.strip_suffix(behind));
        number.is_some_and(|number| numbers.split(' ').any(|it| it == number))
    });
    in_series || HDINSIGHT_WORDS.contains(&size.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(platform: Platform, size: &str) -> bool {
        sizes(platform).expect("sizes").has(size)
    }

    #[test]
    fn machines_of_ec2_have_the_sizes_of_their_generation() {
        for good in [
            "m5.large",
            "m5.24xlarge",
            "m6a.48xlarge",
            "m7g.2xlarge",
            "m8i.96xlarge",
            "i4i.metal",
            "c5n.18xlarge",
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
            "m5.",
            "m5.5",
            "m5.24",
            "m5.huge",
            "m5.48xlarge",
            "m5.999xlarge",
            "m5.1xlarge",
            "m5.02xlarge",
            "m5.metal-24xl",
            "m0.large",
            "m05.large",
            "m11.large",
            "t3.24xlarge",
            "t9.micro",
            "m.large",
            "M5.large",
            "q1.large",
            "m5.large ",
            "m5.large.large",
            "Standard_D3_V2",
            "kafka.m5.large",
        ] {
            assert!(!fits(Platform::AwsEc2, bad), "{bad}");
        }
    }

    #[test]
    fn generations_to_come_have_some_known_size() {
        for new in ["m9gd.48xlarge", "c10g.metal-48xl", "t5g.large"] {
            assert!(fits(Platform::AwsEc2, new), "{new}");
        }
        for bad in ["m9g.999xlarge", "m9g.5xlarge", "c11g.large"] {
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
            "kafka.m8g.2xlarge",
            "kafka.t4g.small",
        ] {
            assert!(fits(Platform::AwsMsk, good), "{good}");
        }
        for bad in [
            "m5.large",
            "kafka.m5",
            "kafka.m5.metal",
            "kafka.m5.small",
            "kafka.m5.48xlarge",
            "kafka.m7g.24xlarge",
            "kafka.m9z.large",
            "kafka.t3.large",
            "kafka.t9.small",
            "kafka.m50.large",
            "kafka.c5.large",
            "kafka.x1.large",
            "express.m5.large",
            "connect.m7g.large",
            "kafka.m5.large.large",
        ] {
            assert!(!fits(Platform::AwsMsk, bad), "{bad}");
        }
    }

    #[test]
    fn hdinsight_takes_some_series() {
        for good in [
            "Standard_D3_V2",
            "standard_d3_v2",
            "Standard_D14",
            "Standard_A4m_V2",
            "Standard_E8s_V3",
            "Standard_E64is_V3",
            "Standard_D96ads_V5",
            "Standard_NC24",
            "ExtraLarge",
            "A11",
        ] {
            assert!(fits(Platform::AzureHdinsight, good), "{good}");
        }
        for bad in [
            "D3",
            "Standard_B1ms",
            "Standard_D3_V",
            "Standard_D3_V9",
            "Standard_D6_V2",
            "Standard_D2s_V3",
            "Standard_NC48",
            "m5.large",
            "A12",
            "",
        ] {
            assert!(!fits(Platform::AzureHdinsight, bad), "{bad}");
        }
    }
}
