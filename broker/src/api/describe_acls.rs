//! `DescribeAcls`.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::DescribeAclsRequest;
use kafka_protocol::messages::describe_acls_response::{
    AclDescription, DescribeAclsResource, DescribeAclsResponse,
};

use super::text::text;
use crate::acls::{Acl, Filter, Pattern};
use crate::dispatch::Context;

/// What a cluster without an authorizer answers to every question about ACLs.
pub(super) const NO_AUTHORIZER: &str = "No Authorizer is configured.";

/// The error for the whole request, with the words that go with it.
pub(super) fn refusal(context: &Context) -> Option<(ResponseError, &'static str)> {
    let injected = context.strike.error_for_request();
    injected.map(|error| (error, "injected fault")).or_else(|| {
        let disabled = !context.shared.has_authorizer();
        disabled.then_some((ResponseError::SecurityDisabled, NO_AUTHORIZER))
    })
}

pub(crate) fn handle(context: &Context, request: &DescribeAclsRequest) -> DescribeAclsResponse {
    let response =
        DescribeAclsResponse::default().with_throttle_time_ms(context.strike.throttle_ms());
    if let Some((error, words)) = refusal(context) {
        return response
            .with_error_code(error.code())
            .with_error_message(Some(text(words)));
    }
    let filter = Filter {
        resource_type: request.resource_type_filter,
        name: request
            .resource_name_filter
            .as_ref()
            .map(ToString::to_string),
        pattern_type: request.pattern_type_filter,
        principal: request.principal_filter.as_ref().map(ToString::to_string),
        host: request.host_filter.as_ref().map(ToString::to_string),
        operation: request.operation,
        permission: request.permission_type,
    };
    let acls = context.shared.acls.lock();
    let mut resources: Vec<DescribeAclsResource> = Vec::new();
    let mut last: Option<&Pattern> = None;
    for acl in acls.iter().filter(|acl| filter.fits(acl)) {
        if last != Some(&acl.pattern) {
            last = Some(&acl.pattern);
            resources.push(
                DescribeAclsResource::default()
                    .with_resource_type(acl.pattern.resource_type)
                    .with_resource_name(text(&acl.pattern.name))
                    .with_pattern_type(acl.pattern.kind),
            );
        }
        if let Some(resource) = resources.last_mut() {
            resource.acls.push(described(acl));
        }
    }
    response.with_resources(resources)
}

fn described(acl: &Acl) -> AclDescription {
    AclDescription::default()
        .with_principal(text(&acl.principal))
        .with_host(text(&acl.host))
        .with_operation(acl.operation)
        .with_permission_type(acl.permission)
}
