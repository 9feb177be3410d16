//! The filter graph and the shell's words, from records that hold anything.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Parser;
use serde_json::json;
use tw_core::Record;
use tw_core::input::Place;
use tw_ffcmd::Cli;
use tw_ffcmd::command::Threading;
use tw_ffcmd::cutting::Cutting;
use tw_ffcmd::emit;
use tw_ffcmd::ffmpeg::AtHand;
use tw_ffcmd::graph::label::Label;
use tw_ffcmd::job::Job;
use tw_ffcmd::layout::Placement;
use tw_ffcmd::rooms::{Gathered, Rooms};
use tw_ffcmd::settings::Settings;
use tw_ffcmd::steps::Step;

/// Stands in every text of our records, and in nothing else.
const STRANGER: char = '\u{2603}';

/// All filters that a graph of ours is made of.
const FILTERS: &str = "color format trim setpts settb split scale setsar fps tpad overlay xstack pad crop null asetpts \
    anullsrc aresample aformat pan adelay atrim asplit amix alimiter apad drawtext";

/// The first byte says with which flags, each further line makes a recording:
/// digits in it are its times, all of it its names and its path. The graph holds
/// none of the texts, but for labels; it is made of filters that we know, and each
/// pad is made once and read once; the shell reads back the very words that we meant.
pub fn graph(data: &[u8]) {
    let Some((&flags, text)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    let cli = cli(flags);
    let mut rooms = Rooms::default();
    for (number, line) in text.lines().take(12).enumerate() {
        let _ = rooms.take(&record(number, line), &Place::default());
    }
    for gathered in rooms.sorted().rooms {
        let text = if flags & 64 == 0 { None } else { text.lines().next() };
        room(&cli, &gathered, text);
    }
}

fn cli(flags: u8) -> Cli {
    let mut words = vec!["tw-ffcmd"];
    words.extend((flags & 1 != 0).then_some("--gap=black"));
    words.extend((flags & 2 != 0).then_some("--layout=row"));
    words.extend((flags & 4 != 0).then_some("--chunk=7"));
    words.extend((flags & 8 != 0).then_some("--start=2"));
    words.extend((flags & 16 != 0).then_some("--fps=30000/1001"));
    words.extend((flags & 32 != 0).then_some("--audio-only"));
    Cli::try_parse_from(words).expect("these flags are sound")
}

fn record(number: usize, line: &str) -> Record {
    let mut numbers =
        line.split(|c: char| !c.is_ascii_digit() && c != '-').filter_map(|digits| digits.parse::<i64>().ok());
    let mut next = |usual: i64| numbers.next().unwrap_or(usual);
    let (place, start, lasts) = (next(0), next(0), next(5000));
    let gap = json!({"start_ms": next(1000), "end_ms": next(2000)});
    // Who never pauses may have a cell to herself.
    let gaps = if line.ends_with('v') { json!([]) } else { json!([gap]) };
    let text = format!("{STRANGER}{line}{STRANGER}");
    let kind = if line.starts_with('a') { "audio" } else { "video" };
    Record::from_value(&json!({
        "sid": format!("{number}{text}"), "track_name": text, "participant_identity": text,
        "source_sid": text, "container_format": text, "path": format!("{text}/{line}"), "type": kind,
        "grouping_sids": {"room_sid": text.get(..0), "participant_sid": text},
        "start_time_ms": start, "end_time_ms": start.saturating_add(lasts), "relative_offset_ms": place,
        "streams": [{"codec_type": kind, "codec_name": text, "packets": 100, "channels": next(2).unsigned_abs() % 9,
            "sample_aspect_ratio": text, "gaps": gaps, "start_time_ms": start, "sizes": [
                {"at_ms": start.saturating_add(next(0)), "width": next(640).unsigned_abs() % 9000, "height": next(480).unsigned_abs() % 9000}
            ]}],
    }))
    .expect("JSON")
}

fn room(cli: &Cli, gathered: &Gathered, label: Option<&str>) {
    let settings = Settings::new(cli).expect("these flags fit together");
    let Ok(mut job) = Job::new(&settings, gathered, "out.webm".into()) else { return };
    if let Some(text) = label {
        let label = |placement: &Placement| Label {
            text: format!("{STRANGER}{text}"),
            cell: placement.cell,
            spans: vec![placement.span],
            font: "/fonts/a.ttf".into(),
        };
        job.labels = job.placements.iter().map(label).collect();
        job.plan = job.composition().whole();
    }
    let steps = |cutting| job.steps(&AtHand::default(), cutting, Threading::Alone).unwrap_or_default();
    // What --run does by itself is never more than this.
    for step in &steps(Cutting::Pairs(job.timeline.duration())) {
        step.feeders.iter().for_each(|feeder| check_graph(&feeder.argv, false));
        check_graph(&step.command.argv, label.is_some());
    }
    let steps = steps(Cutting::of(cli, &job, 1));
    if steps.is_empty() {
        return;
    }
    for step in &steps {
        check_graph(&step.command.argv, label.is_some());
        inputs(step);
    }
    shell(&job, &steps);
    let _ = emit::placements(&job).expect("numbers and strings have a JSON form");
    if let Ok(makefile) = emit::make(&job, &steps) {
        recipes(&makefile, &steps);
    }
}

fn check_graph(argv: &[String], labels: bool) {
    if let Some(at) = argv.iter().position(|word| word == "-filter_complex") {
        check(&argv[at + 1], labels);
    }
}

/// The graph, read back.
fn check(graph: &str, labels: bool) {
    assert!(labels || !graph.contains(STRANGER), "{graph}");
    let (mut made, mut read) = (BTreeSet::new(), BTreeSet::new());
    for chain in top_level(graph, ';') {
        let (inputs, rest) = pads(&chain);
        for pad in inputs.iter().filter(|pad| !pad.contains(':')) {
            assert!(read.insert(pad.clone()), "[{pad}] is read twice: {graph}");
        }
        let filters = top_level(rest, '[').swap_remove(0);
        let outputs = &rest[filters.len()..];
        for filter in top_level(&filters, ',') {
            let name = filter.split('=').next().unwrap_or_default().to_owned();
            assert!(FILTERS.split(' ').any(|known| known == name), "{name} in {graph}");
            assert!(name == "drawtext" || !filter.contains(STRANGER), "{filter}");
            // Its options are as many as we wrote: none came with a name.
            assert!(name != "drawtext" || options(&filter) == 11, "{filter}");
        }
        let (outputs, rest) = pads(outputs);
        assert!(rest.is_empty(), "{rest} in {graph}");
        for pad in outputs {
            assert!(made.insert(pad.clone()), "[{pad}] is made twice: {graph}");
        }
    }
    let ends: BTreeSet<String> = made.difference(&read).cloned().collect();
    assert!(ends.iter().all(|end| end == "picture" || end == "sound"), "{ends:?} in {graph}");
    assert!(read.is_subset(&made), "{graph}");
}

/// The pads that a text begins with, and what follows them.
fn pads(mut text: &str) -> (Vec<String>, &str) {
    let mut pads = Vec::new();
    while let Some(rest) = text.strip_prefix('[') {
        let (pad, after) = rest.split_once(']').expect("a pad ends");
        assert!(pad.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':'), "{pad}");
        pads.push(pad.to_owned());
        text = after;
    }
    (pads, text)
}

/// Cuts where ffmpeg does: not between quotes, nor after a backslash ("FFmpeg
/// Filters Documentation", Notes on filtergraph escaping).
fn top_level(text: &str, at: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        if c == at && !quoted && !escaped {
            parts.push(String::new());
            continue;
        }
        if c == '\'' && !escaped {
            quoted = !quoted;
        }
        escaped = c == '\\' && !escaped && !quoted;
        parts.last_mut().expect("never empty").push(c);
    }
    assert!(!quoted, "a quote that doesn't end: {text}");
    parts
}

/// How many options a filter has, as ffmpeg's second level of reading sees them.
fn options(filter: &str) -> usize {
    let (_, options) = filter.split_once('=').expect("it has some");
    top_level(&unquoted(options), ':').len()
}

/// What the first level of reading leaves: quotes and backslashes taken away.
fn unquoted(text: &str) -> String {
    let (mut left, mut rest) = (String::new(), text.chars());
    while let Some(c) = rest.next() {
        match c {
            '\\' => left.extend(rest.next()),
            '\'' => left.extend(rest.by_ref().take_while(|&c| c != '\'')),
            c => left.push(c),
        }
    }
    left
}

/// A record's text stands behind `-i` only, and never as an option.
fn inputs(step: &Step) {
    for (i, word) in step.command.argv.iter().enumerate().filter(|(_, word)| word.contains(STRANGER)) {
        if step.command.argv[i - 1] == "-filter_complex" {
            continue;
        }
        assert_eq!(step.command.argv[i - 1], "-i", "{word}");
        assert!(!word.starts_with('-'), "{word}");
        let protocol = word.split('/').next().and_then(|before| before.split_once(':'));
        assert!(protocol.is_none_or(|(name, _)| name == "file"), "{word}");
    }
}

/// A POSIX shell reads the words that we meant; the graph has line breaks added.
fn shell(job: &Job, steps: &[Step]) {
    let text = emit::shell(job, steps, false);
    let mut words = shlex::split(&text).unwrap_or_else(|| panic!("no shell reads {text}"));
    // shlex takes a line break after a backslash for a word.
    words.retain(|word| !word.is_empty());
    without_checks(&mut words);
    let folder = steps[0].output.parent().unwrap_or(Path::new("")).to_string_lossy().into_owned();
    let folder = (!folder.is_empty()).then(|| ["mkdir", "-p", "--", &folder].map(str::to_owned));
    let commands = steps.iter().flat_map(|step| match steps {
        [_] => step.argv(false),
        _ => guarded(step),
    });
    let of_several = |words: &'static [&'static str]| {
        let words = if steps.len() > 1 { words } else { &[] };
        words.iter().map(|&word| word.to_owned())
    };
    let folder = folder.into_iter().flatten();
    let meant: Vec<String> = of_several(&[
        "(",
        "set",
        "-e",
        "part=",
        "trap",
        "test -z \"$part\" || rm -f -- \"$part\"",
        "EXIT",
        "trap",
        "exit 129",
        "HUP",
        "trap",
        "exit 130",
        "INT",
        "trap",
        "exit 143",
        "TERM",
    ])
    .chain(folder)
    .chain(commands)
    .chain(of_several(&[")"]))
    .collect();
    assert_eq!(words.len(), meant.len(), "{text}");
    for (i, (word, meant)) in words.iter().zip(meant).enumerate() {
        if i > 0 && words[i - 1] == "-filter_complex" {
            // Between chains, and nowhere else, there are line breaks.
            let chains: Vec<String> =
                top_level(word, ';').iter().map(|c| c.trim_start().to_owned()).collect();
            assert_eq!(chains.join(";"), meant);
        } else {
            assert_eq!(*word, meant);
        }
    }
}

/// Takes out how a part is looked at, which follows the command that makes it.
fn without_checks(words: &mut Vec<String>) {
    let mut is_check = false;
    words.retain(|word| {
        let stays = !is_check;
        is_check = if is_check { word != "}" } else { word == "file:$part" };
        stays
    });
}

/// A step that makes its file under another name first, if it isn't there.
fn guarded(step: &Step) -> Vec<String> {
    let output = step.output.to_string_lossy().into_owned();
    let name = step.output.file_name().unwrap_or_default().to_string_lossy();
    let part = step.output.with_file_name(format!(".{name}.$$.part"));
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    [
        words(&["if", "test", "!", "-e", &format!("{output};"), "then"]),
        words(&[&format!("part={}", part.display())]),
        step.options().to_vec(),
        words(&["file:$part", "mv", "-f", "--", "$part", &output, "fi"]),
    ]
    .concat()
}

/// make, and the shell that it runs, read the words that we meant, up to the name of the file.
fn recipes(makefile: &str, steps: &[Step]) {
    let lines: Vec<&str> = makefile.split('\n').filter_map(|line| line.strip_prefix('\t')).collect();
    assert_eq!(lines.len(), 2 * steps.len(), "{makefile}");
    for (recipe, step) in lines.chunks(2).zip(steps) {
        let words = shlex::split(&recipe[1].replace("$$", "$")).unwrap_or_default();
        // The part's name comes first, and how it is taken away.
        let traps = 8;
        let command = words.get(1 + traps..).unwrap_or_default();
        assert!(command.starts_with(step.options()), "{makefile}");
    }
}
