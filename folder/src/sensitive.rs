//! Lines as they may be shown: what reads like a secret is not in them.
//!
//! Nothing that is rendered holds one, but people write passwords into such files, and topologies are taken along whole. A line
//! that is hidden and need not be costs less than one that is shown.

use std::sync::LazyLock;

use regex::Regex;

/// What stands for a secret.
const HIDDEN: &str = "(sensitive)";

/// A key that has one of these words in it, and where its value begins.
static KEYED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?ix)
        [\w.-]* (?: passw(?:or)?d | passphrase | secret | token | credential | authorization
            | api[_.-]?key | access[_.-]?key | private[_.-]?key ) [\w.-]*
        (?: ["']? \s* [:=>]+ \s* | \s+ bearer \s+ )
        (?P<value> \S.*)"#,
    )
    .expect("the expression is constant")
});
/// The short words for it, which are parts of other words: here they are a word of the key by themselves.
static KEYED_SHORT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?ix) (?: ^ | [\s"'_.,;:=({\[-] ) (?: pw | pwd | pass | psk ) ["']? \s* [:=]+ \s* (?P<value> \S.*)"#,
    )
    .expect("the expression is constant")
});
/// A login that is an option's value, and an access key of AWS, which is known by its shape.
static SHAPED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x) (?: (?: ^ | \s ) -u \s* | (?: ^ | \s ) --user [\s=]+ ) [^\s:]+ : (?P<login> \S.*) | \b (?P<value> (?: AKIA | ASIA ) [0-9A-Z]{16} ) \b",
    )
    .expect("the expression is constant")
});
/// An option of a command, whose value follows after a space.
static OPTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)--[\w-]*(?:passw(?:or)?d|secret|token|api-?key)[\w-]*\s+(?P<value>\S.*)")
        .expect("the expression is constant")
});
/// A login within an address.
static LOGIN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"://[^/\s:@]+:(?P<value>[^@\s]+)@").expect("the expression is constant")
});
/// A value that says where a secret is, and is none: a variable, an expression of a template or of Terraform, a block of
/// YAML that names a variable or a file.
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?x) ^ ["']? (?:
            \$\{ [^}]* \} | \$\( [^)]* \) | \$ [A-Z_][A-Z0-9_]* | \{\{ [^}]* \}\}
            | \{ \s* (?: env | file ) \s* : [^{}]* \} | (?: var | local | module | data ) (?: \. \w+ )+
            | [{\[(]
        ) ["']? [\s,;)}\]]* $"#,
    )
    .expect("the expression is constant")
});
/// An entry of a list that names a secret, as variables of containers are given, and what follows in the same line.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?ix) (?: ^ | [\s"'{,-] ) name ["']? \s* : \s* ["']? [\w.-]*
        (?: passw(?:or)?d | passphrase | secret | token | credential | api[_.-]?key | access[_.-]?key | private[_.-]?key
            | \b pw \b | _pw \b | _pwd \b | _pass \b ) [\w.-]* ["']? (?P<rest> .*) $"#,
    )
    .expect("the expression is constant")
});
/// Where the value of such an entry begins.
static VALUE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)(?:^|[\s"'{,-])value["']?\s*:\s*(?P<value>\S.*)"#)
        .expect("the expression is constant")
});
/// Where the data of a Secret begin; those of others stand under `data` as well.
static DATA: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\s*(?P<key>stringData|data):\s*$").expect("constant"));
static SECRET: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"^\s*kind:\s*["']?Secret["']?\s*$"#).expect("constant"));
/// An entry of such data.
static ENTRY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^\s*["']?[\w.-]+["']?:\s+(?P<value>\S.*)"#).expect("the expression is constant")
});
static KEY_BEGINS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("-----BEGIN [A-Z ]*PRIVATE KEY-----").expect("constant"));
const KEY_ENDS: &str = "-----END ";

/// What the lines before say about the next one.
enum Within {
    Nothing,
    /// A private key.
    Key,
    /// A block of YAML that is the value of such a key, which is indented this far.
    Block(usize),
    /// The data of a Secret: where their key is indented to, and their entries.
    Data(usize, Option<usize>),
}

/// The lines of a text, each without what reads like a secret and without its end.
pub fn shown(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut shown = one_by_one(&lines);
    hide_named(&lines, &mut shown);
    shown
}

/// Hides values that stand in the line after their names, or in the one before.
fn hide_named(lines: &[&str], shown: &mut [String]) {
    let is_name = |line: &str| {
        let rest = NAMED.captures(line).and_then(|it| it.name("rest"));
        rest.is_some_and(|rest| value(&VALUE, rest.as_str()).is_none())
    };
    for at in (0..lines.len()).filter(|at| is_name(lines[*at])) {
        for near in [at.checked_sub(1), Some(at + 1)].into_iter().flatten() {
            let Some(line) = lines.get(near) else {
                continue;
            };
            // a dash begins another entry
            let another = if near > at { line } else { &lines[at] };
            if another.trim_start().starts_with('-') {
                continue;
            }
            if let Some(begins) = value(&VALUE, line) {
                shown[near] = hidden_from(line, begins);
                // a block of lines is its value
                let indent = indentation(line);
                let more = (near + 1..lines.len()).take_while(|it| {
                    line[begins..].starts_with(['|', '>']) && indentation(lines[*it]) > indent
                });
                for it in more {
                    shown[it] = hidden_from(lines[it], indentation(lines[it]));
                }
            }
        }
    }
}

fn one_by_one(lines: &[&str]) -> Vec<String> {
    let mut within = Within::Nothing;
    // of the document of YAML that the line is in
    let mut secret = false;
    lines
        .iter()
        .copied()
        .map(|line| {
            secret = !line.starts_with("---") && (secret || SECRET.is_match(line));
            if let Within::Block(indent) | Within::Data(indent, _) = within
                && !line.trim().is_empty()
                && indentation(line) <= indent
            {
                within = Within::Nothing;
            }
            match within {
                Within::Key => {
                    if line.contains(KEY_ENDS) {
                        within = Within::Nothing;
                    }
                    HIDDEN.to_owned()
                }
                Within::Block(_) => hidden_from(line, indentation(line)),
                Within::Data(_, ref mut entries) => datum(line, entries),
                Within::Nothing => begun(line, secret, &mut within),
            }
        })
        .collect()
}

/// A line outside of any secret, in which one may begin.
fn begun(line: &str, secret: bool, within: &mut Within) -> String {
    if let Some(key) = DATA.captures(line).and_then(|it| it.name("key"))
        && (secret || key.as_str() == "stringData")
    {
        *within = Within::Data(indentation(line), None);
        return line.to_owned();
    }
    if let Some(begins) = KEY_BEGINS.find(line) {
        if !line[begins.end()..].contains(KEY_ENDS) {
            *within = Within::Key;
        }
        return hidden_from(line, begins.start());
    }
    if let Some(value) = value(&KEYED, line).or_else(|| value(&KEYED_SHORT, line)) {
        if line[value..].starts_with(['|', '>']) {
            *within = Within::Block(indentation(line));
            return line.to_owned();
        }
        return hidden_from(line, first(line).unwrap_or(value));
    }
    match first(line) {
        Some(value) => hidden_from(line, value),
        None => line.to_owned(),
    }
}

/// Where the first secret of a line begins: what follows is hidden with it.
fn first(line: &str) -> Option<usize> {
    let all: [&Regex; 5] = [&KEYED, &KEYED_SHORT, &OPTION, &LOGIN, &SHAPED];
    let named = NAMED.captures(line).and_then(|it| it.name("rest"));
    let named = named.and_then(|rest| Some(rest.start() + value(&VALUE, rest.as_str())?));
    let found = all.iter().filter_map(|it| value(it, line));
    found.chain(named).min()
}

/// A line within the data of a Secret: keys are no secrets, and neither is where one comes from.
fn datum(line: &str, entries: &mut Option<usize>) -> String {
    let indent = indentation(line);
    if line.trim().is_empty() {
        return line.to_owned();
    }
    let entry = ENTRY.captures(line).and_then(|it| it.name("value"));
    match entry.filter(|_| *entries.get_or_insert(indent) == indent) {
        Some(found) if REFERENCE.is_match(found.as_str()) => line.to_owned(),
        Some(found) if found.as_str().starts_with(['|', '>']) => line.to_owned(),
        Some(found) => hidden_from(line, found.start()),
        None => hidden_from(line, indent),
    }
}

/// Where the first value that is no reference begins.
fn value(expression: &Regex, line: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let found = expression.captures_at(line, from)?;
        let found = found.name("value").or_else(|| found.name("login"))?;
        // where several stand in a line, the value of the first holds the others
        if !REFERENCE.is_match(found.as_str()) {
            return Some(found.start());
        }
        from = found.end();
    }
}

fn hidden_from(line: &str, at: usize) -> String {
    format!("{}{HIDDEN}", &line[..at])
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn what_reads_like_a_secret_is_hidden() {
        for (text, expected) in [
            ("sasl.password=hunter2", "sasl.password=(sensitive)"),
            ("  password: hunter2 # mine", "  password: (sensitive)"),
            (
                "\"clientSecret\": \"a b\",",
                "\"clientSecret\": (sensitive)",
            ),
            (
                "jaas=Login required username=\"u\" password=\"x\";",
                "jaas=Login required username=\"u\" password=(sensitive)",
            ),
            ("<password>x</password>", "<password>(sensitive)"),
            ("DB_PASSWORD='$ecret'", "DB_PASSWORD=(sensitive)"),
            ("run --password hunter2 --x", "run --password (sensitive)"),
            ("Authorization: Bearer abc", "Authorization: (sensitive)"),
            ("url=https://u:p@host/x", "url=https://u:(sensitive)"),
            (
                "AWS_SECRET_ACCESS_KEY=abc",
                "AWS_SECRET_ACCESS_KEY=(sensitive)",
            ),
            ("password: ${A}-tail", "password: (sensitive)"),
            ("export KAFKA_PW=hunter2", "export KAFKA_PW=(sensitive)"),
            ("DB_PWD='x'", "DB_PWD=(sensitive)"),
            ("kafka.pass: x", "kafka.pass: (sensitive)"),
            ("{\"pw\": \"x\"}", "{\"pw\": (sensitive)"),
            ("curl -u me:x https://host", "curl -u me:(sensitive)"),
            ("curl --user=me:x", "curl --user=me:(sensitive)"),
            ("id AKIAIOSFODNN7EXAMPLE", "id (sensitive)"),
            (
                "x --password hunter2 --api-key=hunter3",
                "x --password (sensitive)",
            ),
            (
                "curl -u admin:hunter2 https://bob:hunter3@host/x",
                "curl -u admin:(sensitive)",
            ),
            ("Environment=PW=hunter2", "Environment=PW=(sensitive)"),
            (
                "- {name: DB_PASSWORD, value: hunter2}",
                "- {name: DB_PASSWORD, value: (sensitive)",
            ),
            (
                "{\"name\": \"KAFKA_PW\", \"value\": \"hunter2\"},",
                "{\"name\": \"KAFKA_PW\", \"value\": (sensitive)",
            ),
        ] {
            assert_eq!(shown(text), [expected], "{text}");
        }
    }

    #[test]
    fn where_a_secret_is_may_be_read() {
        for text in [
            "sasl.password=${env:PW}",
            "password: {env: KAFKA_PW}",
            "password: {file: /run/secrets/pw},",
            "  password = var.password",
            "password: \"{{ lookup('env', 'PW') }}\"",
            "# passwords are read where the file is used",
            "PASSWORD=$KAFKA_PW",
            "secretKeyRef:",
            "bootstrap.servers=a:9092",
            "passenger: smith",
            "bypass: true",
            "KAFKA_PW=$KAFKA_PW",
            "pw: {env: KAFKA_PW}",
            "sudo -u kafka id",
            "useradd --user-group kafka:kafka",
            "url=https://host:9092/x",
            "- {name: TOPIC, value: orders}",
            "name: password-topic",
        ] {
            assert_eq!(shown(text), [text]);
        }
    }

    #[test]
    fn a_value_beside_the_name_of_a_secret_is_hidden() {
        let text = "- name: KAFKA_PASSWORD\n  value: hunter2\n- name: TOPIC\n  value: orders\n- value: hunter3\n  \
                    name: api-key\n- name: DB_TOKEN\n  valueFrom: x\n- name: T\n  value: ${A}\n- name: MY_SECRET\n  value: |\n    \
                    hunter4\n  more: 1\n";
        assert_eq!(
            shown(text),
            [
                "- name: KAFKA_PASSWORD",
                "  value: (sensitive)",
                "- name: TOPIC",
                "  value: orders",
                "- value: (sensitive)",
                "  name: api-key",
                "- name: DB_TOKEN",
                "  valueFrom: x",
                "- name: T",
                "  value: ${A}",
                "- name: MY_SECRET",
                "  value: (sensitive)",
                "    (sensitive)",
                "  more: 1",
            ]
        );
    }

    #[test]
    fn the_data_of_a_secret_are_hidden_and_others_are_not() {
        let text = "kind: ConfigMap\ndata:\n  a: b\n---\nkind: Secret\ndata:\n  kafka: aHVudGVy\n---\nstringData:\n  kafka: hunter2\n  \
                    from: ${PW}\n  long: |\n    one: two\n    hunter3\ntype: Opaque\n";
        assert_eq!(
            shown(text),
            [
                "kind: ConfigMap",
                "data:",
                "  a: b",
                "---",
                "kind: Secret",
                "data:",
                "  kafka: (sensitive)",
                "---",
                "stringData:",
                "  kafka: (sensitive)",
                "  from: ${PW}",
                "  long: |",
                "    (sensitive)",
                "    (sensitive)",
                "type: Opaque",
            ]
        );
    }

    #[test]
    fn secrets_of_several_lines_are_hidden_whole() {
        let text = "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nxyz=\n-----END RSA PRIVATE KEY-----\nb\n\
                    password: |\n  one\n\n  two\nnext: 1\n";
        let hidden = "(sensitive)";
        assert_eq!(
            shown(text),
            [
                "a",
                hidden,
                hidden,
                hidden,
                hidden,
                "b",
                "password: |",
                "  (sensitive)",
                "(sensitive)",
                "  (sensitive)",
                "next: 1"
            ]
        );
    }
}
