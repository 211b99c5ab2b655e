//! XLSX files: the first sheet.
//!
//! A file of some kilobytes can claim to hold gigabytes: what it inflates to is measured first, and
//! the sheet is read cell by cell, never as the rectangle that its cells span.

use std::io::{Cursor, Read as _};
use std::sync::LazyLock;

use calamine::{DataRef, ExcelDateTime, Reader as _, Xlsx};
use jiff::{Unit, civil};
use regex::bytes::Regex;
use zip::ZipArchive;

use super::MAX_RECORDS;
use super::grid::{Grid, Line, MAX_COLUMNS};

/// Bytes of all parts at most.
const MAX_INFLATED: u64 = 64 << 20;
/// Bytes at most of a part that is held in memory: any but a sheet.
const MAX_HELD: u64 = 8 << 20;
/// Elements at most of such a part, each of which may take some hundred bytes of memory.
const MAX_ELEMENTS: usize = 200_000;
/// Parts at most.
const MAX_PARTS: usize = 1000;
/// Bytes of text at most that are kept of a sheet.
const MAX_KEPT: usize = 8 << 20;

/// The rows of a file's first sheet, but not many more of those that `is_record` than are allowed;
/// `None` if it cannot be read.
pub(super) fn read(bytes: &[u8], is_record: impl Fn(&Line) -> bool) -> Option<Grid> {
    is_harmless(bytes)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).ok()?;
    let first = book.sheet_names().into_iter().next()?;
    let mut cells = book.worksheet_cells_reader(&first).ok()?;
    let (mut grid, mut row) = (Grid::default(), Row::default());
    while let Some(cell) = cells.next_cell().ok()? {
        let (at, column) = cell.get_position();
        if at != row.index {
            row.end(at, &mut grid, &is_record);
            if grid.lines.len() > MAX_RECORDS {
                return Some(grid);
            }
        }
        row.put(usize::try_from(column).ok()?, cell.get_value())?;
    }
    row.end(0, &mut grid, &is_record);
    Some(grid)
}

/// The row of the sheet that is being read.
#[derive(Default)]
struct Row {
    /// Its number, from 0.
    index: u32,
    cells: Vec<String>,
    /// Bytes of all rows so far.
    kept: usize,
}

impl Row {
    fn put(&mut self, column: usize, value: &DataRef<'_>) -> Option<()> {
        let text = text(value);
        if column < MAX_COLUMNS && !text.is_empty() {
            self.kept += text.len();
            if self.cells.len() <= column {
                self.cells.resize(column + 1, String::new());
            }
            self.cells[column] = text;
        }
        (self.kept <= MAX_KEPT).then_some(())
    }

    /// Puts what was read where it belongs: the first row holds the names of the columns.
    fn end(&mut self, next: u32, grid: &mut Grid, is_record: impl Fn(&Line) -> bool) {
        let cells = std::mem::take(&mut self.cells);
        let index = std::mem::replace(&mut self.index, next);
        let number = usize::try_from(index).unwrap_or(usize::MAX) + 1;
        if index == 0 {
            grid.header = cells;
            return;
        }
        grid.lines
            .extend(Some(Line { number, cells }).filter(is_record));
    }
}

/// A cell as it is shown; a formula is its value. No database keeps U+0000.
fn text(value: &DataRef<'_>) -> String {
    let text = shown(value);
    if text.contains('\0') {
        return text.replace('\0', "\u{fffd}");
    }
    text
}

fn shown(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        // A telephone number is a number to a spreadsheet. Formatted so, it has no fraction.
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(true) => "TRUE".to_owned(),
        DataRef::Bool(false) => "FALSE".to_owned(),
        DataRef::DateTime(time) => date(time).unwrap_or_else(|| time.as_f64().to_string()),
        DataRef::Error(error) => error.to_string(),
    }
}

/// Spreadsheets count days with a fraction: seconds are rounded.
fn date(time: &ExcelDateTime) -> Option<String> {
    let (year, month, day, hour, minute, second, millis) = time.to_ymd_hms_milli();
    let date = civil::DateTime::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
        i8::try_from(hour).ok()?,
        i8::try_from(minute).ok()?,
        i8::try_from(second).ok()?,
        i32::from(millis) * 1_000_000,
    );
    let rounded = date.ok()?.round(Unit::Second).ok()?;
    Some(rounded.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

/// Inflates every part once, keeping at most one, and refuses what would take too much memory.
fn is_harmless(bytes: &[u8]) -> Option<()> {
    // Behind other files an archive may hide, too: they would be opened as what they begin with.
    if !bytes.starts_with(b"PK") {
        return None;
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    if archive.len() > MAX_PARTS {
        return None;
    }
    let mut left = MAX_INFLATED;
    for index in 0..archive.len() {
        let part = archive.by_index(index).ok()?;
        let name = part.name().ok()?.to_ascii_lowercase();
        // The sheet is streamed. What is named like one is still never held, by its place.
        let is_sheet = name.rsplit(['/', '\\']).next()?.starts_with("sheet");
        let allowed = if is_sheet { left } else { left.min(MAX_HELD) };
        if part.size() > allowed {
            return None;
        }
        let mut part = part.take(allowed + 1);
        let inflated = if is_sheet {
            std::io::copy(&mut part, &mut std::io::sink()).ok()?
        } else {
            let mut held = Vec::new();
            part.read_to_end(&mut held).ok()?;
            is_modest(&held)?;
            held.len() as u64
        };
        if inflated > allowed {
            return None;
        }
        left -= inflated;
    }
    Some(())
}

/// Memory is taken by the number of elements, and for as many as a part says it has.
fn is_modest(part: &[u8]) -> Option<()> {
    static CLAIM: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?i)count\s*=\s*["']\s*\+?[0-9]{7}"#).ok());
    let elements = part.split(|byte| *byte == b'<').count();
    let claims = CLAIM.as_ref()?.is_match(part);
    // Markup in 16-bit characters would hide from both.
    let is_wide = part.starts_with(b"\xff\xfe") || part.starts_with(b"\xfe\xff");
    (elements <= MAX_ELEMENTS && !claims && !is_wide).then_some(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    const PACKAGE: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    const BOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="One" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
    const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
    const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>"#;

    fn book(rows: &str, strings: &str) -> Vec<u8> {
        let sheet = format!(
            r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
        );
        zipped(&[
            ("_rels/.rels", PACKAGE),
            ("xl/workbook.xml", BOOK),
            ("xl/_rels/workbook.xml.rels", RELATIONS),
            ("xl/styles.xml", STYLES),
            ("xl/sharedStrings.xml", strings),
            ("xl/worksheets/sheet1.xml", &sheet),
        ])
    }

    fn zipped(parts: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in parts {
            archive
                .start_file(*name, SimpleFileOptions::default())
                .unwrap();
            archive.write_all(text.as_bytes()).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    fn strings(texts: &[&str]) -> String {
        let items: Vec<_> = texts
            .iter()
            .map(|text| format!("<si><t>{text}</t></si>"))
            .collect();
        format!("<sst>{}</sst>", items.concat())
    }

    fn all(bytes: &[u8]) -> Option<Grid> {
        read(bytes, |line| !line.cells.is_empty())
    }

    #[test]
    fn cells_are_read_as_they_are_shown() {
        let rows = r#"<row r="1"><c r="A1"><v>1</v></c><c r="C1"><v>1</v></c></row>
            <row r="3"><c r="A3"><v>18005550199</v></c><c r="B3"><v>18005550100</v></c>
              <c r="C3" t="s"><v>0</v></c><c r="D3" s="1"><v>46083.5</v></c><c r="F3"><v>9</v></c></row>
            <row r="4"><c r="A4"><v>18005550199</v></c><c r="B4"><v>2</v></c></row>
            <row r="5"><c r="A5" t="inlineStr"><is><t> </t></is></c><c r="C5"><v>2</v></c></row>
            <row r="7"><c r="A7"><f>B1</f><v>18005550199</v></c><c r="B7"/>
              <c r="C7" t="str"><f>"a"&amp;"b"</f><v>ab</v></c></row>"#;
        let found = all(&book(rows, &strings(&["hello"]))).unwrap();
        assert_eq!(found.header, ["1", "", "1"]);
        let line = |number, cells: &[&str]| Line {
            number,
            cells: cells.iter().map(|cell| (*cell).to_owned()).collect(),
        };
        let long = [
            "18005550199",
            "18005550100",
            "hello",
            "2026-03-02T12:00:00",
            "",
            "9",
        ];
        let expected = [
            line(3, &long),
            line(4, &["18005550199", "2"]),
            line(5, &["", "", "2"]),
            line(7, &["18005550199", "", "ab"]),
        ];
        assert_eq!(found.lines, expected);
    }

    #[test]
    fn a_cell_far_away_costs_nothing() {
        let rows =
            r#"<row r="1048576"><c r="A1048576"><v>1</v></c><c r="XFD1048576"><v>1</v></c></row>"#;
        let found = all(&book(rows, &strings(&[]))).unwrap();
        assert_eq!((found.lines.len(), found.lines[0].cells.len()), (1, 1));
    }

    #[test]
    fn bombs_are_refused_before_they_are_opened() {
        let row = "<row><c><v>1</v></c><c/><c><v>1</v></c></row>";
        assert_eq!(
            all(&book(&row.repeat(3), &strings(&[])))
                .unwrap()
                .lines
                .len(),
            2
        );
        let long = row.repeat((MAX_INFLATED as usize) / row.len() + 1);
        assert_eq!(all(&book(&long, &strings(&[]))), None);
        let heavy = strings(&[&"x".repeat(MAX_HELD as usize)]);
        assert_eq!(all(&book(row, &heavy)), None);
        let many = format!("<sst>{}</sst>", "<si/>".repeat(MAX_ELEMENTS));
        assert_eq!(all(&book(row, &many)), None);
        for claim in [
            r#"<sst uniqueCount="99999999999"></sst>"#,
            "<sst  uniqueCount = '+9999999'></sst>",
        ] {
            assert_eq!(all(&book(row, claim)), None, "{claim}");
        }
        assert_eq!(all(b"PK\x03\x04nonsense"), None);
        assert_eq!(all(b""), None);
    }

    #[test]
    fn a_long_sheet_is_not_read_to_its_end() {
        let row = "<row><c><v>1</v></c><c/><c><v>1</v></c></row>";
        let found = all(&book(&row.repeat(5000), &strings(&[]))).unwrap();
        assert_eq!(found.lines.len(), MAX_RECORDS + 1);
    }
}
