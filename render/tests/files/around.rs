//! What watches mirrors, and the tools of the hybrid pipeline.

use std::collections::BTreeSet;

use mirrorctl_render::{Rendering, Request, Settings, Templates, render};
use serde_json::Value;

use crate::support::{examples, file, rendering};

fn example(name: &str, target: &str) -> Rendering {
    let (_, text) = examples().into_iter().find(|(it, _)| it == name).unwrap();
    rendering(&text, &[target])
}

/// The metrics that METRICS.md explains.
fn known() -> BTreeSet<String> {
    include_str!("../../../METRICS.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `mirrorctl_"))
        .filter_map(|line| line.split_once('`'))
        .map(|(name, _)| format!("mirrorctl_{name}"))
        .collect()
}

/// The metrics that an expression names.
fn named(expression: &str) -> Vec<String> {
    expression
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("mirrorctl_"))
        .map(|word| word.trim_end_matches("_bucket").to_owned())
        .collect()
}

#[test]
fn alerts_and_panels_name_metrics_that_there_are() {
    let known = known();
    assert!(known.len() > 30, "{known:?}");
    let rendering = example("seed-002-hdinsight", "monitoring");
    let rules = file(&rendering, "monitoring/mirrorctl.rules.yml");
    let mut seen = 0;
    for expression in rules
        .lines()
        .filter_map(|it| it.trim().strip_prefix("expr: "))
    {
        for metric in named(expression) {
            assert!(known.contains(&metric), "{metric}");
            seen += 1;
        }
    }
    assert!(seen >= 9, "{rules}");
    let dashboard: Value =
        serde_json::from_str(file(&rendering, "monitoring/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert_eq!(panels.len(), 10);
    for panel in panels {
        for query in panel["targets"].as_array().unwrap() {
            let metrics = named(query["expr"].as_str().unwrap());
            assert!(!metrics.is_empty(), "{query}");
            assert!(metrics.iter().all(|it| known.contains(it)), "{metrics:?}");
        }
    }
}

#[test]
fn a_mirror_that_nobody_runs_is_noticed_by_its_name() {
    let rendering = example("seed-004-go-mirror", "monitoring");
    let rules = file(&rendering, "monitoring/mirrorctl.rules.yml");
    for mirror in ["dc1", "dc2"] {
        let absent = format!(
            r#"expr: "absent(mirrorctl_up{{mirror=\"{mirror}-to-central\", source=\"{mirror}\"}}) unless on (mirror) "#
        );
        assert!(rules.contains(&absent), "{absent} in\n{rules}");
    }
    insta::assert_snapshot!("prometheus", file(&rendering, "monitoring/prometheus.yml"));
}

#[test]
fn the_hybrid_pipeline_has_the_tables_of_the_seed() {
    let rendering = example("seed-000-hybrid-cloud", "pipelines");
    let columns = |path: &str| {
        let text = file(&rendering, path);
        let (_, rest) = text.split_once("(\n").unwrap();
        let (list, _) = rest.split_once("\n)").unwrap();
        list.split(",\n")
            .map(|it| it.split(' ').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let hive = columns("pipelines/hybrid/hive.hql");
    assert_eq!(hive.len(), 15);
    assert_eq!(columns("pipelines/hybrid/redshift.sql"), hive);
    assert!(
        file(&rendering, "pipelines/hybrid/redshift.sql")
            .contains("CREATE TABLE poc.hybrid_tweets(")
    );
    assert!(
        file(&rendering, "pipelines/hybrid/hive.hql")
            .ends_with("FIELDS TERMINATED BY '|'\nLOCATION '/user/spark/sparkstreaming';\n")
    );

    let agent =
        java_properties::read(file(&rendering, "pipelines/hybrid/twitter-kafka.conf").as_bytes())
            .unwrap();
    assert_eq!(agent["TwitterAgent.sinks.Kafka.kafka.topic"], "hybrid");
    assert!(
        agent["TwitterAgent.sinks.Kafka.kafka.bootstrap.servers"]
            .starts_with("kafka1.dc1.example:9092,")
    );
    assert_eq!(
        agent["TwitterAgent.channels.MemChannel.transactionCapacity"],
        "100"
    );
    assert_eq!(
        agent["TwitterAgent.sources.Twitter.consumerSecret"],
        "${env['TWITTER_CONSUMER_SECRET']}"
    );
    assert!(agent["TwitterAgent.sources.Twitter.keywords"].ends_with("cloudera, data science"));

    for script in ["start-flume.sh", "spark-source.sh", "spark-target.sh"] {
        let path = format!("pipelines/hybrid/{script}");
        let checked = std::process::Command::new("sh")
            .args(["-n", "-c", file(&rendering, &path)])
            .output()
            .unwrap();
        assert!(checked.status.success(), "{script}: {checked:?}");
        assert!(rendering.files[&path].is_script());
    }
    assert!(
        file(&rendering, "pipelines/hybrid/spark-target.sh").contains(
            "--jars /data/redshift.jdbc41-1.1.13.1013.jar,/data/emrfs-hadoop-2.4.0.jar \\\n"
        )
    );
}

/// Two topics whose names become one in SQL, and a third that differs in its letters' size.
const ALIKE: &str = "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
     - {alias: a, bootstrapServers: 'a:9092'}\n- {alias: b, bootstrapServers: 'b:9092'}\n\
     topics:\n- {name: a.b, clusters: [a]}\n- {name: a-b, clusters: [a]}\n- {name: A_B, clusters: [a]}\n\
     pipelines:\n- {name: one, topic: a.b}\n- {name: two, topic: a-b}\n- {name: three, topic: A_B}\n";

#[test]
fn topics_have_tables_and_folders_of_their_own() {
    let rendering = rendering(ALIKE, &["pipelines"]);
    let mut tables = BTreeSet::new();
    let mut folders = BTreeSet::new();
    for topic in ["a.b", "a-b", "A_B"] {
        let hive = file(&rendering, &format!("pipelines/{topic}/hive.hql"));
        let line = |word: &str| hive.lines().find(|it| it.starts_with(word)).unwrap();
        let table = line("CREATE").to_lowercase();
        let redshift = file(&rendering, &format!("pipelines/{topic}/redshift.sql"));
        let named = table.trim_start_matches("create external table ");
        assert!(redshift.to_lowercase().contains(&format!("poc.{named}")));
        tables.insert(table);
        folders.insert(line("LOCATION"));
    }
    assert_eq!(tables.len(), 3, "{tables:?}");
    assert_eq!(folders.len(), 3, "{folders:?}");
    // the first is called as it would be alone
    let first = file(&rendering, "pipelines/a.b/hive.hql");
    assert!(first.contains("TABLE a_b_tweets(") && first.contains("'/user/spark/sparkstreaming'"));
}

#[test]
fn one_name_is_for_one_table() {
    let topology = crate::support::parse(ALIKE);
    let settings = Settings::parse(&["pipelines.table=tweets"]).unwrap();
    let request = Request {
        topology: &topology,
        source: ALIKE,
        settings: &settings,
    };
    let templates = Templates::embedded().unwrap();
    let refused = render(&request, &["pipelines".to_owned()], &templates).unwrap_err();
    assert!(refused.to_string().contains("pipeline `two`"), "{refused}");
}
