//! Batches that are stamped, cut, rebuilt and merged, against a model: the records as a list. The
//! message codec's own encoder and decoder of records are the oracle of the format; they share no
//! code with ours.

use bytes::{Bytes, BytesMut};
use kafka::batch::RawBatch;
use kafka::{Compression, ProducerIdentity, record};
use kafka_protocol::indexmap::IndexMap;
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{
    Compression as Codec, Record, RecordBatchDecoder, RecordBatchEncoder, RecordEncodeOptions,
    TimestampType,
};
use proptest::prelude::*;

const CODECS: [Codec; 5] = [
    Codec::None,
    Codec::Gzip,
    Codec::Snappy,
    Codec::Lz4,
    Codec::Zstd,
];

/// What a reader sees of a record.
type Seen = (
    i64,
    Option<Bytes>,
    Option<Bytes>,
    Vec<(String, Option<Bytes>)>,
);

fn bytes() -> impl Strategy<Value = Bytes> {
    proptest::collection::vec(any::<u8>(), 0..60).prop_map(Bytes::from)
}

prop_compose! {
    fn seen()(
        timestamp in 0_i64..4_000_000_000_000,
        key in proptest::option::of(bytes()),
        value in proptest::option::of(bytes()),
        headers in proptest::collection::btree_map("[a-z]{0,6}", proptest::option::of(bytes()), 0..4),
    ) -> Seen {
        (timestamp, key, value, headers.into_iter().collect())
    }
}

fn list() -> impl Strategy<Value = Vec<Seen>> {
    proptest::collection::vec(seen(), 1..25)
}

fn by_oracle(list: &[Seen], base_offset: i64, codec: Codec, transactional: bool) -> RawBatch {
    let records: Vec<Record> = list
        .iter()
        .enumerate()
        .map(|(index, (timestamp, key, value, headers))| Record {
            transactional,
            control: false,
            delete_horizon: false,
            partition_leader_epoch: 7,
            producer_id: 99,
            producer_epoch: 3,
            timestamp_type: TimestampType::Creation,
            offset: base_offset + index as i64,
            sequence: 1_000 + index as i32,
            timestamp: *timestamp,
            key: key.clone(),
            value: value.clone(),
            headers: headers
                .iter()
                .map(|(name, value)| (StrBytes::from_string(name.clone()), value.clone()))
                .collect::<IndexMap<_, _>>(),
        })
        .collect();
    let options = RecordEncodeOptions {
        version: 2,
        compression: codec,
    };
    let mut out = BytesMut::new();
    RecordBatchEncoder::encode(&mut out, &records, &options).expect("the oracle encodes");
    let mut out = out.freeze();
    let batch = RawBatch::split_from(&mut out)
        .expect("a batch")
        .expect("a whole one");
    assert!(out.is_empty(), "one batch for all records");
    batch
}

/// What the oracle reads of a batch as our producer sends it, with the sequences it finds.
fn to_oracle(
    batch: &RawBatch,
    producer: ProducerIdentity,
    sequence: i32,
) -> (Vec<Seen>, Vec<Record>) {
    let mut shipped = BytesMut::from(&batch.stamped(producer, sequence)[..]);
    shipped.extend_from_slice(&batch.payload());
    // The oracle refuses a wrong checksum.
    let set = RecordBatchDecoder::decode(&mut shipped.freeze()).expect("the oracle decodes");
    let list = set
        .records
        .iter()
        .map(|record| {
            let headers = record
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.clone()))
                .collect();
            (
                record.timestamp,
                record.key.clone(),
                record.value.clone(),
                headers,
            )
        })
        .collect();
    (list, set.records)
}

fn ours(codec: Codec) -> Compression {
    match codec {
        Codec::None => Compression::None,
        Codec::Gzip => Compression::Gzip,
        Codec::Snappy => Compression::Snappy,
        Codec::Lz4 => Compression::Lz4,
        Codec::Zstd => Compression::Zstd,
    }
}

const OURS: ProducerIdentity = ProducerIdentity { id: 5, epoch: 1 };

proptest! {
    #[test]
    fn a_stamped_batch_has_the_same_bytes_and_our_sequences(
        list in list(),
        codec in proptest::sample::select(&CODECS),
        transactional in any::<bool>(),
        sequence in 0..=i32::MAX - 30,
    ) {
        let batch = by_oracle(&list, 1_234, codec, transactional);
        prop_assert!(batch.header.passes_through());
        prop_assert_eq!(batch.header.is_transactional(), transactional);
        let (read, records) = to_oracle(&batch, OURS, sequence);
        prop_assert_eq!(&read, &list);
        for (index, record) in records.iter().enumerate() {
            prop_assert_eq!((record.producer_id, record.producer_epoch), (5, 1));
            prop_assert_eq!(record.sequence, sequence + index as i32);
            prop_assert_eq!(record.offset, index as i64);
            prop_assert!(!record.transactional);
        }
    }

    #[test]
    fn a_rebuilt_batch_is_the_list_from_the_offset_on(
        list in list(),
        codec in proptest::sample::select(&CODECS),
        base in 0_i64..1 << 40,
        from in any::<prop::sample::Index>(),
    ) {
        let batch = by_oracle(&list, base, codec, false);
        let from = from.index(list.len() + 1);
        let rebuilt = record::rebuild_from(&batch, base + from as i64).expect("rebuilds");
        match rebuilt {
            None => prop_assert_eq!(from, list.len()),
            Some(rebuilt) => {
                prop_assert_eq!(rebuilt.header.compression(), Some(ours(codec)));
                prop_assert!(rebuilt.header.passes_through());
                prop_assert_eq!(&to_oracle(&rebuilt, OURS, 0).0, &list[from..]);
            }
        }
    }

    #[test]
    fn merged_batches_are_the_lists_one_after_the_other(
        lists in proptest::collection::vec((list(), any::<bool>()), 1..6),
        sequence in 0..=i32::MAX - 200,
    ) {
        let mut base = 500;
        let mut batches = Vec::new();
        for (list, transactional) in &lists {
            batches.push(by_oracle(list, base, Codec::None, *transactional));
            // A gap between batches (a marker) is nothing to the target.
            base += list.len() as i64 + 1;
        }
        let merged = record::merge(&batches).expect("merges");
        let all: Vec<Seen> = lists.into_iter().flat_map(|(list, _)| list).collect();
        prop_assert_eq!(merged.header.record_count as usize, all.len());
        prop_assert!(merged.header.passes_through());
        let newest = all.iter().map(|(timestamp, ..)| *timestamp).max();
        prop_assert_eq!(Some(merged.header.max_timestamp), newest);
        let (read, records) = to_oracle(&merged, OURS, sequence);
        prop_assert_eq!(&read, &all);
        prop_assert_eq!(records.last().map(|r| r.sequence), Some(sequence + all.len() as i32 - 1));
    }

    #[test]
    fn a_changed_byte_never_passes_for_the_same_records(
        list in list(),
        codec in proptest::sample::select(&CODECS),
        at in any::<prop::sample::Index>(),
        flip in 1_u8..=255,
    ) {
        let batch = by_oracle(&list, 0, codec, false);
        let mut changed = batch.bytes().to_vec();
        // From the checksum on: what is before it is not covered.
        let at = 17 + at.index(changed.len() - 17);
        changed[at] ^= flip;
        if let Ok(Some(changed)) = RawBatch::split_from(&mut Bytes::from(changed)) {
            prop_assert!(changed.check_crc().is_err());
            prop_assert!(record::rebuild(&changed).is_err());
            prop_assert!(record::merge(std::slice::from_ref(&changed)).is_err());
            // Nor does a stamp hide it from the target.
            let mut sent = BytesMut::from(&changed.stamped(OURS, 0)[..]);
            sent.extend_from_slice(&changed.payload());
            let sent = RawBatch::split_from(&mut sent.freeze()).expect("a batch").expect("whole");
            prop_assert!(sent.check_crc().is_err());
        }
    }
}
