//! `users`, `acls`, `quotas` and `services`: who may do what and how much of it.

mod acls;
mod names;
mod quotas;
mod services;
mod users;
mod wish;

pub(super) use acls::wishes as acls;
pub(super) use quotas::resolve as quotas;
pub(super) use services::wishes as services;
pub(super) use users::resolve as users;
pub(super) use wish::settle;
