//! Extra headers of a webhook's requests. Their values are secrets: no message repeats one.

use std::collections::BTreeMap;

use gateway::Fields;
use http::HeaderName;

use crate::json::Members;

const NAME: &str = "headers";

/// The most headers of a webhook.
const MOST: usize = 20;

/// The longest name and the longest value, in bytes.
const LONGEST_NAME: usize = 255;
const LONGEST_VALUE: usize = 1024;

/// Names, and beginnings of names, that say something about the request itself.
const RESERVED: [&str; 6] = [
    "content-type",
    "content-length",
    "host",
    "connection",
    "transfer-encoding",
    "x-event-type",
];
const RESERVED_BEGINNINGS: [&str; 2] = ["webhook-", "ce-"];

/// Reads the headers; `None` if they are absent.
pub(super) fn read(body: &Members<'_>, wrong: &mut Fields) -> Option<BTreeMap<String, String>> {
    let object: Members<'_> = body.read(NAME, || {
        wrong.add(NAME, "The headers field must be an object of strings");
    })?;
    if object.entries().count() > MOST {
        wrong.add(
            NAME,
            format!("The headers field must be maximum {MOST} in size"),
        );
        return None;
    }
    let mut headers = BTreeMap::new();
    let mut names = std::collections::HashSet::new();
    for (name, json) in object.entries() {
        let name = name.trim();
        let told = name_rule(name).or_else(|| {
            let again = !names.insert(name.to_ascii_lowercase());
            again.then(|| format!("The headers field has the name [{name}] twice"))
        });
        match told.map_or_else(|| value(name, json), Err) {
            Ok(value) => drop(headers.insert(name.to_owned(), value)),
            Err(message) => wrong.add(NAME, message),
        }
    }
    Some(headers)
}

/// What is wrong with a name.
fn name_rule(name: &str) -> Option<String> {
    if name.len() > LONGEST_NAME || HeaderName::from_bytes(name.as_bytes()).is_err() {
        let shown: String = name.chars().take(LONGEST_NAME).collect();
        return Some(format!(
            "The headers field has the name [{shown}], which is no name of a header"
        ));
    }
    let lower = name.to_ascii_lowercase();
    let reserved = RESERVED.contains(&lower.as_str())
        || RESERVED_BEGINNINGS
            .iter()
            .any(|beginning| lower.starts_with(beginning));
    reserved.then(|| format!("The headers field has the name [{name}], which is reserved"))
}

fn value(name: &str, json: &str) -> Result<String, String> {
    let text: Option<String> = serde_json::from_str(json).ok();
    let text = text.map(|text| text.trim_matches([' ', '\t']).to_owned());
    let visible = |text: &String| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    text.filter(|text| text.len() <= LONGEST_VALUE)
        .filter(visible)
        .ok_or_else(|| {
            format!("The headers field needs a value of visible ASCII characters, at most {LONGEST_VALUE}, for [{name}]")
        })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn headers(value: &Value) -> Result<Option<BTreeMap<String, String>>, String> {
        let text = json!({"headers": value}).to_string();
        let mut wrong = Fields::default();
        let headers = read(&Members::parse(text.as_bytes()).unwrap(), &mut wrong);
        match wrong.check() {
            Ok(()) => Ok(headers),
            Err(wrong) => Err(serde_json::to_string(&wrong).unwrap()),
        }
    }

    #[test]
    fn names_and_values_are_kept() {
        assert_eq!(headers(&Value::Null), Ok(None));
        assert_eq!(headers(&json!({})), Ok(Some(BTreeMap::new())));
        let kept = headers(&json!({"Authorization": " Bearer x ", "X-Empty": ""}));
        let expected = [("Authorization", "Bearer x"), ("X-Empty", "")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(kept, Ok(Some(BTreeMap::from(expected))));
    }

    #[test]
    fn what_is_wrong_is_told_without_values() {
        for (value, expected) in [
            (json!([]), "must be an object of strings"),
            (json!({"x y": "sesame"}), "[x y], which is no name"),
            (json!({"": "sesame"}), "[], which is no name"),
            (json!({"Host": "sesame"}), "[Host], which is reserved"),
            (
                json!({"Webhook-Id": "sesame"}),
                "[Webhook-Id], which is reserved",
            ),
            (json!({"ce-x": "sesame"}), "[ce-x], which is reserved"),
            (json!({"x": "sesame", "X": "sesame"}), "] twice"),
            (json!({"x": 1}), "for [x]"),
            (json!({"x": "sesame\r\ny: z"}), "for [x]"),
            (json!({"x": "sesamé"}), "for [x]"),
            (json!({"x": "s".repeat(1025)}), "for [x]"),
        ] {
            let told = headers(&value).unwrap_err();
            assert!(told.contains(expected) && !told.contains("sesam"), "{told}");
        }
        let many: Value = (0..21).map(|n| (format!("x-{n}"), json!("v"))).collect();
        assert!(headers(&many).unwrap_err().contains("maximum 20 in size"));
    }
}
