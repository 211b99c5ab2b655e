//! Secure connections, trusting what the operating system trusts.
//! The certificates are read when the first one is made, not when the server starts.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::failure::Failure;

/// Makes secure connections. Clones share their sessions.
#[derive(Clone, Default)]
pub struct Tls(Arc<OnceCell<TlsConnector>>);

impl Tls {
    /// With another configuration, such as other trusted certificates.
    pub fn with(config: ClientConfig) -> Self {
        Self(Arc::new(OnceCell::new_with(Some(connector(config)))))
    }

    /// Greets the server by this name, without brackets for an address.
    pub async fn connect(
        &self,
        host: &str,
        tcp: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        let name =
            rustls::pki_types::ServerName::try_from(host.to_owned()).map_err(|_| Failure::Url)?;
        let connector = self.0.get_or_try_init(|| async { platform() }).await?;
        let connected = connector.connect(name, tcp).await;
        connected.map_err(|error| Failure::of_io(&error))
    }
}

fn connector(mut config: ClientConfig) -> TlsConnector {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsConnector::from(Arc::new(config))
}

fn platform() -> Result<TlsConnector, Failure> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| {
            tracing::error!(%error, "no trusted certificates: secure connections cannot be made");
            Failure::Tls(error.to_string())
        })?;
    Ok(connector(config.with_no_client_auth()))
}
