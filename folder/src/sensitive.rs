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
        r#"(?ix) (?: ^ | [\s"'_.,;(-] ) (?: pw | pwd | pass | psk ) ["']? \s* [:=]+ \s* (?P<value> \S.*)"#,
    )
    .expect("the expression is constant")
});
/// A login that is an option's value, and an access key of AWS, which is known by its shape.
static SHAPED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x) (?: \s -u \s* | \s --user [\s=]+ ) [^\s:]+ : (?P<login> \S.*) | \b (?P<value> (?: AKIA | ASIA ) [0-9A-Z]{16} ) \b",
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
}

/// The lines of a text, each without what reads like a secret and without its end.
pub fn shown(text: &str) -> Vec<String> {
    let mut within = Within::Nothing;
    text.lines()
        .map(|line| {
            if let Within::Block(indent) = within
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
                Within::Nothing => begun(line, &mut within),
            }
        })
        .collect()
}

/// A line outside of any secret, in which one may begin.
fn begun(line: &str, within: &mut Within) -> String {
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
        return hidden_from(line, value);
    }
    let others = [&OPTION, &LOGIN, &SHAPED];
    match others.iter().find_map(|it| value(it, line)) {
        Some(value) => hidden_from(line, value),
        None => line.to_owned(),
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
        ] {
            assert_eq!(shown(text), [text]);
        }
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
