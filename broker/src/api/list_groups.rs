//! `ListGroups`: every broker lists what it coordinates, and the controller coordinates all.

use kafka_protocol::messages::list_groups_response::{ListGroupsResponse, ListedGroup};
use kafka_protocol::messages::{GroupId, ListGroupsRequest};
use kafka_protocol::protocol::StrBytes;

use super::text::text;
use crate::dispatch::Context;

pub(crate) fn handle(context: &Context, request: &ListGroupsRequest) -> ListGroupsResponse {
    let response =
        ListGroupsResponse::default().with_throttle_time_ms(context.strike.throttle_ms());
    if let Some(error) = context.strike.error_for_request() {
        return response.with_error_code(error.code());
    }
    if context.shared.controller() != context.broker {
        return response;
    }
    let wanted = |filter: &[StrBytes], value: &str| {
        filter.is_empty() || filter.iter().any(|word| word.eq_ignore_ascii_case(value))
    };
    let groups = context.shared.groups.lock();
    let listed = groups
        .iter()
        .filter(|(_, group)| {
            wanted(&request.states_filter, group.state())
                && wanted(&request.types_filter, group.kind.name())
        })
        .map(|(id, group)| {
            let listed = ListedGroup::default()
                .with_group_id(GroupId(text(id)))
                .with_protocol_type(text(group.kind.protocol_type()));
            match context.version {
                0..=3 => listed,
                4 => listed.with_group_state(text(group.state())),
                _ => listed
                    .with_group_state(text(group.state()))
                    .with_group_type(text(group.kind.name())),
            }
        });
    response.with_groups(listed.collect())
}
