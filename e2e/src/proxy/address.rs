//! What a response says about where brokers are, changed in place.
//!
//! Brokers and their proxies are both on 127.0.0.1, so only ports differ: a port is four bytes behind the host's name in every
//! version of every response, and nothing changes its length. That needs no knowledge of versions, which differ from broker
//! to broker.

use super::api::Api;

/// The host of every broker and every proxy.
const HOST: &[u8] = b"127.0.0.1";
/// From the next versions on, answers to these name other brokers (KIP-951), inside of what else they carry.
const NEWEST: [(Api, i16); 2] = [(Api::PRODUCE, 9), (Api::FETCH, 15)];
/// A broker that does not know the version of an `ApiVersions` request answers in version 0.
const UNSUPPORTED_VERSION: i16 = 35;

/// Ports of brokers, and of the proxies that stand in front of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Addresses(pub(super) Vec<(u16, u16)>);

impl Addresses {
    /// Puts proxies in the place of brokers wherever `answer` names one.
    pub(super) fn rewrite(&self, api: Api, version: i16, answer: &mut [u8]) {
        match api {
            Api::METADATA | Api::FIND_COORDINATOR | Api::DESCRIBE_CLUSTER => self.replace(answer),
            Api::API_VERSIONS => cap(version, answer),
            _ => {}
        }
    }

    fn replace(&self, answer: &mut [u8]) {
        let mut at = 0;
        while let Some(found) = find(&answer[at..], HOST) {
            at += found + HOST.len();
            let Some(port) = answer.get_mut(at..at + 4) else {
                return;
            };
            let told = self
                .0
                .iter()
                .find(|(broker, _)| port == i32::from(*broker).to_be_bytes());
            if let Some((_, proxy)) = told {
                port.copy_from_slice(&i32::from(*proxy).to_be_bytes());
            }
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

/// Lowers what the broker says it can to versions that name no other broker. An answer of another shape is left alone.
fn cap(version: i16, answer: &mut [u8]) {
    let error = answer
        .first_chunk()
        .map_or(0, |bytes| i16::from_be_bytes(*bytes));
    let flexible = version >= 3 && error != UNSUPPORTED_VERSION;
    // behind the error code: how many there are, in four bytes, or one more than that in a varint of one or two; then three
    // shorts each, and where fields are tagged, a byte that says that there are none
    let (entries, start, size) = if flexible {
        let (low, high) = match answer.get(2..4) {
            Some([low, high]) if low & 0x80 != 0 => (low & 0x7f, Some(*high)),
            Some([low, _]) => (*low, None),
            _ => return,
        };
        let more = high.map_or(0, |high| usize::from(high) << 7);
        let entries = (usize::from(low) + more).saturating_sub(1);
        (entries, 3 + usize::from(high.is_some()), 7)
    } else {
        let Some([_, _, high, low]) = answer.get(2..6) else {
            return;
        };
        (usize::from(u16::from_be_bytes([*high, *low])), 6, 6)
    };
    let Some(answer) = answer.get_mut(start..) else {
        return;
    };
    for entry in answer.chunks_exact_mut(size).take(entries) {
        let limit = NEWEST
            .iter()
            .find(|(api, _)| entry[..2] == api.key().to_be_bytes());
        if let Some((_, limit)) = limit
            && i16::from_be_bytes([entry[4], entry[5]]) > *limit
        {
            entry[4..6].copy_from_slice(&limit.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: i32) -> Vec<u8> {
        [b"\x0a127.0.0.1".as_slice(), &port.to_be_bytes()].concat()
    }

    #[test]
    fn known_ports_behind_the_host_are_replaced_and_nothing_else() {
        let addresses = Addresses(vec![(21_000, 22_000), (21_001, 22_001)]);
        let whole = |ports: [i32; 3]| {
            let mut bytes = 21_000_i32.to_be_bytes().to_vec();
            bytes.extend(ports.into_iter().flat_map(address));
            bytes.extend(b"127.0.0.1");
            bytes
        };
        let mut answer = whole([21_000, 9_092, 21_001]);
        addresses.rewrite(Api::METADATA, 12, &mut answer);
        assert_eq!(answer, whole([22_000, 9_092, 22_001]));
        let mut untouched = whole([21_000, 9_092, 21_001]);
        addresses.rewrite(Api::FETCH, 12, &mut untouched);
        assert_eq!(untouched, whole([21_000, 9_092, 21_001]));
    }

    #[test]
    fn versions_that_name_other_brokers_are_not_offered() {
        let versions = [[0, 3, 13], [1, 4, 18], [2, 1, 11], [3, 0, 13]];
        let capped = [[0, 3, 9], [1, 4, 15], [2, 1, 11], [3, 0, 13]];
        let write = |entries: [[i16; 3]; 4], start: &[u8], tags: &[u8]| {
            let mut answer = start.to_vec();
            for entry in entries {
                answer.extend(entry.into_iter().flat_map(i16::to_be_bytes));
                answer.extend(tags);
            }
            // throttle time, and no tagged fields
            answer.extend([0, 0, 0, 0, 0]);
            answer
        };
        for (version, start, tags) in [
            (4, &[0, 0, 5][..], &[0][..]),
            (0, &[0, 0, 0, 0, 0, 4], &[]),
            (4, &[0, 35, 0, 0, 0, 4], &[]),
        ] {
            let mut answer = write(versions, start, tags);
            Addresses::default().rewrite(Api::API_VERSIONS, version, &mut answer);
            assert_eq!(answer, write(capped, start, tags), "version {version}");
        }
    }
}
