//! Texts of a topology that try to leave their quotes.

use crate::support::{file, try_rendering};
use mirrorctl_render::Templates;

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
        let Ok(rendering) =
            try_rendering(&text, &["mirrormaker2"], &Templates::embedded().unwrap())
        else {
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
