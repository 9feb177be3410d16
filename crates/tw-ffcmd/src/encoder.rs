//! Formats and codecs: which ones fit together, and their options for ffmpeg.

use std::path::Path;

use clap::ValueEnum;

use crate::cli::flag_name;
use crate::command::Threading;
use crate::ffmpeg::AtHand;
use crate::layout::Size;
use crate::time::Rate;

/// A container, told by the output's ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// `.webm`: VP8, VP9 or AV1 with Opus.
    Webm,
    /// `.mp4`: H.264, HEVC, VP9 or AV1 with AAC or Opus.
    Mp4,
    /// `.mkv`: anything.
    Mkv,
}

/// A codec for the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VideoCodec {
    /// libvpx
    Vp8,
    /// libvpx-vp9
    Vp9,
    /// libsvtav1 where this ffmpeg has it, else libaom-av1
    Av1,
    /// libx264
    H264,
    /// libx265
    Hevc,
}

/// A codec for the sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AudioCodec {
    /// libopus
    Opus,
    /// `libfdk_aac` where this ffmpeg has it, else aac
    Aac,
}

/// How much time the encoder may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Speed {
    /// A look at it, soon
    Fast,
    /// What most want
    #[default]
    Balanced,
    /// The best picture for its size
    Best,
}

/// Everything that the encoder is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoding {
    /// The container.
    pub container: Container,
    /// The picture's codec.
    pub video: VideoCodec,
    /// The sound's codec.
    pub audio: AudioCodec,
    /// Constant quality, on the codec's own scale; `None` for this speed's usual one.
    pub crf: Option<u8>,
    /// Time against quality.
    pub speed: Speed,
    /// The picture's size, which bitrates follow.
    pub size: Size,
    /// Options of the user's own, after all of ours.
    pub extra: Vec<String>,
}

/// Threads of an encoder that has the machine for itself. More would gain little
/// at these sizes, and the same command should do the same everywhere.
const THREADS: u8 = 2;

impl Container {
    /// The container that a file name asks for.
    ///
    /// # Errors
    /// A line that says which endings there are.
    pub fn of(output: &str) -> Result<Self, String> {
        match Path::new(output).extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("webm") => Ok(Self::Webm),
            Some("mp4") => Ok(Self::Mp4),
            Some("mkv") => Ok(Self::Mkv),
            _ => Err(format!("'{output}' has no ending that tells the format: use .webm, .mp4 or .mkv")),
        }
    }

    /// ffmpeg's name of its muxer.
    pub fn muxer(self) -> &'static str {
        match self {
            Self::Webm => "webm",
            Self::Mp4 => "mp4",
            Self::Mkv => "matroska",
        }
    }

    /// The codecs that are used when none are asked for: those of the tutorial.
    fn usual(self) -> (VideoCodec, AudioCodec) {
        match self {
            Self::Webm | Self::Mkv => (VideoCodec::Vp8, AudioCodec::Opus),
            Self::Mp4 => (VideoCodec::H264, AudioCodec::Aac),
        }
    }

    fn holds(self, video: VideoCodec, audio: AudioCodec) -> bool {
        match self {
            Self::Webm => {
                matches!(video, VideoCodec::Vp8 | VideoCodec::Vp9 | VideoCodec::Av1)
                    && audio == AudioCodec::Opus
            }
            Self::Mp4 => video != VideoCodec::Vp8,
            Self::Mkv => true,
        }
    }
}

impl Encoding {
    /// The codecs asked for, or the container's usual ones, and what most want
    /// of everything else, at 1024x768.
    ///
    /// # Errors
    /// When the container can't hold them.
    pub fn new(
        container: Container,
        video: Option<VideoCodec>,
        audio: Option<AudioCodec>,
    ) -> Result<Self, String> {
        let usual = container.usual();
        let (video, audio) = (video.unwrap_or(usual.0), audio.unwrap_or(usual.1));
        if !container.holds(video, audio) {
            return Err(format!(
                "{} can't hold {} with {}: webm takes vp8, vp9 or av1 with opus; mp4 takes h264, hevc, vp9 or av1; mkv takes all",
                container.muxer(),
                flag_name(&video),
                flag_name(&audio)
            ));
        }
        Ok(Self {
            container,
            video,
            audio,
            crf: None,
            speed: Speed::default(),
            size: Size { width: 1024, height: 768 },
            extra: Vec::new(),
        })
    }

    /// The same with a constant quality.
    ///
    /// # Errors
    /// When the codec's scale has no such quality.
    pub fn with_crf(self, crf: Option<u8>) -> Result<Self, String> {
        let scale = match self.video {
            VideoCodec::Vp8 => 4..=63,
            VideoCodec::Vp9 | VideoCodec::Av1 => 0..=63,
            VideoCodec::H264 | VideoCodec::Hevc => 0..=51,
        };
        match crf.filter(|crf| !scale.contains(crf)) {
            Some(crf) => Err(format!(
                "--crf {crf} isn't on the scale of {}: from {} (best) to {}",
                flag_name(&self.video),
                scale.start(),
                scale.end()
            )),
            None => Ok(Self { crf, ..self }),
        }
    }

    /// Whether the options depend on which encoders there are.
    pub fn asks_for_encoders(&self) -> bool {
        self.video == VideoCodec::Av1 || self.audio == AudioCodec::Aac
    }

    /// Whether frames are stored in another order than they are shown (B-frames).
    pub fn reorders_frames(&self) -> bool {
        matches!(self.video, VideoCodec::H264 | VideoCodec::Hevc) || self.container == Container::Mp4
    }

    /// Options for the picture.
    pub fn video_args(&self, rate: Rate, at_hand: &AtHand, threading: Threading) -> Vec<String> {
        let (encoder, options) = match self.video {
            VideoCodec::Vp8 => ("libvpx", self.libvpx(rate)),
            VideoCodec::Vp9 => ("libvpx-vp9", self.libvpx_vp9()),
            VideoCodec::H264 => ("libx264", self.libx264()),
            VideoCodec::Hevc => {
                let preset = self.pick(["ultrafast", "superfast", "medium"]);
                ("libx265", format!("-preset {preset} -crf {}", self.crf(self.pick([28, 26, 24]))))
            }
            VideoCodec::Av1 => match at_hand.first_of(self.av1_encoders()) {
                "libsvtav1" => {
                    ("libsvtav1", format!("-preset {} -crf {}", self.pick([10, 8, 5]), self.crf(35)))
                }
                aom => (
                    aom,
                    format!("-cpu-used {} -row-mt 1 -crf {} -b:v 0", self.pick([8, 6, 4]), self.crf(32)),
                ),
            },
        };
        // A key frame at least every ten seconds, so that players can seek; each is worth
        // seconds of the frames between (every five: a tenth more bits in all).
        let key_frames = rate.ceil(crate::time::Millis(10_000));
        let threads = match threading {
            Threading::Alone => THREADS,
            // libvpx' second thread would take the core of those that decode, spinning.
            Threading::Decoders if self.video != VideoCodec::Vp8 => THREADS,
            Threading::Decoders | Threading::Others => 1,
        };
        words(&format!("-c:v {encoder} {options} -threads {threads} -g {key_frames} -pix_fmt yuv420p"))
    }

    /// The faster one first; as Debian 12 has it, it takes no side below 64 pixels.
    fn av1_encoders(&self) -> &'static [&'static str] {
        let small = self.size.width.min(self.size.height) < 64;
        if small { &["libaom-av1", "libsvtav1"] } else { &["libsvtav1", "libaom-av1"] }
    }

    /// Whether frames are drawn while others are encoded, which x264's threads allow.
    pub fn encodes_aside(&self) -> bool {
        self.video == VideoCodec::H264
    }

    /// About what it costs to encode a frame, in µs of CPU time: what whole compositions
    /// took (docs/benchmarks.md, "Codecs and speeds"), without decoding and drawing.
    pub fn effort(&self) -> i64 {
        let effort = match self.video {
            VideoCodec::Vp8 => self.pick([2500, 2500, 38_000]),
            VideoCodec::Vp9 => self.pick([7000, 7000, 30_000]),
            VideoCodec::H264 => self.pick([6000, 6000, 19_000]),
            VideoCodec::Hevc => self.pick([15_000, 18_000, 25_000]),
            VideoCodec::Av1 => self.pick([13_000, 27_000, 115_000]),
        };
        self.at_this_size(effort)
    }

    /// What costs so much at 1024x768, and follows the number of pixels, at the output's size.
    pub fn at_this_size(&self, cost: i64) -> i64 {
        cost * i64::from(self.size.width) * i64::from(self.size.height) / (1024 * 768)
    }

    /// Whether a part with the sound has to be mp4. AAC begins before zero, and ffmpeg 5.1's
    /// Matroska has no place for that: it moves all of it, 21 ms away from the picture.
    pub fn sound_needs_mp4(&self) -> bool {
        self.audio == AudioCodec::Aac
    }

    /// Options for the sound.
    pub fn audio_args(&self, at_hand: &AtHand) -> Vec<String> {
        // Voices, which came as some 32 kb/s of Opus; AAC needs more for the same.
        let (codec, bits) = match self.audio {
            AudioCodec::Opus => ("libopus", "64k"),
            AudioCodec::Aac => (at_hand.first_of(&["libfdk_aac", "aac"]), "96k"),
        };
        words(&format!("-c:a {codec} -b:a {bits}"))
    }

    /// Of the user's own options, tags for the file as a whole: where it is joined from parts,
    /// those of the parts don't count.
    pub fn tags(&self) -> Vec<String> {
        let pairs = self.extra.iter().zip(self.extra.iter().skip(1));
        let tags = pairs.filter(|(option, _)| option.split(':').next() == Some("-metadata"));
        tags.flat_map(|(option, tag)| [option.clone(), tag.clone()]).collect()
    }

    /// Whether Opus goes into Matroska or webm, as far as the user's own options leave it so.
    pub fn has_opus_in_matroska(&self) -> bool {
        self.container != Container::Mp4
            && self.audio == AudioCodec::Opus
            && !self.extra.iter().any(|word| is_of_sound(word))
    }

    /// Options for the container.
    pub fn container_args(&self) -> Vec<String> {
        match self.container {
            // The index in front: a player needn't load the whole file to begin.
            Container::Mp4 => words("-movflags +faststart -f mp4"),
            Container::Webm | Container::Mkv => words(&format!("-f {}", self.container.muxer())),
        }
    }

    /// `-qmax` is what makes quick modes as good as the slow ones: left alone, the encoder
    /// starves the frames that cost most, and all that refer to them. `-static-thresh`
    /// keeps it from spending time and bits on the noise of cameras. Profile 1 interpolates
    /// and filters more simply (RFC 6386, section 9.1), which at a quick mode's quality is
    /// hardly seen (docs/encoders.md).
    fn libvpx(&self, rate: Rate) -> String {
        // A negative speed in real-time mode is the same whatever else the machine does.
        let (deadline, cpu, profile) =
            self.pick([("realtime", -12, 1), ("realtime", -10, 1), ("good", 1, 0)]);
        let (threshold, usual, coarsest) = self.pick([(1000, 150.0, 48), (600, 215.0, 42), (0, 600.0, 36)]);
        let bits = match self.crf {
            // A quality is asked for: the bitrate is only a limit.
            Some(crf) => format!("-crf {crf} -b:v {}k", self.kilobits(rate, 2000.0)),
            None => format!("-b:v {}k -qmax {coarsest}", self.kilobits(rate, usual)),
        };
        format!(
            "-deadline {deadline} -cpu-used {cpu} -profile:v {profile} -static-thresh {threshold} -auto-alt-ref 0 {bits}"
        )
    }

    /// What a bitrate (kb/s) that is right at 1024x768 and 30 frames a second is at
    /// this size and rate. Twice the pixels need less than twice the bits: the
    /// usual rule of thumb is the power of 3/4.
    fn kilobits(&self, rate: Rate, usual: f64) -> f64 {
        let pixels = f64::from(self.size.width) * f64::from(self.size.height) * rate.as_f64();
        (usual * (pixels / (1024.0 * 768.0 * 30.0)).powf(0.75)).round().max(20.0)
    }

    fn libvpx_vp9(&self) -> String {
        // Its real-time mode is as good as "good" at these bitrates, at a fraction of the time.
        let (deadline, cpu) = self.pick([("realtime", 8), ("realtime", 5), ("good", 3)]);
        format!("-deadline {deadline} -cpu-used {cpu} -row-mt 1 -crf {} -b:v 0", self.crf(34))
    }

    /// Less adaptive quantization than usual moves bits from the noise of cameras to what
    /// moves, which the quickest search for motion then serves as well as a better one.
    fn libx264(&self) -> String {
        let quick = "veryfast -subq 1 -aq-strength 0.7";
        let preset = self.pick([quick, quick, "medium"]);
        format!("-preset {preset} -crf {}", self.crf(self.pick([24, 21, 19])))
    }

    fn pick<T>(&self, [fast, balanced, best]: [T; 3]) -> T {
        match self.speed {
            Speed::Fast => fast,
            Speed::Balanced => balanced,
            Speed::Best => best,
        }
    }

    fn crf(&self, usual: u8) -> u8 {
        self.crf.unwrap_or(usual)
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Whether an option says how the sound is encoded, or what becomes of its packets.
fn is_of_sound(option: &str) -> bool {
    let (name, stream) = option.split_once(':').unwrap_or((option, "a"));
    name == "-acodec" || matches!(name, "-c" | "-codec" | "-bsf") && stream.starts_with('a')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(output: &str) -> Encoding {
        Encoding::new(Container::of(output).unwrap(), None, None).unwrap()
    }

    #[test]
    fn the_ending_picks_the_container() {
        assert_eq!(Container::of("a/b.WebM"), Ok(Container::Webm));
        for output in ["room", "room.avi", ".webm", "a.webm/b"] {
            assert!(Container::of(output).is_err(), "{output}");
        }
    }

    #[test]
    fn what_a_container_cannot_hold_is_refused() {
        let refused =
            |output, video, audio| Encoding::new(Container::of(output).unwrap(), video, audio).is_err();
        assert!(refused("a.webm", Some(VideoCodec::H264), None));
        assert!(refused("a.webm", None, Some(AudioCodec::Aac)));
        assert!(refused("a.mp4", Some(VideoCodec::Vp8), None));
        assert!(!refused("a.mkv", Some(VideoCodec::Hevc), Some(AudioCodec::Aac)));
    }

    #[test]
    fn each_codec_has_its_scale_of_qualities() {
        let set = |output, crf| encoding(output).with_crf(crf);
        assert_eq!(
            set("a.mp4", Some(52)).unwrap_err(),
            "--crf 52 isn't on the scale of h264: from 0 (best) to 51"
        );
        assert!(set("a.webm", Some(3)).is_err());
        assert_eq!(set("a.webm", Some(63)).unwrap().crf, Some(63));
        assert_eq!(set("a.webm", None).unwrap().crf, None);
    }

    #[test]
    fn bitrates_follow_the_picture() {
        let bits = |width, height, fps: &str| {
            let encoding = Encoding { size: Size { width, height }, ..encoding("a.webm") };
            let args = encoding.video_args(fps.parse().unwrap(), &AtHand::default(), Threading::Alone);
            args[args.iter().position(|word| word == "-b:v").unwrap() + 1].clone()
        };
        assert_eq!(bits(1024, 768, "30"), "215k");
        assert_eq!(bits(2048, 1536, "30"), "608k");
        assert_eq!(bits(1024, 768, "15"), "128k");
        assert_eq!(bits(16, 16, "1"), "20k");
    }

    #[test]
    fn tags_are_the_files_own() {
        let extra = words("-b:v 2M -metadata title=x -metadata:s:a:0 language=eng -g 5");
        let tags = Encoding { extra, ..encoding("a.webm") }.tags();
        assert_eq!(tags, words("-metadata title=x -metadata:s:a:0 language=eng"));
    }

    #[test]
    fn whoever_has_a_codec_of_his_own_knows_best() {
        for (output, extra, has_opus) in [
            ("a.webm", "", true),
            ("a.mkv", "-b:v 2M -c:v libvpx", true),
            ("a.mkv", "-c:a libvorbis", false),
            ("a.mkv", "-acodec libvorbis", false),
            ("a.mkv", "-codec libvorbis", false),
            ("a.mkv", "-bsf:a:0 noise", false),
            ("a.mp4", "", false),
        ] {
            let encoding = Encoding { extra: words(extra), ..encoding(output) };
            assert_eq!(encoding.has_opus_in_matroska(), has_opus, "{output} {extra}");
        }
        let aac = Encoding::new(Container::Mkv, None, Some(AudioCodec::Aac)).unwrap();
        assert!(!aac.has_opus_in_matroska());
    }

    #[test]
    fn fdk_where_it_is() {
        let with = AtHand::with(vec!["aac".into(), "libfdk_aac".into()]);
        assert_eq!(encoding("a.mp4").audio_args(&with)[1], "libfdk_aac");
        assert_eq!(encoding("a.mp4").audio_args(&AtHand::default())[1], "aac");
        assert_eq!(encoding("a.webm").audio_args(&with)[1], "libopus");
    }
}
