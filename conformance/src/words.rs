//! Numbers in evidence, as people read them.

/// `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 partition`, `2,000 partitions`. The noun in the singular.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// Adds `; 2,000 still being written` to what was said, where there is any.
pub(crate) fn add_if_any(said: &mut String, number: u64, words: &str) {
    if number > 0 {
        said.push_str("; ");
        said.push_str(&count(number));
        said.push(' ');
        said.push_str(words);
    }
}

#[cfg(test)]
mod tests {
    use super::{count, counted};

    #[test]
    fn thousands_are_set_apart_and_one_is_singular() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(50_000), "50,000");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "partition"), "1 partition");
        assert_eq!(counted(0, "record"), "0 records");
        assert_eq!(counted(1_000, "record"), "1,000 records");
    }
}
