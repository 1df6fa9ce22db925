//! Writes fetch responses by hand: the codec would copy every batch, this copies none.
//!
//! Field order and versions: `FetchResponse.json` of Apache Kafka, versions 4 to 17.

use bytes::{BufMut, BytesMut};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::TopicName;
use uuid::Uuid;

use super::metadata::HOST;
use crate::dispatch::Context;
use crate::frame::{Frame, FrameBuilder};
use crate::log::Slices;
use crate::state::Node;

/// First version with compact lengths and tagged fields (KIP-482).
const FLEXIBLE: i16 = 12;
/// First version that names topics by id (KIP-516).
const TOPIC_IDS: i16 = 13;
/// First version that lists where the leaders are (KIP-951).
const ENDPOINTS: i16 = 16;

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) error: i16,
    pub(super) topics: Vec<TopicAnswer>,
}

#[derive(Debug)]
pub(super) struct TopicAnswer {
    pub(super) name: TopicName,
    pub(super) id: Uuid,
    pub(super) partitions: Vec<PartitionAnswer>,
}

#[derive(Debug)]
pub(super) struct PartitionAnswer {
    pub(super) index: i32,
    pub(super) error: i16,
    /// Also the last stable offset.
    pub(super) high_watermark: i64,
    pub(super) log_start: i64,
    /// Set for read-committed fetches, which get an empty list; others get none.
    pub(super) aborted: Option<()>,
    /// Leader and epoch, for clients that asked the wrong broker.
    pub(super) leader: Option<(i32, i32)>,
    pub(super) records: Slices,
}

impl PartitionAnswer {
    pub(super) fn failed(index: i32, error: ResponseError, leader: Option<(i32, i32)>) -> Self {
        Self {
            index,
            error: error.code(),
            high_watermark: -1,
            log_start: -1,
            aborted: None,
            leader,
            records: Slices::default(),
        }
    }
}

pub(super) fn encode(context: &Context, answer: Answer) -> Frame {
    let version = context.version;
    let flexible = version >= FLEXIBLE;
    let mut frame = FrameBuilder::new();
    let out = frame.buffer();
    out.put_i32(context.correlation_id);
    put_no_tags(out, flexible);
    out.put_i32(context.strike.throttle_ms());
    if version >= 7 {
        out.put_i16(answer.error);
        out.put_i32(0); // session id: none
    }
    put_length(out, answer.topics.len(), flexible);
    let mut moved = false;
    for topic in answer.topics {
        let out = frame.buffer();
        if version >= TOPIC_IDS {
            out.put_slice(topic.id.as_bytes());
        } else {
            put_string(out, &topic.name, flexible);
        }
        put_length(out, topic.partitions.len(), flexible);
        for partition in topic.partitions {
            moved |= partition.leader.is_some();
            put_partition(&mut frame, partition, version);
        }
        put_no_tags(frame.buffer(), flexible);
    }
    if moved && version >= ENDPOINTS {
        put_endpoints(frame.buffer(), &context.shared.nodes());
    } else {
        put_no_tags(frame.buffer(), flexible);
    }
    frame.finish()
}

fn put_partition(frame: &mut FrameBuilder, partition: PartitionAnswer, version: i16) {
    let flexible = version >= FLEXIBLE;
    let out = frame.buffer();
    out.put_i32(partition.index);
    out.put_i16(partition.error);
    out.put_i64(partition.high_watermark);
    out.put_i64(partition.high_watermark);
    if version >= 5 {
        out.put_i64(partition.log_start);
    }
    match (partition.aborted, flexible) {
        (Some(()), _) => put_length(out, 0, flexible),
        (None, true) => out.put_u8(0),
        (None, false) => out.put_i32(-1),
    }
    if version >= 11 {
        out.put_i32(-1); // preferred read replica: the leader
    }
    put_length(out, partition.records.len, flexible);
    for part in partition.records.parts {
        frame.payload(part);
    }
    match partition.leader {
        Some((leader, epoch)) if flexible => {
            let out = frame.buffer();
            out.put_u8(1); // one tagged field
            out.put_u8(1); // current leader
            out.put_u8(9);
            out.put_i32(leader);
            out.put_i32(epoch);
            out.put_u8(0);
        }
        Some(_) | None => put_no_tags(frame.buffer(), flexible),
    }
}

fn put_endpoints(out: &mut BytesMut, nodes: &[Node]) {
    let mut field = BytesMut::new();
    put_varint(&mut field, nodes.len() as u32 + 1);
    for node in nodes {
        field.put_i32(node.id);
        put_string(&mut field, HOST, true);
        field.put_i32(i32::from(node.port));
        field.put_u8(0); // no rack
        field.put_u8(0); // no tagged fields
    }
    out.put_u8(1); // one tagged field
    out.put_u8(0); // node endpoints
    put_varint(out, field.len() as u32);
    out.put_slice(&field);
}

fn put_no_tags(out: &mut BytesMut, flexible: bool) {
    if flexible {
        out.put_u8(0);
    }
}

/// The length of an array or of bytes.
fn put_length(out: &mut BytesMut, length: usize, flexible: bool) {
    if flexible {
        put_varint(out, length as u32 + 1);
    } else {
        out.put_i32(length as i32);
    }
}

fn put_string(out: &mut BytesMut, value: &str, flexible: bool) {
    if flexible {
        put_varint(out, value.len() as u32 + 1);
    } else {
        out.put_i16(value.len() as i16);
    }
    out.put_slice(value.as_bytes());
}

fn put_varint(out: &mut BytesMut, mut value: u32) {
    while value >= 0x80 {
        out.put_u8((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}
