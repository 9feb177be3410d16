//! The Twilio client: credentials from the environment, one base URL that they
//! never leave, bounded retries, and errors that name Twilio's own code.
//!
//! [`HttpOptions`] are the flags; [`HttpOptions::client`] makes the [`Client`].

mod addresses;
mod base_url;
mod client;
mod credentials;
mod error;
mod options;
mod retry;
mod stall;

pub use crate::sid::is_sid;
pub use base_url::{BaseUrl, shown};
pub use client::{Client, Download, MediaAddress, Part};
pub use credentials::Credentials;
pub use error::{HttpError, Side, StatusError};
pub use options::HttpOptions;
pub use retry::{Attempts, Policy};
