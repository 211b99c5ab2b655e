//! Query strings, decoded.

use axum::extract::FromRequestParts;
use http::request::Parts;
use url::form_urlencoded;

use crate::Api;
use crate::error::Error;

/// Names and values in the order they stand.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// With whatever is in it.
    pub(crate) fn lenient(query: &str) -> Self {
        Self(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The first value with this name, letter case aside; empty if there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }

    /// All values with this name, letter case aside; also those of `name[]`.
    pub(crate) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(key, _)| {
                let key = key.strip_suffix("[]").unwrap_or(key);
                key.eq_ignore_ascii_case(name)
            })
            .map(|(_, value)| value.as_str())
    }
}

impl FromRequestParts<Api> for Query {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _api: &Api) -> Result<Self, Error> {
        let query = Self::lenient(parts.uri.query().unwrap_or_default());
        match query.0.iter().find(|(_, value)| value.contains('\0')) {
            // No text of the database has it.
            Some((name, _)) => Err(Error::malformed(format!(
                "{name}: holds the character U+0000"
            ))),
            None => Ok(query),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_and_the_first_counts() {
        let query = Query::lenient("Limit=5&owner=+1800&contact=%2B44&limit=6&odd=%FF&bare");
        assert_eq!(query.text("limit"), "5");
        assert_eq!(query.text("owner"), " 1800");
        assert_eq!(query.text("contact"), "+44");
        assert_eq!(query.text("odd"), "\u{fffd}");
        assert_eq!(query.text("bare"), "");
        assert_eq!(query.text("missing"), "");
        let query = Query::lenient("a=1&b=2&A[]=3&a%5B%5D=4");
        assert_eq!(query.texts("a").collect::<Vec<_>>(), ["1", "3", "4"]);
    }
}
