//! What was seen of networks and machines, beside what `apply` does.

use plan::text::{Style, render_human, render_infrastructure};
use plan::{Drift, DriftDetail, DriftKind, Infrastructure, NotObserved, Plan, json_schema};

use crate::fixture::{declared, desired, live, observed, planned};

const STYLE: Style = Style {
    color: false,
    width: 80,
};

fn as_declared() -> Plan {
    let topics = vec![("a", declared(Some(6), Some(3), &[]))];
    planned(&desired(topics), &observed(vec![("a", live(6, 3, &[]))]))
}

fn seen() -> Infrastructure {
    let detail = |attribute: &str, live: Option<&str>, declared: Option<&str>| DriftDetail {
        attribute: attribute.to_owned(),
        live: live.map(str::to_owned),
        declared: declared.map(str::to_owned),
    };
    Infrastructure {
        observed: vec!["eu-west-1".to_owned()],
        compared: 12,
        not_observed: vec![NotObserved {
            message: "AWS in eu-west-2 could not be observed: no usable credentials".to_owned(),
            hint: Some("log in".to_owned()),
            failed: true,
        }],
        drift: vec![
            Drift {
                address: "ec2.eu-west-1.instance.aws-b-2".to_owned(),
                kind: DriftKind::Changed,
                id: Some("i-1".to_owned()),
                reason: "not as declared".to_owned(),
                details: vec![
                    detail("size", Some("m5.xlarge"), Some("m5.large")),
                    detail("tags.team", None, Some("\u{1b}[2J")),
                ],
            },
            Drift {
                address: "ec2.eu-west-1.vpc.kafka".to_owned(),
                kind: DriftKind::Missing,
                id: None,
                reason: "declared, and not there".to_owned(),
                details: Vec::new(),
            },
        ],
        left_out: 0,
    }
}

#[test]
fn drift_is_said_between_changes_and_summary() {
    let plan = as_declared().with_infrastructure(Some(seen()));
    let expected = "\
Infrastructure (observed only, `apply` leaves it alone):
  ≠ ec2.eu-west-1.instance.aws-b-2  i-1  [changed]
      not as declared
      size        is m5.xlarge, declared m5.large
      tags.team   is (none), declared \\u{1b}[2J
  ≠ ec2.eu-west-1.vpc.kafka  [missing]
      declared, and not there
  hint: `terraform apply` of the root that `mirrorctl render` writes repairs
  what is missing or changed; it removes nothing that others made, and starts no
  machine that was stopped
  ! AWS in eu-west-2 could not be observed: no usable credentials
      hint: log in
Infrastructure: 2 differences, 12 resources compared in eu-west-1.

No changes: 1 declared topic on 1 cluster is as declared.
Plan: 0 to add, 0 to change, 0 to destroy.
";
    assert_eq!(render_human(&plan, STYLE), expected);
    let alone = render_infrastructure(&seen(), STYLE);
    assert!(expected.starts_with(&alone), "{alone}");
}

#[test]
fn no_drift_is_only_said_of_what_was_looked_at() {
    let nothing = Infrastructure {
        drift: Vec::new(),
        ..seen()
    };
    let text = render_infrastructure(&nothing, STYLE);
    assert!(text.contains("no drift, 12 resources compared in eu-west-1."));
    assert!(nothing.has_failed() && !nothing.has_drift());
    let unseen = Infrastructure {
        observed: Vec::new(),
        ..nothing
    };
    let text = render_infrastructure(&unseen, STYLE);
    assert!(!text.contains("no drift"), "{text}");
}

#[test]
fn drift_is_nothing_that_apply_would_do() {
    let plan = as_declared().with_infrastructure(Some(seen()));
    assert!(plan.has_drifted_infrastructure() && !plan.has_changes() && !plan.is_blocked());
    assert_eq!(plan.summary(), as_declared().summary());
}

#[test]
fn what_was_not_asked_for_is_counted() {
    let seen = seen().only(|drift| drift.address.contains("vpc"));
    assert_eq!((seen.drift.len(), seen.left_out), (1, 1));
    let text = render_infrastructure(&seen, STYLE);
    assert!(
        text.contains("1 difference (1 more not asked for), "),
        "{text}"
    );
    let none = seen.only(|_| false);
    assert!(!none.has_drift());
    assert_eq!(none.left_out, 2);
}

#[test]
fn plans_with_infrastructure_come_back_and_match_the_schema() {
    let plan = as_declared().with_infrastructure(Some(seen()));
    let json = plan.to_json().unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    let value = serde_json::to_value(&plan).unwrap();
    assert!(validator.is_valid(&value));
    let mut damaged = value;
    damaged["infrastructure"]["drift"][0]["kind"] = "odd".into();
    assert!(!validator.is_valid(&damaged));
}
