//! A Twilio on loopback, for the tests and the demo of the tw tools.
//!
//! [`Twilio`] is two servers on ports of the system's choice: the API, which wants
//! credentials, and a storage host, which refuses them. They answer as
//! `video.twilio.com` and its storage do, as far as recordings go, until the value
//! is dropped:
//!
//! - `GET /v1/Recordings` with all filters and pages; `/v1/Recordings/{RT...}`;
//!   `/v1/Recordings/{RT...}/Media`, a redirect to a signed URL of the storage host;
//! - `GET /v1/Rooms/{RM...}`, its `/Recordings`, and `/Participants/{PA...}`;
//! - storage with `ETag`, `Range` and `If-Range`.
//!
//! # A test
//!
//! Say what there is, start, run what is to be tested, and look at what was asked:
//!
//! ```
//! use tw_loopback::{On, Recording, Twilio, room_sid};
//!
//! let room = room_sid("a room");
//! let twilio = Twilio::builder()
//!     .recording(Recording::audio(&room, "alice").offset(1_000).bytes("a media file"))
//!     .recording(Recording::video(&room, "alice").file("alice.mkv"))
//!     .start()?;
//!
//! // For a program: Command::new(...).envs(twilio.env()).
//! let [(_, base_url), (_, account), (_, token)] = twilio.env();
//! # let _ = (base_url, account, token);
//!
//! assert_eq!(twilio.count(&On::api("/v1/Recordings")), 0);
//! assert!(!twilio.credentials_leaked());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! SIDs follow from names ([`room_sid`], [`Recording::rt`]), so that they are known
//! beforehand and the same in every run. [`many`] makes thousands of recordings.
//!
//! # What goes wrong
//!
//! A [`Fault`] is given with the requests that it meets ([`On`]): a host, a path with
//! `*` in it, and how many. Of several, the first that isn't used up is taken:
//!
//! ```
//! use tw_loopback::{Fault, On, Twilio};
//!
//! let media = || On::api("/v1/Recordings/*/Media");
//! let twilio = Twilio::builder()
//!     .fault(media().first(2), Fault::TooManyRequests(Some("1")))
//!     .fault(media().first(1), Fault::Reset) // the third request
//!     .fault(On::storage("*").after(1), Fault::CloseInBody(1000)) // from the second on
//!     .start()?;
//! twilio.fault(On::api("/v1/Recordings?*Page=1*"), Fault::NextPageIsFirst);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! What is wrong with a recording itself is said of the recording:
//! [`Recording::written_as`], [`Recording::without`], [`Recording::size`],
//! [`Recording::media_link`], [`Recording::media_header`].
//!
//! # Rooms to try
//!
//! [`Room::tutorial`] and [`Room::small`] are made with ffmpeg and kept in a folder;
//! the program `tw-loopback` serves them (`tw-loopback --help`).

mod answer;
mod api;
mod cli;
mod fault;
mod filter;
mod log;
mod page;
mod program;
mod recording;
mod resource;
mod room;
mod server;
mod sid;
mod stop;
mod storage;
mod track;
mod wire;
mod world;

pub use api::MediaAnswer;
pub use fault::{Endless, Fault, On};
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
