use kafka_protocol::messages::{InitProducerIdRequest, ProducerId};

use crate::cluster::{Cluster, retried};
use crate::error::{BrokerError, Error};

/// A producer id with its epoch (KIP-98): what the broker remembers sequences by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProducerIdentity {
    /// Producer id, ≥ 0.
    pub id: i64,
    /// Producer epoch, ≥ 0.
    pub epoch: i16,
}

impl Cluster {
    /// A fresh idempotent producer id. A young cluster answers
    /// `COORDINATOR_LOAD_IN_PROGRESS` first; that is retried here.
    pub async fn init_producer_id(&self) -> Result<ProducerIdentity, Error> {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(None)
            .with_transaction_timeout_ms(60_000)
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1);
        let attempt = || async {
            let response = self.call_any(&request).await?;
            match BrokerError::from_code(response.error_code, None) {
                Some(error) => Err(Error::broker("InitProducerId", error)),
                None => Ok(ProducerIdentity {
                    id: response.producer_id.0,
                    epoch: response.producer_epoch,
                }),
            }
        };
        retried(attempt).await
    }
}
