//! JSON objects read as clients of the reference expect: letter case of names aside, `null` like
//! nothing, unknown members ignored, and a wrong type named.

mod text;

use std::borrow::Cow;
use std::fmt;

use gateway::Time;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::Error;
use text::Text;

/// The members of an object, their values still unread.
#[derive(Debug)]
pub(crate) struct Members<'a>(Vec<(Text<'a>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Reads a whole body. `null` is an object without members.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let text = std::str::from_utf8(body)
            .map_err(|error| Error::malformed(format!("the body is not UTF-8: {error}")))?;
        let members = match serde_json::from_str(text) {
            Ok(members) => members,
            Err(_) if text.trim() == "null" => Self(Vec::new()),
            Err(error) if error.is_data() => {
                return Err(Error::malformed("the body must be a JSON object"));
            }
            Err(error) => return Err(Error::malformed(format!("the body is not JSON: {error}"))),
        };
        if members.0.iter().all(|(_, value)| is_shallow(value.get())) {
            return Ok(members);
        }
        Err(Error::malformed("the body is nested too deeply"))
    }

    /// The last value with exactly this name, else with another letter case.
    fn raw(&self, name: &str) -> Option<&'a str> {
        let named =
            |fits: fn(&str, &str) -> bool| self.0.iter().rev().find(|(key, _)| fits(&key.0, name));
        let (_, value) =
            named(|key, name| key == name).or_else(|| named(str::eq_ignore_ascii_case))?;
        Some(value.get())
    }

    /// The value, unless it is `null`.
    fn value(&self, name: &str) -> Option<&'a str> {
        self.raw(name).filter(|raw| *raw != "null")
    }

    /// Whether the member is there, if only as `null`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// A text that may be stored.
    pub(crate) fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, Error> {
        let raw = self.value(name);
        raw.map(|raw| storable(name, text(name, raw)?)).transpose()
    }

    /// A text, or an empty one.
    pub(crate) fn text_or_empty(&self, name: &str) -> Result<Cow<'a, str>, Error> {
        Ok(self.text(name)?.unwrap_or_default())
    }

    /// A text from outside, which nobody can correct: what cannot be stored is replaced.
    pub(crate) fn foreign_text(&self, name: &str) -> Result<Option<Cow<'a, str>>, Error> {
        let text = self.value(name).map(|raw| text(name, raw)).transpose()?;
        Ok(text.map(|text| {
            if text.contains('\0') {
                return Cow::Owned(text.replace('\0', "\u{fffd}"));
            }
            text
        }))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(raw) => Err(expected("true or false", name, raw)),
        }
    }

    /// A number that is not negative.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Error> {
        let Some(raw) = self.value(name) else {
            return Ok(None);
        };
        match raw.parse() {
            Ok(number @ 0..) => Ok(Some(number)),
            _ => Err(expected("a whole number that is not negative", name, raw)),
        }
    }

    /// A value of any type, where a wrong one is a matter of the field instead of the whole request:
    /// `complain` is told of it.
    pub(crate) fn read<T: Deserialize<'a>>(
        &self,
        name: &str,
        complain: impl FnOnce(),
    ) -> Option<T> {
        let value = serde_json::from_str(self.value(name)?).ok();
        if value.is_none() {
            complain();
        }
        value
    }

    /// The names in the order they stand, with their values as JSON.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0.iter().map(|(name, value)| (&*name.0, value.get()))
    }

    /// RFC 3339 with an offset.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Time>, Error> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let time = text
            .parse()
            .map_err(|error| Error::malformed(format!("{name}: {error}")))?;
        Ok(Some(time))
    }

    /// Texts; a `null` among them is empty.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, Error> {
        let read = |raw: &'a RawValue| match raw.get() {
            "null" => Ok(String::new()),
            raw => storable(name, text(name, raw)?).map(Cow::into_owned),
        };
        self.list(name)?.into_iter().map(read).collect()
    }

    /// A list, its items still unread.
    pub(crate) fn list(&self, name: &str) -> Result<Vec<&'a RawValue>, Error> {
        match self.value(name) {
            None => Ok(Vec::new()),
            Some(raw) => serde_json::from_str(raw).map_err(|_| expected("a list", name, raw)),
        }
    }

    /// One item of [`Members::list`] that is an object itself.
    pub(crate) fn item(name: &str, item: &'a RawValue) -> Result<Self, Error> {
        match item.get() {
            "null" => Ok(Self(Vec::new())),
            object => serde_json::from_str(object)
                .map_err(|_| expected("a list of objects", name, object)),
        }
    }
}

/// A member of the outermost object that is a text, whatever else is in there.
pub(crate) fn text_member(body: &[u8], name: &str) -> Option<String> {
    struct Search<'n>(&'n str);

    impl<'de> Visitor<'de> for Search<'_> {
        type Value = Option<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            while let Some(Text(key)) = map.next_key()? {
                if key.eq_ignore_ascii_case(self.0) {
                    let value: &RawValue = map.next_value()?;
                    found = text(self.0, value.get()).ok().map(Cow::into_owned);
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }

    let mut json = serde_json::Deserializer::from_slice(body);
    json.deserialize_map(Search(name)).ok()?
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        from.deserialize_map(Object)
    }
}

fn text<'a>(name: &str, raw: &'a str) -> Result<Cow<'a, str>, Error> {
    text::read(raw).ok_or_else(|| expected("a string", name, raw))
}

/// Refuses what no database can keep.
fn storable<'a>(name: &str, text: Cow<'a, str>) -> Result<Cow<'a, str>, Error> {
    if text.contains('\0') {
        return Err(Error::malformed(format!(
            "{name}: holds the character U+0000"
        )));
    }
    Ok(text)
}

fn expected(what: &str, name: &str, raw: &str) -> Error {
    let found = match raw.as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'[') => "a list",
        Some(b'{') => "an object",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    };
    Error::malformed(format!("{name}: expected {what}, found {found}"))
}

/// Whether a value is nested so little that clients mean it. Skipping it would take any depth.
fn is_shallow(json: &str) -> bool {
    const MAX_DEPTH: usize = 128;
    if json.len() < 2 * MAX_DEPTH || !json.starts_with(['[', '{']) {
        return true;
    }
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth -= 1,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(result: Result<impl fmt::Debug, Error>) -> String {
        match result {
            Err(Error::Malformed(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_match_in_any_case_and_best_as_they_are() {
        let members =
            Members::parse(br#"{"to":"a","TO":"b","To":"c","CONTENT":"d","x":[1]}"#).unwrap();
        assert_eq!(members.text("to").unwrap().unwrap(), "a");
        assert_eq!(members.text("TO").unwrap().unwrap(), "b");
        assert_eq!(members.text("tO").unwrap().unwrap(), "c");
        assert_eq!(members.text("content").unwrap().unwrap(), "d");
        assert_eq!(members.text("missing").unwrap(), None);
    }

    #[test]
    fn null_is_nothing_but_there() {
        let members = Members::parse(br#"{"a":null}"#).unwrap();
        assert!(members.has("a") && !members.has("b"));
        assert_eq!(members.text_or_empty("a").unwrap(), "");
        assert_eq!(members.flag("a").unwrap(), None);
        assert_eq!(members.integer("a").unwrap(), None);
        assert_eq!(members.time("a").unwrap(), None);
        assert!(members.texts("a").unwrap().is_empty());
        assert!(!Members::parse(b" null ").unwrap().has("a"));
    }

    #[test]
    fn a_wrong_type_is_named() {
        let members = Members::parse(
            br#"{"t":1,"f":"true","n":1.0,"m":-1,"h":1e400,"l":{},"i":["a",2],"at":"noon"}"#,
        )
        .unwrap();
        assert_eq!(
            why(members.text("t")),
            "t: expected a string, found a number"
        );
        assert_eq!(
            why(members.flag("f")),
            "f: expected true or false, found a string"
        );
        for number in ["n", "m", "h"] {
            assert!(
                why(members.integer(number)).contains("whole number"),
                "{number}"
            );
        }
        assert_eq!(
            why(members.texts("l")),
            "l: expected a list, found an object"
        );
        assert_eq!(
            why(members.texts("i")),
            "i: expected a string, found a number"
        );
        assert!(why(members.time("at")).starts_with("at: not an RFC 3339 time"));
        let huge = Members::parse(br#"{"n":9223372036854775808}"#).unwrap();
        assert!(why(huge.integer("n")).contains("whole number"));
    }

    #[test]
    fn what_is_no_object_is_malformed() {
        for (body, expected) in [
            (&b""[..], "the body is not JSON"),
            (b"{", "the body is not JSON"),
            (b"{\"a\":1} x", "the body is not JSON"),
            (b"{\"a\":\"\0\"}", "the body is not JSON"),
            (b"[]", "the body must be a JSON object"),
            (b"7", "the body must be a JSON object"),
            (b"{\"a\":\"\xff\"}", "the body is not UTF-8"),
        ] {
            assert!(why(Members::parse(body)).starts_with(expected), "{body:?}");
        }
    }

    #[test]
    fn depth_is_bounded_for_what_is_skipped_too() {
        let nested = |depth: usize| format!("{{\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(Members::parse(nested(128).as_bytes()).is_ok());
        assert_eq!(
            why(Members::parse(nested(129).as_bytes())),
            "the body is nested too deeply"
        );
        assert_eq!(
            why(Members::parse(nested(1_000_000).as_bytes())),
            "the body is nested too deeply"
        );
        let text = format!("{{\"x\":[\"{}\\\"[\"]}}", "[".repeat(1000));
        assert!(Members::parse(text.as_bytes()).is_ok());
    }

    #[test]
    fn a_character_that_cannot_be_stored_is_refused_or_replaced() {
        let members = Members::parse(br#"{"a":"x\u0000y","b":["\u0000"]}"#).unwrap();
        assert_eq!(why(members.text("a")), "a: holds the character U+0000");
        assert_eq!(why(members.texts("b")), "b: holds the character U+0000");
        assert_eq!(members.foreign_text("a").unwrap().unwrap(), "x\u{fffd}y");
    }
}
