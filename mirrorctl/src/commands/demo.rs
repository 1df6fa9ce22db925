//! `mirrorctl demo`: the whole journey between two clusters in memory.

use std::time::{Duration, Instant};

use conformance::{CompareOptions, Endpoint, Journal, Mode, Report, WorkloadSpec};
use plan::{Clients, Plan};
use replicator::Options;
use topology::{LoadError, Mirror, Topology};

use crate::cli::{DemoArgs, Format};
use crate::connect::connect_to;
use crate::copies::{Copies, client};
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::halted::Halted;
use crate::load::load;
use crate::output::{RunEnd, Story, StoryCluster, demo_json};
use crate::session::{Ended, Session};
use crate::stage::Stage;
use crate::{judge, output};

const TOPOLOGY: &str = include_str!("../../../topology/examples/demo.yaml");
/// The writer takes about this long, so that there is something live to watch.
const WRITING: Duration = Duration::from_secs(3);
/// How long the judge waits for the next record of a mirror that runs.
const PATIENCE: Duration = Duration::from_secs(10);

/// Starts clusters, applies, mirrors live, verifies, tells the verdict.
pub(crate) async fn demo(session: &Session, args: &DemoArgs) -> Ended {
    let started = Instant::now();
    let topology = match &args.file {
        Some(path) => load(path)?,
        None => builtin()?,
    };
    let mirror = crate::select::first_running(&topology)?;
    let stage = Stage::start(&topology).await?;
    let shown = Demo {
        session,
        args,
        topology: &topology,
        mirror,
        started,
    }
    .play(&stage)
    .await;
    stage.close().await;
    shown
}

fn builtin() -> Result<Topology, Failure> {
    match topology::parse("demo.yaml", TOPOLOGY) {
        Ok(loaded) => Ok(loaded.topology),
        Err(diagnostics) => Err(Failure::Topology(LoadError::Invalid(diagnostics))),
    }
}

struct Demo<'d> {
    session: &'d Session,
    args: &'d DemoArgs,
    topology: &'d Topology,
    mirror: &'d Mirror,
    started: Instant,
}

/// Where the story takes place.
struct Scene {
    clients: Clients,
    source_alias: String,
    source: Endpoint,
    target: Endpoint,
    source_topic: String,
    target_topic: String,
}

impl Demo<'_> {
    async fn play(&self, stage: &Stage) -> Ended {
        let terminal = self.session.terminal;
        let mut story = Story::new(terminal);

        story.chapter("Two Kafka clusters, in the memory of this process")?;
        let addresses = stage.addresses();
        let clusters: Vec<StoryCluster> = addresses.iter().map(StoryCluster::from).collect();
        story.clusters(&clusters)?;
        let clients = self.session.until_stopped(connect_to(&addresses)).await??;

        story.chapter("plan and apply: bring them to what the topology declares")?;
        let plan = self.bring_about(&clients, &story).await?;
        let scene = self.scene(clients)?;

        story.chapter("replicate: mirror live, while a writer writes")?;
        let running = self.session.stop.child_token();
        let copies = Copies::start(
            &[self.mirror],
            &scene.clients,
            &Options::continuous(),
            &running,
            &self.session.runs,
        )?;
        let display = copies.display();
        let judged = tokio::select! {
            judged = self.write_and_judge(&scene, &story) => judged,
            never = display.show() => match never {},
        };
        // the mirror ends in order, whatever the judge said
        if judged.is_err() || !self.args.hold {
            running.cancel();
        }
        let (journal, stamped) = match judged {
            Ok(judged) => judged,
            Err(failure) => {
                copies.finish().await?;
                return Err(failure);
            }
        };
        story.copied(&journal, copies.watched())?;

        story.chapter("verify: a judge that shares no code with the replicator")?;
        let reports = [stamped, self.compare(&scene).await?];
        story.verdicts(&reports)?;
        let passed = reports.iter().all(Report::passed);
        story.end(passed, self.started.elapsed())?;

        let ends = if self.args.hold {
            story.hold(&clusters)?;
            copies.finish_shown().await?
        } else {
            copies.finish().await?
        };
        if terminal.format() == Format::Json {
            output::json(&demo_json(
                &clusters,
                &plan,
                &ends,
                &reports,
                self.started.elapsed(),
            ))?;
        }
        ended(ends, &reports)
    }

    async fn bring_about(&self, clients: &Clients, story: &Story) -> Result<Plan, Failure> {
        let observed = plan::observe(self.topology, clients).await?;
        let plan = plan::diff(self.topology, &observed, &plan::Permissions::none());
        story.tell(&crate::commands::plan::human(&plan, self.session.terminal))?;
        let summary = plan::apply(
            &plan,
            clients,
            &|_: &plan::ApplyEvent| {},
            &self.session.stop,
        )
        .await?;
        story.tell(&output::applied(&summary))?;
        Ok(plan)
    }

    fn scene(&self, clients: Clients) -> Result<Scene, Failure> {
        let alias = self.mirror.sources.first().cloned().unwrap_or_default();
        let declared = self
            .topology
            .topics
            .iter()
            .filter(|topic| topic.clusters.contains(&alias));
        let mirrored = declared
            .filter_map(|topic| Some((topic, self.mirror.target_topic(&alias, &topic.name)?)));
        let (topic, target_topic) =
            mirrored
                .into_iter()
                .next()
                .ok_or_else(|| Failure::NothingToCompare {
                    mirror: self.mirror.name.clone(),
                    source_alias: alias.clone(),
                })?;
        Ok(Scene {
            source: judge::endpoint(self.topology, &alias, &client(&clients, &alias)?)?,
            target: judge::endpoint(
                self.topology,
                &self.mirror.target,
                &client(&clients, &self.mirror.target)?,
            )?,
            source_topic: topic.name.clone(),
            target_topic,
            source_alias: alias,
            clients,
        })
    }

    async fn write_and_judge(
        &self,
        scene: &Scene,
        story: &Story,
    ) -> Result<(Journal, Report), Failure> {
        let seed = self.args.seed.unwrap_or_else(judge::fresh_seed);
        let mut spec = WorkloadSpec::new(&scene.source_topic, self.args.records, seed);
        spec.records_per_second = Some(
            u32::try_from(self.args.records / WRITING.as_secs())
                .unwrap_or(u32::MAX)
                .max(1_000),
        );
        story.writing(&scene.source_alias, &self.mirror.target, &spec)?;
        let journal = judge::write(self.session, &scene.source, &spec).await?;
        let unsynced = judge::unsynced(
            self.mirror,
            &scene.source_alias,
            &client(&scene.clients, &scene.source_alias)?,
            &scene.source_topic,
        )
        .await?;
        let options = judge::stamped_options(
            self.mirror,
            scene.target_topic.clone(),
            judge::replay_bound(self.mirror, Some(0)),
            unsynced,
            PATIENCE,
        );
        let report = judge::check(
            self.session,
            &scene.source,
            &scene.target,
            &journal,
            options,
        )
        .await?;
        let declared = &self.topology.verify.checks;
        Ok((
            journal,
            judge::keep_declared(report, declared, &[Mode::Stamped]),
        ))
    }

    async fn compare(&self, scene: &Scene) -> Result<Report, Failure> {
        let options = CompareOptions {
            replays: judge::replay_bound(self.mirror, Some(0)),
            patience: PATIENCE,
            ..CompareOptions::default()
        };
        let pairs = vec![(scene.source_topic.clone(), scene.target_topic.clone())];
        judge::compare(self.session, &scene.source, &scene.target, pairs, options).await
    }
}

fn ended(ends: Vec<RunEnd>, reports: &[Report]) -> Ended {
    judge::outcome(reports)?;
    for RunEnd {
        mirror,
        source,
        result,
        ..
    } in ends
    {
        let summary = result.map_err(|error| Failure::Replicator {
            mirror,
            source_alias: source,
            error: Box::new(error),
        })?;
        let halted = Halted::of(&summary.failures);
        if !halted.is_nothing() {
            return Err(Failure::Halted { halted });
        }
    }
    Ok(Outcome::Done)
}
