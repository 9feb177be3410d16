//! Twilio's client, made when it is needed first: a run over files that are all there,
//! or in a bucket of one's own, wants no credentials.

use std::sync::OnceLock;

use tw_core::http::{Client, HttpOptions};
use tw_core::{ErrorKind, Failure};

/// Twilio, for whoever needs it.
pub(crate) struct Twilio {
    options: HttpOptions,
    client: OnceLock<Result<Client, Failure>>,
}

impl Twilio {
    /// Not asked yet.
    ///
    /// # Errors
    /// When the base URL won't do: wrong set-up, needed or not.
    pub(crate) fn new(options: HttpOptions) -> anyhow::Result<Self> {
        options.base()?;
        Ok(Self { options, client: OnceLock::new() })
    }

    /// The client.
    ///
    /// # Errors
    /// When there are no credentials for it, the same for all records.
    pub(crate) fn client(&self) -> Result<&Client, Failure> {
        let made = self.client.get_or_init(|| {
            self.options.client().map_err(|error| Failure {
                set_up: true,
                ..Failure::new(ErrorKind::Auth, format!("{error:#}"))
            })
        });
        made.as_ref().map_err(Clone::clone)
    }
}
