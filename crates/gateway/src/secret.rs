//! Keys and secrets: made at random, found by a keyed hash, kept encrypted.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, RandomizedNonceKey};
use aws_lc_rs::{aead, hkdf, hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

/// Hashes and encrypts with keys derived from one file that lies outside the database.
pub struct Keyring {
    hash: hmac::Key,
    seal: RandomizedNonceKey,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring")
    }
}

/// What was kept cannot be read: another key file, or damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stored secret cannot be decrypted with this key file")]
pub struct Unreadable;

impl Keyring {
    /// Opens the key file, making it with 32 random bytes, readable by its owner only, if there is none.
    pub fn open(path: &Path) -> io::Result<Self> {
        create_once(path)?;
        let mut master = Vec::new();
        fs::File::open(path)?.read_to_end(&mut master)?;
        if master.len() != 32 {
            let found = master.len();
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "{}: a key file holds 32 bytes, this one {found}",
                    path.display()
                ),
            ));
        }
        Self::derive(&master).map_err(|_| io::Error::other("the key file cannot be used"))
    }

    fn derive(master: &[u8]) -> Result<Self, aws_lc_rs::error::Unspecified> {
        let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, b"httpsms").extract(master);
        let mut derived = [[0; 32]; 2];
        for (key, purpose) in derived.iter_mut().zip([&b"key hash"[..], b"seal"]) {
            secret.expand(&[purpose], hkdf::HKDF_SHA256)?.fill(key)?;
        }
        Ok(Self {
            hash: hmac::Key::new(hmac::HMAC_SHA256, &derived[0]),
            seal: RandomizedNonceKey::new(&AES_256_GCM, &derived[1])?,
        })
    }

    /// The hash that a key is found by. Without the key file it says nothing about the key.
    pub fn hash(&self, key: &str) -> Vec<u8> {
        hmac::sign(&self.hash, key.as_bytes()).as_ref().to_vec()
    }

    /// Encrypts a secret: nonce, then cipher text with its tag.
    pub fn seal(&self, secret: &str) -> Vec<u8> {
        let mut sealed = secret.as_bytes().to_vec();
        let Ok(nonce) = self
            .seal
            .seal_in_place_append_tag(aead::Aad::empty(), &mut sealed)
        else {
            unreachable!("a secret is far shorter than the cipher's limit");
        };
        [&nonce.as_ref()[..], &sealed].concat()
    }

    /// Decrypts what [`Keyring::seal`] made.
    pub fn open_sealed(&self, sealed: &[u8]) -> Result<String, Unreadable> {
        let (nonce, text) = sealed.split_at_checked(aead::NONCE_LEN).ok_or(Unreadable)?;
        let nonce = aead::Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unreadable)?;
        let mut text = text.to_vec();
        let plain = self
            .seal
            .open_in_place(nonce, aead::Aad::empty(), &mut text)
            .map_err(|_| Unreadable)?;
        String::from_utf8(plain.to_vec()).map_err(|_| Unreadable)
    }
}

/// Writes the file beside its place and links it there, so that two starters never see half a key.
fn create_once(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let mut master = [0; 32];
    rand::fill(&mut master).map_err(|_| io::Error::other("no randomness"))?;
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(&master)?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// A new key: the prefix (`uk_` or `pk_`) and 64 characters of URL-safe base64 of 64 random bytes.
pub fn new_key(prefix: &str) -> String {
    let mut bytes = [0; 64];
    if rand::fill(&mut bytes).is_err() {
        unreachable!("the library's generator does not fail once it is seeded");
    }
    let mut key = prefix.to_owned();
    key.push_str(&URL_SAFE.encode(bytes)[..64]);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_come_back_only_with_the_same_key_file() {
        let folder = tempfile::tempdir().unwrap();
        let open = |name: &str| Keyring::open(&folder.path().join(name)).unwrap();
        let (ours, again, other) = (open("a.key"), open("a.key"), open("b.key"));
        let sealed = ours.seal("pk_secret");
        assert_eq!(again.open_sealed(&sealed).as_deref(), Ok("pk_secret"));
        assert_eq!(other.open_sealed(&sealed), Err(Unreadable));
        assert_eq!(ours.open_sealed(&sealed[..5]), Err(Unreadable));
        assert_ne!(ours.seal("pk_secret"), sealed, "a fresh nonce each time");
        assert_eq!(ours.hash("x"), again.hash("x"));
        assert_ne!(ours.hash("x"), other.hash("x"));
    }

    #[test]
    fn a_short_key_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("short.key");
        std::fs::write(&path, "short").unwrap();
        assert!(Keyring::open(&path).is_err());
    }

    #[test]
    fn keys_have_the_form_of_the_wire() {
        let key = new_key("pk_");
        assert_eq!(key.len(), 67);
        assert!(
            key[3..]
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        );
        assert_ne!(key, new_key("pk_"));
    }
}
