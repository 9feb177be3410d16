//! tw-ffcmd: the recordings of a room become one file in sync.
//!
//! Values computed from values, and one effect at the end:
//!
//! - [`settings`] is what is to be made, from the flags and a layout file;
//! - [`room`] reads records: which tracks there are and when they run; [`rooms`] sorts them, `gather`
//!   finds what stands in a room's way, and [`job`] is how it becomes one file;
//! - [`timeline`] is the output's time: which part of the room, in how many frames;
//! - [`layout`] says who is seen where, and when;
//! - [`graph`] writes both as a filter graph, for the picture and for the sound;
//! - [`encoder`] knows formats and codecs; [`command`] puts the arguments together;
//! - [`cutting`] divides the work among cores; [`steps`] are files made from files; [`emit`] prints them,
//!   [`run`](mod@run) and [`encode`] run them, [`tally`] counts how far they are, and
//!   [`verify`] reads the result back;
//! - `undecodable` looks after recordings that ffmpeg complains about;
//! - `feeder` is an ffmpeg that works for another one;
//! - `part` is a file on its way to its name; `origin` says in it what it was made from, `sources`
//!   beside parts;
//! - `still` makes pictures of it beforehand.

mod batch;
pub mod cli;
pub mod command;
pub mod cutting;
pub mod emit;
pub mod encode;
pub mod encoder;
mod feeder;
pub mod ffmpeg;
mod font;
mod gather;
pub mod graph;
pub mod job;
pub mod layout;
mod origin;
mod output_name;
mod recordings;
pub mod room;
pub mod rooms;
pub mod run;
pub mod settings;
mod sources;
pub mod steps;
mod still;
pub mod tally;
pub mod time;
pub mod timeline;
mod undecodable;
mod unfinished;
pub mod verify;

use std::ops::ControlFlow;

use tw_core::filter::Sink;
use tw_core::output::Output;
use tw_core::tool::Status;

use batch::{compose_all, describe_all, make_stills};
pub use cli::Cli;
use ffmpeg::AtHand;
use gather::{gather, prepare};
use settings::Settings;

/// The whole tool.
///
/// # Errors
/// For what stops the whole run: wrong usage, no ffmpeg, stdout gone.
pub fn run(cli: &Cli) -> anyhow::Result<Status> {
    let settings = Settings::new(cli)?;
    if cli.run || still::wanted(cli).is_some() {
        ffmpeg::require()?;
        if cli.labels {
            ffmpeg::check()?;
            ffmpeg::check_labels()?;
        }
    }
    let mut output = Output::default();
    let mut sink = Sink::new(&mut output, &cli.common);
    let ControlFlow::Continue((rooms, recordings)) = gather(cli, &mut sink)? else {
        return Ok(sink.finish()?);
    };
    if rooms.is_empty() && (cli.run || still::wanted(cli).is_some()) {
        // No error: a list may well be empty. But whoever waits for a file wants to know.
        tw_core::messages::warn("no recordings came in: there is nothing to compose");
    }
    let (flag, template) = still::wanted(cli).unwrap_or(("--output", &settings.output));
    let outputs = output_name::for_rooms(flag, template, &rooms)?;
    let work = rooms
        .into_iter()
        .zip(outputs)
        .map(|(gathered, output)| prepare(cli, &settings, &recordings, gathered, output));
    if still::wanted(cli).is_some() {
        return make_stills(cli, work, sink);
    }
    let at_hand = AtHand::for_encoding(&settings.encoding);
    if cli.run {
        compose_all(cli, work, at_hand, sink)
    } else {
        describe_all(cli, work, &at_hand.elsewhere(), sink)
    }
}
