//! The URL of a server, and what its `sslmode` asks of TLS.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Error, Result};

/// How to reach the server. No error tells the URL, for its password.
pub(super) fn configure(url: &str) -> Result<(Config, MakeRustlsConnect)> {
    let (url, asked) = Asked::take_from(url);
    let config = url.parse::<Config>().map_err(|error| {
        let error = Error::from(error);
        Error::Other(format!("the database URL: {error}"))
    })?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = asked.verifier(&provider).map_err(|error| {
        Error::Other(format!("cannot check the database's certificate: {error}"))
    })?;
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Other(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok((config, MakeRustlsConnect::new(tls)))
}

/// What tokio-postgres does not know of.
#[derive(Debug, Default, PartialEq)]
struct Asked {
    verify: bool,
    root_cert: Option<String>,
}

impl Asked {
    /// The URL without it.
    fn take_from(url: &str) -> (String, Self) {
        let mut asked = Self::default();
        let Some((base, query)) = url.split_once('?') else {
            return (url.to_owned(), asked);
        };
        let rest: Vec<_> = query
            .split('&')
            .filter_map(|pair| match pair.split_once('=') {
                Some(("sslmode", "verify-ca" | "verify-full")) => {
                    asked.verify = true;
                    Some("sslmode=require")
                }
                Some(("sslmode", "allow")) => Some("sslmode=prefer"),
                Some(("sslrootcert", path)) => {
                    asked.verify = true;
                    asked.root_cert = Some(path.replace("%2F", "/"));
                    None
                }
                _ => Some(pair),
            })
            .collect();
        (format!("{base}?{}", rest.join("&")), asked)
    }

    fn verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ServerCertVerifier>, String> {
        let provider = Arc::clone(provider);
        match self.root_cert.as_deref() {
            _ if !self.verify => Ok(Arc::new(Unchecked(provider))),
            None | Some("system") => match Verifier::new(provider) {
                Ok(verifier) => Ok(Arc::new(verifier)),
                Err(error) => Err(error.to_string()),
            },
            Some(path) => {
                let roots = Arc::new(roots(path)?);
                let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider);
                Ok(verifier.build().map_err(|error| error.to_string())?)
            }
        }
    }
}

fn roots(path: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let named = |error: String| format!("{path}: {error}");
    for root in CertificateDer::pem_file_iter(path).map_err(|error| named(error.to_string()))? {
        let root = root.map_err(|error| named(error.to_string()))?;
        roots.add(root).map_err(|error| named(error.to_string()))?;
    }
    Ok(roots)
}

/// `prefer` and `require` encrypt without asking who is there, as libpq does: a server's first
/// certificate is mostly one it signed itself.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::Asked;

    #[test]
    fn verification_is_asked_for_in_the_url() {
        let (url, asked) = Asked::take_from("postgres://h/d?sslmode=verify-full&user=a");
        assert_eq!(url, "postgres://h/d?sslmode=require&user=a");
        assert!(asked.verify);

        let (url, asked) = Asked::take_from("postgres://h/d?sslmode=require&sslrootcert=/ca.pem");
        assert_eq!(url, "postgres://h/d?sslmode=require");
        assert_eq!(asked.root_cert.as_deref(), Some("/ca.pem"));

        let (url, asked) = Asked::take_from("postgres://h/d?sslmode=require");
        assert_eq!(url, "postgres://h/d?sslmode=require");
        assert_eq!(asked, Asked::default());
    }
}
