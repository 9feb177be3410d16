//! A room's timeline as a picture needs it: lanes of participants, bars of
//! recordings, in milliseconds from the room's reference on. No colors, no pixels.

use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;
use tw_core::time::clock;

use crate::row::Row;

/// What a recording holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Camera or screen.
    Picture,
    /// Microphone.
    Sound,
}

/// One recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// What it holds.
    pub kind: Kind,
    /// Its track's name.
    pub name: String,
    /// Where its own clock stands at zero: the room's clock at `offset`.
    pub clock_zero: i64,
    /// Its first packet: `start_time` after that.
    pub start: i64,
    /// Its last packet; `None` when tw-probe hasn't said.
    pub end: Option<i64>,
    /// The spans in between that hold no packet.
    pub gaps: Vec<(i64, i64)>,
    /// Where its picture changes its size, and to which.
    pub resized: Vec<(i64, String)>,
    /// What there is to know about it, in lines.
    pub title: String,
}

impl Bar {
    /// The spans that hold packets. Gaps of several streams may overlap: each is left free.
    pub fn pieces(&self) -> Vec<(i64, i64)> {
        let mut pieces = Vec::with_capacity(self.gaps.len() + 1);
        let mut from = self.start;
        for &(start, end) in &self.gaps {
            if start >= from {
                pieces.push((from, start));
            }
            from = from.max(end);
        }
        pieces.push((from, self.end.unwrap_or(from)));
        pieces
    }
}

/// One participant: rows of bars that don't overlap, pictures first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// The participant, as far as the records name one.
    pub name: String,
    /// The participant's SID beside a name that isn't it.
    pub sid: Option<String>,
    /// Each of one kind.
    pub rows: Vec<Vec<Bar>>,
}

/// One room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// The room's SID; `None` for records that name none.
    pub room: Option<String>,
    /// Where the picture begins: before 0, where clocks stood at zero before the reference.
    pub start: i64,
    /// Where the last recording ends.
    pub end: i64,
    /// In the order of the records.
    pub lanes: Vec<Lane>,
    /// Names of recordings that have no place.
    pub unplaced: Vec<String>,
}

/// The share of the picture, in percent, that the time before the reference may
/// take: a clock that started hours earlier would leave no room for the bars.
const MOST_BEFORE: i64 = 15;
/// A title with more changes of size would not fit a screen.
const MOST_SIZES: usize = 12;

/// The timelines of some rows. `rooms` are the rooms' names by number.
pub fn of(rows: &[Row], rooms: &[&str]) -> Vec<Timeline> {
    let mut groups: Vec<Vec<&Row>> = Vec::new();
    groups.resize_with(rooms.len() + 1, Vec::new);
    for row in rows {
        if let Some(group) = groups.get_mut(row.room.index()) {
            group.push(row);
        }
    }
    groups
        .iter()
        .enumerate()
        .filter(|(_, group)| !group.is_empty())
        .map(|(i, group)| {
            let room = i.checked_sub(1).and_then(|i| rooms.get(i));
            Timeline::new(room.map(|room| (*room).to_owned()), group)
        })
        .collect()
}

impl Timeline {
    fn new(room: Option<String>, rows: &[&Row]) -> Self {
        let mut lanes: Vec<(Participant, Vec<Bar>)> = Vec::new();
        let mut unplaced = Vec::new();
        for row in rows {
            let Some(bar) = bar(row) else {
                unplaced.push(row.name());
                continue;
            };
            let participant = Participant::of(row);
            match lanes.iter_mut().find(|(known, _)| known.is(&participant)) {
                Some((_, bars)) => bars.push(bar),
                None => lanes.push((participant, vec![bar])),
            }
        }
        let bars = || lanes.iter().flat_map(|(_, bars)| bars);
        let end = bars().map(|bar| bar.end.unwrap_or(bar.start)).max().unwrap_or_default().max(1);
        let earliest = bars().map(|bar| bar.clock_zero).min().unwrap_or_default().min(0);
        let start = earliest.max(-(end / 100).saturating_mul(MOST_BEFORE));
        let names: Vec<Option<String>> = lanes.iter().map(|(_, bars)| common_name(bars)).collect();
        let lanes = lanes
            .into_iter()
            .enumerate()
            .map(|(i, (Participant { name, sid }, bars))| {
                let tracks = names[i].clone().filter(|name| {
                    let same = names.iter().flatten().filter(|other| *other == name);
                    same.count() == 1
                });
                let name = name.or(tracks).or_else(|| sid.clone()).unwrap_or_default();
                Lane { sid: sid.filter(|sid| *sid != name), name, rows: packed(bars) }
            })
            .collect();
        Self { room, start, end, lanes, unplaced }
    }

    /// Where a time stands between the start, 0.0, and the end, 1.0.
    pub fn place(&self, ms: i64) -> f64 {
        let span = self.end.saturating_sub(self.start).max(1) as f64;
        (ms.clamp(self.start, self.end).saturating_sub(self.start)) as f64 / span
    }

    /// Round times from 0 on, at most `most` of them.
    pub fn ticks(&self, most: i64) -> Vec<i64> {
        const STEPS: [i64; 17] =
            [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200];
        // The least that leads to the end: rounded up.
        let wanted = (self.end - 1).max(0) / 1000 / most.max(1) + 1;
        let step = STEPS.into_iter().find(|&step| step >= wanted).unwrap_or(86_400 * (wanted / 86_400 + 1));
        (0..=most).map(|i| i.saturating_mul(step * 1000)).take_while(|&ms| ms <= self.end).collect()
    }
}

/// Rows of bars that don't overlap: one kind after the other, as few as it takes.
fn packed(mut bars: Vec<Bar>) -> Vec<Vec<Bar>> {
    bars.sort_by_key(|bar| (bar.kind, bar.start));
    let mut rows: Vec<Vec<Bar>> = Vec::new();
    for bar in bars {
        let free = rows.iter_mut().find(|row| {
            row.last().is_some_and(|last| last.kind == bar.kind && last.end.unwrap_or(last.start) < bar.start)
        });
        match free {
            Some(row) => row.push(bar),
            None => rows.push(vec![bar]),
        }
    }
    rows
}

/// A stream, as tw-probe describes it; what isn't there is left open.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stream {
    codec_type: Option<String>,
    codec_name: Option<String>,
    width: Option<u64>,
    height: Option<u64>,
    sample_rate: Option<u64>,
    channels: Option<u64>,
    gaps: Vec<Gap>,
    sizes: Vec<Size>,
}

#[derive(Debug, Deserialize)]
struct Size {
    at_ms: i64,
    width: u64,
    height: u64,
}

#[derive(Debug, Deserialize)]
struct Gap {
    start_ms: i64,
    end_ms: i64,
}

fn bar(row: &Row) -> Option<Bar> {
    let offsets = row.offsets?;
    let number = |name: &str| row.record.get::<i64>(name).ok().flatten();
    let start_time = number("start_time_ms")?;
    let streams: Vec<Stream> = row.record.get("streams").ok().flatten().unwrap_or_default();
    let start = offsets.relative;
    let clock_zero = start.saturating_sub(start_time);
    let end = number("end_time_ms").map(|end| clock_zero.saturating_add(end).max(start));
    let mut gaps: Vec<(i64, i64)> = streams
        .iter()
        .flat_map(|stream| &stream.gaps)
        .map(|gap| (clock_zero.saturating_add(gap.start_ms), clock_zero.saturating_add(gap.end_ms)))
        .filter(|&(from, to)| start <= from && from < to && end.is_none_or(|end| to <= end))
        .collect();
    gaps.sort_unstable();
    let resized: Vec<(i64, String)> = streams
        .iter()
        .flat_map(|stream| stream.sizes.iter().skip(1))
        .map(|size| (clock_zero.saturating_add(size.at_ms), format!("{}x{}", size.width, size.height)))
        .collect();
    let kind = kind(row, &streams);
    let name = row.name();
    let mut title = title(row, kind, &streams, (start, end), gaps.len());
    for (at, size) in resized.iter().take(MOST_SIZES) {
        let _ = write!(title, "\n{size} from {} on", clock(*at, true));
    }
    if resized.len() > MOST_SIZES {
        let _ = write!(title, "\nand {} more sizes", resized.len() - MOST_SIZES);
    }
    Some(Bar { kind, name, clock_zero, start, end, gaps, resized, title })
}

fn kind(row: &Row, streams: &[Stream]) -> Kind {
    let name = row.name();
    let said = row.record.text_of("type");
    let said = said.as_deref().or_else(|| streams.first()?.codec_type.as_deref());
    let extension = Path::new(&name).extension().and_then(|ending| ending.to_str());
    match (said, extension) {
        (Some("audio"), _) | (None, Some("mka")) => Kind::Sound,
        _ => Kind::Picture,
    }
}

/// Whose recording it is, as far as its record says.
#[derive(Debug)]
struct Participant {
    name: Option<String>,
    sid: Option<String>,
}

impl Participant {
    fn of(row: &Row) -> Self {
        let identity = row.record.text_of("participant_identity").filter(|name| !name.is_empty());
        let sid = row.record.participant_sid();
        if identity.is_some() || sid.is_some() {
            return Self { name: identity, sid };
        }
        // As in the tutorial: alice.mka and alice.mkv are alice's.
        Self { name: Some(stem(&row.name()).to_owned()), sid: None }
    }

    /// Of the same name, also after a rejoin; without a name, of the same SID.
    fn is(&self, other: &Self) -> bool {
        match (&self.name, &other.name) {
            (None, None) => self.sid == other.sid,
            (name, other) => name == other,
        }
    }
}

fn stem(name: &str) -> &str {
    name.strip_suffix(".mka").or_else(|| name.strip_suffix(".mkv")).unwrap_or(name)
}

/// The name that all of a participant's tracks have, if it is one.
fn common_name(bars: &[Bar]) -> Option<String> {
    let mut names = bars.iter().map(|bar| stem(&bar.name));
    let first = names.next()?;
    names.all(|name| name == first).then(|| first.to_owned())
}

fn title(row: &Row, kind: Kind, streams: &[Stream], (start, end): (i64, Option<i64>), gaps: usize) -> String {
    let mut title = format!("{} ({})", row.name(), if kind == Kind::Sound { "sound" } else { "picture" });
    let text = |name: &str| row.record.text_of(name).unwrap_or_else(|| "?".into());
    let _ = write!(
        title,
        "\nbegins at {}: offset {} + start_time {}",
        clock(start, true),
        text("offset"),
        text("start_time_ms")
    );
    if let Some(end) = end {
        let _ =
            write!(title, "\nends at {}, after {}", clock(end, true), clock(end.saturating_sub(start), true));
    }
    for stream in streams {
        let _ = write!(title, "\n{}", stream.codec_name.as_deref().unwrap_or("unknown codec"));
        if let (Some(width), Some(height)) = (stream.width, stream.height) {
            let _ = write!(title, " {width}x{height}");
        }
        if let (Some(rate), Some(channels)) = (stream.sample_rate, stream.channels) {
            let _ = write!(title, " {rate} Hz, {channels} channel{}", if channels == 1 { "" } else { "s" });
        }
    }
    if gaps > 0 {
        let _ = write!(title, "\n{gaps} gap{}", if gaps == 1 { "" } else { "s" });
    }
    title
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::offsets::Offsets;
    use crate::rooms::RoomId;
    use proptest::prelude::*;
    use tw_core::Record;

    /// A row whose record may lack everything but the two numbers.
    pub(crate) fn row(record: &str, reference: i64) -> Row {
        let record = Record::parse(record).unwrap();
        let number = |name| record.get::<i64>(name).unwrap();
        let addition = number("offset").zip(number("start_time_ms")).map(|(offset, start)| offset + start);
        let offsets = addition.and_then(|addition| Offsets::new(addition, reference));
        Row { room: RoomId::NONE, record, offsets }
    }

    #[test]
    fn sound_and_picture_of_one_person_share_a_lane() {
        let rows = [
            row(r#"{"track_name":"alice.mka","offset":731,"start_time_ms":1564,"end_time_ms":5564}"#, 2295),
            row(r#"{"track_name":"alice.mkv","offset":731,"start_time_ms":1584,"end_time_ms":5584}"#, 2295),
            row(r#"{"track_name":"bob.mkv","offset":732,"start_time_ms":20814,"end_time_ms":40814}"#, 2295),
            row(r#"{"sid":"RT9"}"#, 2295),
        ];
        let timelines = of(&rows, &[]);
        let timeline = &timelines[0];
        assert_eq!(timelines.len(), 1);
        assert_eq!(
            timeline.lanes.iter().map(|lane| lane.name.as_str()).collect::<Vec<_>>(),
            ["alice", "bob"]
        );
        let alice = &timeline.lanes[0].rows;
        assert_eq!(alice.iter().map(|row| row[0].kind).collect::<Vec<_>>(), [Kind::Picture, Kind::Sound]);
        assert_eq!((alice[0][0].clock_zero, alice[0][0].start, alice[0][0].end), (-1564, 20, Some(4020)));
        assert_eq!((timeline.start, timeline.end), (-1564, 39251));
        assert_eq!(timeline.unplaced, ["RT9"]);
    }

    #[test]
    fn a_participant_without_identity_is_called_like_their_tracks() {
        let record = |sid: &str, name: &str| {
            row(
                &format!(
                    r#"{{"grouping_sids":{{"participant_sid":"{sid}"}},"track_name":"{name}","offset":0,"start_time_ms":0}}"#
                ),
                0,
            )
        };
        let lanes = |rows: &[Row]| -> Vec<(String, Option<String>)> {
            of(rows, &[]).remove(0).lanes.into_iter().map(|lane| (lane.name, lane.sid)).collect()
        };
        let sid = |sid: &str| Some(sid.to_owned());
        let rows = [record("PA1", "alice"), record("PA1", "alice"), record("PA2", "bob")];
        assert_eq!(lanes(&rows), [("alice".into(), sid("PA1")), ("bob".into(), sid("PA2"))]);
        // Names of microphones and cameras, and those that everybody has, tell nobody apart.
        let rows =
            [record("PA1", "mic"), record("PA1", "cam"), record("PA2", "media"), record("PA3", "media")];
        assert_eq!(lanes(&rows), [("PA1".into(), None), ("PA2".into(), None), ("PA3".into(), None)]);
    }

    #[test]
    fn changes_of_size_lie_on_the_rooms_clock() {
        let rows = [row(
            r#"{"type":"video","offset":100,"start_time_ms":50,"end_time_ms":950,"streams":[{"codec_type":"video","sizes":[{"at_ms":50,"width":640,"height":480},{"at_ms":450,"width":320,"height":240}]}]}"#,
            100,
        )];
        let timelines = of(&rows, &[]);
        let bar = &timelines[0].lanes[0].rows[0][0];
        assert_eq!(bar.resized, [(450, "320x240".to_owned())]);
        assert!(bar.title.ends_with("\n320x240 from 0:00.450 on"), "{}", bar.title);
    }

    #[test]
    fn gaps_lie_on_the_rooms_clock() {
        let rows = [row(
            r#"{"offset":100,"start_time_ms":50,"end_time_ms":950,"streams":[{"codec_type":"audio","gaps":[{"start_ms":250,"end_ms":450}]}]}"#,
            100,
        )];
        let timelines = of(&rows, &[]);
        let bar = &timelines[0].lanes[0].rows[0][0];
        assert_eq!((bar.kind, bar.start, bar.end), (Kind::Sound, 50, Some(950)));
        assert_eq!(bar.pieces(), [(50, 250), (450, 950)]);
        assert!(bar.title.contains("1 gap"), "{}", bar.title);
    }

    /// A recording from 0 to 100 seconds of two streams, each with gaps.
    fn with_gaps(streams: &[Vec<(i64, i64)>]) -> Row {
        let streams: Vec<_> = streams
            .iter()
            .map(|gaps| {
                let gaps: Vec<_> = gaps
                    .iter()
                    .map(|(start, end)| serde_json::json!({"start_ms": start, "end_ms": end}))
                    .collect();
                serde_json::json!({ "gaps": gaps })
            })
            .collect();
        let record = serde_json::json!({
            "track_name": "a.mka", "offset": 0, "start_time_ms": 0, "end_time_ms": 100_000, "streams": streams,
        });
        row(&record.to_string(), 0)
    }

    #[test]
    fn gaps_of_two_streams_may_overlap() {
        let pieces =
            |streams: &[Vec<(i64, i64)>]| of(&[with_gaps(streams)], &[])[0].lanes[0].rows[0][0].pieces();
        let within = [vec![(10_000, 60_000)], vec![(20_000, 30_000)]];
        assert_eq!(pieces(&within), [(0, 10_000), (60_000, 100_000)]);
        let over = [vec![(10_000, 30_000)], vec![(20_000, 60_000)]];
        assert_eq!(pieces(&over), [(0, 10_000), (60_000, 100_000)]);
    }

    proptest! {
        #[test]
        fn whatever_gaps_there_are_they_stay_free(
            gaps in proptest::collection::vec(
                proptest::collection::vec((-10_000i64..110_000, -10_000i64..110_000), 0..5),
                0..3,
            ),
            width in 0usize..200,
        ) {
            let timelines = of(&[with_gaps(&gaps)], &[]);
            let bar = &timelines[0].lanes[0].rows[0][0];
            let pieces = bar.pieces();
            for (from, to) in &pieces {
                prop_assert!(from <= to, "{pieces:?}");
                prop_assert!(bar.gaps.iter().all(|gap| gap.1 <= *from || *to <= gap.0), "{pieces:?} {gaps:?}");
            }
            prop_assert_eq!((pieces[0].0, pieces.last().unwrap().1), (0, 100_000));
            crate::term::render(&timelines, width, false);
            crate::svg::render(&timelines);
        }
    }

    #[test]
    fn bars_that_overlap_get_rows_of_their_own() {
        let record = |start: i64, end: i64| {
            row(
                &format!(
                    r#"{{"participant_identity":"p","type":"video","offset":0,"start_time_ms":{start},"end_time_ms":{end}}}"#
                ),
                0,
            )
        };
        let timelines = of(&[record(0, 100), record(50, 150), record(101, 200)], &[]);
        let rows: Vec<usize> = timelines[0].lanes[0].rows.iter().map(Vec::len).collect();
        assert_eq!(rows, [2, 1]);
    }

    #[test]
    fn ticks_are_round_and_few() {
        for end in [1, 900, 10_001, 12_000, 19_500, 142_242, 3_600_000, 90_000_000, i64::MAX / 2] {
            let timeline = Timeline { room: None, start: 0, end, lanes: vec![], unplaced: vec![] };
            let ticks = timeline.ticks(10);
            assert!((1..=11).contains(&ticks.len()), "{end}: {ticks:?}");
            assert!(end < 4000 || ticks.len() > 2, "{end}: {ticks:?}");
            // The clock goes on to the end.
            let step = ticks.get(1).copied().unwrap_or(1000);
            assert!(ticks.last().is_some_and(|last| last.saturating_add(step) > end), "{end}: {ticks:?}");
        }
    }

    #[test]
    fn the_far_ends_of_64_bits_draw_something() {
        let rows = [row(&format!(r#"{{"offset":0,"start_time_ms":5,"end_time_ms":{}}}"#, i64::MAX), 5)];
        let timelines = of(&rows, &[]);
        assert!((0.0..=1.0).contains(&timelines[0].place(i64::MIN)));
    }
}
