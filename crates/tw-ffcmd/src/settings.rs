//! What is to be made, from the flags and, where one is given, a Compositions
//! request. A flag that is given counts more than the request.

use anyhow::anyhow;
use tw_core::failure::Failure;

use crate::cli::{Cli, Emit, LayoutFlag, flag_name};
use crate::encoder::{Container, Encoding, Speed};
use crate::graph::picture::Look;
use crate::graph::source::Shrinking;
use crate::layout::compositions::Regions;
use crate::layout::compositions::region::Region;
use crate::layout::compositions::request::Whole;
use crate::layout::compositions::sources::{Patterns, Sources};
use crate::layout::{Canvas, Layout, Placement, Size};
use crate::room::{Kind, Room, Track};
use crate::time::{Millis, Rate};
use crate::timeline;

/// The size of the picture where nobody asks for one.
const USUAL_SIZE: Size = Size { width: 1024, height: 768 };

/// Who is seen where: by a layout's name, or by regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrangement {
    /// grid, row, column, focus.
    Named(Layout),
    /// A Compositions layout.
    Regions(Regions),
}

/// What is to be made of each room.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where results go; `{room_sid}` in it.
    pub output: String,
    /// Format, codecs and their options.
    pub encoding: Encoding,
    /// Frames per second.
    pub rate: Rate,
    /// The window of the timeline.
    pub window: (Option<Millis>, Option<Millis>),
    /// Size, background, gaps; `None` for sound alone.
    pub look: Option<Look>,
    /// Whether everybody's name is written into his cell.
    pub labels: bool,
    canvas: Canvas,
    arrangement: Arrangement,
    /// Who is heard.
    pub heard: Sources,
    trim: bool,
}

impl Settings {
    /// Works out the flags.
    ///
    /// # Errors
    /// When they don't fit together, or the layout is wrong: then all that is
    /// wrong with it, a line each.
    pub fn new(cli: &Cli) -> anyhow::Result<Self> {
        check_flags(cli)?;
        let asked_for = |whole: Option<&Whole>| cli.size.or(whole.map(|w| w.size)).unwrap_or(USUAL_SIZE);
        let (arrangement, whole, size) = match &cli.layout {
            LayoutFlag::Named(layout) => (Arrangement::Named(layout.clone()), None, asked_for(None)),
            LayoutFlag::File(file) => {
                let request = file.request()?;
                let size = asked_for(request.whole.as_ref());
                let regions = request.regions(size).map_err(|faults| file.wrong(&faults))?;
                (Arrangement::Regions(regions), request.whole, size)
            }
        };
        let whole = whole.as_ref();
        // Compositions may have odd sides.
        let size = size.even();
        let ending = whole.and_then(|whole| whole.format.as_deref()).unwrap_or("webm");
        let output = cli.output.clone().unwrap_or_else(|| format!("{{room_sid}}.{ending}"));
        let shrinking = match cli.speed {
            Speed::Fast | Speed::Balanced => Shrinking::Area,
            Speed::Best => Shrinking::Bicubic,
        };
        let look = Look { size, background: cli.background.clone(), gap: cli.gap, shrinking };
        Ok(Self {
            encoding: encoding(cli, &output, size)?,
            output,
            rate: cli.fps,
            window: (cli.start, cli.end),
            look: (!cli.audio_only).then_some(look),
            labels: cli.labels,
            canvas: Canvas { size, spacing: cli.cell_gap & !1 },
            arrangement,
            heard: heard(cli, whole.map(|whole| &whole.heard))?,
            trim: cli.trim.or(whole.map(|whole| whole.trim)).unwrap_or(false),
        })
    }

    /// The layout's regions; none of a named layout, or without a picture.
    pub fn regions(&self) -> &[Region] {
        match &self.arrangement {
            Arrangement::Regions(regions) if self.look.is_some() => &regions.0,
            _ => &[],
        }
    }

    /// Who is seen where and who is heard. The room's timeline is moved and cut
    /// as the settings want it; what isn't included is taken out of it.
    ///
    /// # Errors
    /// When the layout can't be filled.
    pub fn arrange(&self, room: &mut Room) -> Result<(Vec<Placement>, Vec<usize>), Failure> {
        let is_heard = |track: &Track| track.kind == Kind::Audio && self.heard.mean(track);
        if let Arrangement::Regions(regions) = &self.arrangement {
            // Compositions know only what they include: the output begins where that begins.
            room.tracks.retain(|track| is_heard(track) || regions.show(track));
            timeline::from_first(room);
        }
        if self.trim {
            let is_seen = |track: &Track| track.kind == Kind::Video && self.look.is_some();
            room.tracks.retain(|track| is_heard(track) || is_seen(track));
            timeline::without_pauses(room);
        }
        let placements = match &self.arrangement {
            _ if self.look.is_none() => Vec::new(),
            Arrangement::Named(layout) => layout.place(room, self.canvas)?,
            Arrangement::Regions(regions) => regions.place(room)?,
        };
        let heard = (0..room.tracks.len()).filter(|&i| is_heard(&room.tracks[i])).collect();
        Ok((placements, heard))
    }
}

/// Refuses flags that don't go together.
fn check_flags(cli: &Cli) -> anyhow::Result<()> {
    anyhow::ensure!(
        !cli.run || cli.emit == Emit::Json,
        "--run composes, and --emit {} says how: choose one",
        flag_name(&cli.emit)
    );
    anyhow::ensure!(
        cli.cell_gap == 0 || matches!(cli.layout, LayoutFlag::Named(_)),
        "--cell-gap is for grid, row, column and focus: in a layout file, the regions' own sizes and \
         positions say what lies between them"
    );
    if let (Some(start), Some(end)) = (cli.start, cli.end) {
        anyhow::ensure!(
            start < end,
            "--start {} doesn't lie before --end {} (in seconds)",
            start.seconds(),
            end.seconds()
        );
    }
    Ok(())
}

/// Format and codecs, by the output's ending and the flags.
fn encoding(cli: &Cli, output: &str, size: Size) -> anyhow::Result<Encoding> {
    // A list of parts has a line for each, and so has a Makefile.
    anyhow::ensure!(
        !output.contains(['\n', '\r']),
        "--output {output:?} has a line break in it: choose another name"
    );
    let codecs = Container::of(output)
        .and_then(|container| Encoding::new(container, cli.video_codec, cli.audio_codec))
        .and_then(|codecs| codecs.with_crf(cli.crf))
        .map_err(anyhow::Error::msg)?;
    Ok(Encoding { speed: cli.speed, size, extra: cli.encoder_args.0.clone(), ..codecs })
}

/// Who is heard: each of the flags' lists counts more than the request's; without both, everybody.
fn heard(cli: &Cli, requested: Option<&Sources>) -> anyhow::Result<Sources> {
    let mut heard = requested.cloned().unwrap_or_else(Sources::all);
    for (flag, names, list) in [
        ("--audio-sources", &cli.audio_sources, &mut heard.included),
        ("--audio-sources-excluded", &cli.audio_sources_excluded, &mut heard.excluded),
    ] {
        if !names.is_empty() {
            *list = Patterns::new(names.iter().map(String::as_str))
                .map_err(|wrong| anyhow!("{flag}: {}", wrong.join("; ")))?;
        }
    }
    Ok(heard)
}
