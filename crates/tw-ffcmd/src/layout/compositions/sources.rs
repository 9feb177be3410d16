//! Which recordings are meant: by SID, by track name, by part of a name.

use crate::room::Track;

/// One entry of a list of sources.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    /// `*`
    All,
    /// `RT…`, `MT…`, `PA…`, or a track's whole name.
    Is(String),
    /// `teacher*`
    Begins(String),
    /// `*-screen`
    Ends(String),
}

/// A list of sources.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Patterns(Vec<Pattern>);

impl Patterns {
    /// Reads a list.
    ///
    /// # Errors
    /// Every entry that has no meaning.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, Vec<String>> {
        let mut wrong = Vec::new();
        let read = |text: &str| Pattern::parse(text).map_err(|why| wrong.push(why)).ok();
        let patterns = texts.into_iter().filter_map(read).collect();
        if wrong.is_empty() { Ok(Self(patterns)) } else { Err(wrong) }
    }

    fn mean(&self, track: &Track) -> bool {
        self.0.iter().any(|pattern| pattern.means(track))
    }
}

/// Sources, and those that are left out of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sources {
    /// Who is meant …
    pub included: Patterns,
    /// … unless he is here too.
    pub excluded: Patterns,
}

impl Sources {
    /// Everybody.
    pub fn all() -> Self {
        Self { included: Patterns(vec![Pattern::All]), excluded: Patterns::default() }
    }

    /// Whether a track is meant.
    pub fn mean(&self, track: &Track) -> bool {
        self.included.mean(track) && !self.excluded.mean(track)
    }

    /// The SIDs and whole names among them that mean none of these tracks: misspelt, maybe.
    pub fn strangers<'a>(&'a self, tracks: &'a [&Track]) -> impl Iterator<Item = &'a str> {
        let patterns = self.included.0.iter().chain(&self.excluded.0);
        patterns.filter_map(move |pattern| match pattern {
            Pattern::Is(name) if !tracks.iter().any(|track| pattern.means(track)) => Some(name.as_str()),
            _ => None,
        })
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, String> {
        let stars = text.matches('*').count();
        match (text.strip_prefix('*'), text.strip_suffix('*')) {
            (Some(""), _) => Ok(Self::All),
            (Some(end), _) if stars == 1 => Ok(Self::Ends(end.to_owned())),
            (_, Some(beginning)) if stars == 1 => Ok(Self::Begins(beginning.to_owned())),
            _ if stars == 0 && !text.is_empty() => Ok(Self::Is(text.to_owned())),
            _ => Err(format!("\"{text}\": write a SID, a track's name, or a name with one * at one end")),
        }
    }

    fn means(&self, track: &Track) -> bool {
        let name = track.name.as_deref();
        match self {
            Self::All => true,
            Self::Begins(beginning) => name.is_some_and(|name| name.starts_with(beginning)),
            Self::Ends(end) => name.is_some_and(|name| name.ends_with(end)),
            Self::Is(text) => {
                [name, track.sid.as_deref(), track.source_sid.as_deref(), track.participant_sid.as_deref()]
                    .into_iter()
                    .flatten()
                    .any(|own| own == text)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::tests_support::track_of;

    fn mean(included: &[&str], excluded: &[&str]) -> bool {
        let track = Track {
            sid: Some("RT1".into()),
            source_sid: Some("MT1".into()),
            participant_sid: Some("PA1".into()),
            name: Some("teacher-screen".into()),
            ..track_of("x", 0, 1)
        };
        let list = |texts: &[&str]| Patterns::new(texts.iter().copied()).unwrap();
        Sources { included: list(included), excluded: list(excluded) }.mean(&track)
    }

    #[test]
    fn by_sid_by_name_and_by_part_of_a_name() {
        for one in ["*", "RT1", "MT1", "PA1", "teacher-screen", "teacher*", "*screen"] {
            assert!(mean(&[one], &[]), "{one}");
            assert!(!mean(&["*"], &[one]), "without {one}");
        }
        for other in ["RT2", "teacher", "screen*", "*teacher"] {
            assert!(!mean(&[other], &[]), "{other}");
        }
        assert!(!mean(&[], &[]));
    }

    #[test]
    fn strangers_are_names_that_nobody_has() {
        let alice = Track { name: Some("alice".into()), ..track_of("x", 0, 1) };
        let included = Patterns::new(["alice", "alcie", "bob*"]).unwrap();
        let sources = Sources { included, excluded: Patterns::new(["PA7"]).unwrap() };
        assert_eq!(sources.strangers(&[&alice]).collect::<Vec<_>>(), ["alcie", "PA7"]);
    }

    #[test]
    fn a_star_stands_at_one_end() {
        let wrong = Patterns::new(["a*b", "*a*", "**", "", "ok*"]).unwrap_err();
        assert_eq!(wrong.len(), 4, "{wrong:?}");
    }
}
