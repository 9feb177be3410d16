//! The filters of a list.

use jiff::Timestamp;

use crate::recording::Recording;

/// The filters of `GET /v1/Recordings`. Names are case-sensitive and names that
/// Twilio doesn't know are passed over, as there.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    status: Option<String>,
    source_sid: Option<String>,
    grouping_sids: Vec<String>,
    created_after: Option<Timestamp>,
    created_before: Option<Timestamp>,
    media_type: Option<String>,
}

impl Filter {
    pub(crate) fn from_query(query: &[(String, String)]) -> Result<Self, String> {
        let mut filter = Self::default();
        for (name, value) in query {
            match name.as_str() {
                "Status" => {
                    one_of(name, value, &["processing", "completed", "deleted", "failed"])?;
                    filter.status = Some(value.clone());
                }
                "SourceSid" => filter.source_sid = Some(value.clone()),
                "GroupingSid" => filter.grouping_sids.push(value.clone()),
                "DateCreatedAfter" => filter.created_after = Some(date(name, value)?),
                "DateCreatedBefore" => filter.created_before = Some(date(name, value)?),
                "MediaType" => {
                    one_of(name, value, &["audio", "video", "data"])?;
                    filter.media_type = Some(value.clone());
                }
                _ => {}
            }
        }
        Ok(filter)
    }

    /// Deleted recordings are listed only where they are asked for.
    pub(crate) fn admits(&self, recording: &Recording) -> bool {
        let status = match &self.status {
            Some(status) => recording.status_word() == status,
            None => recording.status_word() != "deleted",
        };
        let is = |wanted: &Option<String>, got: &str| wanted.as_ref().is_none_or(|w| w == got);
        status
            && is(&self.media_type, recording.kind().as_str())
            && (self.source_sid.is_none() || is(&self.source_sid, &recording.mt()))
            && self
                .grouping_sids
                .iter()
                .all(|sid| recording.rm() == sid || (sid.starts_with("PA") && recording.pa() == *sid))
            && self.in_time(recording)
    }

    fn in_time(&self, recording: &Recording) -> bool {
        if self.created_after.is_none() && self.created_before.is_none() {
            return true;
        }
        let Ok(created) = recording.created().parse::<Timestamp>() else {
            return false;
        };
        self.created_after.is_none_or(|after| created >= after)
            && self.created_before.is_none_or(|before| created < before)
    }
}

fn one_of(name: &str, value: &str, words: &[&str]) -> Result<(), String> {
    if words.contains(&value) {
        return Ok(());
    }
    Err(format!("{name} must be one of {}", words.join(", ")))
}

fn date(name: &str, value: &str) -> Result<Timestamp, String> {
    value.parse().map_err(|_| format!("{name} must be an ISO 8601 date with time and zone"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(query: &[(&str, &str)], recording: &Recording) -> bool {
        let query: Vec<_> =
            query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Filter::from_query(&query).unwrap().admits(recording)
    }

    #[test]
    fn each_filter_tells_recordings_apart() {
        let alice = Recording::audio("RM1", "alice").date_created("2026-02-01T00:00:00Z");
        let cases = [
            ("Status", "completed", "failed"),
            ("SourceSid", &alice.mt(), "MT0"),
            ("GroupingSid", "RM1", "RM2"),
            ("GroupingSid", &alice.pa(), "PA0"),
            ("MediaType", "audio", "video"),
            ("DateCreatedAfter", "2026-02-01T00:00:00Z", "2026-02-01T00:00:01Z"),
            ("DateCreatedBefore", "2026-02-01T01:00:01+01:00", "2026-02-01T00:00:00Z"),
        ];
        for (name, yes, no) in cases {
            assert!(admits(&[(name, yes)], &alice), "{name}={yes}");
            assert!(!admits(&[(name, no)], &alice), "{name}={no}");
            assert!(admits(&[(&name.to_lowercase(), no)], &alice), "{name} in small letters");
        }
    }

    #[test]
    fn deleted_recordings_are_listed_only_when_asked_for() {
        let gone = Recording::audio("RM1", "alice").status("deleted");
        assert!(!admits(&[], &gone));
        assert!(admits(&[("Status", "deleted")], &gone));
    }

    #[test]
    fn a_word_that_the_api_does_not_know_is_refused() {
        for (name, value) in [("Status", "done"), ("MediaType", "Audio"), ("DateCreatedAfter", "today")] {
            let query = [(name.to_owned(), value.to_owned())];
            assert!(Filter::from_query(&query).unwrap_err().contains(name));
        }
    }
}
