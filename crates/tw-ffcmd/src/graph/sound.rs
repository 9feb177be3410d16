//! The sound: every track filled where packets are missing, moved to its place,
//! and all of them mixed.
//!
//! What makes it exact:
//! - `aresample` fills a hole of 9 ms or more with silence and cuts overlaps (at
//!   10 ms, a voice whose clock drifts was off by up to 10.1 ms: files have whole
//!   milliseconds); by
//!   itself (`async=1`) it leaves holes under 100 ms, and each makes everything
//!   after it early: bob was 57 ms early after 17 holes of 60 ms;
//! - `first_pts=0` comes before `adelay`, so that the delay is counted from the
//!   file's own start even where the first packet comes later;
//! - `adelay` is told samples: milliseconds it reads as a 32-bit float (versions 5.1 and
//!   9.0), and eight hours into a room a voice was 2.3 ms early;
//! - `normalize=0`: nobody becomes quieter because others are in the room
//!   (`amix` divides by the number of inputs otherwise). A limiter keeps the sum
//!   from clipping.

use super::Chain;
use crate::room::{Room, Span, Track};
use crate::time::Millis;
use crate::timeline::Timeline;

/// The pad that carries the finished sound.
pub const PAD: &str = "sound";

/// The pad that carries it [later](delayed).
pub const DELAYED_PAD: &str = "delayed";
/// How long before zero libopus begins, in seconds: 312 samples, its pre-skip (RFC 7845, section
/// 4.2; measured, also with packets of 60 ms).
pub const OPUS_DELAY: &str = "0.0065";

/// Samples per second of the output; Opus knows no other (RFC 6716).
const RATE: u32 = 48_000;
/// How far the limiter looks ahead, in ms. It delays what it lets through by as
/// much (measured: 240 samples with 5 ms, versions 5.1 and 9.0), and that many
/// samples are taken off at the beginning.
const LOOK_AHEAD_MS: u32 = 5;
/// A pause longer than this is left out and its end placed anew: `aresample`
/// would hold all of its silence in memory (446 MB for 18 minutes, version 5.1).
const LONG_PAUSE: Millis = Millis(10_000);

/// Part of a track between two long pauses.
struct Stretch<'a> {
    track: &'a Track,
    index: usize,
    /// On the room's timeline.
    span: Span,
}

/// The chains that make the sound of the whole output: silence where those who are heard in the
/// room aren't just then, and none when nobody is at all.
pub fn chains(
    room: &Room,
    tracks: &[usize],
    timeline: &Timeline,
    input_of: impl Fn(usize) -> usize,
) -> Vec<Chain> {
    let mut chains = Vec::new();
    let mut voices = Vec::new();
    for &index in tracks {
        let track = &room.tracks[index];
        let stretches: Vec<Stretch<'_>> = stretches(track)
            .into_iter()
            .filter(|span| {
                timeline.at(span.to) > Millis::ZERO && timeline.at(span.from) < timeline.duration()
            })
            .map(|span| Stretch { track, index, span })
            .collect();
        let input = format!("{}:a", input_of(index));
        let pads = split(&input, &stretches, &mut chains);
        for (stretch, pad) in stretches.iter().zip(pads) {
            let voice = format!("voice{}", voices.len());
            chains.push(stretch.chain(&pad, timeline).into_pads([&voice]));
            voices.push(voice);
        }
    }
    let mixed = match voices.len() {
        0 if tracks.is_empty() => return Vec::new(),
        // Between windows that are joined, the sound would be lost without one here.
        0 => Chain::source().then(format!("anullsrc=channel_layout=stereo:sample_rate={RATE}")),
        // One voice can't clip unless it was recorded so.
        1 => Chain::from(voices),
        n => Chain::from(voices)
            .then(format!("amix=inputs={n}:duration=longest:dropout_transition=0:normalize=0"))
            .then(format!("alimiter=limit=0.95:level=0:attack={LOOK_AHEAD_MS}"))
            .then(format!("atrim=start_sample={}", RATE / 1000 * LOOK_AHEAD_MS))
            .then("asetpts=N/SR/TB"),
    };
    let lasts = timeline.rate.seconds_of(timeline.frames);
    chains.push(mixed.then("apad").then(format!("atrim=end={lasts}")).into_pads([PAD]));
    chains
}

/// The finished sound for a muxer that has Opus too early by what it begins before zero.
pub fn delayed() -> Chain {
    Chain::from([PAD]).then(format!("asetpts=PTS+{OPUS_DELAY}/TB")).into_pads([DELAYED_PAD])
}

/// One pad for each stretch of an input.
fn split(input: &str, stretches: &[Stretch<'_>], chains: &mut Vec<Chain>) -> Vec<String> {
    if stretches.len() < 2 {
        return vec![input.to_owned(); stretches.len()];
    }
    let index = stretches[0].index;
    let pads: Vec<String> = (0..stretches.len()).map(|i| format!("part{index}_{i}")).collect();
    chains.push(Chain::from([input]).then(format!("asplit={}", stretches.len())).into_pads(&pads));
    pads
}

/// A track without its long pauses.
fn stretches(track: &Track) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut from = track.span.from;
    for pause in track.gaps.iter().filter(|gap| gap.to - gap.from > LONG_PAUSE) {
        // The middle of the pause: far from any packet on both sides.
        spans.push(Span { from, to: Millis(i64::midpoint(pause.from.0, pause.to.0)) });
        from = pause.to;
    }
    spans.push(Span { from, to: track.span.to });
    spans
}

impl Stretch<'_> {
    /// Fills its holes and moves it to its place.
    fn chain(&self, pad: &str, timeline: &Timeline) -> Chain {
        let own = |time: Millis| time - self.track.span.from + self.track.start_time;
        let whole = self.span == self.track.span;
        let place = timeline.at(self.span.from);
        // What lies before the output's beginning gets a negative time, which first_pts=0 cuts off.
        let (early, delay) = (place.min(Millis::ZERO), place.max(Millis::ZERO));
        let shift = match early {
            Millis::ZERO => String::new(),
            early => format!("+{}/TB", early.seconds()),
        };
        Chain::from([pad])
            .then_if((!whole).then(|| {
                // Half a packet of leeway: timestamps are rounded to the millisecond.
                let from = own(self.span.from) - Millis(5);
                format!("atrim=start={}:end={}", from.seconds(), own(self.span.to).seconds())
            }))
            .then(format!("asetpts=round(PTS-{}/TB{shift})", own(self.span.from).seconds()))
            .then(format!("aresample={RATE}:async=1:min_hard_comp=0.009:first_pts=0"))
            .then(stereo(self.track.channels))
            .then_if((delay > Millis::ZERO).then(|| format!("adelay={}S:all=1", samples(delay))))
    }
}

/// A time in samples of the output.
fn samples(time: Millis) -> i64 {
    time.0.saturating_mul(i64::from(RATE / 1000))
}

/// Two channels. A mono voice is put on both as it is: left to itself, ffmpeg
/// lowers it by 3 dB (measured: 0.5 became 0.354).
fn stereo(channels: Option<u32>) -> String {
    match channels {
        Some(1) => "aformat=sample_fmts=fltp,pan=stereo|c0=c0|c1=c0".into(),
        _ => "aformat=sample_fmts=fltp:channel_layouts=stereo".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::join;
    use crate::room::Kind;
    use crate::room::tests_support::track_of;

    fn voice(who: &str, start: i64, from: i64, to: i64) -> Track {
        Track { kind: Kind::Audio, start_time: Millis(start), channels: Some(2), ..track_of(who, from, to) }
    }

    fn graph(tracks: Vec<Track>, start: Option<i64>) -> String {
        let all: Vec<usize> = (0..tracks.len()).collect();
        let room = Room { sid: None, tracks };
        let timeline = Timeline::new("30".parse().unwrap(), &room, start.map(Millis), None).unwrap();
        join(&chains(&room, &all, &timeline, |track| track))
    }

    #[test]
    fn the_tutorials_delays() {
        let graph = graph(vec![voice("alice", 1564, 0, 40_000), voice("bob", 20_789, 19_226, 40_000)], None);
        let fill = "aresample=48000:async=1:min_hard_comp=0.009:first_pts=0,aformat=sample_fmts=fltp:channel_layouts=stereo";
        assert!(graph.contains(&format!("[0:a]asetpts=round(PTS-1.564/TB),{fill}[voice0]")), "{graph}");
        assert!(
            graph.contains(&format!("[1:a]asetpts=round(PTS-20.789/TB),{fill},adelay=922848S:all=1[voice1]")),
            "{graph}"
        );
        assert!(graph.contains("[voice0][voice1]amix=inputs=2:"), "{graph}");
        assert!(graph.ends_with("apad,atrim=end=40.000000[sound]"), "{graph}");
    }

    #[test]
    fn what_began_before_the_window_is_cut() {
        let graph = graph(vec![voice("alice", 1564, 100, 40_000)], Some(10_100));
        assert!(graph.starts_with("[0:a]asetpts=round(PTS-1.564/TB+-10.000/TB),"), "{graph}");
        assert!(!graph.contains("adelay") && !graph.contains("amix"), "{graph}");
    }

    #[test]
    fn a_long_pause_is_not_held_in_memory() {
        let mut alice = voice("alice", 1000, 0, 600_000);
        alice.gaps = vec![
            Span { from: Millis(5000), to: Millis(6000) },
            Span { from: Millis(20_000), to: Millis(400_000) },
        ];
        let graph = graph(vec![alice], None);
        assert!(graph.contains("[0:a]asplit=2[part0_0][part0_1]"), "{graph}");
        assert!(graph.contains("atrim=start=0.995:end=211.000,asetpts=round(PTS-1.000/TB)"), "{graph}");
        assert!(graph.contains("atrim=start=400.995:end=601.000,asetpts=round(PTS-401.000/TB)"), "{graph}");
        assert!(graph.contains("adelay=19200000S:all=1"), "{graph}");
    }

    #[test]
    fn mono_is_as_loud_on_both_sides() {
        let graph = graph(vec![Track { channels: Some(1), ..voice("alice", 0, 0, 1000) }], None);
        assert!(graph.contains("pan=stereo|c0=c0|c1=c0"), "{graph}");
    }

    #[test]
    fn nobody_heard() {
        let room = Room { sid: None, tracks: vec![track_of("alice", 0, 1000)] };
        let timeline = Timeline::new("30".parse().unwrap(), &room, None, None).unwrap();
        assert!(chains(&room, &[], &timeline, |track| track).is_empty());
    }

    #[test]
    fn nobody_heard_yet() {
        let room = Room { sid: None, tracks: vec![voice("alice", 0, 5000, 6000)] };
        let timeline = Timeline::new("30".parse().unwrap(), &room, None, Some(Millis(2000))).unwrap();
        let graph = join(&chains(&room, &[0], &timeline, |track| track));
        assert!(graph.starts_with("anullsrc=channel_layout=stereo:sample_rate=48000,"), "{graph}");
        assert!(graph.contains("atrim=end=2.000000[sound]"), "{graph}");
    }
}
