//! An ARM template for Azure: networks, name servers, `HDInsight` clusters.

mod clusters;
mod expressions;
mod name_servers;
mod networks;
mod template;

pub(super) use template::TARGET;
