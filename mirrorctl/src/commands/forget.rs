//! `mirrorctl forget`.

use std::collections::BTreeSet;

use crate::cli::{ForgetArgs, Format};
use crate::connect::connect;
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::load::load;
use crate::output;
use crate::session::{Ended, Session};

/// Ends the management of resources: what `apply` remembers of them is taken back.
pub(crate) async fn forget(session: &Session, args: &ForgetArgs) -> Ended {
    let topology = load(&args.file)?;
    let folder = topology.render.as_ref().map(|files| files.out.as_path());
    let forgetting = async {
        // what is remembered of files, the folder remembers
        let aliases = if args.addresses.iter().all(|it| it.starts_with("file.")) {
            BTreeSet::new()
        } else {
            plan::managed_clusters(&topology)
        };
        let clients = connect(&topology, &aliases).await?;
        let name = topology.name.as_deref();
        Ok::<_, Failure>(plan::forget(&clients, folder, name, &args.addresses).await?)
    };
    let forgotten = session.until_stopped(forgetting).await??;
    match session.terminal.format() {
        Format::Human => {
            for address in &forgotten {
                output::result(&format!(
                    "{address} is managed no longer; it stays as it is\n"
                ))?;
            }
        }
        Format::Json => output::json(&serde_json::json!({ "forgotten": forgotten }))?,
    }
    Ok(Outcome::Done)
}
