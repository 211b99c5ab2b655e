//! CSV files.

use super::MAX_RECORDS;
use super::grid::{Grid, Line, MAX_COLUMNS};

/// The rows of a file, but not many more than are allowed; `None` if it cannot be read.
pub(super) fn read(bytes: &[u8]) -> Option<Grid> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).ok()?;
    // Every second byte of a text in UTF-16.
    if text.contains('\0') {
        return None;
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let cells = |row: &csv::StringRecord| row.iter().take(MAX_COLUMNS).map(str::to_owned).collect();
    let header = cells(reader.headers().ok()?);
    let mut lines = Vec::new();
    for (row, number) in reader.records().take(MAX_RECORDS + 1).zip(2..) {
        let cells = cells(&row.ok()?);
        lines.push(Line { number, cells });
    }
    Some(Grid { header, lines })
}

/// Where a comma is part of numbers, spreadsheets separate columns by semicolons; some by tabs.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or("");
    // Of those that occur as often the last.
    [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|byte| header.matches(char::from(*byte)).count())
        .unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "FromPhoneNumber,ToPhoneNumber,Content,SendTime(optional)";

    fn cells(text: &str) -> Option<Vec<Vec<String>>> {
        let grid = read(text.as_bytes())?;
        let lines = grid.lines.into_iter().map(|line| line.cells);
        Some(std::iter::once(grid.header).chain(lines).collect())
    }

    #[test]
    fn texts_in_quotes_hold_anything() {
        let found = cells("Content,Other\n\"a, \"\"b\"\"\nc\",x\n").unwrap();
        assert_eq!(found[1], ["a, \"b\"\nc", "x"]);
    }

    #[test]
    fn what_spreadsheets_write_is_read() {
        let plain = cells(&format!("{HEADER}\n1,2,hi,\n")).unwrap();
        for other in [
            format!("\u{feff}{HEADER}\r\n1,2,hi,\r\n"),
            format!("{}\n1;2;hi;", HEADER.replace(',', ";")),
            format!("{}\n1\t2\thi\t", HEADER.replace(',', "\t")),
            format!("{HEADER}\n\n1,2,hi,\n\n"),
        ] {
            assert_eq!(cells(&other).unwrap(), plain, "{other}");
        }
    }

    #[test]
    fn nothing_is_no_row_and_nonsense_is_refused() {
        assert_eq!(read(b""), Some(Grid::default()));
        assert_eq!(cells(HEADER).unwrap().len(), 1);
        assert_eq!(cells(&format!("{HEADER}\n1,2\n")), None);
        let utf_16: Vec<u8> = HEADER.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(&utf_16), None);
        assert_eq!(read(b"FromPhoneNumber,Content\n1,caf\xe9\n"), None);
    }

    #[test]
    fn a_long_or_broad_file_is_not_read_to_its_end() {
        let text = format!("Content\n{}", "x\n".repeat(5000));
        assert_eq!(read(text.as_bytes()).unwrap().lines.len(), MAX_RECORDS + 1);
        let broad = ",".repeat(1 << 20);
        assert_eq!(read(broad.as_bytes()).unwrap().header.len(), MAX_COLUMNS);
    }
}
