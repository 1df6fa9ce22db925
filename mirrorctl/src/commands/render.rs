//! `mirrorctl render`.

use std::path::{Path, PathBuf};

use clap::Args;
use kafka::security::SecretSource;
use render::{Comparison, Rendering, Request, Settings, Target, Templates, Written};
use topology::{SecretRef, Topology};

use crate::ambari::{Ambari, AmbariError};
use crate::cli::Format;
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::load::load_as_written;
use crate::output::{self, RenderReport, render_human, render_json, targets_human, targets_json};
use crate::rendered;
use crate::session::{Ended, Session};

/// Arguments of `render`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirrorctl render --list
  mirrorctl render -f topology.yaml --out rendered
  mirrorctl render -f topology.yaml --out rendered --target mirrormaker2 \\
    --templates my-templates
  mirrorctl render -f topology.yaml --out rendered --check    # for pipelines

The same topology gives the same bytes. mirrorctl-render.json in the output folder holds the digest
of every file: a file that was edited since, that was there before, or that another topology
rendered, keeps everything from being written (exit code 3) unless --force is given. Topologies are
told apart by their names, and those without one by where their clusters are. Files that are no
longer wanted are removed, unless they were edited; other files are never touched. Secrets are never
written: files name the environment variables and files that hold them.

With --check nothing is written: the differences are printed, and the exit code is 2 when there are
any.")]
pub(crate) struct RenderArgs {
    /// Topology file
    #[arg(short, long, value_name = "FILE", required_unless_present = "list")]
    pub(crate) file: Option<PathBuf>,
    /// Folder to write to; made where it does not exist. Without it, what the topology's `render` says
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Only this target (may be given several times)
    #[arg(long, value_name = "NAME")]
    pub(crate) target: Vec<String>,
    /// A folder of templates that take the place of those of the same name
    #[arg(long, value_name = "DIR")]
    pub(crate) templates: Option<PathBuf>,
    /// Choose something about a target, `TARGET.NAME=VALUE` (may be given several times)
    #[arg(long, value_name = "SETTING")]
    pub(crate) set: Vec<String>,
    // a name, not code, which a terminal would show in backticks
    #[arg(
        long,
        value_name = "ALIAS=URL",
        help = "Ask Ambari where a cluster's ZooKeeper and brokers are, `ALIAS=https://HOST/api/v1/clusters/NAME` (may be \
                given several times); the login is the cluster's `access.login`"
    )]
    pub(crate) ambari: Vec<String>,
    /// Write nothing; show what would change, and exit with 2 when anything would
    #[arg(long)]
    pub(crate) check: bool,
    /// Overwrite files that were edited
    #[arg(long, conflicts_with = "check")]
    pub(crate) force: bool,
    /// List the targets, their settings and templates
    #[arg(long, conflicts_with_all = ["file", "out", "target", "templates", "set", "ambari", "check", "force"])]
    pub(crate) list: bool,
}

/// Renders a topology into a folder, or shows what would change there.
pub(crate) async fn render(session: &Session, args: &RenderArgs) -> Ended {
    let Some(file) = &args.file else {
        return list(session);
    };
    let (comparison, out) = session.until_stopped(compare(args, file)).await??;
    let comparison = if args.force {
        comparison.removing_edited()
    } else {
        comparison
    };
    let report = |written: Option<Written>| RenderReport {
        comparison: &comparison,
        out: &out,
        written,
    };
    if args.check {
        print(session, &report(None))?;
        return Ok(if comparison.is_current() {
            Outcome::Done
        } else {
            Outcome::ChangesPending
        });
    }
    if !args.force
        && let Err(refused) = comparison.refuse_edited()
    {
        print(session, &report(None))?;
        return Err(refused.into());
    }
    let written = comparison.apply(&out)?;
    print(session, &report(Some(written)))?;
    Ok(Outcome::Done)
}

/// Where files go, and which.
struct Order {
    out: PathBuf,
    targets: Vec<String>,
    settings: Settings,
    /// Whether the folder is the one that the topology keeps, so that files of other targets go.
    whole: bool,
}

/// What the arguments ask for; without a folder there, what the topology does.
fn order(args: &RenderArgs, file: &Path, topology: &Topology) -> Result<Order, Failure> {
    if let Some(out) = &args.out {
        return Ok(Order {
            out: out.clone(),
            targets: args.target.clone(),
            settings: rendered::settings(&args.set)?,
            whole: false,
        });
    }
    let Some(block) = &topology.render else {
        return Err(Failure::Usage {
            message: "no folder to write to".to_owned(),
            hint: "give --out, or write `render: {out: DIR, targets: […]}` into the topology"
                .to_owned(),
        });
    };
    rendered::check_settings(file, block)?;
    let folder = file.parent().unwrap_or_else(|| Path::new(""));
    // as for `plan`: the topology says where below its own folder, and not what somebody put in the way
    if let Some(path) = render::link_on_the_way(folder, &block.out) {
        return Err(render::FolderError::Link { path }.into());
    }
    let given = block.settings.iter().chain(&args.set).cloned();
    let whole = args.target.is_empty();
    Ok(Order {
        out: folder.join(&block.out),
        targets: if whole {
            rendered::names(block)
        } else {
            args.target.clone()
        },
        settings: rendered::settings(&given.collect::<Vec<_>>())?,
        whole,
    })
}

async fn compare(args: &RenderArgs, file: &Path) -> Result<(Comparison, PathBuf), Failure> {
    let (topology, source) = load_as_written(file)?;
    let Order {
        out,
        targets,
        mut settings,
        whole,
    } = order(args, file, &topology)?;
    for asked in &args.ambari {
        let (alias, ambari) = ambari(&topology, file, asked)?;
        settings = settings.with_addresses(alias, ambari.addresses().await?);
    }
    let templates = match &args.templates {
        Some(folder) => Templates::with_overrides(folder),
        None => Templates::embedded(),
    }
    .map_err(render::RenderError::from)?;
    let request = Request {
        topology: &topology,
        source: &source,
        settings: &settings,
    };
    refuse_a_file(&out)?;
    let rendering = match render::render(&request, &targets, &templates) {
        Err(error @ render::RenderError::UnknownTarget { .. }) => {
            return Err(Failure::Usage {
                message: error.to_string(),
                hint: "`mirrorctl render --list` shows what each is for".to_owned(),
            });
        }
        other => other?,
    };
    let without_effect = without_effect(args, &rendering)?;
    output::remarks(&rendering.remarks);
    output::remarks(&without_effect);
    let rendering = if whole {
        rendering.of_whole_folder()
    } else {
        rendering
    };
    let comparison = render::compare(&rendering, &out)?;
    nothing(&args.target, &comparison)?;
    Ok((comparison, out))
}

/// What is said of settings that change nothing; those of a target that was not asked for are a mistake.
fn without_effect(args: &RenderArgs, rendering: &Rendering) -> Result<Vec<String>, Failure> {
    let given = rendered::settings(&args.set)?;
    let mut said = Vec::new();
    for (target, name) in given.names() {
        if !args.target.is_empty() && !args.target.iter().any(|it| it == target) {
            return Err(Failure::Usage {
                message: format!("--set {target}.{name}: {target} is not rendered"),
                hint: format!("add --target {target}, or leave the setting out"),
            });
        }
        if !rendering.files.values().any(|file| file.target == target) {
            said.push(format!(
                "--set {target}.{name} changes nothing: nothing is rendered for {target}"
            ));
        }
    }
    Ok(said)
}

/// The manifest is looked for in it, and the error would name that.
fn refuse_a_file(out: &Path) -> Result<(), Failure> {
    // a folder below a file is none, either
    let in_the_way = out.ancestors().find(|path| path.exists() && !path.is_dir());
    if let Some(file) = in_the_way {
        return Err(Failure::Usage {
            message: format!("--out {} is no folder", file.display()),
            hint: "name a folder: what is rendered are files below it, and a manifest of them"
                .to_owned(),
        });
    }
    Ok(())
}

/// A target that was asked for by name has files, or had some that go now. Where none was named and nothing is rendered, that
/// is said and no failure: a topology need not have anything to render.
fn nothing(named: &[String], comparison: &Comparison) -> Result<(), Failure> {
    let is_empty = |target: &Target| {
        let folder = format!("{}/", target.name);
        !comparison
            .files
            .iter()
            .any(|file| file.path.starts_with(&folder))
    };
    let wanted = render::targets()
        .iter()
        .filter(|target| named.iter().any(|name| name == target.name));
    let empty: Vec<&Target> = wanted.filter(|target| is_empty(target)).collect();
    if !empty.is_empty() {
        return Err(Failure::NothingToRender { targets: empty });
    }
    if named.is_empty() && comparison.files.is_empty() {
        output::remarks(&[
            "nothing to render: the topology has no mirrors, and no clusters of a platform that is built; \
             `mirrorctl render --list` shows what each target renders"
                .to_owned(),
        ]);
    }
    Ok(())
}

/// The cluster that an argument `ALIAS=URL` means, with the login that the topology has for it.
fn ambari(topology: &Topology, file: &Path, asked: &str) -> Result<(String, Ambari), Failure> {
    let wrong = |message: String| {
        Failure::Usage {
        message,
        hint: "write --ambari ALIAS=https://HOST/api/v1/clusters/NAME, and `access: {login: {user: …, password: …}}` \
               in that cluster"
            .to_owned(),
    }
    };
    let Some((alias, url)) = asked.split_once('=') else {
        return Err(wrong(format!("`{asked}` is not ALIAS=URL")));
    };
    let Some(cluster) = topology.cluster(alias) else {
        return Err(wrong(format!("the topology has no cluster `{alias}`")));
    };
    let login = cluster
        .infrastructure
        .access
        .as_ref()
        .and_then(|access| access.login.as_ref());
    let password = login.and_then(|login| login.password.as_ref());
    let (Some(login), Some(password)) = (login, password) else {
        return Err(wrong(format!(
            "cluster `{alias}` has no login with a password"
        )));
    };
    let password = match password {
        SecretRef::Env(name) => SecretSource::Env(name.clone()),
        SecretRef::File(path) => {
            let folder = file.parent().unwrap_or_else(|| Path::new(""));
            SecretSource::File(folder.join(path))
        }
    };
    match Ambari::new(url, login.user.clone(), password) {
        Err(error @ AmbariError::Address { .. }) => Err(wrong(error.to_string())),
        other => Ok((alias.to_owned(), other?)),
    }
}

fn print(session: &Session, report: &RenderReport<'_>) -> Result<(), Failure> {
    match session.terminal.format() {
        Format::Human => output::result(&render_human(report)),
        Format::Json => output::json(&render_json(report)),
    }
}

fn list(session: &Session) -> Ended {
    let templates = Templates::embedded().map_err(render::RenderError::from)?;
    match session.terminal.format() {
        Format::Human => output::result(&targets_human(&templates))?,
        Format::Json => output::json(&targets_json(&templates))?,
    }
    Ok(Outcome::Done)
}
