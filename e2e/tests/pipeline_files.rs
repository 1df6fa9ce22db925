//! The files of the hybrid pipeline, judged by what reads them: Hive's parser, Flume's configuration, a grammar of Redshift's
//! SQL, shellcheck.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/examples.rs"]
mod examples;
#[path = "support/installed.rs"]
mod installed;
#[path = "support/rendered.rs"]
mod rendered;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::Workspace;
use examples::{example, root};
use installed::installed;
use rendered::{render, run, said, succeed};

/// The files of the seed's topic.
fn files(workspace: &Workspace) -> PathBuf {
    render(
        workspace,
        &example("seed-000-hybrid-cloud.yaml"),
        "pipelines",
        &[],
    )
    .join("hybrid")
}

fn parse(arguments: &[&str], file: &Path) -> Command {
    let mut command = Command::new("java");
    command
        .arg("-cp")
        .arg(format!("{}/*", installed("MIRRORCTL_PARSERS").display()))
        .arg(root().join("e2e/formats/Parse.java"))
        .arg(arguments[0])
        .arg(file)
        .args(&arguments[1..]);
    command
}

/// The file with one change, which has to be one.
fn changed(file: &Path, right: &str, wrong: &str) -> PathBuf {
    let text = fs::read_to_string(file).unwrap();
    let other = text.replacen(right, wrong, 1);
    assert_ne!(text, other, "{right}");
    let place = file.with_extension("wrong");
    fs::write(&place, other).unwrap();
    place
}

#[test]
fn hive_reads_its_table() {
    let workspace = Workspace::create("hive").unwrap();
    let file = files(&workspace).join("hive.hql");
    let tree = succeed(&mut parse(&["hive"], &file));
    for part in [
        "tok_createtable",
        "hybrid_tweets",
        "tok_tablerowformatfield '|'",
        "tok_tablelocation '/user/spark/sparkstreaming'",
    ] {
        assert!(tree.to_lowercase().contains(part), "{part}: {tree}");
    }
    let wrong = changed(&file, "FIELDS TERMINATED", "FIELDS TERMINATING");
    assert!(!run(&mut parse(&["hive"], &wrong)).status.success());
}

#[test]
fn flume_reads_its_agent() {
    let workspace = Workspace::create("flume").unwrap();
    let file = files(&workspace).join("twitter-kafka.conf");
    let agent = |file: &Path| {
        let mut command = parse(&["flume", "TwitterAgent"], file);
        for name in [
            "CONSUMER_KEY",
            "CONSUMER_SECRET",
            "ACCESS_TOKEN",
            "ACCESS_TOKEN_SECRET",
        ] {
            command.env(format!("TWITTER_{name}"), format!("value-of-{name}"));
        }
        command
    };
    let words = succeed(&mut agent(&file));
    for part in [
        "sources [Twitter]",
        "channels [MemChannel]",
        "sinks [Kafka]",
        // the filter found it in the environment
        "consumerSecret=value-of-CONSUMER_SECRET",
        "kafka.topic=hybrid",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    let wrong = changed(
        &file,
        "sinks.Kafka.channel = MemChannel",
        "sinks.Kafka.channel = Other",
    );
    let output = run(&mut agent(&wrong));
    assert!(!output.status.success(), "{}", said(&output));
}

#[test]
fn redshift_s_grammar_takes_its_table() {
    let workspace = Workspace::create("redshift").unwrap();
    let file = files(&workspace).join("redshift.sql");
    let judge = |file: &Path| {
        let mut command = Command::new(installed("MIRRORCTL_LINTERS").join("sqlfluff"));
        command.args(["parse", "--dialect", "redshift"]).arg(file);
        command
    };
    let tree = succeed(&mut judge(&file));
    assert!(tree.contains("create_table_statement"), "{tree}");
    assert!(!tree.contains("unparsable"), "{tree}");
    let wrong = changed(&file, "CREATE TABLE", "CREATE TABEL");
    let wrong_sql = wrong.with_extension("sql");
    fs::rename(&wrong, &wrong_sql).unwrap();
    assert!(!run(&mut judge(&wrong_sql)).status.success());
}

#[test]
fn shellcheck_finds_nothing_in_rendered_scripts() {
    let workspace = Workspace::create("scripts").unwrap();
    let checked = |folder: &Path| {
        let scripts: Vec<PathBuf> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|it| it == "sh"))
            .collect();
        assert!(!scripts.is_empty(), "{}", folder.display());
        succeed(Command::new(installed("MIRRORCTL_LINTERS").join("shellcheck")).args(&scripts));
        scripts[0].clone()
    };
    let script = checked(&files(&workspace));
    checked(&render(
        &workspace,
        &example("seed-000-hybrid-cloud.yaml"),
        "systemd",
        &[],
    ));
    let wrong = changed(&script, "set -eu", "set -eu\ncd $HOME/a b");
    let output = run(Command::new(installed("MIRRORCTL_LINTERS").join("shellcheck")).arg(wrong));
    assert!(!output.status.success(), "{}", said(&output));
}
