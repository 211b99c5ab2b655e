//! CSV files: records by the names of their columns.

use super::MAX_RECORDS;
use super::record::{COLUMNS, Record};

const NAMES: [&str; COLUMNS] = [
    "FromPhoneNumber",
    "ToPhoneNumber",
    "Content",
    "SendTime(optional)",
    "AttachmentURLs(optional)",
];

/// The records of a file, but not many more than are allowed; `None` if it cannot be read.
pub(super) fn read(bytes: &[u8]) -> Option<Vec<Record>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).ok()?;
    // Every second byte of a text in UTF-16.
    if text.contains('\0') {
        return None;
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let header = reader.headers().ok()?;
    let places = NAMES.map(|name| header.iter().position(|column| column.trim() == name));
    let mut records = Vec::new();
    for row in reader.records().take(MAX_RECORDS + 1) {
        let row = row.ok()?;
        let cell = |place: Option<usize>| place.and_then(|at| row.get(at)).unwrap_or("").to_owned();
        records.push(Record {
            sheet_row: None,
            cells: places.map(cell),
        });
    }
    Some(records)
}

/// Where a comma is part of numbers, spreadsheets separate columns by semicolons.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or("");
    if header.matches(';').count() > header.matches(',').count() {
        b';'
    } else {
        b','
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "FromPhoneNumber,ToPhoneNumber,Content,SendTime(optional)";

    fn cells(text: &str) -> Option<Vec<[String; COLUMNS]>> {
        Some(
            read(text.as_bytes())?
                .into_iter()
                .map(|record| record.cells)
                .collect(),
        )
    }

    #[test]
    fn columns_are_found_by_name() {
        let found = cells("Content,Other,FromPhoneNumber\n\"a, \"\"b\"\"\nc\",x,123\n").unwrap();
        assert_eq!(
            found,
            [["123", "", "a, \"b\"\nc", "", ""].map(str::to_owned)]
        );
    }

    #[test]
    fn what_spreadsheets_write_is_read() {
        let plain = cells(&format!("{HEADER}\n1,2,hi,\n")).unwrap();
        for other in [
            format!("\u{feff}{HEADER}\r\n1,2,hi,\r\n"),
            format!("{}\n1;2;hi;", HEADER.replace(',', ";")),
            format!("{HEADER}\n\n1,2,hi,\n\n"),
        ] {
            assert_eq!(cells(&other).unwrap(), plain, "{other}");
        }
    }

    #[test]
    fn nothing_is_no_record_and_nonsense_is_refused() {
        assert_eq!(cells(""), Some(Vec::new()));
        assert_eq!(cells(HEADER), Some(Vec::new()));
        assert_eq!(cells(&format!("{HEADER}\n1,2\n")), None);
        let utf_16: Vec<u8> = HEADER.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(&utf_16), None);
        assert_eq!(read(b"FromPhoneNumber,Content\n1,caf\xe9\n"), None);
    }

    #[test]
    fn a_long_file_is_not_read_to_its_end() {
        let text = format!("Content\n{}", "x\n".repeat(5000));
        assert_eq!(read(text.as_bytes()).unwrap().len(), MAX_RECORDS + 1);
    }
}
