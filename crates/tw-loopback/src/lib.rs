//! A Twilio on loopback, for the tests and the demo of the tw tools.

mod answer;
mod api;
mod cli;
mod fault;
mod filter;
mod log;
mod page;
mod program;
mod recording;
mod room;
mod server;
mod sid;
mod stop;
mod storage;
mod track;
mod wire;
mod world;

pub use api::MediaAnswer;
pub use fault::{Fault, On};
pub use log::{Host, Request};
pub use program::main as program;
pub use recording::{Kind, Media, Recording, many};
pub use room::Room;
pub use server::{Builder, Twilio};
pub use sid::{room_sid, sid};

/// The account of every loopback Twilio.
pub const ACCOUNT_SID: &str = "AC00000000000000000000000000001009";
/// Its auth token: no secret, it opens nothing but the loopback.
pub const AUTH_TOKEN: &str = "loopback-auth-token-not-a-secret";
/// An API key of the same account.
pub const API_KEY: &str = "SK00000000000000000000000000001009";
/// The API key's secret.
pub const API_SECRET: &str = "loopback-api-secret-not-a-secret";
