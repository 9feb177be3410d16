//! A font for the labels: the user's, or one that fontconfig knows.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use tw_core::failure::{ErrorKind, Failure};
use tw_core::process::{command, output};

/// fontconfig builds its cache at the first call on a machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The file of a font that can write this text: `TW_FONT`, else fontconfig's
/// choice of a sans serif that has its letters.
///
/// # Errors
/// When there is none; the line says what to do.
pub fn find(text: &str) -> Result<PathBuf, Failure> {
    if let Some(font) = std::env::var_os("TW_FONT").filter(|font| !font.is_empty()) {
        let font = PathBuf::from(font);
        if font.is_file() {
            return Ok(font);
        }
        return Err(none(&format!("TW_FONT names {}, which is no file", font.display())));
    }
    let mut fc_match = command("fc-match");
    fc_match.args(["--format", "%{file}", &pattern(text)]);
    let (finished, file) = output(fc_match, PATIENCE).map_err(|e| none(&e.to_string()))?;
    let file = PathBuf::from(String::from_utf8_lossy(&file).trim());
    if finished.status.success() && file.is_file() { Ok(file) } else { Err(none("fc-match knows none")) }
}

fn none(why: &str) -> Failure {
    Failure::new(
        ErrorKind::Io,
        format!(
            "no font for --labels ({why}): install one (fonts-dejavu-core), or name a font's file in TW_FONT"
        ),
    )
}

/// fontconfig's pattern: the letters by their numbers in hexadecimal, so that
/// nothing of the text itself is in it ("fonts.conf", charset).
fn pattern(text: &str) -> String {
    let letters: BTreeSet<u32> = text.chars().filter(|c| !c.is_control()).map(u32::from).collect();
    let letters: Vec<String> = letters.into_iter().map(|letter| format!("{letter:x}")).collect();
    if letters.is_empty() { "sans".into() } else { format!("sans:charset={}", letters.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_numbers() {
        assert_eq!(pattern("aé:a"), "sans:charset=3a 61 e9");
        assert_eq!(pattern(""), "sans");
    }
}
