//! The user's RSA private keys, which open the content keys of encrypted recordings.
//!
//! A key is read from PEM, PKCS#1 (RFC 8017) or PKCS#8 (RFC 5958), and is neither
//! said nor written anywhere; the memory of its text is wiped once it is read.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::rand_core::OsRng;
use rsa::{Pkcs1v15Encrypt, RsaPrivateKey};
use zeroize::Zeroizing;

/// The longest file that is read: a key of 16384 bits has 13 kB.
const LONGEST_FILE: usize = 64 << 10;
/// AES-256.
const CONTENT_KEY_BYTES: usize = 32;

/// The key that a recording's media is encrypted with.
pub(crate) type ContentKey = Zeroizing<[u8; CONTENT_KEY_BYTES]>;

/// All private keys that were given: an account that changed its key has recordings of both.
#[derive(Default)]
pub(crate) struct PrivateKeys {
    keys: Vec<RsaPrivateKey>,
    /// Their files, for messages.
    names: Vec<String>,
}

impl PrivateKeys {
    /// Reads the keys.
    ///
    /// # Errors
    /// When a file can't be read or holds something else, with what to do: wrong set-up.
    pub(crate) fn read(files: &[PathBuf]) -> anyhow::Result<Self> {
        let mut keys = Self::default();
        for file in files {
            let key = read(file).with_context(|| format!("--private-key {}", file.display()))?;
            keys.keys.push(key);
            keys.names.push(file.display().to_string());
        }
        Ok(keys)
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The files' names, for messages.
    pub(crate) fn names(&self) -> String {
        self.names.join(", ")
    }

    /// The content key, if it was encrypted (PKCS#1 v1.5) for one of these.
    pub(crate) fn open(&self, encrypted: &[u8]) -> Option<ContentKey> {
        self.keys.iter().find_map(|key| {
            let plain = key.decrypt_blinded(&mut OsRng, Pkcs1v15Encrypt, encrypted).ok()?;
            let plain = Zeroizing::new(plain);
            let mut content_key = ContentKey::default();
            (plain.len() == CONTENT_KEY_BYTES).then(|| content_key.copy_from_slice(&plain))?;
            Some(content_key)
        })
    }
}

impl fmt::Debug for PrivateKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKeys({})", self.names())
    }
}

fn read(file: &Path) -> anyhow::Result<RsaPrivateKey> {
    // A pipe will do as well: <(openssl pkey …).
    match File::open(file).and_then(text_of) {
        Ok(text) => parse(&text, &file.display().to_string()),
        Err(e) if e.kind() == io::ErrorKind::InvalidData => bail!(
            "it is no PEM, which is text; if it is DER: openssl pkey -inform DER -in {} -out key.pem",
            file.display()
        ),
        Err(e) => Err(e.into()),
    }
}

/// The text of a file that isn't too long, in memory that is wiped.
fn text_of(file: impl Read) -> io::Result<Zeroizing<String>> {
    // Text that outgrew its memory would be moved, and leave a copy that nobody wipes.
    let mut text = Zeroizing::new(String::with_capacity(LONGEST_FILE));
    file.take(LONGEST_FILE as u64).read_to_string(&mut text)?;
    Ok(text)
}

/// Reads the first private key of a PEM file (RFC 7468); what stands before it is passed over.
fn parse(text: &str, file: &str) -> anyhow::Result<RsaPrivateKey> {
    let labels: Vec<&str> = text.lines().filter_map(label).collect();
    let Some(label) = labels.iter().find(|label| label.ends_with("PRIVATE KEY")) else {
        match labels.first() {
            Some(label) if label.contains("PUBLIC KEY") || label.contains("CERTIFICATE") => bail!(
                "it is the public half ({label}), with which Twilio encrypts: \
                 the private key that it was made from is needed"
            ),
            Some(label) => bail!("it holds no private key, but {label:?}"),
            None if text.starts_with("ssh-") => {
                bail!("it is a public key for ssh: a private RSA key is needed")
            }
            None => bail!("it holds no key: a PEM file begins with -----BEGIN PRIVATE KEY-----"),
        }
    };
    let begin = format!("-----BEGIN {label}-----");
    let end = format!("-----END {label}-----");
    let block = text.find(&begin).and_then(|from| {
        let length = text[from..].find(&end)? + end.len();
        text.get(from..from + length)
    });
    let Some(block) = block else { bail!("it breaks off: there is no {end}") };
    if label.contains("ENCRYPTED") || block.contains("Proc-Type: 4,ENCRYPTED") {
        bail!(
            "it is protected by a passphrase; take that off: openssl pkey -in {file} -out plain.pem, \
             or without a file, in bash: --private-key <(openssl pkey -in {file})"
        );
    }
    // What the parser found wrong may hold bytes of the key: it isn't said.
    match *label {
        "PRIVATE KEY" => match RsaPrivateKey::from_pkcs8_pem(block) {
            Ok(key) => Ok(key),
            Err(rsa::pkcs8::Error::PublicKey(_)) => {
                bail!("it is a key of another kind: an RSA key is needed")
            }
            Err(_) => bail!("it is damaged: what it holds is no PKCS#8 RSA key"),
        },
        "RSA PRIVATE KEY" => match RsaPrivateKey::from_pkcs1_pem(block) {
            Ok(key) => Ok(key),
            Err(_) => bail!("it is damaged: what it holds is no PKCS#1 RSA key"),
        },
        "OPENSSH PRIVATE KEY" => {
            bail!("it is in OpenSSH's own format; make a copy PEM: ssh-keygen -p -m PEM -f COPY-OF-{file}")
        }
        label => bail!("it is a key of another kind ({label}): an RSA key is needed"),
    }
}

/// `X` of a line `-----BEGIN X-----`.
fn label(line: &str) -> Option<&str> {
    line.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(text: &str) -> String {
        parse(text, "k.pem").unwrap_err().to_string()
    }

    fn pem(label: &str, body: &str) -> String {
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    }

    #[test]
    fn what_is_read_is_never_moved() {
        for length in [0, 1, 13_000, LONGEST_FILE, 2 * LONGEST_FILE] {
            let text = text_of(io::repeat(b'x').take(length as u64)).unwrap();
            assert_eq!((text.len(), text.capacity()), (length.min(LONGEST_FILE), LONGEST_FILE));
        }
    }

    #[test]
    fn what_is_no_private_key_is_called_by_its_name() {
        assert!(hint("").contains("holds no key"));
        assert!(hint("ssh-rsa AAAA me").contains("for ssh"));
        assert!(hint(&pem("PUBLIC KEY", "AAAA")).contains("public half"));
        assert!(hint(&pem("RSA PUBLIC KEY", "AAAA")).contains("public half"));
        assert!(hint(&pem("CERTIFICATE", "AAAA")).contains("public half"));
        assert!(hint(&pem("DH PARAMETERS", "AAAA")).contains("DH PARAMETERS"));
        assert!(hint(&pem("EC PRIVATE KEY", "AAAA")).contains("an RSA key is needed"));
        assert!(hint(&pem("OPENSSH PRIVATE KEY", "AAAA")).contains("ssh-keygen"));
        assert!(hint(&pem("ENCRYPTED PRIVATE KEY", "AAAA")).contains("openssl pkey -in k.pem"));
        let traditional = pem("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA");
        assert!(hint(&traditional).contains("openssl pkey -in k.pem"));
        assert!(hint("-----BEGIN PRIVATE KEY-----\nAAAA").contains("breaks off"));
        assert!(hint(&pem("PRIVATE KEY", "AAAA")).contains("damaged"));
        assert!(hint(&pem("RSA PRIVATE KEY", "%%%%")).contains("damaged"));
    }
}
