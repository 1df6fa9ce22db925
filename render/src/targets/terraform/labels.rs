//! Names inside Terraform.

use std::collections::{BTreeMap, BTreeSet};

/// A label for each name, in the order given, that Terraform takes as part of a block's name and a shell as part of a
/// variable's: letters, digits and `_`. Names that would become the same label are numbered.
pub(super) fn labels<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, String> {
    let mut taken = BTreeSet::new();
    let mut labels = BTreeMap::new();
    for name in names {
        if labels.contains_key(name) {
            continue;
        }
        let plain: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        let mut label = plain.clone();
        let mut number = 2;
        while !taken.insert(label.clone()) {
            label = format!("{plain}_{number}");
            number += 1;
        }
        labels.insert(name.to_owned(), label);
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::labels;

    #[test]
    fn names_stay_apart() {
        let labels = labels(["a.b", "a_b", "a-b", "a.b", "ü"]);
        let values: Vec<&str> = labels.values().map(String::as_str).collect();
        assert_eq!(values, ["a_b_3", "a_b", "a_b_2", "_"]);
        assert_eq!(labels["a.b"], "a_b");
    }
}
