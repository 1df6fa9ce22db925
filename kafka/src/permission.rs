//! Which access right is missing when a broker refuses a request for want of one.
//!
//! Brokers say only that they refuse. The rights are those of the table in Kafka's documentation, "Authorization and
//! ACLs", section "Protocols and operations".

use kafka_protocol::ResponseError;

use crate::error::BrokerError;

impl BrokerError {
    /// The error in words, with the missing access right where that is why `request` was refused. A request begins
    /// with the name of its API: `CreateTopics pay.orders`.
    pub fn to(&self, request: &str) -> String {
        match missing(request, self) {
            Some(right) => format!("{self}; missing access right: {right}"),
            None => self.to_string(),
        }
    }
}

fn missing(request: &str, error: &BrokerError) -> Option<String> {
    let api = request.split(' ').next().unwrap_or_default();
    let known = ResponseError::try_from_code(error.code)?;
    if known == ResponseError::TopicAuthorizationFailed {
        let operation = topic_operation(api)?;
        return Some(format!("{operation} on the topic"));
    }
    if known == ResponseError::ClusterAuthorizationFailed {
        let operation = cluster_operation(api)?;
        return Some(format!("{operation} on the cluster"));
    }
    (known == ResponseError::GroupAuthorizationFailed)
        .then(|| "Read or Describe on the group".to_owned())
}

fn topic_operation(api: &str) -> Option<&'static str> {
    match api {
        "Metadata" | "ListOffsets" | "OffsetForLeaderEpoch" => Some("Describe"),
        "Fetch" | "DescribeProducers" | "OffsetCommit" => Some("Read"),
        "Produce" => Some("Write"),
        "CreateTopics" => Some("Create"),
        "CreatePartitions" => Some("Alter"),
        "DescribeConfigs" => Some("DescribeConfigs"),
        "AlterConfigs" | "IncrementalAlterConfigs" => Some("AlterConfigs"),
        "DeleteTopics" | "DeleteRecords" => Some("Delete"),
        _ => None,
    }
}

fn cluster_operation(api: &str) -> Option<&'static str> {
    match api {
        "CreateTopics" => Some("Create"),
        "CreateAcls"
        | "DeleteAcls"
        | "AlterUserScramCredentials"
        | "AlterPartitionReassignments" => Some("Alter"),
        "InitProducerId" | "Produce" => Some("IdempotentWrite"),
        "DescribeConfigs" | "DescribeClientQuotas" => Some("DescribeConfigs"),
        "AlterConfigs" | "IncrementalAlterConfigs" | "AlterClientQuotas" => Some("AlterConfigs"),
        "DescribeAcls"
        | "DescribeUserScramCredentials"
        | "ListPartitionReassignments"
        | "DescribeLogDirs"
        | "ListGroups" => Some("Describe"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: i16, request: &str) -> String {
        BrokerError {
            code,
            message: None,
        }
        .to(request)
    }

    #[test]
    fn a_refusal_names_the_right_that_is_missing() {
        for (code, request, right) in [
            (29, "Fetch", "Read on the topic"),
            (29, "Produce", "Write on the topic"),
            (29, "CreateTopics pay.orders", "Create on the topic"),
            (29, "CreatePartitions pay.orders", "Alter on the topic"),
            (29, "ListOffsets pay.orders-0", "Describe on the topic"),
            (31, "InitProducerId", "IdempotentWrite on the cluster"),
            (31, "CreateAcls", "Alter on the cluster"),
            (31, "DescribeClientQuotas", "DescribeConfigs on the cluster"),
            (30, "FindCoordinator", "Read or Describe on the group"),
        ] {
            let words = refused(code, request);
            assert!(
                words.ends_with(&format!("missing access right: {right}")),
                "{words}"
            );
        }
    }

    #[test]
    fn other_errors_speak_for_themselves() {
        for (code, request) in [(36, "CreateTopics pay.orders"), (29, "SomethingNew a")] {
            assert!(!refused(code, request).contains("missing"), "{request}");
        }
    }
}
