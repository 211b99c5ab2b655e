//! Holds answers against the committed description, by as much of JSON Schema as it uses.

use std::sync::LazyLock;

use axum::http::Method;
use serde_json::{Map, Value};

use crate::support::Answer;

/// The committed description, read when the tests run: whoever writes it anew need not build again.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
});

/// Fails for an answer of a known route that the description does not allow.
#[track_caller]
pub fn check(method: &Method, path: &str, answer: &Answer) {
    let Some(operation) = operation(method, path) else {
        return;
    };
    // Only where looking takes something away; a document has no words for that.
    if method == Method::HEAD && answer.status == 405 {
        return;
    }
    let status = answer.status.to_string();
    let mut told = &operation["responses"][&status];
    assert!(
        !told.is_null(),
        "{method} {path} may not answer {status}: {}",
        answer.text()
    );
    if let Some(reference) = told["$ref"].as_str() {
        told = pointed(reference);
    }
    let Some(content) = told["content"].as_object() else {
        let text = answer.status == 413;
        assert!(
            text || answer.body.is_empty(),
            "{method} {path} {status} has a body"
        );
        return;
    };
    if let (Some(json), false) = (content.get("application/json"), method == Method::HEAD) {
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        if let Err(why) = fits(&json["schema"], &body) {
            panic!("{method} {path} {status}: {why}\n{body:#}");
        }
    }
}

/// What the description says of a route, of those that fit the one with the fewest parameters.
fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let words: Vec<&str> = path.split('/').collect();
    let parameter = |word: &str| word.starts_with('{');
    let fits = |template: &str| {
        let template: Vec<&str> = template.split('/').collect();
        let mut pairs = template.iter().zip(&words);
        template.len() == words.len()
            && pairs.all(|(name, word)| name == word || parameter(name) && !word.is_empty())
    };
    let method = match method.as_str() {
        "HEAD" => "get".to_owned(),
        method => method.to_lowercase(),
    };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let (_, methods) = paths
        .iter()
        .filter(|(template, _)| fits(template))
        .min_by_key(|(template, _)| template.matches('{').count())?;
    methods.get(&method)
}

/// Whether a value has this shape; else, what is wrong with it.
pub fn fits(schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return fits(pointed(reference), value).map_err(|why| format!("{reference}: {why}"));
    }
    if let Some(all) = schema["allOf"].as_array() {
        return fits(&merged(all), value);
    }
    if let Some(some) = schema["oneOf"].as_array() {
        let fitting = some.iter().filter(|one| fits(one, value).is_ok()).count();
        return told(fitting == 1, || {
            format!("{value} fits {fitting} of {some:?}")
        });
    }
    if let Some(names) = schema["enum"].as_array() {
        return told(names.contains(value), || {
            format!("{value} is none of {names:?}")
        });
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    let is = |kind: &Value| {
        let kind = kind.as_str().unwrap();
        kind == kind_of(value) || (kind == "number" && kind_of(value) == "integer")
    };
    told(types.is_empty() || types.iter().any(is), || {
        format!("{value} is none of {types:?}")
    })?;
    match value {
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| fits(&schema["items"], item)),
        Value::Object(members) => object_fits(schema, members),
        Value::String(text) => text_fits(schema, text),
        _ => Ok(()),
    }
}

fn object_fits(schema: &Value, members: &Map<String, Value>) -> Result<(), String> {
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap();
        told(members.contains_key(name), || format!("{name} is missing"))?;
    }
    for (name, value) in members {
        let member = &schema["properties"][name];
        let other = &schema["additionalProperties"];
        let free = schema["properties"].is_null();
        told(free || !member.is_null() || !other.is_null(), || {
            format!("{name} is unknown")
        })?;
        let member = if member.is_null() { other } else { member };
        fits(member, value).map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(())
}

fn text_fits(schema: &Value, text: &str) -> Result<(), String> {
    let right = match schema["format"].as_str() {
        Some("uuid") => gateway::id::parse(text).is_some(),
        Some("date-time") => text.parse::<gateway::Time>().is_ok(),
        _ => true,
    };
    told(right, || format!("{text} is no {}", schema["format"]))
}

/// The schema itself, whether it is only named or put together.
pub fn resolved(schema: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return resolved(pointed(reference));
    }
    match schema["allOf"].as_array() {
        Some(all) => merged(all),
        None => schema.clone(),
    }
}

/// One object schema out of several.
fn merged(all: &[Value]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for part in all {
        let mut part = part.clone();
        if let Some(reference) = part["$ref"].as_str() {
            part = pointed(reference).clone();
        }
        if let Some(inner) = part["allOf"].as_array() {
            part = merged(inner);
        }
        properties.extend(part["properties"].as_object().unwrap().clone());
        required.extend(part["required"].as_array().into_iter().flatten().cloned());
    }
    serde_json::json!({"type": "object", "properties": properties, "required": required})
}

fn pointed(reference: &str) -> &'static Value {
    DOCUMENT
        .pointer(reference.strip_prefix('#').unwrap())
        .unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn told(right: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if right { Ok(()) } else { Err(why()) }
}
