//! Phone agents: plain HTTP clients of the public API that behave like the Android app.
//! Here stands what they share (wire, client, addresses, errors); each agent has its own file.
//!
//! "The phone protocol" in these files is `phone.md` of the wire contract. A simulated phone:
//!
//! ```no_run
//! # async fn example() -> Result<(), modem::Error> {
//! use modem::{Transport, simulate};
//! use tokio_util::sync::CancellationToken;
//!
//! let server = "http://localhost:8000".parse().expect("an address");
//! let options = simulate::Options::new(server, "pk_secret", ["+18005550199"]);
//! let phone = simulate::Phone::new(&Transport::new()?, options)?
//!     .on_happening(|happening| println!("{happening}"));
//! let summary = phone.run(CancellationToken::new()).await?;
//! println!("{summary}");
//! # Ok(())
//! # }
//! ```

mod address;
mod backoff;
mod client;
mod error;
mod file;
pub mod simulate;
mod stamp;
mod transport;
pub mod wire;

pub use address::Address;
pub use backoff::Backoff;
pub use client::{ApiKey, Client};
pub use error::Error;
pub use file::MAX_FILE_BYTES;
pub use stamp::Stamp;
pub use transport::Transport;
