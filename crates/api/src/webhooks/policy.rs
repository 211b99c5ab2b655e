//! How a webhook wants to be told, as a request says it. What is absent is as by default; what has
//! a wrong type or name is told under its field.

use gateway::Fields;
use gateway::phone::Sim;
use gateway::webhook::filter::{Direction, Filter};
use gateway::webhook::policy::{Mode, Ordering, Policy, RetrySchedule};
use serde::Deserialize;

use crate::json::Members;

/// What is wrong, until the rules of the product have spoken.
#[derive(Default)]
struct Complaints(Vec<(String, String)>);

/// Reads the policy, and what is wrong with it.
pub(super) fn read(body: &Members<'_>) -> (Policy, Fields) {
    let mut complaints = Complaints::default();
    let of = &mut complaints;
    let policy = Policy {
        retry_schedule: of.member::<RetrySchedule>(body, "", "retry_schedule", SCHEDULE),
        ordering: of.member::<Ordering>(body, "", "ordering", "one of none, contact"),
        mode: of.member::<Mode>(body, "", "mode", "one of structured, binary, 3cx"),
        max_concurrency: of.member(body, "", "max_concurrency", CONCURRENCY),
        max_per_second: of.member(body, "", "max_per_second", RATE),
        sign_body: of.member(body, "", "sign_body", FLAG),
        catch_up: of.member(body, "", "catch_up", FLAG),
        all_phone_numbers: of.member(body, "", "all_phone_numbers", FLAG),
        filter: filter(body, of),
    };
    let mut wrong = policy.check().err().unwrap_or_default();
    for (name, message) in complaints.0 {
        wrong.add(&name, message);
    }
    (policy, wrong)
}

const SCHEDULE: &str =
    "one of documented, hour, day, three_days, or a list of delays in whole seconds";
const CONCURRENCY: &str = "a whole number between 1 and 1024";
const RATE: &str = "a whole number between 1 and 100000";
const FLAG: &str = "true or false";

fn filter(body: &Members<'_>, of: &mut Complaints) -> Filter {
    let object: Option<Members<'_>> = of.member(body, "", "filter", "an object");
    let Some(object) = object else {
        return Filter::default();
    };
    Filter {
        contacts: of.member(&object, "filter.", "contacts", "a list of strings"),
        content: of.member(&object, "filter.", "content", "a string"),
        sims: of.member::<Vec<Sim>>(&object, "filter.", "sims", "a list of SIM1, SIM2"),
        directions: of.member::<Vec<Direction>>(
            &object,
            "filter.",
            "directions",
            "a list of in, out",
        ),
    }
}

impl Complaints {
    /// A member; its default if it is absent or not what it `must_be`.
    fn member<'a, T: Default + Deserialize<'a>>(
        &mut self,
        body: &Members<'a>,
        prefix: &str,
        name: &str,
        must_be: &str,
    ) -> T {
        let value = body.read(name, || {
            let field = format!("{prefix}{name}");
            let message = format!("The {field} field must be {must_be}");
            self.0.push((field, message));
        });
        value.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(body: &serde_json::Value) -> serde_json::Value {
        let text = body.to_string();
        let (_, wrong) = read(&Members::parse(text.as_bytes()).unwrap());
        serde_json::to_value(wrong).unwrap()
    }

    #[test]
    fn what_is_absent_is_as_by_default() {
        let (policy, wrong) = read(&Members::parse(b"{\"mode\":null,\"filter\":{}}").unwrap());
        assert_eq!(policy, Policy::default());
        assert!(wrong.is_empty());
    }

    #[test]
    fn wrong_types_and_wrong_values_are_told_together() {
        let body = json!({
            "retry_schedule": "soon", "ordering": 1, "mode": "Binary", "max_concurrency": 70_000,
            "max_per_second": 0, "sign_body": "yes",
            "filter": {"contacts": "+1", "content": "(", "sims": ["SIM3"], "directions": [null]},
        });
        let must_be = |name: &str, what: &str| json!([format!("The {name} field must be {what}")]);
        let expected = json!({
            "retry_schedule": must_be("retry_schedule", SCHEDULE),
            "ordering": must_be("ordering", "one of none, contact"),
            "mode": must_be("mode", "one of structured, binary, 3cx"),
            "max_concurrency": must_be("max_concurrency", CONCURRENCY),
            "max_per_second": must_be("max_per_second", "between 1 and 100000"),
            "sign_body": must_be("sign_body", FLAG),
            "filter.contacts": must_be("filter.contacts", "a list of strings"),
            "filter.content": must_be("filter.content", "a regular expression"),
            "filter.sims": must_be("filter.sims", "a list of SIM1, SIM2"),
            "filter.directions": must_be("filter.directions", "a list of in, out"),
        });
        assert_eq!(said(&body), expected);
        let expected = json!({"filter": must_be("filter", "an object")});
        assert_eq!(said(&json!({"filter": []})), expected);
    }
}
