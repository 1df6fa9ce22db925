//! Re-authentication (KIP-368): sessions are renewed while records flow.

use std::thread;
use std::time::{Duration, Instant};

use e2e::{Stream, Way, Workspace, identical, start_mirrorctl};
use rustix::process::Signal;

use crate::bed::{bed, run};

/// Nothing that is waited for takes longer.
const LIMIT: Duration = Duration::from_mins(2);

#[test]
fn sessions_are_renewed_while_records_flow() {
    let bed = bed();
    let workspace = Workspace::create("renewed").unwrap();
    let topic = "renewed";
    // both mechanisms that prove themselves in more than one step
    let source = bed.access(&workspace, Way::ScramInBriefSessions);
    let target = bed.access(&workspace, Way::OauthbearerInBriefSessions);
    let text = bed.topology(&source, &target, topic);
    workspace.write("t.yaml", text).unwrap();
    run(&workspace, &["apply", "-f", "t.yaml", "--auto-approve"], 0);

    let servers = bed.pair.source.bootstrap_servers();
    let stream = Stream::start(&servers, topic, 3, 2_000, "lz4").unwrap();
    let started = Instant::now();
    let mut running =
        start_mirrorctl(&workspace, "renewed", &["replicate", "-f", "t.yaml", "-v"]).unwrap();
    bed.pair.wait_for_records(topic, 1_000, LIMIT).unwrap();
    // an idle second would hide nothing: records flow all the time
    let lifetimes = Way::SESSION * 6;
    while started.elapsed() < lifetimes {
        assert_eq!(running.try_wait().unwrap(), None, "{}", running.stderr());
        thread::sleep(Duration::from_millis(200));
    }
    let written = stream.stop().unwrap();
    bed.pair.wait_for_records(topic, written, LIMIT).unwrap();
    running.signal(Signal::TERM).unwrap();
    let status = running.wait(LIMIT).unwrap();
    assert_eq!(status.code(), Some(0), "{}", running.stderr());
    let (source, target) = bed.pair.sides(topic);
    assert_eq!(identical(source.at(), target.at()).unwrap(), Ok(written));
    // renewed in time; where the machine is too busy for that, the broker cuts a session off, which loses nothing either
    let log = running.stderr();
    let renewed = log.matches("authenticates again").count();
    let cut_off = log.matches("could not authenticate again").count();
    assert!(renewed >= 10 && cut_off * 3 < renewed, "{log}");
}
