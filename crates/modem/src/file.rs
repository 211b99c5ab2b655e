//! Fetching the files of an outgoing MMS, the way the Android app does (the phone protocol §7).
//! A plain GET without any header of ours: the file may live on somebody else's server.

use reqwest::{Response, header};
use url::Url;

use crate::transport::read;
use crate::{Error, Transport};

/// The largest file a phone sends, each by itself: 1.5 MiB.
pub const MAX_FILE_BYTES: usize = 1_572_864;
const MAX_HOPS: usize = 5;

impl Transport {
    /// The bytes behind `url`; refused when they have no type or are too many.
    pub async fn file(&self, url: &str) -> Result<Vec<u8>, Error> {
        let _lane = self.lane().await;
        let response = self.follow(parse(url)?).await?;
        if !response.headers().contains_key(header::CONTENT_TYPE) {
            return Err(Error::Garbled("the file has no content type".into()));
        }
        read(response, MAX_FILE_BYTES).await
    }

    async fn follow(&self, mut url: Url) -> Result<Response, Error> {
        for _ in 0..MAX_HOPS {
            let sent = self.http.get(url.clone()).send().await;
            let response = sent.map_err(|error| Error::unreachable(&error))?;
            match target(&response) {
                Some(next) => url = next,
                None if response.status().is_success() => return Ok(response),
                None => return Err(refused(response.status().as_u16())),
            }
        }
        Err(refused(310))
    }
}

fn parse(url: &str) -> Result<Url, Error> {
    url.parse()
        .map_err(|error| Error::Garbled(format!("the file's address: {error}")))
}

fn target(response: &Response) -> Option<Url> {
    if !response.status().is_redirection() {
        return None;
    }
    let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
    response.url().join(location).ok()
}

fn refused(status: u16) -> Error {
    Error::Refused {
        status,
        message: "the file cannot be fetched".into(),
    }
}
