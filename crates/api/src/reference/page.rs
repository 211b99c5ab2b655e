//! The description as a page: no script, nothing from elsewhere.

use std::fmt::Write as _;

use serde_json::Value;

const STYLE: &str = include_str!("page.css");

/// Writes the page of a document.
pub(super) fn write(document: &Value) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{0} API</title><style>{STYLE}</style></head><body><main><h1>{0} API <small>{1}</small></h1><p>{2}</p><p>For programs: <a href=\"openapi.json\">openapi.json</a></p>",
        text(&document["info"]["title"]),
        text(&document["info"]["version"]),
        marked(&document["info"]["description"]),
    );
    for tag in items(&document["tags"]) {
        let _ = write!(page, "<h2>{}</h2>", text(&tag["name"]));
        for (path, methods) in members(&document["paths"]) {
            for (method, operation) in members(methods) {
                if items(&operation["tags"]).contains(&tag["name"]) {
                    write_operation(&mut page, document, (method, path), operation);
                }
            }
        }
    }
    page.push_str("<h2>Schemas</h2>");
    for (name, schema) in members(&document["components"]["schemas"]) {
        let name = escaped(name);
        let _ = write!(page, "<section id=\"{name}\"><h3>{name}</h3>");
        write_schema(&mut page, schema);
        page.push_str("</section>");
    }
    page.push_str("<h2>Errors</h2>");
    for (name, answer) in members(&document["components"]["responses"]) {
        let name = escaped(name);
        let _ = write!(page, "<section id=\"{name}\"><h3>{name}</h3>");
        write_answer(&mut page, answer);
        page.push_str("</section>");
    }
    page + "</main></body></html>\n"
}

fn write_operation(
    page: &mut String,
    document: &Value,
    (method, path): (&str, &str),
    operation: &Value,
) {
    let _ = write!(
        page,
        "<details id=\"{}\"><summary><b class=\"{method}\">{}</b> <code>{}</code> {}</summary>",
        text(&operation["operationId"]),
        method.to_uppercase(),
        escaped(path),
        text(&operation["summary"]),
    );
    if operation["security"].is_null() {
        page.push_str("<p>Public.</p>");
    }
    if !operation["description"].is_null() {
        let _ = write!(page, "<p>{}</p>", marked(&operation["description"]));
    }
    let parameters = items(&operation["parameters"]);
    if !parameters.is_empty() {
        page.push_str("<h4>Parameters</h4><table>");
        for parameter in parameters {
            let needed = parameter["required"] == true;
            let place = text(&parameter["in"]);
            let kind = format!("{place}, {}", kind(&parameter["schema"]));
            write_row(
                page,
                &text(&parameter["name"]),
                &kind,
                needed,
                &marked(&parameter["description"]),
            );
        }
        page.push_str("</table>");
    }
    if let Some(content) = content(&operation["requestBody"]) {
        let _ = write!(page, "<h4>Body</h4><p>{}</p>", kind(&content["schema"]));
        write_example(page, content);
    }
    page.push_str("<h4>Answers</h4><table>");
    for (status, answer) in members(&operation["responses"]) {
        let told = match answer["$ref"].as_str() {
            Some(reference) => link(reference),
            None => marked(&answer["description"]),
        };
        let schema = content(answer).map(|content| unwrapped(document, &content["schema"]));
        let data = schema.map_or_else(String::new, kind);
        write_row(page, status, &data, true, &told);
    }
    page.push_str("</table></details>");
}

fn write_answer(page: &mut String, answer: &Value) {
    let _ = write!(page, "<p>{}</p>", marked(&answer["description"]));
    if let Some(content) = content(answer) {
        write_schema(page, &content["schema"]);
        write_example(page, content);
    }
}

fn write_schema(page: &mut String, schema: &Value) {
    if !schema["description"].is_null() {
        let _ = write!(page, "<p>{}</p>", marked(&schema["description"]));
    }
    for part in items(&schema["allOf"]) {
        match part["$ref"].as_str() {
            Some(reference) => drop(write!(
                page,
                "<p>Everything of {}, and:</p>",
                link(reference)
            )),
            None => write_schema(page, part),
        }
    }
    if schema["properties"].is_null() {
        if schema["allOf"].is_null() {
            let _ = write!(page, "<p>{}</p>", kind(schema));
        }
        return;
    }
    page.push_str("<table>");
    for (name, member) in members(&schema["properties"]) {
        let needed = items(&schema["required"])
            .iter()
            .any(|needed| needed == name);
        let about = match &member["description"] {
            Value::Null => &member["oneOf"][0]["description"],
            about => about,
        };
        write_row(page, &escaped(name), &kind(member), needed, &marked(about));
    }
    page.push_str("</table>");
}

fn write_row(page: &mut String, name: &str, kind: &str, needed: bool, about: &str) {
    let optional = if needed {
        ""
    } else {
        " <small>optional</small>"
    };
    let _ = write!(
        page,
        "<tr><td><code>{name}</code>{optional}</td><td>{kind}</td><td>{about}</td></tr>"
    );
}

fn write_example(page: &mut String, content: &Value) {
    if !content["example"].is_null() {
        let example = serde_json::to_string_pretty(&content["example"]).unwrap_or_default();
        let _ = write!(page, "<pre>{}</pre>", escaped(&example));
    }
}

/// The `data` of an envelope, else the schema itself.
fn unwrapped<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let name = schema["$ref"]
        .as_str()
        .and_then(|reference| reference.strip_prefix('#'));
    let named = name.and_then(|name| document.pointer(name));
    match named.map(|envelope| &envelope["properties"]["data"]) {
        None | Some(Value::Null) => schema,
        Some(data) => data,
    }
}

/// What values of a schema are, in words and links.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return link(reference);
    }
    if let Some(parts) = schema["oneOf"].as_array() {
        let parts: Vec<String> = parts.iter().map(kind).collect();
        return parts.join(" or ");
    }
    if let Some(names) = schema["enum"].as_array() {
        let names: Vec<String> = names
            .iter()
            .map(|name| format!("<code>{}</code>", text(name)))
            .collect();
        return names.join(", ");
    }
    let names = match &schema["type"] {
        Value::Array(names) => names.iter().map(text).collect::<Vec<_>>().join(" or "),
        name => text(name),
    };
    let mut kind = if schema["items"].is_null() {
        names
    } else {
        names.replace("array", &format!("list of {}", kind(&schema["items"])))
    };
    if !schema["additionalProperties"].is_null() {
        let values = self::kind(&schema["additionalProperties"]);
        let any = if values.is_empty() { "anything" } else { "" };
        let _ = write!(kind, " of {any}{values}");
    }
    for limit in LIMITS {
        if !schema[limit].is_null() {
            let _ = write!(kind, ", {limit} {}", text(&schema[limit]));
        }
    }
    kind
}

/// Members of a schema that are shown as they are.
const LIMITS: [&str; 9] = [
    "format",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "default",
];

fn link(reference: &str) -> String {
    let name = escaped(reference.rsplit('/').next().unwrap_or(reference));
    format!("<a href=\"#{name}\">{name}</a>")
}

fn content(of: &Value) -> Option<&Value> {
    of["content"].as_object()?.values().next()
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

fn members(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

/// A value as it is read, escaped.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => escaped(text),
        other => escaped(&other.to_string()),
    }
}

/// The same with what stands between backquotes as code.
fn marked(value: &Value) -> String {
    let text = text(value);
    let parts = text.split('`').enumerate();
    parts
        .map(|(index, part)| match index % 2 {
            0 => part.to_owned(),
            _ => format!("<code>{part}</code>"),
        })
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_are_said_in_words() {
        for (schema, expected) in [
            (
                json!({"type": "string", "maxLength": 9}),
                "string, maxLength 9",
            ),
            (json!({"type": ["string", "null"]}), "string or null"),
            (
                json!({"type": "array", "items": {"$ref": "#/components/schemas/Phone"}}),
                "list of <a href=\"#Phone\">Phone</a>",
            ),
            (
                json!({"enum": ["a", "<"]}),
                "<code>a</code>, <code>&lt;</code>",
            ),
            (
                json!({"oneOf": [{"type": "null"}, {"type": "integer"}]}),
                "null or integer",
            ),
        ] {
            assert_eq!(kind(&schema), expected);
        }
        assert_eq!(marked(&json!("a `b<` c")), "a <code>b&lt;</code> c");
    }
}
