//! Statements about many rows at once. Their texts are for a few numbers of rows only, so that each
//! is prepared once.

use std::fmt::Write as _;
use std::sync::OnceLock;

/// How many rows one statement may be about, the most first.
const SIZES: [usize; 3] = [64, 8, 1];

/// The texts of a statement, one for each number of rows it may be about.
pub(crate) struct Texts {
    known: [OnceLock<String>; SIZES.len()],
    text: fn(usize) -> String,
}

impl Texts {
    /// What `text` makes of a number of rows.
    pub(crate) const fn new(text: fn(usize) -> String) -> Self {
        let known = [const { OnceLock::new() }; SIZES.len()];
        Self { known, text }
    }

    /// The text for so many rows, which is the size of a part.
    pub(crate) fn of(&self, rows: usize) -> &str {
        let place = SIZES.iter().position(|size| *size == rows);
        let known = &self.known[place.unwrap_or(SIZES.len() - 1)];
        known.get_or_init(|| (self.text)(rows))
    }
}

/// Splits rows into parts of the sizes that statements have.
pub(crate) fn parts<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= rows.len())?;
        let (part, rest) = rows.split_at(size);
        rows = rest;
        Some(part)
    })
}

/// Parameters for rows of so many columns: `($1, $2), ($3, $4)`.
pub(crate) fn values(columns: usize, rows: usize) -> String {
    let mut text = String::new();
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        text.push_str(&list(row * columns + 1, columns));
        text.push(')');
    }
    text
}

/// So many parameters from the `first` on: `$2, $3`.
pub(crate) fn list(first: usize, count: usize) -> String {
    let mut text = String::new();
    for number in first..first + count {
        // A text takes everything.
        let _ = write!(text, "{}${number}", if number == first { "" } else { ", " });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_split_into_few_sizes() {
        let rows = [0; 64 + 8 + 8 + 3];
        let sizes: Vec<_> = parts(&rows).map(<[_]>::len).collect();
        assert_eq!(sizes, [64, 8, 8, 1, 1, 1]);
        assert_eq!(parts::<i64>(&[]).count(), 0);
    }

    #[test]
    fn parameters_are_counted_through() {
        assert_eq!(values(2, 2), "($1, $2), ($3, $4)");
        assert_eq!(list(3, 2), "$3, $4");
        let texts = Texts::new(|rows| values(1, rows));
        assert_eq!(texts.of(1), "($1)");
        assert!(texts.of(8).ends_with(", ($8)"));
    }
}
