//! Which events a webhook wants of those whose type and number it chose.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use crate::Fields;
use crate::event;
use crate::message::Kind;
use crate::phone::Sim;

/// A filter of events about messages; other events pass. Empty members let everything pass.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// Only these contacts, exactly as messages name them.
    pub contacts: Vec<String>,
    /// Only texts in which this regular expression is found. Cipher text never matches.
    pub content: Option<String>,
    /// Only these SIMs.
    pub sims: Vec<Sim>,
    /// Only what comes in, or goes out.
    pub directions: Vec<Direction>,
}

/// Which way a message goes, seen from the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Received SMS and missed calls.
    In,
    /// Sent SMS.
    Out,
}

/// What a filter looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub contact: &'a str,
    pub content: &'a str,
    pub encrypted: bool,
    pub sim: Sim,
    pub kind: Kind,
}

impl Filter {
    /// The most contacts in a filter.
    const CONTACTS: usize = 1000;

    pub(super) fn check(&self, wrong: &mut Fields) {
        if self.contacts.len() > Self::CONTACTS {
            wrong.add(
                "filter.contacts",
                "The filter.contacts field must be maximum 1000 in size",
            );
        }
        if self
            .content
            .as_deref()
            .is_some_and(|pattern| compiled(pattern).is_none())
        {
            wrong.add(
                "filter.content",
                "The filter.content field must be a regular expression",
            );
        }
    }

    /// Whether an event about this message passes.
    pub(crate) fn passes(&self, subject: Subject<'_>) -> bool {
        let direction = match subject.kind {
            Kind::MobileTerminated => Direction::Out,
            Kind::MobileOriginated | Kind::MissedCall => Direction::In,
        };
        any(&self.contacts, |contact| contact == subject.contact)
            && any(&self.sims, |sim| *sim == subject.sim)
            && any(&self.directions, |wanted| *wanted == direction)
            && self
                .content
                .as_deref()
                .is_none_or(|pattern| found(pattern, subject))
    }
}

/// What a filter looks at in an event's data.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow, default)]
    contact: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    content: Option<std::borrow::Cow<'a, str>>,
    #[serde(default)]
    encrypted: bool,
    #[serde(default)]
    sim: Option<Sim>,
}

impl Filter {
    /// Whether an event of the log passes.
    pub(crate) fn passes_event(&self, kind: event::Kind, body: &str) -> bool {
        if *self == Self::default() {
            return true;
        }
        let Ok(Envelope { data }) = serde_json::from_str(body) else {
            return true;
        };
        // Events about phones have no contact.
        data.contact.is_none_or(|contact| {
            self.passes(Subject {
                contact: &contact,
                content: data.content.as_deref().unwrap_or_default(),
                encrypted: data.encrypted,
                sim: data.sim.unwrap_or(Sim::Sim1),
                kind: match kind {
                    event::Kind::MessagePhoneReceived => Kind::MobileOriginated,
                    event::Kind::MessageCallMissed => Kind::MissedCall,
                    _ => Kind::MobileTerminated,
                },
            })
        })
    }
}

fn any<T>(wanted: &[T], is: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(is)
}

fn found(pattern: &str, subject: Subject<'_>) -> bool {
    !subject.encrypted && compiled(pattern).is_some_and(|pattern| pattern.is_match(subject.content))
}

/// Bounded, so that nobody's pattern eats the server's memory; matching takes linear time anyway.
fn compiled(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).size_limit(64 << 10).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: Subject<'_> = Subject {
        contact: "+18005550100",
        content: "Your code is 1234",
        encrypted: false,
        sim: Sim::Sim1,
        kind: Kind::MobileOriginated,
    };

    fn filter(json: &str) -> Filter {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn an_empty_filter_passes_everything() {
        assert!(filter("{}").passes(SUBJECT));
    }

    #[test]
    fn every_member_must_agree() {
        let all = r#"{"contacts":["+18005550100"],"content":"code is \\d+","sims":["SIM1"],"directions":["in"]}"#;
        assert!(filter(all).passes(SUBJECT));
        for one in [
            r#"{"contacts":["TIKTOK"]}"#,
            r#"{"content":"^code"}"#,
            r#"{"sims":["SIM2"]}"#,
            r#"{"directions":["out"]}"#,
        ] {
            assert!(!filter(one).passes(SUBJECT), "{one}");
        }
    }

    #[test]
    fn cipher_text_never_matches_a_pattern() {
        let cipher = Subject {
            encrypted: true,
            ..SUBJECT
        };
        assert!(!filter(r#"{"content":"code"}"#).passes(cipher));
    }

    #[test]
    fn a_broken_or_huge_pattern_is_refused() {
        for pattern in ["(", "(a{1000}){1000}"] {
            let mut wrong = Fields::default();
            let filter = Filter {
                content: Some(pattern.to_owned()),
                ..Filter::default()
            };
            filter.check(&mut wrong);
            assert!(!wrong.is_empty(), "{pattern}");
        }
    }
}
