//! Texts of the topology inside the texts of other languages. What cannot be written safely is refused.

use std::fmt::Write as _;

/// A text that a language cannot hold, or only with another meaning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} cannot be written into {language}: {problem}")]
pub(crate) struct Unquotable {
    pub(crate) text: String,
    pub(crate) language: &'static str,
    pub(crate) problem: &'static str,
}

fn refuse(text: &str, language: &'static str, problem: &'static str) -> Unquotable {
    Unquotable {
        text: text.to_owned(),
        language,
        problem,
    }
}

/// Whether a text needs no quotes in any of the languages.
pub(crate) fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/'))
}

/// A double-quoted text of JSON, which is one of YAML too: everything that YAML does not print is escaped.
pub(crate) fn json(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if is_unprintable(c) => push_utf16(&mut quoted, c),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A text of several lines as a block of YAML, its lines that far to the right; where a block would not hold it as it is,
/// in double quotes.
pub(crate) fn yaml_block(text: &str, indent: usize) -> String {
    let body = text.strip_suffix('\n');
    let lines = body.unwrap_or(text);
    let is_plain = |c: char| c == '\n' || !is_unprintable(c);
    // the first line says how far to the right all are, and the end of the last one how the text ends
    if lines.starts_with([' ', '\n']) || lines.ends_with('\n') || lines.is_empty() {
        return json(text);
    }
    // readers disagree on lines of nothing but spaces
    let is_blank = |line: &str| !line.is_empty() && line.trim_start_matches(' ').is_empty();
    if !lines.chars().all(is_plain) || lines.split('\n').any(is_blank) {
        return json(text);
    }
    let mut block = if body.is_some() { "|" } else { "|-" }.to_owned();
    for line in lines.split('\n') {
        block.push('\n');
        if !line.is_empty() {
            block.extend(std::iter::repeat_n(' ', indent));
            block.push_str(line);
        }
    }
    block
}

/// What YAML escapes in double quotes, and line ends of Unicode, which readers treat differently.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

fn push_utf16(text: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        // writing to a String cannot fail
        let _ = write!(text, "\\u{unit:04x}");
    }
}

/// A double-quoted text of HCL, without interpolation.
pub(crate) fn hcl(text: &str) -> Result<String, Unquotable> {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\0' => return Err(refuse(text, "HCL", "NUL")),
            // `$${` would do, but not behind another dollar
            '$' | '%' if rest.peek() == Some(&'{') => push_utf16(&mut quoted, c),
            c if is_unprintable(c) => push_utf16(&mut quoted, c),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    Ok(quoted)
}

/// The value of a properties file, as Java reads it.
///
/// Kafka resolves `${provider:…}` in such values and knows no escape for it, so what looks like one is refused: a text of
/// the topology must not read files or variables of the machine that uses the file.
pub(crate) fn properties(text: &str) -> Result<String, Unquotable> {
    without_references(text).map(properties_with_references)
}

/// The text itself, where Kafka would resolve nothing in it.
pub(crate) fn without_references(text: &str) -> Result<&str, Unquotable> {
    if looks_like_reference(text) {
        return Err(refuse(
            text,
            "a properties file",
            "Kafka would resolve `${…:…}` in it",
        ));
    }
    Ok(text)
}

/// A value of a properties file whose references are meant.
pub(crate) fn properties_with_references(text: &str) -> String {
    escaped_properties(text, false)
}

/// The key of a properties file, as Java reads it.
pub(crate) fn properties_key(text: &str) -> Result<String, Unquotable> {
    if text.is_empty() {
        return Err(refuse(text, "the key of a properties file", "it is empty"));
    }
    Ok(escaped_properties(text, true))
}

fn looks_like_reference(text: &str) -> bool {
    text.match_indices("${").any(|(at, _)| {
        let inside = &text[at + 2..];
        let end = inside.find('}').unwrap_or(0);
        inside[..end].contains(':')
    })
}

fn escaped_properties(text: &str, is_key: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\u{c}' => escaped.push_str("\\f"),
            ' ' if is_key || at == 0 => escaped.push_str("\\ "),
            '=' | ':' | '#' | '!' if is_key || at == 0 => {
                escaped.push('\\');
                escaped.push(c);
            }
            // readers take Latin-1 or UTF-8: only ASCII is the same in both
            ' '..='~' => escaped.push(c),
            c => push_utf16(&mut escaped, c),
        }
    }
    escaped
}

/// A double-quoted value in `sasl.jaas.config`.
pub(crate) fn jaas(text: &str) -> Result<String, Unquotable> {
    if text.chars().any(char::is_control) {
        return Err(refuse(text, "sasl.jaas.config", "a control character"));
    }
    if looks_like_reference(text) {
        return Err(refuse(
            text,
            "sasl.jaas.config",
            "Kafka would resolve `${…:…}` in it",
        ));
    }
    Ok(format!(
        "\"{}\"",
        text.replace('\\', "\\\\").replace('"', "\\\"")
    ))
}

/// One word of a POSIX shell.
pub(crate) fn shell(text: &str) -> Result<String, Unquotable> {
    if text.contains('\0') {
        return Err(refuse(text, "a shell", "NUL"));
    }
    // a word that is plain may still be an option, which quotes would not change
    Ok(if is_plain(text) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    })
}

/// A single-quoted text of SQL that knows the backslash as an escape (Hive, Spark) or not (Redshift): so none is allowed.
pub(crate) fn sql(text: &str) -> Result<String, Unquotable> {
    if text.contains('\\') || text.chars().any(char::is_control) {
        return Err(refuse(
            text,
            "SQL",
            "a backslash or a control character, which engines read differently",
        ));
    }
    if text.contains('\'') {
        // Hive escapes a quote by a backslash, Redshift by another quote
        return Err(refuse(
            text,
            "SQL",
            "a quote, which engines escape differently",
        ));
    }
    Ok(format!("'{text}'"))
}

/// A text inside a comment: on one line, and without what ends a comment.
pub(crate) fn comment(text: &str) -> String {
    text.chars()
        .map(|c| if is_unprintable(c) { ' ' } else { c })
        .collect::<String>()
        .replace("--", "- -")
        .replace("*/", "* /")
}

/// Bytes as Kubernetes writes them, as short as they are exact.
pub(crate) fn quantity(bytes: u64) -> String {
    for (unit, shift) in [("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)] {
        let size = 1_u64 << shift;
        if bytes >= size && bytes.is_multiple_of(size) {
            return format!("{}{unit}", bytes / size);
        }
    }
    bytes.to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use saphyr::{LoadableYamlNode as _, Yaml};

    use super::*;

    const NASTY: &[&str] = &[
        "",
        " ",
        "'",
        "\"",
        "\\",
        "a\"; drop",
        "a' ; rm -rf / #",
        "$(touch x) `touch y`",
        "${env:HOME}",
        "${file:/etc/passwd:root}",
        "%{ if true }x%{ endif }",
        "line\nbreak: x",
        "\r\n\t\u{c}\u{1}\u{7f}",
        "# comment",
        "key = value",
        "- list",
        "{{ x }}",
        "é 漢 \u{2028}\u{feff}",
        "🦀",
        "yes",
        "null",
        "\\u0041",
        "ends with \\",
        "--",
        "-->",
    ];

    /// The reader of these tests does not put surrogates together, as Java does.
    fn is_within_one_unit(text: &str) -> bool {
        text.chars().all(|c| c.len_utf16() == 1)
    }

    fn read_properties(file: &str) -> Vec<(String, String)> {
        java_properties::read(file.as_bytes())
            .unwrap()
            .into_iter()
            .collect()
    }

    #[test]
    fn json_reads_what_was_written() {
        for text in NASTY {
            let quoted = json(text);
            assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), *text);
            assert!(!quoted.contains('\n') && !quoted.contains('\u{2028}'));
        }
    }

    #[test]
    fn a_block_of_yaml_keeps_lines_and_what_it_cannot_keep_is_quoted() {
        assert_eq!(yaml_block("a: 1\n\n  b\n", 2), "|\n  a: 1\n\n    b");
        assert_eq!(yaml_block("a", 4), "|-\n    a");
        for text in [" a\n", "\na\n", "a\n\n", "a\tb\n", "a\r\nb\n", "", "\n"] {
            assert!(yaml_block(text, 2).starts_with('"'), "{text:?}");
        }
    }

    #[test]
    fn java_reads_what_was_written() {
        assert_eq!(properties("🦀").unwrap(), "\\ud83e\\udd80");
        for text in NASTY.iter().filter(|it| is_within_one_unit(it)) {
            match properties(text) {
                Ok(value) => {
                    let file = format!("a={value}\nb=2\n");
                    let mut read = read_properties(&file);
                    read.sort();
                    assert_eq!(
                        read,
                        [
                            ("a".to_owned(), (*text).to_owned()),
                            ("b".to_owned(), "2".to_owned())
                        ],
                        "{file}"
                    );
                }
                Err(refused) => assert!(text.contains("${"), "{refused}"),
            }
        }
        assert!(properties("${env:HOME}").is_err());
        assert!(properties("x ${file:/etc/passwd:root} y").is_err());
        assert!(properties("${} a:b ${c} }: ${").is_ok());
    }

    #[test]
    fn a_shell_reads_one_word() {
        for text in NASTY {
            let script = format!("printf %s {}", shell(text).unwrap());
            let output = std::process::Command::new("sh")
                .arg("-c")
                .arg(&script)
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), *text, "{script}");
            assert_eq!(output.stderr, b"", "{script}");
        }
        assert!(shell("a\0b").is_err());
        assert_eq!(shell("plain-word/1.2").unwrap(), "plain-word/1.2");
    }

    #[test]
    fn hcl_neither_ends_nor_interpolates() {
        assert_eq!(hcl("a${b}%{c}$d").unwrap(), r#""a\u0024{b}\u0025{c}$d""#);
        assert_eq!(hcl("a\"b\\c\nd").unwrap(), r#""a\"b\\c\nd""#);
        assert!(hcl("\0").is_err());
        assert_eq!(hcl("$${x}").unwrap(), r#""$\u0024{x}""#);
    }

    #[test]
    fn jaas_values_stay_in_their_quotes() {
        assert_eq!(jaas(r#"a"b\c"#).unwrap(), r#""a\"b\\c""#);
        assert!(jaas("a\nb").is_err());
        assert!(jaas("${env:HOME}").is_err());
    }

    #[test]
    fn sql_refuses_what_engines_read_differently() {
        assert_eq!(sql("a b").unwrap(), "'a b'");
        for text in ["a'b", "a\\", "a\nb"] {
            assert!(sql(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn comments_stay_comments() {
        for text in NASTY {
            let line = comment(text);
            assert!(!line.contains(['\n', '\r', '\u{2028}']), "{line:?}");
            assert!(!line.contains("-->") && !line.contains("*/"), "{line:?}");
        }
    }

    #[test]
    fn quantities_are_exact() {
        assert_eq!(quantity(20 << 30), "20Gi");
        assert_eq!(quantity(1536 << 20), "1536Mi");
        assert_eq!(quantity(1000), "1000");
        assert_eq!(quantity(0), "0");
    }

    proptest! {
        #[test]
        fn any_text_survives_a_block_of_yaml(text in "([ -~é\u{2028}\t\r]{0,6}\n?){0,4}") {
            let document = format!("data:\n  text: {}\nmore: 1\n", yaml_block(&text, 4));
            let read = Yaml::load_from_str(&document).unwrap();
            prop_assert_eq!(read[0]["data"]["text"].as_str(), Some(text.as_str()), "{}", document);
        }

        #[test]
        fn any_text_survives_json(text in any::<String>()) {
            prop_assert_eq!(serde_json::from_str::<String>(&json(&text)).unwrap(), text);
        }

        #[test]
        fn any_text_survives_properties(key in "[\\u{0}-\\u{ffff}]{0,8}", value in "[\\u{0}-\\u{ffff}]{0,16}") {
            let (Ok(k), Ok(v)) = (properties_key(&key), properties(&value)) else { return Ok(()) };
            prop_assert_eq!(read_properties(&format!("{k}={v}\n")), vec![(key, value)]);
        }
    }
}
