//! The table of all cases in `docs/sync.md`: a section for each version of
//! ffmpeg, and those of other versions stay.

use std::fmt::Write;

use tw_testsignal::Report;
use tw_testsignal::measure::report::Errors;

use super::Case;

/// A measured case.
#[derive(Debug)]
pub struct Row {
    /// The case's name.
    pub name: &'static str,
    /// What is the matter with its recordings.
    pub about: &'static str,
    /// What was measured, or why nothing was.
    pub result: Result<Report, String>,
}

impl Row {
    /// A row of a case.
    #[must_use]
    pub fn new(case: &Case, result: Result<Report, String>) -> Self {
        Self { name: case.name, about: case.about, result }
    }

    /// Whether all is as it should be.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.result.as_ref().is_ok_and(|report| report.violations.is_empty())
    }

    fn markdown(&self) -> String {
        let about = self.about.replace('|', "\\|");
        let Ok(report) = &self.result else {
            return format!("| `{}` | {about} | | | | | | **not composed** |", self.name);
        };
        let pictures = over(report.cells.iter().map(|cell| cell.errors));
        let voices = over(report.voices.iter().map(|voice| voice.errors));
        format!(
            "| `{}` | {about} | {} | {} | {} | {} | {:.1} | {} |",
            self.name,
            report.frames,
            span(report.cells.len(), pictures, 1),
            span(report.voices.len(), voices, 2),
            if report.voices.is_empty() { String::new() } else { format!("{:.1}", report.common_delay_ms) },
            // Without sound there is no peak.
            if report.voices.is_empty() { f64::NAN } else { report.peak_db },
            if report.violations.is_empty() {
                "0".into()
            } else {
                format!("**{}**", report.violations.len())
            },
        )
        .replace("NaN", "")
    }
}

/// The least, the median and the greatest over several.
fn over(each: impl Iterator<Item = Errors>) -> Errors {
    let each: Vec<Errors> = each.filter(|errors| !errors.median_ms.is_nan()).collect();
    Errors {
        min_ms: each.iter().map(|e| e.min_ms).fold(f64::NAN, f64::min),
        median_ms: Errors::of(each.iter().map(|e| e.median_ms).collect()).median_ms,
        max_ms: each.iter().map(|e| e.max_ms).fold(f64::NAN, f64::max),
    }
}

fn span(count: usize, errors: Errors, decimals: usize) -> String {
    let Errors { min_ms, median_ms, max_ms } = errors;
    if count == 0 || median_ms.is_nan() {
        return format!("{count}:");
    }
    format!("{count}: {min_ms:+.decimals$} / {median_ms:+.decimals$} / {max_ms:+.decimals$}")
}

/// The section of a version of ffmpeg.
#[must_use]
pub fn section(version: &str, rows: &[Row]) -> String {
    let mut text = format!("{HEADING}{version}\n\n");
    let failed = rows.iter().filter(|row| !row.holds()).count();
    let _ = writeln!(text, "{} cases, {failed} of them not as they should be.\n", rows.len());
    text += "| case | recordings | frames | cells: error in ms | voices: error in ms | delay of all sound, ms | peak, dBFS | violations |\n";
    text += "|---|---|--:|---|---|--:|--:|--:|\n";
    for row in rows {
        let _ = writeln!(text, "{}", row.markdown());
    }
    text
}

/// What a version's section begins with.
const HEADING: &str = "## ffmpeg ";

/// The page with that version's section in the place of the one that was there,
/// or at the end.
#[must_use]
pub fn replace(page: &str, version: &str, section: &str) -> String {
    let heading = format!("{HEADING}{version}");
    let mut parts: Vec<String> = Vec::new();
    for line in page.lines() {
        match parts.last_mut() {
            Some(part) if !line.starts_with("## ") => part.push_str(&format!("{line}\n")),
            _ => parts.push(format!("{line}\n")),
        }
    }
    match parts.iter_mut().find(|part| part.lines().next() == Some(&heading)) {
        Some(part) => *part = section.to_owned(),
        None => parts.push(section.to_owned()),
    }
    let parts: Vec<&str> = parts.iter().map(|part| part.trim_end()).collect();
    parts.join("\n\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_takes_the_place_of_its_like() {
        let page = "# In sync\n\nText.\n\n## ffmpeg 5.1\n\nold\n\n## ffmpeg 9.0\n\nstays\n";
        let expected = "# In sync\n\nText.\n\n## ffmpeg 5.1\n\nnew\n\n## ffmpeg 9.0\n\nstays\n";
        assert_eq!(replace(page, "5.1", "## ffmpeg 5.1\n\nnew\n"), expected);
        assert_eq!(replace(expected, "5.1", "## ffmpeg 5.1\n\nnew\n"), expected);
        assert!(replace(page, "6.0", "## ffmpeg 6.0\n\nx").ends_with("stays\n\n## ffmpeg 6.0\n\nx\n"));
    }

    #[test]
    fn a_row_says_the_extremes_of_all_cells() {
        let errors = |min_ms, median_ms, max_ms| Errors { min_ms, median_ms, max_ms };
        let all = over([errors(-3.0, 0.0, 2.0), Errors::default(), errors(-1.0, 1.0, 5.0)].into_iter());
        assert_eq!((all.min_ms, all.max_ms), (-3.0, 5.0));
        assert_eq!(span(2, all, 1), "2: -3.0 / +1.0 / +5.0");
        assert_eq!(span(0, Errors::default(), 1), "0:");
    }
}
