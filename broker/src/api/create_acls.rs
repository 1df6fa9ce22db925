//! `CreateAcls`.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::CreateAclsRequest;
use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::create_acls_response::{AclCreationResult, CreateAclsResponse};
use thiserror::Error;

use super::describe_acls::refusal;
use super::text::{message, text};
use crate::acls::{
    Acl, CLUSTER, CLUSTER_NAME, LITERAL, OPERATIONS, PERMISSIONS, PREFIXED, Pattern, RESOURCE_TYPES,
};
use crate::dispatch::Context;

/// Why an ACL was not created; all are `INVALID_REQUEST`. The texts are those of `AclApis` and `AclControlManager`.
#[derive(Debug, Error)]
enum CreateError {
    #[error("The only valid name for the CLUSTER resource is {CLUSTER_NAME}")]
    ClusterName,
    #[error("Invalid empty resource name")]
    NoName,
    #[error("Invalid resourceType {0}")]
    ResourceType(i8),
    #[error("Invalid patternType {0}")]
    PatternType(i8),
    #[error("Invalid operation {0}")]
    Operation(i8),
    #[error("Invalid permissionType {0}")]
    Permission(i8),
    #[error(
        "Could not parse principal from `{0}` (no colon is present separating the principal type \
         from the principal name)"
    )]
    Principal(String),
}

pub(crate) fn handle(context: &Context, request: &CreateAclsRequest) -> CreateAclsResponse {
    let refusal = refusal(context);
    let results = request.creations.iter().map(|creation| {
        let result = AclCreationResult::default();
        if let Some((error, words)) = refusal {
            return result
                .with_error_code(error.code())
                .with_error_message(Some(text(words)));
        }
        match checked(creation) {
            Ok(acl) => {
                context.shared.acls.lock().insert(acl);
                result
            }
            Err(error) => result
                .with_error_code(ResponseError::InvalidRequest.code())
                .with_error_message(Some(message(&error))),
        }
    });
    CreateAclsResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms())
        .with_results(results.collect())
}

fn checked(creation: &AclCreation) -> Result<Acl, CreateError> {
    let name = creation.resource_name.to_string();
    if creation.resource_type == CLUSTER && name != CLUSTER_NAME {
        return Err(CreateError::ClusterName);
    }
    if name.is_empty() {
        return Err(CreateError::NoName);
    }
    if !RESOURCE_TYPES.contains(&creation.resource_type) {
        return Err(CreateError::ResourceType(creation.resource_type));
    }
    if ![LITERAL, PREFIXED].contains(&creation.resource_pattern_type) {
        return Err(CreateError::PatternType(creation.resource_pattern_type));
    }
    if !OPERATIONS.contains(&creation.operation) {
        return Err(CreateError::Operation(creation.operation));
    }
    if !PERMISSIONS.contains(&creation.permission_type) {
        return Err(CreateError::Permission(creation.permission_type));
    }
    if !creation.principal.contains(':') {
        return Err(CreateError::Principal(creation.principal.to_string()));
    }
    Ok(Acl {
        pattern: Pattern {
            resource_type: creation.resource_type,
            name,
            kind: creation.resource_pattern_type,
        },
        principal: creation.principal.to_string(),
        host: creation.host.to_string(),
        operation: creation.operation,
        permission: creation.permission_type,
    })
}
