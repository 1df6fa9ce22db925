//! Names inside addresses: what may hold anything becomes one unambiguous word.

use std::fmt::Write as _;

/// `text` with what separates the parts of an address, and what a shell line cannot show, percent-encoded.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        if matches!(char, '%' | '/' | '<') || char.is_whitespace() || char.is_control() {
            let mut bytes = [0; 4];
            for byte in char.encode_utf8(&mut bytes).bytes() {
                // writing to a String cannot fail
                let _ = write!(escaped, "%{byte:02X}");
            }
        } else {
            escaped.push(char);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn different_texts_stay_different_and_hold_no_separator() {
        for (text, label) in [
            ("pay.orders", "pay.orders"),
            ("User:CN=a,O=b", "User:CN=a,O=b"),
            ("a/b", "a%2Fb"),
            ("a%2Fb", "a%252Fb"),
            ("<default>", "%3Cdefault>"),
            ("two words\n", "two%20words%0A"),
            ("grün", "grün"),
        ] {
            assert_eq!(escaped(text), label);
        }
    }
}
