use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use kafka_protocol::messages::{CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest};
use kafka_protocol::protocol::StrBytes;

use super::acl::{
    AclBinding, AclFilter, AclOperation, AclPermission, FilterOnWire, PatternType, ResourceType,
};
use crate::cluster::Cluster;
use crate::error::{BrokerError, Error};

/// ACLs in one request. The controller writes a request's changes as one batch, and refuses batches of more than
/// 10,000.
const ACLS_A_REQUEST: usize = 1000;

fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

/// A cluster without an authorizer says so of every ACL alike: that is one answer, not many.
fn unless_disabled(
    api: &'static str,
    error: Option<BrokerError>,
) -> Result<Result<(), BrokerError>, Error> {
    match error {
        Some(error) if error.is(ResponseError::SecurityDisabled) => {
            Err(Error::NoAuthorizer { api })
        }
        Some(error) => Ok(Err(error)),
        None => Ok(Ok(())),
    }
}

impl Cluster {
    /// The ACLs that a filter fits. Fails with [`Error::NoAuthorizer`] where the cluster has none.
    ///
    /// Any broker answers, from what it has learned of the controller's log so far: a change that was just made
    /// may be missing for a moment. Needs DESCRIBE on the cluster. Cancel safe.
    pub async fn describe_acls(&self, filter: &AclFilter) -> Result<BTreeSet<AclBinding>, Error> {
        let filter = FilterOnWire::from(filter);
        let request = DescribeAclsRequest::default()
            .with_resource_type_filter(filter.resource_type)
            .with_resource_name_filter(filter.resource_name.map(StrBytes::from_string))
            .with_pattern_type_filter(filter.pattern)
            .with_principal_filter(filter.principal.map(StrBytes::from_string))
            .with_host_filter(filter.host.map(StrBytes::from_string))
            .with_operation(filter.operation)
            .with_permission_type(filter.permission);
        let response = self.call_any(&request).await?;
        let message = response.error_message.as_deref();
        unless_disabled(
            "DescribeAcls",
            BrokerError::from_code(response.error_code, message),
        )?
        .map_err(|error| Error::broker("DescribeAcls", error))?;
        let mut found = BTreeSet::new();
        for resource in response.resources {
            for acl in resource.acls {
                found.insert(AclBinding {
                    resource_type: ResourceType::from_wire(resource.resource_type),
                    resource_name: resource.resource_name.to_string(),
                    pattern_type: PatternType::from_wire(resource.pattern_type),
                    principal: acl.principal.to_string(),
                    host: acl.host.to_string(),
                    operation: AclOperation::from_wire(acl.operation),
                    permission: AclPermission::from_wire(acl.permission_type),
                });
            }
        }
        Ok(found)
    }

    /// Creates ACLs; one outcome each. One that exists already is created with success.
    ///
    /// Needs ALTER on the cluster. May be repeated: after a cancellation or an error some may exist.
    pub async fn create_acls(
        &self,
        acls: &BTreeSet<AclBinding>,
    ) -> Result<BTreeMap<AclBinding, Result<(), BrokerError>>, Error> {
        let all: Vec<&AclBinding> = acls.iter().collect();
        let mut outcomes = BTreeMap::new();
        for some in all.chunks(ACLS_A_REQUEST) {
            let creations = some.iter().map(|acl| {
                AclCreation::default()
                    .with_resource_type(acl.resource_type.to_wire())
                    .with_resource_name(text(&acl.resource_name))
                    .with_resource_pattern_type(acl.pattern_type.to_wire())
                    .with_principal(text(&acl.principal))
                    .with_host(text(&acl.host))
                    .with_operation(acl.operation.to_wire())
                    .with_permission_type(acl.permission.to_wire())
            });
            let request = CreateAclsRequest::default().with_creations(creations.collect());
            let response = self
                .call_controller(&request, |response| {
                    let results = response.results.iter();
                    results.map(|result| result.error_code).collect()
                })
                .await?;
            // results have no names: they come in the order of the request
            self.as_many("CreateAcls", some.len(), response.results.len())?;
            for (acl, result) in some.iter().zip(&response.results) {
                let message = result.error_message.as_deref();
                let error = BrokerError::from_code(result.error_code, message);
                outcomes.insert((*acl).clone(), unless_disabled("CreateAcls", error)?);
            }
        }
        Ok(outcomes)
    }

    /// Deletes exactly these ACLs, never one that merely resembles them; one outcome each, which is whether it
    /// existed.
    ///
    /// Needs ALTER on the cluster. May be repeated; after a lost answer an ACL that this very call deleted counts as
    /// one that did not exist.
    pub async fn delete_acls(
        &self,
        acls: &BTreeSet<AclBinding>,
    ) -> Result<BTreeMap<AclBinding, Result<bool, BrokerError>>, Error> {
        let all: Vec<&AclBinding> = acls.iter().collect();
        let mut outcomes = BTreeMap::new();
        for some in all.chunks(ACLS_A_REQUEST) {
            let filters = some.iter().map(|acl| {
                let filter = FilterOnWire::from(*acl);
                DeleteAclsFilter::default()
                    .with_resource_type_filter(filter.resource_type)
                    .with_resource_name_filter(filter.resource_name.map(StrBytes::from_string))
                    .with_pattern_type_filter(filter.pattern)
                    .with_principal_filter(filter.principal.map(StrBytes::from_string))
                    .with_host_filter(filter.host.map(StrBytes::from_string))
                    .with_operation(filter.operation)
                    .with_permission_type(filter.permission)
            });
            let request = DeleteAclsRequest::default().with_filters(filters.collect());
            let response = self
                .call_controller(&request, |response| {
                    let results = response.filter_results.iter();
                    results.map(|result| result.error_code).collect()
                })
                .await?;
            self.as_many("DeleteAcls", some.len(), response.filter_results.len())?;
            for (acl, result) in some.iter().zip(&response.filter_results) {
                let message = result.error_message.as_deref();
                let whole = BrokerError::from_code(result.error_code, message);
                let each = result.matching_acls.iter().find_map(|matching| {
                    BrokerError::from_code(matching.error_code, matching.error_message.as_deref())
                });
                let outcome = unless_disabled("DeleteAcls", whole.or(each))?
                    .map(|()| !result.matching_acls.is_empty());
                outcomes.insert((*acl).clone(), outcome);
            }
        }
        Ok(outcomes)
    }
}
