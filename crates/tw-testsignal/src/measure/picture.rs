//! Measures every cell in every output frame.

use anyhow::{Context, Result};

use super::composition::{Composition, Tolerance};
use super::expected::{Expected, shapes};
use super::reader::{Canvas, Seen};
use super::report::{CellReport, Errors, Report};
use crate::ffmpeg;
use crate::room::Room;

/// Checks number and distance of the frames' timestamps, and gives them in
/// milliseconds.
///
/// # Errors
/// If ffprobe fails.
pub fn check_timestamps(composition: &Composition, report: &mut Report) -> Result<Vec<f64>> {
    let show = ["-select_streams", "v:0", "-show_entries", "packet=pts_time"];
    let answer = ffmpeg::probe(&composition.path, &show)?;
    let packets = answer["packets"].as_array().context("ffprobe shows no packets")?;
    let mut times: Vec<f64> = packets
        .iter()
        .filter_map(|packet| packet["pts_time"].as_str()?.parse::<f64>().ok())
        .map(|seconds| seconds * 1000.0)
        .collect();
    times.sort_by(f64::total_cmp);
    if let Some(expected) = composition.frames
        && times.len() != expected
    {
        let violation = format!("{} frames, expected {expected}", times.len());
        report.violations.push(violation);
    }
    let first = times.first().copied().unwrap_or(0.0);
    let uneven = times.iter().enumerate().find(|&(n, time)| {
        // webm and mkv round to milliseconds.
        (time - first - n as f64 * composition.frame_ms()).abs() > 1.01
    });
    if let Some((n, time)) = uneven {
        report.violations.push(format!(
            "frame {n} lies at {:.1} ms, expected {:.1} ms: the frame rate isn't constant",
            time - first,
            n as f64 * composition.frame_ms()
        ));
    }
    Ok(times)
}

/// Decodes the picture and compares each cell with the truth.
///
/// # Errors
/// If ffmpeg can't decode it.
pub fn measure(
    room: &Room,
    composition: &Composition,
    tolerance: &Tolerance,
    report: &mut Report,
) -> Result<()> {
    let (width, height) = composition.size.context("a composition without picture")?;
    let real = ffmpeg::probe(
        &composition.path,
        &["-select_streams", "v:0", "-show_entries", "stream=width,height"],
    )?;
    let real = &real["streams"][0];
    if real["width"] != width || real["height"] != height {
        let size = format!("{}x{}", real["width"], real["height"]);
        report.violations.push(format!("the picture is {size}, expected {width}x{height}"));
        return Ok(());
    }

    let shapes = shapes(room);
    let mut cells: Vec<(Expected, CellReport)> = composition
        .cells
        .iter()
        .map(|cell| {
            let expected = Expected::new(room, cell, composition, tolerance);
            let report = CellReport { name: expected.name.clone(), ..CellReport::default() };
            (expected, report)
        })
        .collect();
    let mut errors: Vec<Vec<f64>> = vec![Vec::new(); cells.len()];

    let raw = ["-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray"];
    let (width, height) = (width as usize, height as usize);
    ffmpeg::decode(&composition.path, &[], &raw, width * height, |luma| {
        let n = report.frames;
        let at_ms = composition.start_ms + n as f64 * composition.frame_ms();
        let canvas = Canvas { luma, width };
        for (i, cell) in composition.cells.iter().enumerate() {
            let seen = canvas.read(cell.rect, &shapes, composition.background);
            let (expected, cell) = &mut cells[i];
            match seen {
                Seen::Background => cell.background += 1,
                Seen::Code(_) => cell.readable += 1,
                Seen::Unreadable => cell.unreadable += 1,
            }
            let verdict = expected.judge(at_ms, seen);
            errors[i].extend(verdict.error_ms);
            if let Some((kind, words)) = verdict.wrong {
                let name = &cell.name;
                let words = format!("cell {i} ({name}), frame {n} at {at_ms:.1} ms: {words}");
                cell.wrong.entry(kind).or_default().push(words);
            }
        }
        report.frames += 1;
        Ok(())
    })?;
    for ((_, mut cell), errors) in cells.into_iter().zip(errors) {
        cell.errors = Errors::of(errors);
        for violations in cell.wrong.values() {
            report.add_violations(violations.clone());
        }
        report.cells.push(cell);
    }
    Ok(())
}
