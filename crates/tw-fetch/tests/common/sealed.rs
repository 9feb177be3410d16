//! Recordings encrypted by openssl, as Twilio stores them: another implementation
//! than the one that is tested.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;
use tw_loopback::Recording;

/// What a public key is called in a record.
pub const KEY_SID: &str = "CR0123456789abcdef0123456789abcdef";
pub const KEY_HEADER: &str = "x-amz-meta-x-amz-key";
pub const IV_HEADER: &str = "x-amz-meta-x-amz-iv";
pub const LENGTH_HEADER: &str = "x-amz-meta-x-amz-unencrypted-content-length";

const CONTENT_KEY: [u8; 32] = *b"a content key of thirty-two byte";
const IV: [u8; 16] = *b"sixteen byte iv.";

/// Key pairs, made once: `mine` in all forms, and `other`.
pub struct Keys(TempDir);

impl Keys {
    pub fn get() -> &'static Self {
        static KEYS: OnceLock<Keys> = OnceLock::new();
        KEYS.get_or_init(|| {
            let keys = Self(super::folder());
            for name in ["mine", "other"] {
                let pem = keys.path(&format!("{name}.pem"));
                let public = keys.path(&format!("{name}.pub"));
                openssl(
                    &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", &pem],
                    b"",
                );
                openssl(&["pkey", "-in", &pem, "-pubout", "-out", &public], b"");
            }
            let (mine, form) = (keys.path("mine.pem"), |name: &str| keys.path(name));
            openssl(&["rsa", "-in", &mine, "-traditional", "-out", &form("pkcs1.pem")], b"");
            let protected = form("protected.pem");
            openssl(&["pkcs8", "-topk8", "-in", &mine, "-passout", "pass:x", "-out", &protected], b"");
            openssl(&["pkey", "-in", &mine, "-outform", "DER", "-out", &form("mine.der")], b"");
            let curve = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out"];
            openssl(&[&curve[..], &[&form("curve.pem")]].concat(), b"");
            keys
        })
    }

    /// `mine.pem` (PKCS#8), `mine.pub`, `other.pem`, `pkcs1.pem`, `protected.pem`,
    /// `mine.der`, `curve.pem`; others may be written there.
    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }
}

/// Media as it is stored, and what comes with it.
pub struct Sealed {
    pub stored: Vec<u8>,
    pub key: String,
    pub iv: String,
    pub length: usize,
}

/// Encrypts for `mine`.
pub fn seal(media: &[u8]) -> Sealed {
    let public = Keys::get().path("mine.pub");
    let stored = openssl(&["enc", "-aes-256-cbc", "-K", &hex(&CONTENT_KEY), "-iv", &hex(&IV)], media);
    let key = openssl(
        &["pkeyutl", "-encrypt", "-pubin", "-inkey", &public, "-pkeyopt", "rsa_padding_mode:pkcs1"],
        &CONTENT_KEY,
    );
    Sealed { stored, key: STANDARD.encode(key), iv: STANDARD.encode(IV), length: media.len() }
}

impl Sealed {
    /// Metadata as headers have it.
    pub fn headers(&self) -> [(&'static str, String); 3] {
        let length = self.length.to_string();
        [(KEY_HEADER, self.key.clone()), (IV_HEADER, self.iv.clone()), (LENGTH_HEADER, length)]
    }

    /// Alice's recording of it, with Twilio's `size` as stored.
    pub fn recording(&self) -> Recording {
        self.headers()
            .iter()
            .fold(self.bare(), |recording, (name, value)| recording.media_header(name, value))
    }

    /// The same without what comes with it.
    pub fn bare(&self) -> Recording {
        super::alice(&self.stored).written_as("encryption_key", &format!("\"{KEY_SID}\""))
    }
}

/// Media of this length that begins as Matroska does.
pub fn matroska(length: usize) -> Vec<u8> {
    let mut bytes = super::media(length);
    let start = [0x1a, 0x45, 0xdf, 0xa3];
    bytes[..start.len()].copy_from_slice(&start);
    bytes
}

/// What stands in a file or message that must hold no key: text of any of them.
pub fn secrets() -> Vec<String> {
    let mut secrets = vec![
        String::from_utf8(CONTENT_KEY.to_vec()).unwrap(),
        hex(&CONTENT_KEY),
        STANDARD.encode(CONTENT_KEY),
    ];
    let pem = fs::read_to_string(Keys::get().path("mine.pem")).unwrap();
    secrets.extend(pem.lines().filter(|line| !line.starts_with('-')).map(str::to_owned));
    secrets
}

pub fn openssl(args: &[&str], stdin: &[u8]) -> Vec<u8> {
    let mut command = assert_cmd::Command::new("openssl");
    command.args(args).write_stdin(stdin).assert().success().get_output().stdout.clone()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where alice's file of this recording is.
pub fn file_of(dir: &Path, recording: &Recording) -> PathBuf {
    dir.join(format!("{}.mka", recording.rt()))
}
