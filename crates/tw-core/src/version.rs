//! Which ffmpeg, and which ffprobe, is at hand.

/// The oldest that can do what the tools need: with 4.4 came `amix`'s `normalize`, which
/// leaves volumes alone; and answers of older ffprobes were never looked at.
pub const OLDEST: (u32, u32) = (4, 4);

/// The version that the first line of `-version` speaks of, as it is written there:
/// `ffmpeg version 5.1.9-0+deb12u1 Copyright …`, `ffprobe version n9.0.2-17-g2a57… …`.
pub fn of(said: &str) -> Option<&str> {
    let mut words = said.lines().next()?.split_whitespace().skip(1);
    words.next().filter(|&word| word == "version").and(words.next())
}

/// The version of a library that `-version` speaks of: of the one that is used, which may not be
/// the one that it was built with (`libavformat    59. 27.100 / 59. 27.100`).
pub fn of_library(said: &str, name: &str) -> Option<(u32, u32)> {
    let line = said.lines().find_map(|line| line.trim_start().strip_prefix(name)?.rsplit('/').next())?;
    let mut numbers = line.split('.').map(|number| number.trim().parse());
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Whether a version is older than [`OLDEST`]. A build from git has a name instead of a
/// number; it is taken to be new.
pub fn is_too_old(version: &str) -> bool {
    number(version).is_some_and(|number| number < OLDEST)
}

fn number(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.strip_prefix('n').unwrap_or(version).split(|c: char| !c.is_ascii_digit());
    let major = parts.next()?.parse().ok()?;
    Some((major, parts.next().and_then(|minor| minor.parse().ok()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_they_are_said() {
        for (said, version) in [
            (
                "ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000-2026\nbuilt with gcc",
                Some("5.1.9-0+deb12u1"),
            ),
            ("ffprobe version n9.0.2-17-g2a571b6068 Copyright", Some("n9.0.2-17-g2a571b6068")),
            ("GNU bash, version 5.2.15(1)-release", None),
            ("ffmpeg version", None),
            ("", None),
        ] {
            assert_eq!(of(said), version, "{said}");
        }
    }

    #[test]
    fn libraries_as_they_are_said() {
        let said = "ffmpeg version 5.1.9\nlibavutil      57. 28.100 / 57. 28.100\n\
            libavformat    59. 16.100 / 59. 27.100\n";
        assert_eq!(of_library(said, "libavformat"), Some((59, 27)));
        assert_eq!(of_library(said, "libavutil"), Some((57, 28)));
        assert_eq!(of_library(said, "libavfilter"), None);
        assert_eq!(of_library("libavformat unknown", "libavformat"), None);
    }

    #[test]
    fn numbers() {
        for (version, expected) in [
            ("5.1.9-0+deb12u1", Some((5, 1))),
            ("n9.0.2-17-g2a571b6068", Some((9, 0))),
            ("4.4", Some((4, 4))),
            ("7", Some((7, 0))),
            ("N-12345-gabcdef", None),
            ("git-2020-01-01", None),
        ] {
            assert_eq!(number(version), expected, "{version}");
        }
        assert!(is_too_old("4.3.9") && !is_too_old("4.4") && !is_too_old("N-12345-gabcdef"));
    }
}
