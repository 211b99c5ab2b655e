//! Reading an uploaded file and what the client says of it.

use gateway::bulk::{Column, Mapping, Upload};
use gateway::{Fields, PhoneNumber};
use serde::Deserialize;

use super::INVALID;
use crate::check;
use crate::error::Error;
use crate::form::Form;
use crate::json::Members;

pub(super) fn read(form: &Form) -> Result<Upload, Error> {
    let file = form
        .file("document")
        .ok_or_else(|| Error::malformed("the form has no file with the name document"))?;
    let mut wrong = Fields::default();
    let mapping = match form.text("mapping")? {
        "" => None,
        text => Some(mapping(text, &mut wrong)),
    };
    let from = sender(form.text("from")?, &mut wrong);
    wrong
        .check()
        .map_err(|wrong| Error::Invalid(INVALID, wrong))?;
    Ok(Upload {
        name: file.file_name.clone().unwrap_or_default(),
        content_type: file.content_type.clone(),
        content: file.content.to_vec(),
        mapping,
        from,
    })
}

/// Whom rows are from that name no sender.
fn sender(text: &str, wrong: &mut Fields) -> Option<PhoneNumber> {
    (!text.is_empty())
        .then(|| check::phone_number(wrong, "from", text))
        .flatten()
}

/// A column as JSON has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Wire {
    Name(String),
    Place(usize),
}

fn mapping(text: &str, wrong: &mut Fields) -> Mapping {
    const NAME: &str = "mapping";
    let Ok(members) = Members::parse(text.as_bytes()) else {
        wrong.add(NAME, "The mapping field must be a JSON object");
        return Mapping::default();
    };
    let mut column = |name: &str| {
        let mut fits = true;
        let column = members.read(name, || fits = false);
        if !fits {
            wrong.add(
                NAME,
                format!("The mapping of {name} must be the name of a column, or its index from 0"),
            );
        }
        column.map(|column| match column {
            Wire::Name(name) => Column::Named(name),
            Wire::Place(at) => Column::At(at),
        })
    };
    let mapping = Mapping {
        from: column("from"),
        to: column("to"),
        content: column("content"),
        send_time: column("send_time"),
        attachments: column("attachments"),
    };
    if mapping.to.is_none() && wrong.is_empty() {
        wrong.add(NAME, "The mapping must say which column is to");
    }
    mapping
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_by_text_or_place() {
        let mut wrong = Fields::default();
        let read = mapping(
            r#"{"to": "Mobile", "content": 2, "from": null}"#,
            &mut wrong,
        );
        let expected = Mapping {
            to: Some(Column::Named("Mobile".to_owned())),
            content: Some(Column::At(2)),
            ..Mapping::default()
        };
        assert!(wrong.is_empty() && read == expected, "{wrong:?} {read:?}");
    }

    #[test]
    fn what_names_no_column_is_told() {
        for (text, message) in [
            ("[]", "The mapping field must be a JSON object"),
            ("{", "The mapping field must be a JSON object"),
            (
                r#"{"to": -1}"#,
                "The mapping of to must be the name of a column, or its index from 0",
            ),
            (
                r#"{"content": 1}"#,
                "The mapping must say which column is to",
            ),
        ] {
            let mut wrong = Fields::default();
            mapping(text, &mut wrong);
            assert_eq!(wrong, Fields::one("mapping", message), "{text}");
        }
    }
}
