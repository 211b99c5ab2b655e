//! Files in a bucket of an S3-compatible service instead of the data directory.

use std::fmt;
use std::io;
use std::time::Duration;

use anyhow::{Context as _, Result};
use gateway::attachment::{Later, NewFile, Opened, Store};
use http_body_util::BodyExt as _;
use reqwest::redirect::Policy;
use reqwest::{Body, Client, RequestBuilder, Response, StatusCode, header};
use rusty_s3::actions::ListObjectsV2;
use rusty_s3::{Credentials, S3Action, UrlStyle};
use tokio_util::io::StreamReader;
use url::Url;

use crate::config::{Secret, Wrong};

/// How long a signed request is good for; more than it may take to leave.
const SIGNED_FOR: Duration = Duration::from_mins(5);

/// How long a request may go without a byte.
const SILENCE: Duration = Duration::from_secs(20);

/// Requests are tried so often, if the service is not itself.
const TRIES: u32 = 3;

/// What an error is that passes by itself.
const AWAY: io::ErrorKind = io::ErrorKind::NetworkDown;

/// A bucket, and a folder in it.
pub struct Bucket {
    http: Client,
    bucket: rusty_s3::Bucket,
    credentials: Credentials,
    /// Before every key: empty, or ends with a slash.
    prefix: String,
}

impl Bucket {
    /// Reads `s3://KEY:SECRET@HOST/BUCKET/FOLDER?region=REGION`; `s3+http` goes without TLS. What is
    /// not plain in key and secret is percent-encoded.
    ///
    /// # Errors
    /// [`Wrong`], without the secret.
    pub fn open(address: &Secret) -> Result<Self> {
        const FORM: &str =
            "attachments-url must have the form s3://KEY:SECRET@HOST/BUCKET/FOLDER?region=REGION";
        let wrong = || Wrong(FORM.to_owned());
        let url = Url::parse(address.reveal().trim()).map_err(|_| wrong())?;
        let parts = Parts::read(&url).ok_or_else(wrong)?;
        let bucket =
            rusty_s3::Bucket::new(parts.endpoint, UrlStyle::Path, parts.bucket, parts.region)
                .map_err(|_| wrong())?;
        let http = Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(SILENCE)
            .redirect(Policy::none())
            .build()
            .context("cannot prepare requests to the bucket")?;
        Ok(Self {
            http,
            bucket,
            credentials: Credentials::new(parts.key, parts.secret),
            prefix: parts.prefix,
        })
    }

    /// Looks into the bucket, so that a wrong address is told at once.
    ///
    /// # Errors
    /// The bucket cannot be reached, or may not be used.
    pub async fn check(&self) -> Result<()> {
        self.keys("", None, Some(1))
            .await
            .map(drop)
            .with_context(|| {
                let name = self.bucket.name();
                format!("the bucket {name} for attachments cannot be used")
            })
    }

    fn key(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    async fn put(&self, path: &str, content_type: &str, content: Vec<u8>) -> io::Result<()> {
        let (key, content) = (self.key(path), bytes::Bytes::from(content));
        self.try_often(|| {
            let url = sign(&self.bucket.put_object(Some(&self.credentials), &key));
            self.http
                .put(url)
                .header(header::CONTENT_TYPE, content_type)
                .header(header::CONTENT_LENGTH, content.len())
                .body(Body::from(content.clone()))
        })
        .await?;
        Ok(())
    }

    async fn get(&self, path: &str) -> io::Result<Option<Opened>> {
        let key = self.key(path);
        let found = self
            .try_often(|| {
                let url = sign(&self.bucket.get_object(Some(&self.credentials), &key));
                self.http.get(url)
            })
            .await;
        match found {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
            Ok(response) => opened(response).map(Some),
        }
    }

    async fn delete(&self, key: &str) -> io::Result<()> {
        self.try_often(|| {
            let url = sign(&self.bucket.delete_object(Some(&self.credentials), key));
            self.http.delete(url)
        })
        .await?;
        Ok(())
    }

    /// Keys that begin so, after this one: as many as the service gives at once.
    async fn keys(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: Option<usize>,
    ) -> io::Result<Vec<String>> {
        let response = self
            .try_often(|| {
                let mut list = ListObjectsV2::new(&self.bucket, Some(&self.credentials));
                list.with_prefix(self.key(prefix));
                if let Some(after) = after {
                    list.with_start_after(self.key(after));
                }
                if let Some(most) = most {
                    list.with_max_keys(most);
                }
                self.http.get(sign(&list))
            })
            .await?;
        let text = response.text().await.map_err(io::Error::other)?;
        let list = ListObjectsV2::parse_response(&text).map_err(io::Error::other)?;
        Ok(list.contents.into_iter().map(|found| found.key).collect())
    }

    /// Sends a request, again if the service is not reached or has a fault; its success.
    async fn try_often(&self, request: impl Fn() -> RequestBuilder) -> io::Result<Response> {
        let mut tries = 1;
        loop {
            let error = match request().send().await {
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) => refused(response.status()),
                // The URL is signed: who reads it can use it.
                Err(error) => io::Error::new(AWAY, error.without_url()),
            };
            let passing = error.kind() == AWAY;
            if tries == TRIES || !passing {
                return Err(error);
            }
            tokio::time::sleep(Duration::from_millis(100) * tries).await;
            tries += 1;
        }
    }
}

fn sign<'a>(action: &impl S3Action<'a>) -> Url {
    action.sign(SIGNED_FOR)
}

fn refused(status: StatusCode) -> io::Error {
    let kind = match status {
        StatusCode::NOT_FOUND => io::ErrorKind::NotFound,
        status if status.is_server_error() => AWAY,
        StatusCode::TOO_MANY_REQUESTS => AWAY,
        _ => io::ErrorKind::PermissionDenied,
    };
    io::Error::new(kind, format!("the bucket answered {status}"))
}

fn opened(response: Response) -> io::Result<Opened> {
    let length = response.content_length();
    let length = length.ok_or_else(|| io::Error::other("the bucket tells no length"))?;
    let body = http::Response::<Body>::from(response).into_body();
    let stream = body.map_err(io::Error::other).into_data_stream();
    Ok(Opened {
        content: Box::new(StreamReader::new(stream)),
        length,
    })
}

impl Store for Bucket {
    fn keep<'a>(&'a self, folder: &'a str, files: Vec<NewFile>) -> Later<'a, ()> {
        Box::pin(async move {
            for file in files {
                let path = format!("{folder}/{}", file.path);
                let kept = self.put(&path, file.content_type, file.content).await;
                if kept.is_err() {
                    // What cannot be removed either is told by the first error.
                    let _ = self.remove(folder).await;
                    return kept;
                }
            }
            Ok(())
        })
    }

    fn open<'a>(&'a self, path: &'a str) -> Later<'a, Option<Opened>> {
        Box::pin(self.get(path))
    }

    fn list<'a>(&'a self, folder: &'a str, after: &'a str) -> Later<'a, Vec<String>> {
        Box::pin(async move {
            let folder = format!("{folder}/");
            let after = (!after.is_empty()).then(|| format!("{folder}{after}"));
            let keys = self.keys(&folder, after.as_deref(), None).await?;
            let inside = self.key(&folder);
            let places = keys.iter().filter_map(|key| key.strip_prefix(&inside));
            Ok(places.map(str::to_owned).collect())
        })
    }

    fn remove<'a>(&'a self, folder: &'a str) -> Later<'a, ()> {
        Box::pin(async move {
            let folder = format!("{folder}/");
            loop {
                let keys = self.keys(&folder, None, None).await?;
                if keys.is_empty() {
                    return Ok(());
                }
                for key in keys {
                    self.delete(&key).await?;
                }
            }
        })
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket")
            .field("name", &self.bucket.name())
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// What an address says.
#[derive(Debug, PartialEq, Eq)]
struct Parts {
    endpoint: Url,
    bucket: String,
    prefix: String,
    region: String,
    key: String,
    secret: String,
}

impl Parts {
    fn read(url: &Url) -> Option<Self> {
        let scheme = match url.scheme() {
            "s3" => "https",
            "s3+http" => "http",
            _ => return None,
        };
        let host = url.host_str().filter(|host| !host.is_empty())?;
        let port = url
            .port()
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        let path = url.path().trim_matches('/');
        let (bucket, folder) = path.split_once('/').unwrap_or((path, ""));
        let key = decoded(url.username())?;
        let secret = decoded(url.password()?)?;
        let region = url.query_pairs().find(|(name, _)| name == "region");
        let plain = |char: char| char.is_ascii_alphanumeric() || "-_./".contains(char);
        let usable = !bucket.is_empty() && path.chars().all(plain) && !path.contains("..");
        if !usable || key.is_empty() || secret.is_empty() {
            return None;
        }
        Some(Self {
            endpoint: format!("{scheme}://{host}{port}").parse().ok()?,
            bucket: bucket.to_owned(),
            prefix: if folder.is_empty() {
                String::new()
            } else {
                format!("{folder}/")
            },
            region: region.map_or_else(|| "us-east-1".to_owned(), |(_, name)| name.into_owned()),
            key,
            secret,
        })
    }
}

fn decoded(text: &str) -> Option<String> {
    let text = percent_encoding::percent_decode_str(text).decode_utf8();
    text.ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<Parts> {
        Parts::read(&Url::parse(text).unwrap())
    }

    #[test]
    fn an_address_has_everything_in_it() {
        let found = parts("s3+http://me:a%2Fb%2B@127.0.0.1:9000/sms/files/mms/?region=eu-west-1");
        let expected = Parts {
            endpoint: "http://127.0.0.1:9000".parse().unwrap(),
            bucket: "sms".to_owned(),
            prefix: "files/mms/".to_owned(),
            region: "eu-west-1".to_owned(),
            key: "me".to_owned(),
            secret: "a/b+".to_owned(),
        };
        assert_eq!(found, Some(expected));
        let short = parts("s3://k:s@s3.example.org/sms").unwrap();
        assert_eq!(short.endpoint.as_str(), "https://s3.example.org/");
        assert_eq!(
            (short.prefix.as_str(), short.region.as_str()),
            ("", "us-east-1")
        );
    }

    #[test]
    fn what_is_missing_is_told_without_the_secret() {
        for address in [
            "https://k:sesame@h/b",
            "s3://sesame@h/b",
            "s3://:sesame@h/b",
            "s3://k:sesame@h",
            "s3://k:sesame@h/b/../c d",
            "sesame",
        ] {
            let error = Bucket::open(&Secret::from(address)).unwrap_err();
            assert!(error.is::<Wrong>(), "{address}");
            assert!(!error.to_string().contains("sesame"), "{error}");
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "tests are told by the environment"
    )]
    fn address() -> Option<String> {
        std::env::var("HTTPSMS_TEST_S3").ok()
    }

    fn file(path: &str, content: &[u8]) -> NewFile {
        NewFile {
            path: path.to_owned(),
            content_type: "image/png",
            content: content.to_vec(),
        }
    }

    #[tokio::test]
    async fn a_service_that_is_not_reached_is_away() {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = nobody.local_addr().unwrap();
        drop(nobody);
        let bucket = Bucket::open(&Secret::from(&*format!("s3+http://k:s@{address}/b"))).unwrap();
        let kept = bucket.keep("u/m", vec![file("0/a.png", b"x")]).await;
        assert_eq!(kept.unwrap_err().kind(), AWAY);
        let opened = bucket.open("u/m/0/a.png").await.map(drop);
        assert_eq!(opened.unwrap_err().kind(), AWAY);
    }

    /// With a real service, where one is at hand; its bucket is there and empty.
    #[tokio::test]
    async fn files_go_into_a_bucket_and_out_again() {
        use tokio::io::AsyncReadExt as _;

        let Some(address) = address() else {
            println!("skipped: HTTPSMS_TEST_S3 names no bucket, s3+http://KEY:SECRET@HOST/BUCKET");
            return;
        };
        let bucket = Bucket::open(&Secret::from(address.as_str())).unwrap();
        bucket.check().await.unwrap();
        let large: Vec<u8> = (0..3_000_000_u32).map(|at| at as u8).collect();
        let files = vec![file("0/a.png", b"hello"), file("1/b_c-d.png", &large)];
        bucket.keep("~user/message", files).await.unwrap();
        bucket
            .keep("~user/message2", vec![file("0/a.png", b"other")])
            .await
            .unwrap();
        let mut found = bucket
            .open("~user/message/1/b_c-d.png")
            .await
            .unwrap()
            .unwrap();
        let mut content = Vec::new();
        found.content.read_to_end(&mut content).await.unwrap();
        assert!(found.length == 3_000_000 && content == large);
        assert!(
            bucket
                .open("~user/message/2/x.png")
                .await
                .unwrap()
                .is_none()
        );
        let first = bucket.list("~user", "").await.unwrap();
        let names = ["message/0/a.png", "message/1/b_c-d.png", "message2/0/a.png"];
        assert_eq!(first, names);
        assert_eq!(bucket.list("~user", names[1]).await.unwrap(), [names[2]]);
        assert!(bucket.list("~user", names[2]).await.unwrap().is_empty());
        bucket.remove("~user/message").await.unwrap();
        bucket.remove("~user/message").await.unwrap();
        assert!(
            bucket
                .open("~user/message/0/a.png")
                .await
                .unwrap()
                .is_none()
        );
        assert!(
            bucket
                .open("~user/message2/0/a.png")
                .await
                .unwrap()
                .is_some()
        );
        bucket.remove("~user").await.unwrap();

        let url = Url::parse(&address).unwrap();
        let mut stranger = url.clone();
        stranger.set_password(Some("wrong")).unwrap();
        let stranger = Bucket::open(&Secret::from(stranger.as_str())).unwrap();
        let told = format!("{:#}", stranger.check().await.unwrap_err());
        assert!(told.contains("403") && !told.contains("wrong"), "{told}");
        stranger
            .keep("x", vec![file("0/a.png", b"")])
            .await
            .unwrap_err();
    }
}
