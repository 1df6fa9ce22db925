//! The image of the rendered Containerfile: the binary starts on the base that is named where nobody chooses another.

use std::process::Command;

use crate::support::{run, text};

const BASE: &str = "gcr.io/distroless/cc-debian12:nonroot";

/// Every shared library in `BASE`: what its packages libc6, libgcc-s1, libgomp1, libssl3 and libstdc++6 bring (`base/config.bzl` and
/// `cc/config.bzl` of distroless name the packages). It has no zlib, for one.
const LIBRARIES: &[&str] = &[
    "ld-linux-aarch64.so.1",
    "ld-linux-x86-64.so.2",
    "libanl.so.1",
    "libc.so.6",
    "libcrypto.so.3",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libgomp.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libssl.so.3",
    "libstdc++.so.6",
    "libutil.so.1",
];

/// The shared libraries that a program cannot start without.
fn needed(program: &str) -> Vec<String> {
    let listed = Command::new("readelf")
        .args(["--dynamic", "--wide", program])
        .output()
        .unwrap();
    assert!(listed.status.success(), "{listed:?}");
    let listed = String::from_utf8(listed.stdout).unwrap();
    let entries = listed.lines().filter(|it| it.contains("(NEEDED)"));
    let names = entries.map(|it| it.split(['[', ']']).nth(1).unwrap().to_owned());
    names.collect()
}

#[test]
fn the_binary_needs_no_library_that_the_default_base_lacks() {
    let needed = needed(env!("CARGO_BIN_EXE_mirrorctl"));
    // that something is read at all
    assert!(needed.iter().any(|it| it == "libc.so.6"), "{needed:?}");
    let missing: Vec<&String> = needed
        .iter()
        .filter(|it| !LIBRARIES.contains(&it.as_str()))
        .collect();
    assert!(missing.is_empty(), "not in {BASE}: {missing:?}");
}

#[test]
fn the_default_base_is_the_one_whose_libraries_are_known() {
    let place = tempfile::TempDir::new().unwrap();
    let file = place.path().join("t.yaml");
    std::fs::write(
        &file,
        "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
         - {alias: a, bootstrapServers: 'a:9092'}\n- {alias: b, bootstrapServers: 'b:9092'}\n\
         mirrors:\n- {name: m, source: a, target: b, topicsPattern: x}\n",
    )
    .unwrap();
    let out = place.path().join("out");
    let arguments = ["render", "-f", text(&file), "--out", text(&out)];
    run(&[&arguments[..], &["--target", "container"]].concat()).code(0);
    let written = std::fs::read_to_string(out.join("container/Containerfile")).unwrap();
    let line = format!("ARG BASE=\"{BASE}\"");
    assert!(written.lines().any(|it| it == line), "{written}");
}
