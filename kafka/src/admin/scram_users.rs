use std::collections::{BTreeMap, VecDeque};

use kafka_protocol::messages::alter_user_scram_credentials_request::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};
use kafka_protocol::messages::{
    AlterUserScramCredentialsRequest, DescribeUserScramCredentialsRequest,
};
use kafka_protocol::protocol::StrBytes;

use crate::cluster::Cluster;
use crate::error::{BrokerError, Error};
use crate::security::{ScramCredential, ScramHash};

/// Credentials in one request; the controller takes 10,000 at most.
const CREDENTIALS_A_REQUEST: usize = 1000;

/// `ScramMechanism.type` of Kafka.
fn to_wire(hash: ScramHash) -> i8 {
    match hash {
        ScramHash::Sha256 => 1,
        ScramHash::Sha512 => 2,
    }
}

fn from_wire(code: i8) -> Option<ScramHash> {
    [ScramHash::Sha256, ScramHash::Sha512]
        .into_iter()
        .find(|hash| to_wire(*hash) == code)
}

/// One change of what a cluster knows of its SCRAM users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScramChange {
    /// From now on this user logs in with this; the user need not exist.
    Upsert(ScramCredential),
    /// This user does not log in with this mechanism any more.
    Delete {
        /// Whose.
        user: String,
        /// The mechanism.
        hash: ScramHash,
    },
}

impl ScramChange {
    /// Whom it is about.
    pub fn user(&self) -> &str {
        match self {
            Self::Upsert(credential) => credential.user(),
            Self::Delete { user, .. } => user,
        }
    }
}

impl Cluster {
    /// All SCRAM users, with the iterations of each mechanism they have. Salts and passwords never leave the cluster.
    ///
    /// Any broker answers, from what it has learned of the controller's log so far. Needs DESCRIBE on the cluster.
    /// Cancel safe.
    pub async fn scram_users(&self) -> Result<BTreeMap<String, BTreeMap<ScramHash, u32>>, Error> {
        // No names are all users. To null, which means the same, a broker (4.3.1) never answers where it has to refuse.
        let request = DescribeUserScramCredentialsRequest::default().with_users(Some(Vec::new()));
        let response = self.call_any(&request).await?;
        let failed = |error| Error::broker("DescribeUserScramCredentials", error);
        BrokerError::outcome(response.error_code, response.error_message.as_deref())
            .map_err(failed)?;
        let mut users = BTreeMap::new();
        for user in response.results {
            BrokerError::outcome(user.error_code, user.error_message.as_deref()).map_err(failed)?;
            let known = user.credential_infos.iter().filter_map(|info| {
                let iterations = u32::try_from(info.iterations).unwrap_or_default();
                Some((from_wire(info.mechanism)?, iterations))
            });
            users.insert(user.user.to_string(), known.collect());
        }
        Ok(users)
    }

    /// Changes what users log in with (KIP-554), each user's changes in the order given; one outcome a user. The first
    /// change of a user that fails is its outcome, and its later ones are not made.
    ///
    /// Needs ALTER on the cluster. An upsert may be repeated; the deletion of what is not there answers
    /// `RESOURCE_NOT_FOUND`, so after a lost answer a deletion may report that of what this very call deleted.
    pub async fn alter_scram_users(
        &self,
        changes: &[ScramChange],
    ) -> Result<BTreeMap<String, Result<(), BrokerError>>, Error> {
        let mut left: BTreeMap<&str, VecDeque<&ScramChange>> = BTreeMap::new();
        for change in changes {
            left.entry(change.user()).or_default().push_back(change);
        }
        let mut outcomes = BTreeMap::new();
        // a controller takes one change of a user in a request
        while !left.is_empty() {
            let round: Vec<&ScramChange> = left
                .values_mut()
                .filter_map(VecDeque::pop_front)
                .take(CREDENTIALS_A_REQUEST)
                .collect();
            for (user, outcome) in self.alter_scram_users_once(&round).await? {
                if outcome.is_err() {
                    left.remove(user.as_str());
                }
                outcomes.insert(user, outcome);
            }
            left.retain(|_, changes| !changes.is_empty());
        }
        Ok(outcomes)
    }

    async fn alter_scram_users_once(
        &self,
        changes: &[&ScramChange],
    ) -> Result<BTreeMap<String, Result<(), BrokerError>>, Error> {
        let request = request(changes);
        let response = self
            .call_controller(&request, |response| {
                let results = response.results.iter();
                results.map(|result| result.error_code).collect()
            })
            .await?;
        let outcomes: BTreeMap<String, Result<(), BrokerError>> = response
            .results
            .into_iter()
            .map(|result| {
                let message = result.error_message.as_deref();
                let outcome = BrokerError::outcome(result.error_code, message);
                (result.user.to_string(), outcome)
            })
            .collect();
        self.as_many("AlterUserScramCredentials", changes.len(), outcomes.len())?;
        Ok(outcomes)
    }
}

fn request(changes: &[&ScramChange]) -> AlterUserScramCredentialsRequest {
    let mut request = AlterUserScramCredentialsRequest::default();
    for change in changes {
        let name = StrBytes::from_string(change.user().to_owned());
        match change {
            ScramChange::Upsert(credential) => request.upsertions.push(
                ScramCredentialUpsertion::default()
                    .with_name(name)
                    .with_mechanism(to_wire(credential.hash()))
                    .with_iterations(credential.iterations() as i32)
                    .with_salt(credential.salt())
                    .with_salted_password(credential.salted()),
            ),
            ScramChange::Delete { hash, .. } => request.deletions.push(
                ScramCredentialDeletion::default()
                    .with_name(name)
                    .with_mechanism(to_wire(*hash)),
            ),
        }
    }
    request
}
