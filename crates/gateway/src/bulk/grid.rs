//! A file as rows of texts, whatever its format.

/// Columns that are kept of a file; what stands further right is not seen.
pub(super) const MAX_COLUMNS: usize = 100;

/// A file's first row, and what follows it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Grid {
    pub header: Vec<String>,
    pub lines: Vec<Line>,
}

/// A row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// As people count the rows of the file, from 1.
    pub number: usize,
    pub cells: Vec<String>,
}
