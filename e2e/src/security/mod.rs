//! What secured clusters and their clients need: certificates, users, tokens, and the settings of every way in.

mod access;
mod authority;
mod settings;
mod signer;
mod tokens;
mod way;

pub use access::Access;
pub use authority::{Authority, Identity};
pub(crate) use settings::write_certificates;
pub use settings::{ADMIN, Security};
pub use tokens::TokenServer;
pub(crate) use way::Listener;
pub use way::Way;
