//! Texts of a topology that try to leave their quotes.

use crate::support::{file, try_rendering};
use mirrorctl_render::{Request, Settings, Templates, render};

/// User names that would end a line, a quote or an option where they are not quoted.
const NASTY: &[&str] = &[
    "a\"; injected=\"1",
    "line\nsecurity.protocol = PLAINTEXT",
    "back\\slash",
    "é 漢",
    " leading and trailing ",
    "# no comment",
    "a = b : c",
    "{{ braces }} {% if %}",
];

fn topology(user: &str) -> String {
    format!(
        "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
         - {{alias: a, bootstrapServers: ['a:9092']}}\n\
         - alias: b\n  bootstrapServers: ['b:9092']\n  tls: {{}}\n  \
         sasl: {{mechanism: plain, username: {}, password: {{env: PW}}}}\n\
         mirrors:\n- {{name: m, source: a, target: b, engine: mirrormaker2, replicationPolicy: {{type: default}}}}\n",
        serde_json::to_string(user).unwrap()
    )
}

#[test]
fn properties_hold_what_the_topology_says() {
    let mut refused = 0;
    for user in NASTY {
        let text = topology(user);
        let Ok(rendering) = try_rendering(
            &text,
            &["mirrormaker2", "connect"],
            &Templates::embedded().unwrap(),
        ) else {
            assert!(user.contains('\n'), "{user:?}");
            refused += 1;
            continue;
        };
        let read =
            java_properties::read(file(&rendering, "mirrormaker2/m/mm2.properties").as_bytes())
                .unwrap();
        let escaped = user.replace('\\', "\\\\").replace('"', "\\\"");
        assert_eq!(
            read["b.sasl.jaas.config"],
            format!(
                "org.apache.kafka.common.security.plain.PlainLoginModule required \
                 username=\"{escaped}\" password=\"${{env:PW}}\";"
            )
        );
        let connector: serde_json::Value =
            serde_json::from_str(file(&rendering, "connect/m/a-source.json")).unwrap();
        assert_eq!(
            connector["config"]["target.cluster.sasl.jaas.config"],
            read["b.sasl.jaas.config"].as_str(),
            "JSON has quotes of its own"
        );
        assert!(!read.contains_key("injected"));
        assert_eq!(read["b.security.protocol"], "SASL_SSL");
    }
    assert_eq!(refused, 1, "JAAS takes no line ends");
}

#[test]
fn references_are_made_by_us_alone() {
    let user = topology("${file:/etc/passwd:root}");
    let error =
        try_rendering(&user, &["mirrormaker2"], &Templates::embedded().unwrap()).unwrap_err();
    assert!(error.to_string().contains("sasl.username"), "{error}");
}

#[test]
fn settings_are_what_their_tools_take() {
    let topology = crate::support::parse(&topology("u").replace("engine: mirrormaker2, ", ""));
    let refused = |setting: &str| {
        let settings = match Settings::parse(&[setting]) {
            Ok(settings) => settings,
            Err(error) => return Some(error.to_string()),
        };
        let request = Request {
            topology: &topology,
            source: "",
            settings: &settings,
        };
        render(&request, &[], &Templates::embedded().unwrap())
            .err()
            .map(|error| error.to_string())
    };
    for good in [
        "kubernetes.namespace=kafka-2",
        "kubernetes.memory=512Mi",
        "systemd.memory-max=infinity",
        "systemd.memory-max=2G",
        "monitoring.listen=9470, [::1]:9464,replicator.example:9464",
        "ansible.replicators=m1.example, 10.0.0.7",
        "container.base=registry:5000/base/cc:1.2",
        "kubernetes.image=ghcr.io/team/mirrorctl:1",
        "kubernetes.lag=2000000",
        "kubernetes.prometheus=https://prometheus.example/path",
        "mirrormaker.streams=12",
        "mirrormaker.group=a group",
        "pipelines.location=s3://bucket/folder",
        "strimzi.rack-key=none",
        "strimzi.rack-key=example.com/rack",
    ] {
        assert_eq!(refused(good), None, "{good}");
    }
    for bad in [
        "kubernetes.namespace=a b",
        "kubernetes.namespace=",
        "kubernetes.namespace=-a",
        "kubernetes.memory=lots",
        "kubernetes.memory=",
        "kubernetes.memory=0Gi",
        "systemd.memory-max=huge",
        "monitoring.listen=a\"b:1",
        "monitoring.listen=99999",
        "monitoring.listen=host",
        "ansible.replicators=m1.example,,m2",
        "ansible.replicators=m1 m2",
        "ansible.replicators=m1,m1",
        "container.base=scratch\nRUN id",
        "container.base=",
        "kubernetes.image=not an image",
        "kubernetes.lag=0",
        "kubernetes.lag=+5",
        "kubernetes.prometheus=prometheus:9090",
        "kubernetes.prometheus=http://a b",
        "mirrormaker.streams=-1",
        "mirrormaker.streams=0",
        "mirrormaker.group=",
        "mirrormaker.command=a\nb",
        "pipelines.location=relative",
        "pipelines.table=1st",
        "strimzi.rack-key=a b",
        "strimzi.nodes=many",
    ] {
        let error = refused(bad).unwrap_or_default();
        let (name, _) = bad.split_once('=').unwrap();
        assert!(error.contains(name), "{bad}: {error}");
    }
}
