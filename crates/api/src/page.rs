//! Which part of a list a query asks for (contract: API, §1.7). The bounds of `skip` and `limit`
//! are rules for their text, not their value: official clients ask for more than is documented.

use gateway::{Before, Fields, Page};

use crate::check;
use crate::error::Error;
use crate::query::Query;

/// How a route reads its `limit`.
pub(crate) struct Rule {
    /// Without one.
    pub(crate) default: i64,
    /// Its longest text.
    pub(crate) longest: usize,
}

/// Bytes of `query` at most, if a route says nothing else.
const QUERY: usize = 100;

/// The window of a list that has nothing else to be asked about; `invalid` says what is wrong otherwise.
pub(crate) fn of(query: &Query, rule: &Rule, invalid: &'static str) -> Result<Page, Error> {
    let mut wrong = Fields::default();
    let page = read(query, rule, &mut wrong);
    let right = wrong.check();
    right.map_err(|wrong| Error::Invalid(invalid, wrong))?;
    Ok(page)
}

/// Reads the window.
pub(crate) fn read(query: &Query, rule: &Rule, wrong: &mut Fields) -> Page {
    read_with(query, rule, QUERY, wrong)
}

/// The same, where `query` has at most so many bytes.
pub(crate) fn read_with(
    query: &Query,
    rule: &Rule,
    longest_query: usize,
    wrong: &mut Fields,
) -> Page {
    let limit = query.text("limit");
    let limit = if limit.trim().is_empty() {
        rule.default
    } else {
        let number = number("limit", limit, wrong);
        if limit.chars().count() > rule.longest {
            wrong.add(
                "limit",
                format!("The limit field must be maximum {} char", rule.longest),
            );
        }
        number
    };
    let skip = match query.text("skip").trim() {
        "" => 0,
        skip => number("skip", skip, wrong),
    };
    let text = query.text("query");
    check::at_most(wrong, "query", text, longest_query);
    Page {
        skip,
        limit,
        query: text.to_owned(),
    }
}

/// Reads `days`: how far back to look.
pub(crate) fn days(query: &Query, default: i64, most: i64, wrong: &mut Fields) -> i64 {
    let text = query.text("days").trim();
    match text.parse() {
        Ok(days) if (1..=most).contains(&days) => days,
        _ if text.is_empty() => default,
        _ => {
            wrong.add(
                "days",
                format!("The days field must be between 1 and {most}"),
            );
            default
        }
    }
}

/// Reads the place in a list that is sorted by time, newest first, from which on it is asked for:
/// `before` is the time of the last row that was seen, `before_id` its id.
pub(crate) fn before(query: &Query, wrong: &mut Fields) -> Option<Before> {
    let time = check::time(wrong, "before", query.text("before"));
    let id = match query.text("before_id") {
        "" => None,
        text => check::uuid(wrong, "before_id", text),
    };
    time.map(|time| Before { time, id })
}

/// A number of any length; what no integer can hold is the largest or smallest.
fn number(name: &str, text: &str, wrong: &mut Fields) -> i64 {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        wrong.add(name, format!("The {name} field must be numeric"));
        return 0;
    }
    let beyond = if text.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    };
    text.parse().unwrap_or(beyond)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule {
        default: 7,
        longest: 20,
    };

    fn window(query: &str) -> Result<(i64, i64), String> {
        let mut wrong = Fields::default();
        let page = read(&Query::lenient(query), &RULE, &mut wrong);
        match wrong.check() {
            Ok(()) => Ok((page.skip, page.limit)),
            Err(wrong) => Err(serde_json::to_string(&wrong).unwrap()),
        }
    }

    #[test]
    fn any_whole_number_is_taken() {
        for (query, expected) in [
            ("", (0, 7)),
            ("limit=&skip=+", (0, 7)),
            ("limit=100&skip=+5+", (5, 100)),
            ("limit=0", (0, 0)),
            ("limit=-1&skip=-3", (-3, -1)),
            ("limit=99999999999999999999", (0, i64::MAX)),
            ("limit=-9999999999999999999", (0, i64::MIN)),
        ] {
            assert_eq!(window(query), Ok(expected), "{query}");
        }
    }

    #[test]
    fn anything_else_is_told() {
        for (query, expected) in [
            (
                "limit=ten",
                r#"{"limit":["The limit field must be numeric"]}"#,
            ),
            (
                "limit=+1",
                r#"{"limit":["The limit field must be numeric"]}"#,
            ),
            (
                "limit=1.5&skip=x",
                r#"{"limit":["The limit field must be numeric"],"skip":["The skip field must be numeric"]}"#,
            ),
            (
                "limit=000000000000000000001",
                r#"{"limit":["The limit field must be maximum 20 char"]}"#,
            ),
        ] {
            assert_eq!(window(query), Err(expected.to_owned()), "{query}");
        }
        let long = format!("query={}", "x".repeat(101));
        assert_eq!(
            window(&long),
            Err(r#"{"query":["The query field must be maximum 100 char"]}"#.to_owned())
        );
    }
}
