//! Credentials: from the environment only, so that they stand in no argv.

use std::fmt;

use anyhow::bail;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const ACCOUNT_SID: &str = "TWILIO_ACCOUNT_SID";
const AUTH_TOKEN: &str = "TWILIO_AUTH_TOKEN";
const API_KEY: &str = "TWILIO_API_KEY";
const API_SECRET: &str = "TWILIO_API_SECRET";

/// What to set, for whoever has set nothing.
const HOW_TO: &str = "set TWILIO_API_KEY and TWILIO_API_SECRET, or TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, \
                      in the environment (the Twilio console shows them)";

/// The two halves of HTTP Basic authentication. Its `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    secret: String,
}

impl Credentials {
    /// Reads the environment: an API key wins over the account's auth token.
    ///
    /// # Errors
    /// When a variable is missing or is taken for another one; the message says
    /// which to set, and never shows a value.
    pub fn from_env() -> anyhow::Result<Self> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        // A secret that was read from a file often has its line end still.
        let value =
            |name: &str| lookup(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let credentials = match (value(API_KEY), value(API_SECRET), value(ACCOUNT_SID), value(AUTH_TOKEN)) {
            (Some(key), Some(secret), _, _) => {
                if key.starts_with("AC") {
                    bail!(
                        "{API_KEY} holds an account SID (AC…): an API key starts with SK; \
                         or set {ACCOUNT_SID} and {AUTH_TOKEN}"
                    );
                }
                if !key.starts_with("SK") {
                    bail!("{API_KEY} should start with SK: it wants the key's SID, not its name or secret");
                }
                Self { user: key, secret }
            }
            (Some(_), None, _, _) => bail!("{API_KEY} is set, but {API_SECRET} isn't"),
            (None, Some(_), Some(_), None) => bail!(
                "{API_SECRET} is an API key's secret, and {ACCOUNT_SID} goes with {AUTH_TOKEN}: \
                 set {API_KEY} (SK…), or {AUTH_TOKEN}"
            ),
            (None, Some(_), None, _) => bail!("{API_SECRET} is set, but {API_KEY} isn't"),
            (None, _, Some(account), Some(secret)) => {
                if account.starts_with("SK") {
                    bail!(
                        "{ACCOUNT_SID} holds an API key (SK…): set {API_KEY} and {API_SECRET} to the key and its secret"
                    );
                }
                if !account.starts_with("AC") {
                    bail!("{ACCOUNT_SID} should start with AC");
                }
                Self { user: account, secret }
            }
            (None, _, Some(_), None) => bail!("{ACCOUNT_SID} is set, but {AUTH_TOKEN} isn't"),
            (None, _, None, Some(_)) => bail!("{AUTH_TOKEN} is set, but {ACCOUNT_SID} isn't"),
            (None, None, None, None) => bail!("no credentials: {HOW_TO}"),
        };
        if credentials.user.contains(|c: char| !c.is_ascii_alphanumeric()) {
            bail!("the SID in {API_KEY} or {ACCOUNT_SID} holds something else than letters and digits");
        }
        Ok(credentials)
    }

    /// What no message may repeat, in the forms in which it is sent or kept.
    pub(crate) fn secrets(&self) -> Vec<String> {
        [self.encoded(), self.secret.clone()].into_iter().filter(|secret| !secret.is_empty()).collect()
    }

    /// The value of an `Authorization` header (RFC 7617).
    pub(crate) fn authorization(&self) -> String {
        format!("Basic {}", self.encoded())
    }

    fn encoded(&self) -> String {
        STANDARD.encode(format!("{}:{}", self.user, self.secret))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> anyhow::Result<Credentials> {
        Credentials::from_lookup(|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn hint(pairs: &[(&str, &str)]) -> String {
        from(pairs).unwrap_err().to_string()
    }

    #[test]
    fn an_api_key_wins() {
        let all = [(ACCOUNT_SID, "AC1"), (AUTH_TOKEN, "token"), (API_KEY, "SK1"), (API_SECRET, "secret\n")];
        assert_eq!(from(&all).unwrap().authorization(), format!("Basic {}", STANDARD.encode("SK1:secret")));
        assert_eq!(
            from(&all[..2]).unwrap().authorization(),
            format!("Basic {}", STANDARD.encode("AC1:token"))
        );
    }

    #[test]
    fn what_is_missing_or_mistaken_is_named() {
        assert!(hint(&[]).starts_with("no credentials: set TWILIO_API_KEY and TWILIO_API_SECRET, or"));
        assert!(hint(&[(ACCOUNT_SID, " ")]).starts_with("no credentials"));
        assert!(hint(&[(ACCOUNT_SID, "AC1")]).contains("TWILIO_AUTH_TOKEN isn't"));
        assert!(hint(&[(AUTH_TOKEN, "x")]).contains("TWILIO_ACCOUNT_SID isn't"));
        assert!(
            hint(&[(API_KEY, "SK1"), (ACCOUNT_SID, "AC1"), (AUTH_TOKEN, "x")])
                .contains("TWILIO_API_SECRET isn't")
        );
        assert!(hint(&[(API_SECRET, "x")]).contains("TWILIO_API_KEY isn't"));
        assert!(hint(&[(ACCOUNT_SID, "AC1"), (API_SECRET, "x")]).contains("an API key's secret"));
        assert!(hint(&[(ACCOUNT_SID, "SK1"), (AUTH_TOKEN, "x")]).contains("holds an API key"));
        assert!(hint(&[(API_KEY, "AC1"), (API_SECRET, "x")]).contains("starts with SK"));
        assert!(hint(&[(API_KEY, "mykey"), (API_SECRET, "x")]).contains("should start with SK"));
        assert!(hint(&[(ACCOUNT_SID, "me"), (AUTH_TOKEN, "x")]).contains("should start with AC"));
    }

    #[test]
    fn no_value_is_ever_shown() {
        let credentials = from(&[(API_KEY, "SK1"), (API_SECRET, "hush")]).unwrap();
        assert_eq!(format!("{credentials:?}"), "Credentials(…)");
        for pairs in [
            &[(API_KEY, "hush"), (API_SECRET, "hush")][..],
            &[(ACCOUNT_SID, "hush"), (AUTH_TOKEN, "hush")],
            &[(ACCOUNT_SID, "AC1"), (API_SECRET, "hush")],
            &[(AUTH_TOKEN, "hush")],
        ] {
            assert!(!hint(pairs).contains("hush"));
        }
    }
}
