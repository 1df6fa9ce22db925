//! `DescribeUserScramCredentials` (KIP-554).

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::ResponseError;
use kafka_protocol::messages::DescribeUserScramCredentialsRequest;
use kafka_protocol::messages::describe_user_scram_credentials_response::{
    CredentialInfo, DescribeUserScramCredentialsResponse, DescribeUserScramCredentialsResult,
};

use super::text::text;
use crate::dispatch::Context;

pub(crate) fn handle(
    context: &Context,
    request: &DescribeUserScramCredentialsRequest,
) -> DescribeUserScramCredentialsResponse {
    let response = DescribeUserScramCredentialsResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms());
    if let Some(error) = context.strike.error_for_request() {
        return response
            .with_error_code(error.code())
            .with_error_message(Some(text("injected fault")));
    }
    let credentials = context.shared.scram.lock();
    let mut known: BTreeMap<&str, Vec<CredentialInfo>> = BTreeMap::new();
    for ((user, mechanism), iterations) in credentials.iter() {
        known.entry(user).or_default().push(
            CredentialInfo::default()
                .with_mechanism(*mechanism)
                .with_iterations(*iterations),
        );
    }
    // no names and an empty list both mean all
    let named: Vec<String> = request
        .users
        .iter()
        .flatten()
        .map(|user| user.name.to_string())
        .collect();
    if named.is_empty() {
        let all = known.into_iter().map(|(user, infos)| {
            DescribeUserScramCredentialsResult::default()
                .with_user(text(user))
                .with_credential_infos(infos)
        });
        return response.with_results(all.collect());
    }
    let distinct: BTreeSet<&String> = named.iter().collect();
    let results = distinct.into_iter().map(|user| {
        let result = DescribeUserScramCredentialsResult::default().with_user(text(user));
        let refused = |error: ResponseError, words: String| {
            DescribeUserScramCredentialsResult::default()
                .with_user(text(user))
                .with_error_code(error.code())
                .with_error_message(Some(text(&words)))
        };
        if named.iter().filter(|name| *name == user).count() > 1 {
            let words = format!(
                "Cannot describe SCRAM credentials for the same user twice in a single request: {user}"
            );
            return refused(ResponseError::DuplicateResource, words);
        }
        match known.get(user.as_str()) {
            Some(infos) => result.with_credential_infos(infos.clone()),
            None => refused(
                ResponseError::ResourceNotFound,
                format!("Attempt to describe a user credential that does not exist: {user}"),
            ),
        }
    });
    response.with_results(results.collect())
}
