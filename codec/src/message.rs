//! Protocol messages.

use bytes::Bytes;
use kafka_protocol::protocol::Decodable;

use crate::gauge::Gauge;

/// Bytes that are not the message they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct MessageError {
    detail: String,
}

/// Decodes a message and takes its bytes from the front of `body`.
///
/// `kafka-protocol` reserves memory for as many elements as an array's length field says before it
/// reads the first: eight bytes could ask for hundreds of gigabytes, and the process would abort.
/// So lengths are looked at before. Which numbers of a message are lengths only the decoder knows;
/// it is asked by a rehearsal in which every number that is larger than the bytes behind it reads
/// as −2. That is refused as a length, and anywhere else it changes nothing in how the rest is read.
///
/// The rehearsal is the decoding itself where there is no such number, which is nearly always.
pub fn decode<M: Decodable>(body: &mut Bytes, version: i16) -> Result<M, MessageError> {
    let malformed = |detail: String| MessageError { detail };
    let mut rehearsal = Gauge::new(body.clone());
    let message =
        M::decode(&mut rehearsal, version).map_err(|error| malformed(rehearsal.explain(&error)))?;
    if !rehearsal.has_replaced() {
        *body = rehearsal.into_rest();
        return Ok(message);
    }
    drop(message);
    M::decode(body, version).map_err(|error| malformed(format!("{error:#}")))
}

#[cfg(test)]
mod tests {
    use bytes::{BufMut, BytesMut};
    use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
    use kafka_protocol::messages::metadata_response::{
        MetadataResponseBroker, MetadataResponseTopic,
    };
    use kafka_protocol::messages::{
        ApiVersionsResponse, BrokerId, FetchResponse, MetadataResponse, ProduceResponse,
    };
    use kafka_protocol::protocol::{Encodable, Message, StrBytes};
    use proptest::prelude::*;

    use super::*;

    fn encoded(message: &impl Encodable, version: i16) -> Bytes {
        let mut out = BytesMut::new();
        message.encode(&mut out, version).expect("encodes");
        out.freeze()
    }

    #[test]
    fn a_length_of_billions_is_an_error_and_no_memory() {
        for version in MetadataResponse::VERSIONS.min..=MetadataResponse::VERSIONS.max {
            let mut body = BytesMut::new();
            if version >= 3 {
                body.put_i32(0); // throttle time
            }
            if version >= 9 {
                body.put_slice(&[0xff, 0xff, 0xff, 0xff, 0x0f]); // brokers
            } else {
                body.put_i32(i32::MAX);
            }
            body.put_slice(&[0; 40]);
            let decoded = decode::<MetadataResponse>(&mut body.freeze(), version);
            assert!(decoded.is_err(), "version {version}");
        }
        let mut produce = BytesMut::new();
        produce.put_i32(0x7fff_0000);
        produce.put_slice(&[0; 64]);
        assert!(decode::<ProduceResponse>(&mut produce.freeze(), 8).is_err());
        let mut versions = BytesMut::new();
        versions.put_i16(0);
        versions.put_i32(1_000_000_000);
        assert!(decode::<ApiVersionsResponse>(&mut versions.freeze(), 0).is_err());
    }

    #[test]
    fn large_numbers_that_are_no_lengths_are_kept() {
        for version in 4..=FetchResponse::VERSIONS.max {
            let partition = PartitionData::default()
                .with_partition_index(2_000_000_000)
                .with_high_watermark(i64::MAX)
                .with_records(Some(Bytes::from(vec![0xff; 300])));
            let topic = FetchableTopicResponse::default().with_partitions(vec![partition]);
            let message = FetchResponse::default()
                .with_throttle_time_ms(1_900_000_000)
                .with_session_id(if version >= 7 { 1_800_000_000 } else { 0 })
                .with_responses(vec![topic]);
            let mut body = encoded(&message, version);
            let decoded: FetchResponse = decode(&mut body, version).expect("decodes");
            assert_eq!(decoded, message, "version {version}");
            assert!(body.is_empty());
        }
    }

    fn metadata() -> impl Strategy<Value = MetadataResponse> {
        let text = || "[a-z]{0,8}".prop_map(StrBytes::from_string);
        let broker = (any::<i32>(), text(), any::<i32>()).prop_map(|(id, host, port)| {
            MetadataResponseBroker::default()
                .with_node_id(BrokerId(id))
                .with_host(host)
                .with_port(port)
        });
        let topic = (any::<i16>(), text()).prop_map(|(code, name)| {
            MetadataResponseTopic::default()
                .with_error_code(code)
                .with_name(Some(kafka_protocol::messages::TopicName(name)))
        });
        (
            proptest::collection::vec(broker, 0..4),
            proptest::collection::vec(topic, 0..4),
            any::<i32>(),
            any::<i32>(),
        )
            .prop_map(|(brokers, topics, controller, throttle)| {
                MetadataResponse::default()
                    .with_brokers(brokers)
                    .with_topics(topics)
                    .with_controller_id(BrokerId(controller))
                    .with_throttle_time_ms(throttle)
            })
    }

    proptest! {
        /// The plain decoder is the oracle.
        #[test]
        fn what_the_plain_decoder_reads_is_read_the_same(message in metadata(), version in 3_i16..=12) {
            let mut body = encoded(&message, version);
            let plain = MetadataResponse::decode(&mut body.clone(), version).expect("decodes");
            prop_assert_eq!(decode::<MetadataResponse>(&mut body, version).expect("decodes"), plain);
            prop_assert!(body.is_empty());
        }

        #[test]
        fn a_changed_byte_is_survived(
            message in metadata(),
            version in 0_i16..=13,
            at in any::<proptest::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut bytes = encoded(&message, version.clamp(3, 13)).to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = decode::<MetadataResponse>(&mut Bytes::from(bytes), version);
        }
    }
}
