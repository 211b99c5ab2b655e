//! Forms with files: `multipart/form-data`, read whole, and never more than the limit.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::header;
use multer::Multipart;

use crate::error::Error;
use crate::{Api, body};

/// Parts of a form at most.
const MAX_PARTS: usize = 32;

/// The parts of a form, in their order.
#[derive(Debug)]
pub(crate) struct Form(Vec<Part>);

/// A part of a form.
#[derive(Debug)]
pub(crate) struct Part {
    name: String,
    /// The name of the file; a part without one is a text.
    pub(crate) file_name: Option<String>,
    /// As the client says; may be empty.
    pub(crate) content_type: String,
    /// What is in it.
    pub(crate) content: Bytes,
}

impl Form {
    /// The first file with this name.
    pub(crate) fn file(&self, name: &str) -> Option<&Part> {
        let mut parts = self.0.iter();
        parts.find(|part| part.name == name && part.file_name.is_some())
    }

    /// The first text with this name, without outer blanks; empty if there is none.
    pub(crate) fn text(&self, name: &str) -> Result<&str, Error> {
        let mut parts = self.0.iter();
        let Some(part) = parts.find(|part| part.name == name && part.file_name.is_none()) else {
            return Ok("");
        };
        std::str::from_utf8(&part.content)
            .map(str::trim)
            .map_err(|_| Error::malformed(format!("{name}: is not UTF-8")))
    }

    async fn parse(bytes: Bytes, boundary: String) -> Result<Self, multer::Error> {
        let mut form = Multipart::new(Body::from(bytes).into_data_stream(), boundary);
        let mut parts = Vec::new();
        while let Some(field) = form.next_field().await? {
            if parts.len() == MAX_PARTS {
                break;
            }
            let content_type = field.headers().get(header::CONTENT_TYPE);
            let content_type = content_type.and_then(|value| value.to_str().ok());
            parts.push(Part {
                name: field.name().unwrap_or_default().to_owned(),
                file_name: field.file_name().map(str::to_owned),
                content_type: content_type.unwrap_or_default().trim().to_owned(),
                content: field.bytes().await?,
            });
        }
        Ok(Self(parts))
    }
}

impl FromRequest<Api> for Form {
    type Rejection = Error;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Error> {
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let boundary = content_type
            .and_then(|value| value.to_str().ok())
            .and_then(|value| multer::parse_boundary(value).ok())
            .ok_or_else(|| Error::malformed("the Content-Type must be multipart/form-data"))?;
        let bytes = body::read(request.into_body(), api.options.body_limit).await?;
        Self::parse(bytes, boundary)
            .await
            .map_err(|error| Error::malformed(format!("the body is no form: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parsed(text: &str) -> Result<Form, multer::Error> {
        let text = text.replace('\n', "\r\n");
        Form::parse(Bytes::from(text), "X".to_owned()).await
    }

    fn part(disposition: &str, content: &str) -> String {
        format!("--X\nContent-Disposition: form-data; {disposition}\n\n{content}\n")
    }

    #[tokio::test]
    async fn files_and_texts_are_told_apart() {
        let file = part("name=\"document\"; filename=\"märz.csv\"", "a,b");
        let text = part("name=\"document\"", " not a file ");
        let form = parsed(&format!("{text}{file}--X--\n")).await.unwrap();
        let found = form.file("document").unwrap();
        assert_eq!(found.file_name.as_deref(), Some("märz.csv"));
        assert_eq!(
            (&found.content[..], found.content_type.as_str()),
            (&b"a,b"[..], "")
        );
        assert_eq!(form.text("document").unwrap(), "not a file");
        assert_eq!(form.text("other").unwrap(), "");
        assert!(form.file("other").is_none());
    }

    #[tokio::test]
    async fn what_does_not_end_is_no_form() {
        for broken in [
            "",
            "--X",
            "--X\nContent-Disposition: form-data; name=\"a\"\n\nb",
        ] {
            assert!(parsed(broken).await.is_err(), "{broken}");
        }
    }
}
