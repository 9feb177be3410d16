//! A job as steps: each makes one file from others, so that several can be made
//! side by side, on other machines too, and what is done survives a kill.
//!
//! Without chunks there is one step, for which `--run` may start several ffmpegs that
//! work into each other's hands through pipes. With chunks, the picture is cut on whole
//! output frames; each part is composed by itself from the recordings that run
//! in it, sound is made once for the whole, and the last step joins them without
//! encoding again.

use std::path::{Path, PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use tw_core::failure::{ErrorKind, Failure};

use crate::command::{DELAYED, Fed, KEEP, OVERWRITE, Plan, Threading, Words};
use crate::cutting::{self, Cutting};
use crate::ffmpeg;
use crate::ffmpeg::AtHand;
use crate::graph::picture;
use crate::job::Job;
use crate::timeline::Frames;

/// The system takes no longer argument, its end included (execve(2), `MAX_ARG_STRLEN`).
pub const LONGEST_ARGUMENT: usize = 128 * 1024;
/// The list of parts is one, in base64, and long before that chunks are too short.
const LONGEST_LIST: usize = 90_000;

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A copy of a recording that can be sought in.
    Index,
    /// The sound of the whole.
    Sound,
    /// Some frames of the picture.
    Picture(Frames),
    /// The parts become one file.
    Join,
    /// Picture and sound at once.
    Whole,
}

/// An ffmpeg to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments, as they stand in records and scripts.
    pub argv: Vec<String>,
    /// The tracks that it decodes, in the order of its inputs.
    pub tracks: Vec<usize>,
}

impl From<Vec<String>> for Command {
    /// One that decodes nothing.
    fn from(argv: Vec<String>) -> Self {
        Self { argv, tracks: Vec::new() }
    }
}

/// One file made from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub action: Action,
    /// The files that earlier steps make for it.
    pub needs: Vec<PathBuf>,
    /// The file it makes.
    pub output: PathBuf,
    /// Commands that make a part of it and hand that on to the last one through pipes: only
    /// for `--run`, which starts all of them.
    pub feeders: Vec<Command>,
    /// The command; its last word is the output.
    pub command: Command,
}

impl Step {
    /// One that needs no other, and which one command makes.
    fn new(action: Action, output: PathBuf, command: Command) -> Self {
        Self { action, needs: Vec::new(), output, feeders: Vec::new(), command }
    }

    /// Whether it makes a chunk of the picture.
    pub fn is_chunk(&self) -> bool {
        matches!(self.action, Action::Picture(_))
    }

    /// The command as a user is to run it.
    pub fn argv(&self, overwrites: bool) -> Vec<String> {
        let mut argv = self.command.argv.clone();
        if let Some(word) = argv.iter_mut().find(|word| *word == OVERWRITE).filter(|_| !overwrites) {
            *word = KEEP.into();
        }
        argv
    }

    /// Whether the system can start it.
    ///
    /// # Errors
    /// When its filter graph is too long: some 250 people, or 700 voices.
    pub fn can_be_run(&self) -> Result<(), Failure> {
        let is_too_long = |c: &&Command| c.argv.iter().any(|word| word.len() >= LONGEST_ARGUMENT);
        let Some(command) = self.feeders.iter().chain([&self.command]).find(is_too_long) else {
            return Ok(());
        };
        let pad = format!("[{}]", picture::PAD);
        let draws = command.argv.contains(&pad);
        let cut = if self.action == Action::Whole && draws { "cut it with --chunk, or " } else { "" };
        Err(Failure::field(format!(
            "a filter graph of {} recordings is longer than an argument may be (128 KiB): \
             {cut}compose it in windows (--start, --end)",
            command.tracks.len()
        )))
    }

    /// The command without its output.
    pub fn options(&self) -> &[String] {
        self.command.argv.split_last().map_or(&[], |(_, options)| options)
    }

    /// The command, writing into a file of ours that is renamed later: what stands
    /// there is an earlier try.
    pub fn argv_to(&self, output: &Path) -> Vec<String> {
        Words::from(self.options().to_vec()).output(output)
    }
}

/// The only step of a job that isn't cut.
pub fn whole(job: &Job, at_hand: &AtHand, threading: Threading) -> Step {
    let plan = Plan { threading, delays_sound: at_hand.delays_sound(&job.encoding), ..job.plan.clone() };
    let words = Words::ffmpeg(&ffmpeg::name());
    let muxer = job.encoding.container_args();
    let argv = plan.argv(words, &job.timeline, &job.encoding, at_hand, &muxer, &job.output);
    let command = Command { argv, tracks: plan.tracks() };
    Step::new(Action::Whole, job.output.clone(), command)
}

/// The steps of a job whose picture is cut; those that others need come first.
///
/// # Errors
/// When there would be too many chunks.
pub fn chunked(job: &Job, at_hand: &AtHand, cutting: Cutting) -> Result<Vec<Step>, Failure> {
    if cutting.in_one_piece(job) && can_be_piped(job) {
        return Ok(vec![together(job, at_hand, cutting)]);
    }
    let folder = parts_folder(&job.output);
    let mut steps: Vec<Step> = Vec::new();
    let mut pictures: Vec<(PathBuf, Frames)> = Vec::new();
    let chunk = cutting.chunk().unwrap_or(job.timeline.duration());
    // Else working them out would take for ever.
    let count = job.timeline.frames / job.timeline.rate.ceil(chunk).max(1);
    if count > 2 * most_chunks(job) {
        return Err(too_many(count));
    }
    for slice in job.timeline.slices(chunk) {
        let (mut feeder, mut plan) = plans(job, cutting, slice);
        let mut needs = Vec::new();
        for plan in feeder.iter_mut().chain([&mut plan]) {
            for index in indexed(job, plan, slice, &folder) {
                needs.push(index.output.clone());
                if !steps.contains(&index) {
                    steps.push(index);
                }
            }
        }
        let feeders: Vec<Command> = feeder.iter().map(|feeder| drawn_for_another(job, feeder)).collect();
        let argv = |output: &Path| {
            let words = Words::ffmpeg(&ffmpeg::name());
            plan.argv(words, &job.timeline, &job.encoding, at_hand, &muxer(extension(job)), output)
        };
        let both = |output: &Path| {
            feeders.iter().flat_map(|feeder| &feeder.argv).cloned().chain(argv(output)).collect()
        };
        let output = named(&folder, &format!("picture-{:08}", slice.first), extension(job), both);
        pictures.push((output.clone(), slice));
        let command = Command { argv: argv(&output), tracks: plan.tracks() };
        steps.push(Step { action: Action::Picture(slice), needs, feeders, command, output });
    }
    let sound = sound_step(job, at_hand, &folder);
    let join = join_step(job, at_hand, &pictures, sound.as_ref())?;
    steps.sort_by_key(Step::is_chunk);
    Ok(sound.into_iter().chain(steps).chain([join]).collect())
}

/// The only step of a job of which several ffmpegs make one piece at once: one of them the
/// sound, and maybe another one some of the picture.
fn together(job: &Job, at_hand: &AtHand, cutting: Cutting) -> Step {
    let words = || Words::ffmpeg(&ffmpeg::name());
    let (feeder, mut plan) = plans(job, cutting, job.timeline.all());
    let mut feeders: Vec<Command> = feeder.iter().map(|feeder| drawn_for_another(job, feeder)).collect();
    let delays_sound = at_hand.delays_sound(&job.encoding);
    let sound = Plan { delays_sound, ..others(job.composition().sound()) };
    if sound.has_sound {
        plan.fed.push(Fed::Sound);
        plan.delays_sound = delays_sound;
        let argv = sound.feeding_sound(words(), &job.encoding, at_hand);
        feeders.push(Command { argv, tracks: sound.tracks() });
    }
    let muxer = job.encoding.container_args();
    let argv = plan.argv(words(), &job.timeline, &job.encoding, at_hand, &muxer, &job.output);
    let command = Command { argv, tracks: plan.tracks() };
    Step { feeders, ..Step::new(Action::Whole, job.output.clone(), command) }
}

/// Whether sound that comes through a pipe is as good as a part. Where times have to be finer
/// than Matroska's it isn't; nor where the user has options of his own, which would act twice.
fn can_be_piped(job: &Job) -> bool {
    extension(job) == "mkv" && !job.encoding.sound_needs_mp4() && job.encoding.extra.is_empty()
}

/// The command that hands on what a plan draws.
fn drawn_for_another(job: &Job, plan: &Plan) -> Command {
    let argv = plan.feeding_pictures(Words::ffmpeg(&ffmpeg::name()), job.timeline.rate);
    Command { argv, tracks: plan.tracks() }
}

/// The plan of a piece of the picture, and of the one that draws a part of it, if any.
fn plans(job: &Job, cutting: Cutting, slice: Frames) -> (Option<Plan>, Plan) {
    let composition = job.composition();
    if !matches!(cutting, Cutting::Pairs(_)) {
        return (None, others(composition.picture(slice)));
    }
    let (strip, _) = cutting::divided(job, slice);
    if strip.is_empty() {
        return (None, Plan { threading: Threading::Decoders, ..composition.picture(slice) });
    }
    let (feeder, rest) = composition.picture_in_two(slice, &strip);
    (Some(others(feeder)), others(rest))
}

/// A plan for an ffmpeg that isn't alone.
fn others(plan: Plan) -> Plan {
    Plan { threading: Threading::Others, ..plan }
}

/// Lets a plan read copies that can be sought in, where the recordings can't be; gives
/// the steps that make them.
fn indexed(job: &Job, plan: &mut Plan, slice: Frames, folder: &Path) -> Vec<Step> {
    let mut steps = Vec::new();
    for input in &mut plan.inputs {
        let track = &job.room.tracks[input.track];
        if let Some(into) = job.composition().seek(input.track, slice).filter(|_| !track.seekable) {
            let index = index_step(folder, &track.path);
            input.path.clone_from(&index.output);
            input.seek = Some(into);
            steps.push(index);
        }
    }
    steps
}

fn sound_step(job: &Job, at_hand: &AtHand, folder: &Path) -> Option<Step> {
    let sound = job.composition().sound();
    let extension = if job.encoding.sound_needs_mp4() { "mp4" } else { extension(job) };
    let argv = |output: &Path| {
        let words = Words::ffmpeg(&ffmpeg::name());
        sound.argv(words, &job.timeline, &job.encoding, at_hand, &muxer(extension), output)
    };
    sound.has_sound.then(|| {
        let output = named(folder, "sound", extension, argv);
        let command = Command { argv: argv(&output), tracks: sound.tracks() };
        Step::new(Action::Sound, output, command)
    })
}

/// How many chunks of a job can be named in the list of what is joined, some more or less.
pub fn most_chunks(job: &Job) -> i64 {
    let part = named(&parts_folder(&job.output), "picture-00000000", extension(job), |_| Vec::new());
    let entry = entry(&part, "1000.000000").len();
    i64::try_from(LONGEST_LIST / entry).unwrap_or(i64::MAX).max(1)
}

/// A part's entry in the list of what is joined. How long it lasts is said here, exactly: a
/// part's own duration is rounded to its last packet.
fn entry(part: &Path, lasts: impl std::fmt::Display) -> String {
    format!("file {}\nduration {lasts}\n", list_quoted(part))
}

fn too_many(chunks: impl std::fmt::Display) -> Failure {
    Failure::new(ErrorKind::Field, format!("{chunks} chunks are too many to be joined: make --chunk longer"))
}

/// Where a job's parts are kept until they are joined: hidden, beside the output.
pub fn parts_folder(output: &Path) -> PathBuf {
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    output.with_file_name(format!(".{name}.parts"))
}

/// A recording copied packet by packet into a file with an index. Timestamps stay.
fn index_step(folder: &Path, recording: &Path) -> Step {
    let argv = |output: &Path| {
        Words::ffmpeg(&ffmpeg::name())
            .recording(recording)
            // From the first packet on, key frame or not: places are counted from there.
            .and([
                "-map",
                "0:v:0",
                "-c",
                "copy",
                "-copyinkf",
                "-avoid_negative_ts",
                "disabled",
                "-f",
                "matroska",
            ])
            .output(output)
    };
    let output = named(folder, "indexed", "mkv", argv);
    let command = argv(&output).into();
    Step::new(Action::Index, output, command)
}

fn join_step(
    job: &Job,
    at_hand: &AtHand,
    pictures: &[(PathBuf, Frames)],
    sound: Option<&Step>,
) -> Result<Step, Failure> {
    let mut list = String::from("ffconcat version 1.0\n");
    for (part, slice) in pictures {
        list.push_str(&entry(part, job.timeline.rate.seconds_of(slice.count())));
    }
    if list.len() > LONGEST_LIST {
        return Err(too_many(pictures.len()));
    }
    let mut words = Words::ffmpeg(&ffmpeg::name())
        .and(["-f", "concat", "-safe", "0", "-protocol_whitelist", "file,data", "-i"])
        // Its line breaks would not survive a Makefile.
        .and([format!("data:text/plain;base64,{}", BASE64_STANDARD.encode(&list))]);
    let mut needs: Vec<PathBuf> = pictures.iter().map(|(path, _)| path.clone()).collect();
    let mut maps = vec!["-map", "0:v"];
    if let Some(sound) = sound {
        if at_hand.delays_sound(&job.encoding) {
            words = words.and(DELAYED);
        }
        words = words
            .and(["-protocol_whitelist", "file", "-i"])
            .and([crate::command::file_argument(&sound.output)]);
        maps.extend(["-map", "1:a"]);
        needs.push(sound.output.clone());
    }
    let words = words.and(maps).and(["-c", "copy"]).and(job.encoding.tags());
    let argv = words.and(job.encoding.container_args()).output(&job.output);
    Ok(Step { needs, ..Step::new(Action::Join, job.output.clone(), argv.into()) })
}

/// A path in an ffconcat list ("FFmpeg Formats Documentation", concat): in single
/// quotes, a quote itself as `'\''`.
fn list_quoted(path: &Path) -> String {
    format!("'file:{}'", path.to_string_lossy().replace('\'', "'\\''"))
}

/// The muxer of a part: one whose timestamps are as fine as the output's.
fn muxer(extension: &str) -> Vec<String> {
    vec!["-f".into(), if extension == "mp4" { "mp4" } else { "matroska" }.into()]
}

fn extension(job: &Job) -> &'static str {
    // Frames that are encoded out of order need more than Matroska's milliseconds.
    if job.encoding.reorders_frames() { "mp4" } else { "mkv" }
}

/// A part's path. Its name carries a hash of the command that makes it, so that
/// a part made with other flags is never taken for it.
fn named(folder: &Path, name: &str, extension: &str, argv: impl Fn(&Path) -> Vec<String>) -> PathBuf {
    let hash = fnv1a(argv(Path::new("")).iter().flat_map(|word| word.bytes().chain([0])));
    folder.join(format!("{name}-{hash:016x}.{extension}"))
}

/// Fowler, Noll and Vo's hash, 64 bits (draft-eastlake-fnv): the same in every
/// version of this program, unlike the standard library's.
pub fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_list() {
        assert_eq!(list_quoted(Path::new("a 'b'/c.mkv")), r"'file:a '\''b'\''/c.mkv'");
    }

    #[test]
    fn a_known_hash() {
        // From the reference's test vectors.
        assert_eq!(fnv1a(b"foobar".iter().copied()), 0x8594_4171_f739_67e8);
    }
}
