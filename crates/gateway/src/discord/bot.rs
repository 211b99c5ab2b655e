//! What the product asks of a Discord bot, and how it knows that Discord is speaking.

use std::fmt;
use std::pin::Pin;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

/// An answer that the bot has to fetch.
pub type Asking<'a> = Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

/// The operator's Discord bot. Ids are digits.
pub trait Bot: Send + Sync + fmt::Debug {
    /// Whether it can read this channel.
    fn sees_channel<'a>(&'a self, id: &'a str) -> Asking<'a>;

    /// Whether it is in this server.
    fn sees_server<'a>(&'a self, id: &'a str) -> Asking<'a>;

    /// Gives this server the slash command that sends SMS; whether that worked.
    fn offer_command<'a>(&'a self, server_id: &'a str) -> Asking<'a>;
}

/// The key by which Discord signs what it sends: Ed25519.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        bytes(text.trim()).map(Self)
    }

    /// Whether a request is Discord's: its headers `X-Signature-Ed25519`, in hexadecimal digits, and
    /// `X-Signature-Timestamp`, and its body as it came.
    pub fn verifies(&self, signature: &str, timestamp: &str, body: &[u8]) -> bool {
        let Some(signature) = bytes::<64>(signature) else {
            return false;
        };
        let signed = [timestamp.as_bytes(), body].concat();
        let key = UnparsedPublicKey::new(&ED25519, self.0);
        key.verify(&signed, &signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey")
    }
}

fn bytes<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let digits = hex.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(16);
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, section 7.1, test 3: the signature of the bytes af 82.
    const KEY: &str = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025";
    const SIGNATURE: &str = "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a";

    #[test]
    fn only_what_was_signed_is_believed() {
        let key = PublicKey::parse(KEY).unwrap();
        let body = [0xaf, 0x82];
        assert!(key.verifies(SIGNATURE, "", &body));
        assert!(!key.verifies(SIGNATURE, "1", &body));
        assert!(!key.verifies(SIGNATURE, "", &body[..1]));
        assert!(!key.verifies(&SIGNATURE[2..], "", &body));
        assert!(!key.verifies("", "", &body));
        assert!(!key.verifies(&SIGNATURE.replace('a', "ü"), "", &body));
    }

    #[test]
    fn a_key_is_64_digits() {
        assert!(PublicKey::parse(&format!(" {KEY}\n")).is_some());
        for wrong in [
            "",
            &KEY[1..],
            &KEY.replace('f', "g"),
            &KEY.replace('c', "ü"),
        ] {
            assert!(PublicKey::parse(wrong).is_none(), "{wrong}");
        }
    }
}
