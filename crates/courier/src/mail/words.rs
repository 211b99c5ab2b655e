//! What a mail server says, as it may stand in a log: in one line, and without the recipient's name.

/// Longer answers are cut.
const LONGEST: usize = 200;

/// The words without this local part of an address, where it stands by itself.
pub(super) fn without(local: &str, words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    // Of ASCII letters alone, so that places in one are places in the other.
    let (lower, local) = (line.to_ascii_lowercase(), local.to_ascii_lowercase());
    let (mut shown, mut from) = (String::with_capacity(line.len()), 0);
    let found = lower.match_indices(&local).map(|(at, _)| at);
    for at in found.filter(|at| !local.is_empty() && is_apart(&lower, *at, local.len())) {
        shown.extend([&line[from..at], "…"]);
        from = at + local.len();
    }
    shown.push_str(&line[from..]);
    shown.chars().take(LONGEST).collect()
}

fn is_apart(text: &str, at: usize, length: usize) -> bool {
    let before = text[..at].chars().next_back();
    let after = text[at + length..].chars().next();
    !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_goes_and_the_rest_stays() {
        for (said, shown) in [
            (
                "550 <Ann@example.org>: unknown",
                "550 <…@example.org>: unknown",
            ),
            ("user ann is annoyed, Ann!", "user … is annoyed, …!"),
            ("no\r\nsuch \t user", "no such user"),
            ("ännann ann", "ännann …"),
            ("", ""),
        ] {
            assert_eq!(without("ann", said), shown, "{said}");
        }
        assert_eq!(without("", "no such user"), "no such user");
    }

    #[test]
    fn long_answers_are_cut() {
        assert_eq!(without("ann", &"é".repeat(500)).chars().count(), LONGEST);
    }
}
