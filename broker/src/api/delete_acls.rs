//! `DeleteAcls`: by filters, which see the ACLs as they were before the request.

use kafka_protocol::messages::DeleteAclsRequest;
use kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use kafka_protocol::messages::delete_acls_response::{
    DeleteAclsFilterResult, DeleteAclsMatchingAcl, DeleteAclsResponse,
};

use super::describe_acls::refusal;
use super::text::text;
use crate::acls::{Acl, Filter};
use crate::dispatch::Context;

pub(crate) fn handle(context: &Context, request: &DeleteAclsRequest) -> DeleteAclsResponse {
    let refusal = refusal(context);
    let mut acls = context.shared.acls.lock();
    let before = acls.clone();
    let mut results = Vec::with_capacity(request.filters.len());
    for wanted in &request.filters {
        let result = DeleteAclsFilterResult::default();
        if let Some((error, words)) = refusal {
            results.push(
                result
                    .with_error_code(error.code())
                    .with_error_message(Some(text(words))),
            );
            continue;
        }
        let filter = filter(wanted);
        let found: Vec<&Acl> = before.iter().filter(|acl| filter.fits(acl)).collect();
        acls.retain(|acl| !filter.fits(acl));
        results.push(result.with_matching_acls(found.into_iter().map(matching).collect()));
    }
    DeleteAclsResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms())
        .with_filter_results(results)
}

fn filter(wanted: &DeleteAclsFilter) -> Filter {
    Filter {
        resource_type: wanted.resource_type_filter,
        name: wanted
            .resource_name_filter
            .as_ref()
            .map(ToString::to_string),
        pattern_type: wanted.pattern_type_filter,
        principal: wanted.principal_filter.as_ref().map(ToString::to_string),
        host: wanted.host_filter.as_ref().map(ToString::to_string),
        operation: wanted.operation,
        permission: wanted.permission_type,
    }
}

fn matching(acl: &Acl) -> DeleteAclsMatchingAcl {
    DeleteAclsMatchingAcl::default()
        .with_resource_type(acl.pattern.resource_type)
        .with_resource_name(text(&acl.pattern.name))
        .with_pattern_type(acl.pattern.kind)
        .with_principal(text(&acl.principal))
        .with_host(text(&acl.host))
        .with_operation(acl.operation)
        .with_permission_type(acl.permission)
}
