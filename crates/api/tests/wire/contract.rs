//! The contract, route by route: `contract.txt` has for each what is asked and what is answered, in its
//! words. Beside that every answer is held against the shapes of answers (contract: API, §1.4 and §1.5).
//!
//! `# n METHOD /path` begins a route. `> who METHOD /path body` asks: `user`, `nobody`, or the name of a
//! kept key, which is sent as a bearer's after `bearer:`. `< status message` is what must come back, `< data …` what must be in it: members that
//! are not named may be anything in a success, and must not be there in an error. `< keep name /pointer`
//! gives a value of the answer a name, and `$name` stands for it; `$x61` for a text of 61 bytes. A body
//! `file:name:content` is sent as a form.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::Value;

use crate::schema::DOCUMENT;
use crate::support::{Answer, USER_KEY, World, add_user, on_each_engine};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wire/contract.txt");

/// A run of the script.
struct Walk<'w> {
    world: &'w World,
    known: BTreeMap<String, String>,
    answer: Option<Answer>,
    asked: String,
    wrong: Vec<String>,
}

#[tokio::test]
async fn every_route_answers_as_the_contract_says() {
    let script = std::fs::read_to_string(SCRIPT).unwrap();
    on_each_engine(async |world: World| {
        add_user(&world.gateway, "bob", "key-of-bob").await;
        let known = [("user", USER_KEY), ("bob", "key-of-bob")];
        let mut walk = Walk {
            known: known.map(|(name, key)| (name.into(), key.into())).into(),
            world: &world,
            answer: None,
            asked: String::new(),
            wrong: Vec::new(),
        };
        let routes = walk.all(&script).await;
        assert!(walk.wrong.is_empty(), "\n{}", walk.wrong.join("\n"));
        assert_eq!(routes, 54, "each route of the contract");
    })
    .await;
}

impl Walk<'_> {
    /// Goes through the script; the number of routes.
    async fn all(&mut self, script: &str) -> usize {
        let mut routes = std::collections::BTreeSet::new();
        for line in script.lines() {
            let (mark, rest) = line.split_at_checked(2).unwrap_or((line, ""));
            match mark {
                "# " => {
                    let number = rest.split(' ').next();
                    routes.extend(number.and_then(|number| number.parse::<u32>().ok()));
                }
                "> " => self.ask(rest).await,
                "< " => self.expect(rest),
                "" | "  " => {}
                _ => panic!("not a line of the script: {line}"),
            }
        }
        routes.len()
    }

    async fn ask(&mut self, line: &str) {
        let line = self.filled(line);
        let mut words = line.splitn(4, ' ');
        let mut word = || words.next().unwrap_or_default();
        let (who, method, path, body) = (word(), word(), word(), word());
        let mut request = Request::builder()
            .method(method.parse::<Method>().unwrap())
            .uri(path);
        if let Some(who) = who.strip_prefix("bearer:") {
            let key = format!("Bearer {}", self.known[who]);
            request = request.header("authorization", key);
        } else if who != "nobody" {
            request = request.header("x-api-key", &self.known[who]);
        }
        let (kind, body) = match body.strip_prefix("file:") {
            Some(file) => ("multipart/form-data; boundary=-part-", form(file)),
            None => ("application/json", body.to_owned()),
        };
        if !body.is_empty() {
            request = request.header("content-type", kind);
        }
        let request = request.body(Body::from(body)).unwrap();
        self.answer = Some(self.world.call(request).await);
        if let Some(why) = self.answer.as_ref().and_then(misshapen) {
            self.wrong.push(format!("{line}\n    {why}"));
        }
        self.asked = line;
    }

    fn expect(&mut self, line: &str) {
        let line = self.filled(line);
        let answer = self.answer.as_ref().unwrap();
        let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let right = match word {
            "data" => {
                let expected: Value = serde_json::from_str(rest).unwrap();
                let whole = answer.status >= 400;
                (whole && json["data"] == expected) || (!whole && holds(&json["data"], &expected))
            }
            "keep" => {
                let (name, pointer) = rest.split_once(' ').unwrap();
                let value = json.pointer(pointer).and_then(Value::as_str);
                self.known
                    .extend(value.map(|value| (name.to_owned(), value.to_owned())));
                value.is_some()
            }
            "header" => {
                let (name, value) = rest.split_once(' ').unwrap();
                answer.header(name) == value
            }
            "text" => answer.text() == rest,
            status => {
                let message = json["message"].as_str().unwrap_or_default();
                answer.status.to_string() == status && message == rest
            }
        };
        if !right {
            let (asked, status, text) = (&self.asked, answer.status, answer.text());
            self.wrong
                .push(format!("> {asked}\n< {line}\n    but {status} {text}"));
        }
    }

    /// The line with the values of names.
    fn filled(&self, line: &str) -> String {
        let mut parts = line.split('$');
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            let (name, rest) = part.split_at(end.unwrap_or(part.len()));
            let length = name
                .strip_prefix('x')
                .and_then(|length| length.parse().ok());
            match (length, self.known.get(name)) {
                (Some(length), _) => filled += &"x".repeat(length),
                (None, Some(value)) => filled += value,
                (None, None) => filled.extend(["(no ", name, ")"]),
            }
            filled += rest;
        }
        filled
    }
}

/// A form with one file, `name:content`, whose lines end with `\n`.
fn form(file: &str) -> String {
    let (name, content) = file.split_once(':').unwrap();
    let content = content.replace("\\n", "\r\n");
    let about = format!("Content-Disposition: form-data; name=\"document\"; filename=\"{name}\"");
    format!("---part-\r\n{about}\r\n\r\n{content}\r\n---part---\r\n")
}

/// Whether a value has everything of the other.
fn holds(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Object(value), Value::Object(expected)) => expected
            .iter()
            .all(|(name, expected)| value.get(name).is_some_and(|value| holds(value, expected))),
        (Value::Array(value), Value::Array(expected)) => {
            let mut pairs = value.iter().zip(expected);
            value.len() == expected.len() && pairs.all(|(value, expected)| holds(value, expected))
        }
        _ => value == expected,
    }
}

/// What is wrong with the shape of an answer, whatever it says.
fn misshapen(answer: &Answer) -> Option<String> {
    let status = answer.status;
    let bare = matches!(status, 204 | 405 | 413);
    if bare
        || !answer
            .header("content-type")
            .starts_with("application/json")
    {
        let right = status != 204 || answer.body.is_empty();
        return (!right).then(|| "204 has a body".to_owned());
    }
    let Ok(Value::Object(json)) = serde_json::from_slice(&answer.body) else {
        return Some("no object".to_owned());
    };
    let members: Vec<&str> = json.keys().map(String::as_str).collect();
    let data = &json.get("data").cloned().unwrap_or_default();
    let texts = |value: &Value| {
        let texts = value.as_array().filter(|texts| !texts.is_empty());
        texts.is_some_and(|texts| texts.iter().all(Value::is_string))
    };
    let right = match status {
        // 3CX wants no envelope.
        200 if members == ["data"] => return None,
        200 | 201 => members == ["data", "message", "status"],
        400 | 401 => data.is_string(),
        202 | 402..=404 | 500.. => members == ["message", "status"],
        422 => data
            .as_object()
            .is_some_and(|fields| fields.values().all(texts)),
        _ => true,
    };
    let word = if status < 400 { "success" } else { "error" };
    (!right || json["status"] != word).then(|| format!("{status} has the wrong shape: {json:?}"))
}

/// Who may call what (contract: API, §1.3 and §2.0): nobody without a key; with a phone's key only
/// the routes of phones.
#[tokio::test]
async fn each_route_knows_its_principals() {
    const PHONES: [(&str, &str); 7] = [
        ("post", "/v1/messages/receive"),
        ("post", "/v1/messages/calls/missed"),
        ("post", "/v1/messages/{id}/events"),
        ("get", "/v1/messages/outstanding"),
        ("post", "/v1/heartbeats"),
        ("put", "/v1/phones/fcm-token"),
        // Ours.
        ("get", "/v1/phones/notifications"),
    ];
    on_each_engine(async |world: World| {
        let phone = world.phone(&[]).await;
        let mut asked = 0;
        for (path, methods) in DOCUMENT["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                if operation["security"].is_null() {
                    continue;
                }
                let words = path.split('/');
                let words = words.map(|word| if word.starts_with('{') { "x" } else { word });
                let typed = words.collect::<Vec<_>>().join("/");
                let verb: Method = method.to_uppercase().parse().unwrap();
                let ask = async |client: &crate::support::Client<'_>| {
                    let json = Some("application/json");
                    client.send(verb.clone(), &typed, json, "{}").await
                };
                let answer = ask(&world.anonymous()).await;
                assert_eq!(answer.status, 401, "{method} {path}: {}", answer.text());
                let answer = ask(&phone).await;
                let is_for_phones = PHONES.contains(&(method, path));
                assert_eq!(answer.status != 401, is_for_phones, "{method} {path}");
                asked += 1;
            }
        }
        assert!(asked > 35, "{asked}");
    })
    .await;
}
