//! Bytes on a socket, for what no HTTP client would send.

use std::time::Duration;

use testkit::Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub struct Raw(TcpStream);

impl Raw {
    pub async fn connect(server: &Server) -> Self {
        let address = server.url().trim_start_matches("http://");
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// Writes; false when the server has closed the connection.
    pub async fn write(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).await.is_ok()
    }

    /// Everything until the server closes; panics when it has not after that long.
    pub async fn read_to_end(&mut self, deadline: Duration) -> String {
        let mut all = Vec::new();
        let read = timeout(deadline, self.0.read_to_end(&mut all)).await;
        assert!(read.is_ok(), "still open after {deadline:?}");
        // A reset is an end as well.
        String::from_utf8_lossy(&all).into_owned()
    }

    /// The status line of an answer; empty when the connection was closed without one.
    pub async fn status(&mut self, deadline: Duration) -> String {
        let mut line = Vec::new();
        let read = async {
            while let Ok(byte) = self.0.read_u8().await {
                if byte == b'\n' {
                    break;
                }
                line.push(byte);
            }
        };
        assert!(
            timeout(deadline, read).await.is_ok(),
            "no answer after {deadline:?}"
        );
        String::from_utf8_lossy(&line).trim_end().to_owned()
    }
}
