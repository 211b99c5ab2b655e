//! Which column of a file is what: as the template has it, or as the client says.

use super::grid::Line;
use super::record::{COLUMNS, Record};

/// The template's names, in the order of its columns.
pub(super) const NAMES: [&str; COLUMNS] = [
    "FromPhoneNumber",
    "ToPhoneNumber",
    "Content",
    "SendTime(optional)",
    "AttachmentURLs(optional)",
];

/// A column, as a client names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// By the text in the file's first row, letter case and outer blanks aside.
    Named(String),
    /// By its place, from 0.
    At(usize),
}

/// What the columns of a file are, as a client says. What is not named is empty in every row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    /// Whom the SMS are from.
    pub from: Option<Column>,
    /// Whom they go to.
    pub to: Option<Column>,
    /// Their texts.
    pub content: Option<Column>,
    /// When to send them.
    pub send_time: Option<Column>,
    /// URLs of what is sent along, separated by commas.
    pub attachments: Option<Column>,
}

/// Where the columns of a record are.
pub(super) struct Layout {
    places: [Option<usize>; COLUMNS],
    /// The client said so, and wants rows to be called as the file has them.
    mapped: bool,
    /// A sheet by the template: what is no record there is passed over.
    by_place: bool,
}

impl Layout {
    /// The columns of a table with this header.
    pub(super) fn of_table(header: &[String]) -> Self {
        Self {
            places: NAMES.map(|name| header.iter().position(|column| column.trim() == name)),
            mapped: false,
            by_place: false,
        }
    }

    /// The columns of a sheet, by their places.
    pub(super) fn of_sheet() -> Self {
        Self {
            places: std::array::from_fn(Some),
            mapped: false,
            by_place: true,
        }
    }

    /// The columns that a client named; what is not in the file is told.
    pub(super) fn mapped(mapping: &Mapping, header: &[String]) -> Result<Self, Vec<String>> {
        let columns = [
            &mapping.from,
            &mapping.to,
            &mapping.content,
            &mapping.send_time,
            &mapping.attachments,
        ];
        let mut missing = Vec::new();
        let places = columns.map(|column| {
            let column = column.as_ref()?;
            let place = find(column, header);
            if place.is_none() {
                missing.push(match column {
                    Column::Named(name) => format!("The file has no column [{name}]."),
                    Column::At(at) => format!("The file has no column with the index [{at}]."),
                });
            }
            place
        });
        if !missing.is_empty() {
            return Err(missing);
        }
        Ok(Self {
            places,
            mapped: true,
            by_place: false,
        })
    }

    /// The record in a line, if it is one; it is the file's `index`th, and from `sender` if it
    /// names nobody.
    pub(super) fn record(&self, line: &Line, index: usize, sender: Option<&str>) -> Option<Record> {
        if !self.is_record(&line.cells, sender.is_some()) {
            return None;
        }
        let cell = |place: Option<usize>| place.and_then(|at| line.cells.get(at)).cloned();
        let mut cells = self.places.map(|place| cell(place).unwrap_or_default());
        if let (true, Some(sender)) = (cells[0].trim().is_empty(), sender) {
            sender.clone_into(&mut cells[0]);
        }
        Some(Record {
            row: if self.mapped { line.number } else { index + 2 },
            sheet_row: self.by_place.then_some(line.number),
            cells,
        })
    }

    /// Of a sheet by the template only what has three cells at least, the first of them not blank;
    /// elsewhere what is not blank altogether. Of a table every line.
    fn is_record(&self, cells: &[String], has_sender: bool) -> bool {
        let filled = |cell: &String| !cell.trim().is_empty();
        if self.by_place && !has_sender {
            return cells.first().is_some_and(filled)
                && cells.iter().skip(2).any(|cell| !cell.is_empty());
        }
        !(self.by_place || self.mapped) || cells.iter().any(filled)
    }
}

fn find(column: &Column, header: &[String]) -> Option<usize> {
    match column {
        Column::At(at) => Some(*at).filter(|at| *at < header.len()),
        Column::Named(name) => {
            let name = name.trim().to_lowercase();
            header
                .iter()
                .position(|column| column.trim().to_lowercase() == name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
        texts.map(str::to_owned).to_vec()
    }

    fn line(number: usize, cells: &[&str]) -> Line {
        let cells = cells.iter().map(|cell| (*cell).to_owned()).collect();
        Line { number, cells }
    }

    #[test]
    fn a_client_names_columns_by_their_text_or_place() {
        let header = texts(["Name", " Mobile ", "Message"]);
        let mapping = Mapping {
            to: Some(Column::Named("mobile".to_owned())),
            content: Some(Column::At(2)),
            ..Mapping::default()
        };
        let layout = Layout::mapped(&mapping, &header).unwrap();
        let found = layout.record(&line(7, &["Ann", "123", "hi"]), 0, Some("9"));
        let expected = Record {
            row: 7,
            sheet_row: None,
            cells: ["9", "123", "hi", "", ""].map(str::to_owned),
        };
        assert_eq!(found, Some(expected));
        assert_eq!(layout.record(&line(8, &["", " ", ""]), 1, Some("9")), None);
    }

    #[test]
    fn what_is_not_in_the_file_is_told() {
        let mapping = Mapping {
            from: Some(Column::Named("Sender".to_owned())),
            to: Some(Column::At(1)),
            ..Mapping::default()
        };
        assert_eq!(
            Layout::mapped(&mapping, &texts(["a"])).err().unwrap(),
            [
                "The file has no column [Sender].",
                "The file has no column with the index [1]."
            ]
        );
    }

    #[test]
    fn a_default_sender_makes_records_of_rows_without_one() {
        let sheet = Layout::of_sheet();
        let row = line(3, &["", "18005550100", "hi"]);
        assert_eq!(sheet.record(&row, 0, None), None);
        let found = sheet.record(&row, 0, Some("18005550199")).unwrap();
        assert_eq!((found.row, found.cells[0].as_str()), (2, "18005550199"));
        let table = Layout::of_table(&texts(["Content", "FromPhoneNumber"]));
        let found = table.record(&line(2, &["hi", ""]), 0, None).unwrap();
        assert_eq!(found.cells, ["", "", "hi", "", ""]);
    }
}
