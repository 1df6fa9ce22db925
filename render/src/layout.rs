//! HCL as `terraform fmt` writes it: the equals signs of attributes on consecutive lines stand in one column.
//!
//! A template cannot know which of its lines are left out. Everything else of the form (two spaces a level, one around an equals
//! sign) is the template's own.

/// A line: what stands before the equals sign of an attribute, and its value where that ends on the line.
struct Line<'a> {
    lead: &'a str,
    value: Option<&'a str>,
}

/// The text with its attributes aligned.
pub(crate) fn hcl(text: &str) -> String {
    let lines: Vec<Line<'_>> = text.lines().map(line).collect();
    let mut laid = String::with_capacity(text.len());
    let mut at = 0;
    while at < lines.len() {
        let run = lines[at..]
            .iter()
            .take_while(|line| line.value.is_some())
            .count();
        let widest = lines[at..at + run]
            .iter()
            .map(|line| line.lead.chars().count())
            .max()
            .unwrap_or(0);
        for line in &lines[at..at + run.max(1)] {
            laid.push_str(line.lead);
            if let Some(value) = line.value {
                let missing = widest - line.lead.chars().count();
                laid.extend(std::iter::repeat_n(' ', missing));
                laid.push_str(" = ");
                laid.push_str(value);
            }
            laid.push('\n');
        }
        at += run.max(1);
    }
    laid
}

fn line(text: &str) -> Line<'_> {
    let whole = Line {
        lead: text.trim_end(),
        value: None,
    };
    let body = text.trim_start();
    let Some(at) = equals(body) else {
        return whole;
    };
    let value = body[at + 1..].trim();
    // what opens a bracket goes on, and what closes one ends an attribute above
    if brackets(value) != 0 {
        return Line {
            lead: whole.lead,
            value: None,
        };
    }
    let indentation = text.len() - body.len();
    Line {
        lead: text[..indentation + at].trim_end(),
        value: Some(value),
    }
}

/// Where the equals sign of an attribute is: behind one name, which may be quoted or in round brackets.
fn equals(body: &str) -> Option<usize> {
    let name = match body.as_bytes().first()? {
        b'"' => 1 + body[1..].find('"')? + 1,
        b'(' => body.find(')')? + 1,
        _ => body.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-'))?,
    };
    let rest = &body[name..];
    let sign = rest.trim_start();
    let second = sign.as_bytes().get(1);
    (name > 0 && sign.starts_with('=') && !matches!(second, Some(b'=' | b'>')))
        .then(|| name + rest.len() - sign.len())
}

/// How many brackets stay open, outside of texts.
fn brackets(value: &str) -> i32 {
    let mut open = 0;
    // for each text that is being read, how many braces its interpolation has open; none where it is read as letters
    let mut texts: Vec<u32> = Vec::new();
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        let in_letters = texts.last() == Some(&0);
        match c {
            '\\' if in_letters => {
                chars.next();
            }
            '"' if in_letters => {
                texts.pop();
            }
            '$' | '%' if in_letters && chars.peek() == Some(&'{') => {
                chars.next();
                if let Some(depth) = texts.last_mut() {
                    *depth = 1;
                }
            }
            _ if in_letters => {}
            '"' => texts.push(0),
            '{' | '}' if !texts.is_empty() => {
                if let Some(depth) = texts.last_mut() {
                    *depth = if c == '{' { *depth + 1 } else { *depth - 1 };
                }
            }
            '#' if texts.is_empty() => break,
            '(' | '[' | '{' if texts.is_empty() => open += 1,
            ')' | ']' | '}' if texts.is_empty() => open -= 1,
            _ => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_on_consecutive_lines_stand_in_one_column() {
        let written = r#"module "a" {
  source = "./b"
  providers = { aws = aws.x }

  a = 1
  "quoted" = "${x["y"]} {"
  # a comment ends the run
  list = [
    1,
  ]
  longer   = a == b ? c : d
  b = 2
  (key) = "a\"b}"
  for_each = toset([for x in y : x if x => z])
}
"#;
        let laid = r#"module "a" {
  source    = "./b"
  providers = { aws = aws.x }

  a        = 1
  "quoted" = "${x["y"]} {"
  # a comment ends the run
  list = [
    1,
  ]
  longer   = a == b ? c : d
  b        = 2
  (key)    = "a\"b}"
  for_each = toset([for x in y : x if x => z])
}
"#;
        assert_eq!(hcl(written), laid);
        assert_eq!(hcl(laid), laid);
    }
}
