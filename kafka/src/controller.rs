//! Requests that the controller has to carry out.
//!
//! Any broker of a KRaft cluster passes them on to the controller (KIP-590). Brokers of older clusters refuse them with
//! `NOT_CONTROLLER` unless they are the controller themselves; then the controller is looked up and asked.

use kafka_protocol::ResponseError;
use kafka_protocol::protocol::Request;

use crate::cluster::{Cluster, retried};
use crate::connection::Connection;
use crate::error::{BrokerError, Error};
use crate::versions::api_name;

/// Every error code of a response.
pub(crate) type Codes<R> = fn(&<R as Request>::Response) -> Vec<i16>;

/// `NOT_CONTROLLER`, where a response says so anywhere: then nothing of the request was done.
fn not_controller<R: Request>(response: &R::Response, codes: Codes<R>) -> Option<Error> {
    codes(response)
        .into_iter()
        .filter_map(|code| BrokerError::from_code(code, None))
        .find(|error| error.is(ResponseError::NotController))
        .map(|error| Error::broker(api_name(R::KEY), error))
}

impl Cluster {
    /// A request that may be carried out twice: it is sent again when its answer was lost.
    pub(crate) async fn call_controller<R: Request + Sync>(
        &self,
        request: &R,
        codes: Codes<R>,
    ) -> Result<R::Response, Error> {
        let response = self.call_any(request).await?;
        if not_controller::<R>(&response, codes).is_none() {
            return Ok(response);
        }
        let attempt = || async {
            let connection = self.controller_connection().await?;
            let response = connection.call(request).await?;
            not_controller::<R>(&response, codes).map_or(Ok(response), Err)
        };
        retried(attempt).await
    }

    /// A request that is sent again only where it is certain that nothing of it was done: a repetition would answer
    /// something else. `build` makes it for the version that a connection speaks.
    pub(crate) async fn call_controller_once<R: Request + Sync>(
        &self,
        build: impl Fn(i16) -> R,
        codes: Codes<R>,
    ) -> Result<R::Response, Error> {
        let connection = self.any_connection().await?;
        let request = build(connection.version_of::<R>()?);
        let response = connection.call(&request).await?;
        if not_controller::<R>(&response, codes).is_none() {
            return Ok(response);
        }
        let attempt = || async {
            let connection = self.controller_connection().await?;
            let request = build(connection.version_of::<R>()?);
            match connection.call(&request).await {
                Ok(response) => not_controller::<R>(&response, codes).map_or(Ok(Ok(response)), Err),
                // whether it was carried out nobody knows
                Err(error) => Ok(Err(error)),
            }
        };
        retried(attempt).await?
    }

    /// The broker that metadata names as the controller, or any where it names none.
    async fn controller_connection(&self) -> Result<Connection, Error> {
        let metadata = self.metadata_of(&[]).await?;
        let controller = metadata.controller.and_then(|id| metadata.brokers.get(&id));
        match controller {
            Some(node) => self.connection_to(node).await,
            None => self.any_connection().await,
        }
    }

    /// Refuses an answer that does not hold one result for each item.
    pub(crate) fn as_many(
        &self,
        what: &'static str,
        asked: usize,
        answered: usize,
    ) -> Result<(), Error> {
        if asked == answered {
            return Ok(());
        }
        Err(Error::Malformed {
            address: format!("cluster {}", self.cluster_id()),
            what,
            detail: format!("{answered} results for {asked} items"),
        })
    }
}
