//! The credentials that an apply sets, derived before anything is changed.

use std::collections::BTreeMap;

use kafka::security::{ScramCredential, SecretSource, SecurityError};
use topology::SecretRef;

use super::ScramUserState;
use super::live::hash;
use crate::change::Resource;
use crate::document::Plan;

/// By address. Nothing of them is shown or kept.
#[derive(Debug, Default)]
pub(crate) struct Credentials(BTreeMap<String, ScramCredential>);

impl Credentials {
    /// Reads the passwords that the plan sets, from where it says that they are. Fails with the address of the first that
    /// cannot be read, or that brokers would not take.
    pub(crate) fn gather(plan: &Plan) -> Result<Self, (String, SecurityError)> {
        let mut gathered = BTreeMap::new();
        for change in &plan.resource_changes {
            let user = match &change.resource {
                Resource::ScramUser(user) => user,
                Resource::Topic(_)
                | Resource::Acl(_)
                | Resource::ClientQuota(_)
                | Resource::Mirror(_)
                | Resource::RenderedFile(_) => continue,
            };
            let derived = user.after().and_then(derive).transpose();
            match derived {
                Ok(Some(credential)) => {
                    gathered.insert(change.address.clone(), credential);
                }
                Ok(None) => {}
                Err(error) => return Err((change.address.clone(), error)),
            }
        }
        Ok(Self(gathered))
    }

    /// The credential of the user with this address.
    pub(crate) fn of(&self, address: &str) -> Option<&ScramCredential> {
        self.0.get(address)
    }
}

/// Nothing where no password is set.
fn derive(after: &ScramUserState) -> Option<Result<ScramCredential, SecurityError>> {
    let source = match after.password.as_ref()? {
        SecretRef::Env(name) => SecretSource::Env(name.clone()),
        SecretRef::File(path) => SecretSource::File(path.clone()),
    };
    let (mechanism, iterations) = after.credentials.iter().next()?;
    let derived = source.read("the password").and_then(|password| {
        ScramCredential::derive(&after.name, hash(*mechanism), *iterations, &password)
    });
    Some(derived)
}
