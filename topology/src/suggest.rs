//! "Did you mean …?"

/// The candidate most like the word, when one is like it at all.
pub(crate) fn closest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let score = strsim::jaro_winkler(&lower, &candidate.to_lowercase());
            let edits = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
            (candidate, score, edits)
        })
        .filter(|(candidate, score, edits)| {
            *score > 0.8 && (*edits <= 2 || *edits * 3 <= candidate.chars().count())
        })
        .max_by(|a, b| b.2.cmp(&a.2).then(a.1.total_cmp(&b.1)))
        .map(|(candidate, _, _)| candidate)
}

/// The hint for a word that is not among the known ones.
pub(crate) fn hint<'a>(
    word: &str,
    what: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    let list = known
        .clone()
        .into_iter()
        .map(|it| format!("`{it}`"))
        .collect::<Vec<_>>()
        .join(", ");
    match closest(word, known) {
        Some(candidate) => format!("did you mean `{candidate}`? {what}: {list}"),
        None if list.is_empty() => format!("{what}: none"),
        None => format!("{what}: {list}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let keys = ["alias", "platform", "bootstrapServers", "clusterId"];
        assert_eq!(closest("bootstrap_servers", keys), Some("bootstrapServers"));
        assert_eq!(closest("bootstrapServer", keys), Some("bootstrapServers"));
        assert_eq!(closest("alais", keys), Some("alias"));
        assert_eq!(closest("colour", keys), None);
    }

    #[test]
    fn lists_what_there_is() {
        assert_eq!(
            hint("onprm", "declared clusters", ["onprem", "aws"]),
            "did you mean `onprem`? declared clusters: `onprem`, `aws`"
        );
        assert_eq!(
            hint("x", "declared clusters", []),
            "declared clusters: none"
        );
    }
}
