//! The line that Java's clients log in by: `module required key="value" …;`.

use std::iter::Peekable;
use std::str::Chars;

/// The value of an option. One that stands for a text elsewhere (`${file:…}`) is none.
pub(super) fn option(line: &str, name: &str) -> Option<String> {
    let mut letters = line.chars().peekable();
    while letters.peek().is_some() {
        blanks(&mut letters);
        let word = word(&mut letters);
        blanks(&mut letters);
        if letters.next_if_eq(&'=').is_some() {
            blanks(&mut letters);
            let value = value(&mut letters)?;
            if word == name {
                return Some(value).filter(|it| !it.is_empty() && !it.starts_with("${"));
            }
        } else if word.is_empty() {
            letters.next();
        }
    }
    None
}

fn blanks(letters: &mut Peekable<Chars<'_>>) {
    while letters.next_if(|c| c.is_whitespace()).is_some() {}
}

fn word(letters: &mut Peekable<Chars<'_>>) -> String {
    let ends = |c: &char| c.is_whitespace() || matches!(c, '=' | ';');
    std::iter::from_fn(|| letters.next_if(|c| !ends(c))).collect()
}

/// Absent where a quoted value has no end.
fn value(letters: &mut Peekable<Chars<'_>>) -> Option<String> {
    let Some(quote) = letters.next_if(|c| matches!(c, '"' | '\'')) else {
        return Some(word(letters));
    };
    let mut value = String::new();
    loop {
        match letters.next()? {
            '\\' => value.push(letters.next()?),
            end if end == quote => return Some(value),
            letter => value.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::option;

    #[test]
    fn an_option_is_found_however_it_is_written() {
        for (line, found) in [
            (r#"M required username="me" password="x";"#, Some("me")),
            (
                r"M required password='a username=b' username='it\'s me';",
                Some("it's me"),
            ),
            ("M required username = me;", Some("me")),
            ("M required username=me", Some("me")),
            (
                r#"M required myusername="other" username="me";"#,
                Some("me"),
            ),
            (r#"M required username="${file:/x:user}";"#, None),
            (r#"M required username="unfinished"#, None),
            ("M required;;", None),
        ] {
            assert_eq!(option(line, "username").as_deref(), found, "{line}");
        }
    }
}
