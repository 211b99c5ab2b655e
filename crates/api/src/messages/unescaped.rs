//! Reports whose reason was put between quotes without escaping it, so that they are no JSON: what
//! the phone meant can still be told, because the names and forms of the other members are known.

use gateway::Time;

use super::report::Said;

const MEMBERS: [&str; 3] = ["event_name", "reason", "timestamp"];

/// Reads what can be understood; `None` without the name of an event.
pub(super) fn read(body: &str) -> Option<Said> {
    let timestamp = plain(body, "timestamp").and_then(|text| text.parse::<Time>().ok());
    Some(Said {
        event_name: plain(body, "event_name")?.to_owned(),
        timestamp,
        reason: reason(body).map(|reason| reason.replace('\0', "\u{fffd}")),
    })
}

/// A text without quotes in it.
fn plain<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let value = body[value_at(body, name)?..].strip_prefix('"')?;
    value.split_once('"').map(|(text, _)| text)
}

/// Everything up to the quote before the next member, or before the end.
fn reason(body: &str) -> Option<&str> {
    let text = body[value_at(body, "reason")?..].strip_prefix('"')?;
    let ends = text.match_indices('"').map(|(at, _)| at);
    let end = ends
        .clone()
        .find(|at| starts_member(&text[at + 1..]))
        .or_else(|| ends.clone().rfind(|at| is_end(&text[at + 1..])))
        .or_else(|| ends.clone().next_back());
    Some(end.map_or(text, |end| &text[..end]))
}

/// Where the value of a member begins.
fn value_at(body: &str, name: &str) -> Option<usize> {
    let quoted = format!("\"{name}\"");
    body.match_indices(&quoted).find_map(|(at, _)| {
        let rest = body[at + quoted.len()..].trim_start().strip_prefix(':')?;
        Some(body.len() - rest.trim_start().len())
    })
}

/// `, "timestamp":` and the like.
fn starts_member(rest: &str) -> bool {
    let Some(rest) = rest.trim_start().strip_prefix(',') else {
        return false;
    };
    MEMBERS.iter().any(|name| {
        rest.trim_start()
            .strip_prefix('"')
            .and_then(|rest| rest.strip_prefix(name))
            .and_then(|rest| rest.strip_prefix('"'))
            .is_some_and(|rest| rest.trim_start().starts_with(':'))
    })
}

fn is_end(rest: &str) -> bool {
    rest.trim() == "}"
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-01-02T03:04:05.678000000Z";

    fn said(event_name: &str, reason: Option<&str>, timestamp: Option<&str>) -> Said {
        Said {
            event_name: event_name.to_owned(),
            timestamp: timestamp.map(|at| at.parse().unwrap()),
            reason: reason.map(str::to_owned),
        }
    }

    #[test]
    fn a_reason_with_quotes_and_lines_is_read_as_it_is() {
        let reason = "java.lang.X: \"no\" {\n\t\"a\", }\\ end";
        let body =
            format!(r#"{{"event_name": "FAILED", "reason": "{reason}", "timestamp": "{AT}"}}"#);
        assert_eq!(read(&body), Some(said("FAILED", Some(reason), Some(AT))));
    }

    #[test]
    fn members_may_stand_in_any_order() {
        let body = format!(
            "{{\"timestamp\":\"{AT}\",\"event_name\":\"FAILED\",\"reason\":\"a \"b\" c\"}}\n"
        );
        assert_eq!(
            read(&body),
            Some(said("FAILED", Some("a \"b\" c"), Some(AT)))
        );
        let body = format!(
            "{{\"reason\" : \"\"x\"\" , \"event_name\":\"FAILED\", \"timestamp\":\"{AT}\"}}"
        );
        assert_eq!(read(&body), Some(said("FAILED", Some("\"x\""), Some(AT))));
    }

    #[test]
    fn what_is_missing_is_missing() {
        assert_eq!(
            read(r#"{"event_name":"SENT","reason":null,"#),
            Some(said("SENT", None, None))
        );
        assert_eq!(
            read(r#"{"event_name":"FAILED","reason":"cut o"#),
            Some(said("FAILED", Some("cut o"), None))
        );
        assert_eq!(
            read(r#"{"event_name":"FAILED","reason":"a"b","timestamp":"noon"}"#),
            Some(said("FAILED", Some("a\"b"), None))
        );
        for nothing in [
            "",
            "{",
            "event_name",
            r#"{"event_name":"#,
            r#"{"event_name": 5}"#,
            r#"{"event_name"#,
        ] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
    }
}
