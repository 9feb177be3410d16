//! The flags of the tools that talk to Twilio.

use std::time::Duration;

use clap::Args;

use crate::number::whole;

use super::{BaseUrl, Client, Credentials, Policy};

/// Where Twilio is, and how patient we are with it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Network options")]
pub struct HttpOptions {
    // The text is shown in a terminal as it stands here.
    #[allow(rustdoc::bare_urls)]
    /// Where the API is [default: $TWILIO_BASE_URL, or https://video.twilio.com]
    ///
    /// Plain http is accepted for a loopback address only. The credentials are
    /// sent to this scheme, host and port, and nowhere else.
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,

    /// How often a request that failed in passing is tried again
    ///
    /// In passing: 429, 500, 502, 503, 504, a connection that can't be made or
    /// breaks, a timeout. The pauses double each time, with some chance in them,
    /// and are at least as long as the answer's Retry-After says (at most two
    /// minutes).
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = whole(0..=u32::MAX))]
    pub retries: u32,

    /// The longest wait for a connection, and the longest silence, in seconds
    ///
    /// An answer of the API may take ten times as long in all. Media may take ten
    /// times as long plus a second for each KiB that came, and its next bytes ten
    /// times as long, whatever else comes.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub timeout: Duration,

    /// The pause before the first retry, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1000, value_parser = whole(0..=u64::MAX))]
    pub retry_delay: u64,
}

impl HttpOptions {
    /// A client for these flags and this environment.
    ///
    /// # Errors
    /// When the base URL or the credentials won't do: wrong set-up.
    pub fn client(&self) -> anyhow::Result<Client> {
        let base = self.base()?;
        let policy = Policy { retries: self.retries, first_pause: Duration::from_millis(self.retry_delay) };
        Ok(Client::new(base, &Credentials::from_env()?, policy, self.timeout))
    }

    /// Where the API is, for these flags and this environment.
    ///
    /// # Errors
    /// When the base URL won't do: wrong set-up.
    pub fn base(&self) -> anyhow::Result<BaseUrl> {
        let from_env = || std::env::var("TWILIO_BASE_URL").ok().filter(|text| !text.trim().is_empty());
        let base = self.base_url.clone().or_else(from_env).unwrap_or_else(|| BaseUrl::TWILIO.to_owned());
        BaseUrl::parse(&base)
    }
}

/// Seconds, with a fraction if wanted.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "should be a number of seconds".to_owned())?;
    if !(0.001..=86_400.0).contains(&seconds) {
        return Err("should be more than 0 and at most a day".into());
    }
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_some_time() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for text in ["0", "-1", "NaN", "inf", "1e99", "", "5s"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
