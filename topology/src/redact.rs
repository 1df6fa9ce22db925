//! Keeps secrets out of everything that is shown.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// What is written after `password:` or `clientSecret:` and is not a block: in a text that is not YAML, or where the key is written twice,
/// nothing else tells that it is a secret.
static PASSWORD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)\b(?:pass(?:word|wd|phrase)?|client_?secret)["']?[ \t]*:[ \t]+("[^"\n]*"?|'[^'\n]*'?|[^\s{\[,}#&*!|>][^,}\n#]*)"#)
        .expect("the expression is constant")
});

/// Replaces the marked places, and whatever looks like a password, by asterisks. Every place stays where it was.
pub(crate) fn redact(text: &str, marked: &[Range<usize>]) -> String {
    let looks_secret = PASSWORD
        .captures_iter(text)
        .filter_map(|captures| captures.get(1))
        .map(|found| found.range());
    let secrets: Vec<Range<usize>> = marked.iter().cloned().chain(looks_secret).collect();
    text.char_indices()
        .map(|(at, character)| {
            let secret = secrets.iter().any(|span| span.contains(&at));
            if secret && !character.is_whitespace() {
                // as many bytes as before, so that the spans stay right
                "*".repeat(character.len_utf8())
            } else {
                character.to_string()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn replaces_passwords_and_keeps_places() {
        for (text, shown) in [
            ("password: hunter2\n", "password: *******\n"),
            ("{password: \"a b\", x: 1}", "{password: ** **, x: 1}"),
            ("{\"password\": 'né'}", "{\"password\": *****}"),
            ("password: {env: PW}", "password: {env: PW}"),
            ("password:\n  env: PW", "password:\n  env: PW"),
            ("{clientSecret: hush}", "{clientSecret: ****}"),
            ("passenger: smith", "passenger: smith"),
        ] {
            assert_eq!(redact(text, &[]), shown);
            assert_eq!(redact(text, &[]).len(), text.len());
        }
        let marked = std::iter::once(3..9).collect::<Vec<_>>();
        assert_eq!(redact("a: geheim", &marked), "a: ******");
    }
}
