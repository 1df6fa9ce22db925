use kafka::Rights;

use super::*;
use crate::proof::testbed::{Bed, topic};

const PRINCIPAL: &str = "User:mirror";
const SOURCE: [Operation; 3] = [
    Operation::Read,
    Operation::Describe,
    Operation::DescribeConfigs,
];

fn rule(
    resource_type: ResourceType,
    name: &str,
    pattern: PatternType,
    operation: AclOperation,
) -> AclBinding {
    AclBinding {
        resource_type,
        resource_name: name.to_owned(),
        pattern,
        principal: PRINCIPAL.to_owned(),
        host: WILDCARD.to_owned(),
        operation,
        permission: AclPermission::Allow,
    }
}

fn prefixed(name: &str, operation: AclOperation) -> AclBinding {
    rule(ResourceType::Topic, name, PatternType::Prefixed, operation)
}

/// One source topic, with clusters that keep rules.
fn bed(mirror: &str, source: &[Operation], rules: &[AclBinding]) -> Bed {
    let mut bed = Bed::new(mirror).source(topic("pay.t", &[]));
    for alias in ["a", "b"] {
        let site = bed.site(alias);
        site.principal = Some(PRINCIPAL.to_owned());
        site.rights = Some(Rights::to(&[]));
        site.rules = Ok(Some(BTreeSet::new()));
    }
    let read = bed.site("a").topics.get_mut("pay.t").expect("there");
    read.rights = Some(Rights::to(source));
    bed.site("b").rules = Ok(Some(rules.iter().cloned().collect()));
    bed
}

/// What README.md lists for the target.
fn listed() -> Vec<AclBinding> {
    use AclOperation::{Alter, AlterConfigs, Create, DescribeConfigs, Read, Write};
    let own = [Create, Write, Read, DescribeConfigs].map(|it| prefixed("mirrorctl-", it));
    let mirrored = [Create, Write, Alter, AlterConfigs].map(|it| prefixed("pay.", it));
    own.into_iter().chain(mirrored).collect()
}

fn found(bed: &Bed) -> Vec<(FindingId, Vec<String>)> {
    let found = bed.judge().into_iter();
    found.map(|it| (it.id, it.evidence)).collect()
}

#[test]
fn what_is_listed_is_enough_and_each_of_it_is_needed() {
    assert_eq!(found(&bed("", &SOURCE, &listed())), []);
    for left_out in 0..listed().len() {
        let mut rules = listed();
        let rule = rules.remove(left_out);
        let found = found(&bed("", &SOURCE, &rules));
        assert_eq!(found[0].0, FindingId::MissingAcl, "without {rule}");
        assert!(found[0].1[0].contains(word(rule.operation)), "{found:?}");
    }
    for left_out in [Operation::Read, Operation::DescribeConfigs] {
        let mut rights = SOURCE.to_vec();
        rights.retain(|it| *it != left_out);
        let found = found(&bed("", &rights, &listed()));
        assert_eq!(found[0].1.len(), 1, "{found:?}");
        assert!(found[0].1[0].starts_with("pay.t on a: "), "{found:?}");
    }
}

#[test]
fn what_the_mirror_does_not_do_needs_no_right() {
    let mut rules = listed();
    rules.retain(|it| {
        !matches!(
            it.operation,
            AclOperation::Alter | AclOperation::AlterConfigs
        )
    });
    rules.push(prefixed("pay.", AclOperation::DescribeConfigs));
    let quiet = "topicSync: {partitions: false, config: false}";
    assert_eq!(found(&bed(quiet, &SOURCE, &rules)), []);
    let exact = bed("delivery: exactly-once", &SOURCE, &listed());
    assert_eq!(
        found(&exact),
        [(FindingId::MissingAcl, vec!["pay.t on b: Read".to_owned()])]
    );
}

#[test]
fn a_denial_takes_what_others_give() {
    let mut rules = listed();
    let mut denial = prefixed("pay.t", AclOperation::Write);
    denial.permission = AclPermission::Deny;
    "User:*".clone_into(&mut denial.principal);
    rules.push(denial);
    assert_eq!(
        found(&bed("", &SOURCE, &rules)),
        [(FindingId::MissingAcl, vec!["pay.t on b: Write".to_owned()])]
    );
    // nor does a rule for one host prove anything
    let mut rules = listed();
    for rule in &mut rules {
        "10.0.0.1".clone_into(&mut rule.host);
    }
    assert_eq!(found(&bed("", &SOURCE, &rules))[0].0, FindingId::MissingAcl);
}

#[test]
fn what_the_brokers_grant_beyond_rules_counts() {
    // a super user, of whom no rule knows
    let everything: Vec<Operation> = OPERATIONS.iter().map(|(wire, _, _)| *wire).collect();
    let mut other = prefixed("pay.", AclOperation::Read);
    "User:other".clone_into(&mut other.principal);
    let mut certain = bed("", &everything, &[other.clone()]);
    certain.site("b").rights = Some(Rights::to(&[Operation::ClusterAction]));
    // rules are about what is to be created, and none of them for us
    assert_eq!(found(&certain)[0].0, FindingId::NotProven);
    let mut seen = topic("pay.other", &[]);
    seen.1.rights = Some(Rights::to(&everything));
    assert_eq!(found(&certain.target(seen)), []);

    let mut open = bed("", &everything, &[]);
    open.site("b").rights = Some(Rights::to(&[Operation::ClusterAction]));
    assert_eq!(found(&open), []);
}

#[test]
fn a_cluster_without_rules_refuses_nobody_and_hidden_rules_prove_nothing() {
    let mut open = bed("", &SOURCE, &[]);
    open.site("b").rules = Ok(None);
    assert_eq!(found(&open), []);

    let mut hidden = bed("", &SOURCE, &listed());
    hidden.site("b").rules = Err("no right".to_owned());
    let said = "the access rules of b could not be read: no right (4 topics)".to_owned();
    assert_eq!(found(&hidden), [(FindingId::NotProven, vec![said])]);

    let mut stranger = bed("", &SOURCE, &listed());
    stranger.site("b").principal = None;
    let said = "whom the brokers of b take this login for is not known (4 topics)".to_owned();
    assert_eq!(found(&stranger), [(FindingId::NotProven, vec![said])]);
}

#[test]
fn rights_that_this_plan_declares_count() {
    let text = "clusters:\n- {alias: a, bootstrapServers: [\"h:1\"]}\n- {alias: b, bootstrapServers: [\"h:2\"]}\n\
        acls:\n- {clusters: [a], principal: \"User:mirror\", resource: {type: topic, name: pay.t}, operations: [read, describe-configs]}\n\
        mirrors:\n- {name: m, source: a, target: b, replicationPolicy: {type: identity}}\n";
    let declared = Bed::of(text);
    let mut bed = bed("", &[], &listed());
    assert_eq!(found(&bed)[0].0, FindingId::MissingAcl);
    bed.topology = declared.topology;
    assert_eq!(found(&bed), []);
}
