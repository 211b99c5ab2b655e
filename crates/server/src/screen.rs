//! What the program says to whoever started it, on standard output.
//! The log goes to standard error and is no part of this.

use std::fmt::Display;
use std::io::Write as _;

/// Writes a line. A reader who has gone away is no reason to stop.
pub fn line(text: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
