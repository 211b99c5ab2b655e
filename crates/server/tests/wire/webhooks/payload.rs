//! The payload of an event, member by member and in the order in which it came.

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use testkit::Received;

use crate::stage::{OWNER, USER_ID, text, time};

/// An event, as a receiver was told it.
pub struct Told {
    source: String,
    names: Vec<String>,
    pub data: Value,
}

impl Told {
    pub fn read(request: &Received) -> Self {
        #[derive(Deserialize)]
        struct Envelope<'a> {
            source: String,
            r#type: String,
            #[serde(borrow)]
            data: &'a RawValue,
        }
        let envelope: Envelope = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(
            Some(envelope.r#type.as_str()),
            request.header("x-event-type")
        );
        let Names(names) = serde_json::from_str(envelope.data.get()).unwrap();
        Self {
            source: envelope.source,
            names,
            data: serde_json::from_str(envelope.data.get()).unwrap(),
        }
    }

    /// Exactly these members with these values, in this order; times may be written in any way.
    pub fn expect(&self, source: &str, members: &[(&str, Value)]) {
        assert_eq!(self.source, source);
        let names: Vec<_> = members.iter().map(|(name, _)| *name).collect();
        assert_eq!(self.names, names);
        for (name, value) in members {
            match *name {
                "timestamp" | "last_heartbeat_timestamp" => {
                    assert_eq!(time(&self.data[name]), time(value), "{name}");
                }
                _ => assert_eq!(self.data[name], *value, "{name}"),
            }
        }
    }

    /// The payload that offline and online share.
    pub fn expect_heartbeat(&self, source: &str, last: &Value) {
        for id in ["phone_id", "monitor_id"] {
            uuid::Uuid::parse_str(&text(&self.data[id])).unwrap();
        }
        self.expect(
            source,
            &[
                ("phone_id", self.data["phone_id"].clone()),
                ("user_id", USER_ID.into()),
                ("last_heartbeat_timestamp", last.clone()),
                ("timestamp", self.data["timestamp"].clone()),
                ("monitor_id", self.data["monitor_id"].clone()),
                ("owner", OWNER.into()),
            ],
        );
    }
}

/// The names of an object's members as they come.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Names;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some((name, _)) = map.next_entry::<String, serde::de::IgnoredAny>()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }
        deserializer.deserialize_map(Members)
    }
}
