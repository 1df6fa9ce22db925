//! The HTML report of a run that was watched, with a fault in it, in a real browser: narrow and wide, light and dark.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e2e::{ClusterSpec, Pair, TopicAdmin, Workspace, mirrorctl, start_mirrorctl};
use rustix::process::Signal;
use serde_json::Value;

const LIMIT: Duration = Duration::from_mins(3);

fn now_ms() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_millis()
}

fn stamped<'a>(phase: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let common = [
        "verify",
        "-f",
        "topology.yaml",
        "--mirror",
        "m",
        "--mode",
        "stamped",
        "--journal",
        "journal.json",
        "--phase",
        phase,
    ];
    [&common, more].concat()
}

/// Writes `page.html` and returns the report of the same run.
fn run(workspace: &Workspace) -> Value {
    let pair = Pair::start(&ClusterSpec::single()).unwrap();
    TopicAdmin::new(&pair.source.bootstrap_servers())
        .unwrap()
        .create("orders", 4, &[])
        .unwrap();
    let topology = pair.topology(
        "mirrors:\n- {name: m, source: source, target: target, topicsPattern: orders, replicationPolicy: {type: identity}, \
         slo: {lag: 1s}, topicSync: {replicationFactor: 1}}\n",
    );
    workspace.write("topology.yaml", topology).unwrap();
    let mut mirror =
        start_mirrorctl(workspace, "mirror", &["replicate", "-f", "topology.yaml"]).unwrap();
    let write = [
        "--topic",
        "orders",
        "--records",
        "6000",
        "--rate",
        "500",
        "--watch",
    ];
    let mut writer = start_mirrorctl(workspace, "writer", &stamped("write", &write)).unwrap();
    // the fault is in the middle of the writing; when exactly decides nothing
    sleep(Duration::from_secs(3));
    let frozen = now_ms();
    mirror.signal(Signal::STOP).unwrap();
    sleep(Duration::from_secs(4));
    mirror.signal(Signal::CONT).unwrap();
    let thawed = now_ms();
    let status = writer.wait(LIMIT).unwrap();
    assert!(status.success(), "{}", writer.stderr());
    let events =
        format!(r#"[{{"at_ms":{frozen},"until_ms":{thawed},"fault":"freeze","target":"engine"}}]"#);
    workspace.write("events.json", events).unwrap();
    let check = [
        "--events",
        "events.json",
        "--html",
        "page.html",
        "--report-json",
        "report.json",
    ];
    let output = mirrorctl(workspace)
        .unwrap()
        .args(stamped("check", &check))
        .output()
        .unwrap();
    assert!(
        matches!(output.status.code(), Some(0 | 5)),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    mirror.signal(Signal::TERM).unwrap();
    mirror.wait(LIMIT).unwrap();
    let text = std::fs::read(workspace.path().join("report.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// What a browser makes of the page in a frame of this width: written by a script that only this copy has.
fn seen(folder: &Path, page: &str, width: u32, dark: bool) -> Value {
    let script = r"<script>
        const style = of => getComputedStyle(of);
        const box = of => document.querySelector(of).getBoundingClientRect();
        const name = document.querySelector('.check b');
        parent.document.title = JSON.stringify({
            too_wide: document.documentElement.scrollWidth > innerWidth,
            width: innerWidth,
            line: box('svg .line').width, line_height: box('svg .line').height,
            band: box('svg .fault').width, figure: box('figure').width,
            checks: document.querySelectorAll('article.check').length,
            ground: style(document.body).backgroundColor, ink: style(document.body).color,
            verdict: style(name).color,
        });
    </script>";
    let framed = format!("{page}{script}")
        .replace('&', "&amp;")
        .replace('"', "&quot;");
    let host = format!(
        "<!doctype html><title>none</title><body><iframe width=\"{width}\" height=\"900\" style=\"border:0\" srcdoc=\"{framed}\"></iframe>"
    );
    let path = folder.join(format!("host-{width}-{dark}.html"));
    std::fs::write(&path, host).unwrap();
    // blink's own numbers: 0 is dark, 1 is light
    let scheme = format!("--blink-settings=preferredColorScheme={}", u8::from(!dark));
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--window-size=1400,1000",
            &scheme,
            "--dump-dom",
        ])
        .arg(format!(
            "--user-data-dir={}",
            folder.join("browser").display()
        ))
        .arg(format!("file://{}", path.display()))
        .output()
        .expect("chromium has to be installed");
    let dom = String::from_utf8_lossy(&output.stdout);
    let title = dom
        .split("<title>")
        .nth(1)
        .and_then(|rest| rest.split("</title>").next());
    let title = title.unwrap_or_default().replace("&quot;", "\"");
    serde_json::from_str(&title).unwrap_or_else(|error| {
        panic!(
            "{error} in {title}\n{}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// Of `rgb(r, g, b)`, from 0 to 1.
fn brightness(colour: &Value) -> f64 {
    let digits = colour
        .as_str()
        .unwrap()
        .trim_start_matches("rgb(")
        .trim_end_matches(')');
    let parts: Vec<f64> = digits
        .split(',')
        .map(|it| it.trim().parse().unwrap())
        .collect();
    let linear = |part: f64| {
        let part = part / 255.0;
        if part <= 0.040_45 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(parts[0]) + 0.7152 * linear(parts[1]) + 0.0722 * linear(parts[2])
}

/// As the accessibility guidelines count it: 4.5 is enough for text.
fn contrast(one: &Value, other: &Value) -> f64 {
    let (one, other) = (brightness(one), brightness(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn the_page_shows_lag_faults_and_verdicts_narrow_and_wide_light_and_dark() {
    let workspace = Workspace::create("page").unwrap();
    let report = run(&workspace);
    let check = |id: &str| {
        let mut checks = report["checks"].as_array().unwrap().iter();
        checks.find(|check| check["id"] == id).unwrap().clone()
    };
    assert_eq!(check("complete")["result"], "pass", "{report}");
    assert_eq!(check("recovery")["result"], "pass", "{}", check("recovery"));
    // it was frozen for four seconds
    let lag = report["timeline"]["lag"].as_array().unwrap().iter();
    let most = lag.filter_map(|it| it["late_ms"].as_u64()).max().unwrap();
    assert!(most >= 2_000, "{most} ms");

    let page = std::fs::read_to_string(workspace.path().join("page.html")).unwrap();
    for width in [390, 1_280] {
        for dark in [false, true] {
            let seen = seen(workspace.path(), &page, width, dark);
            let name = format!("{width} px, dark {dark}: {seen}");
            assert_eq!(seen["width"], width, "{name}");
            assert_eq!(seen["too_wide"], false, "{name}");
            let length = |of: &str| seen[of].as_f64().unwrap();
            assert!(length("line") > length("figure") * 0.5, "{name}");
            assert!(length("line_height") > 100.0, "{name}");
            assert!(length("band") >= 1.0, "{name}");
            assert_eq!(
                seen["checks"].as_u64().unwrap() as usize,
                report["checks"].as_array().unwrap().len()
            );
            assert_eq!(brightness(&seen["ground"]) < 0.1, dark, "{name}");
            assert!(contrast(&seen["ink"], &seen["ground"]) > 7.0, "{name}");
            assert!(contrast(&seen["verdict"], &seen["ground"]) > 4.5, "{name}");
        }
    }
}
