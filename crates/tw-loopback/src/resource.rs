//! How a recording is written: Twilio's Recording resource as JSON.

use serde::Serialize;

use crate::ACCOUNT_SID;
use crate::recording::Recording;

impl Recording {
    /// The resource, in the order of the fields in Twilio's "Recordings" page.
    pub(crate) fn to_json(&self, base_url: &str) -> String {
        let rt = self.rt();
        let url = format!("{base_url}/v1/Recordings/{rt}");
        let link = self.media_link.clone();
        let media = link.unwrap_or_else(|| format!("{url}/Media"));
        let deleted = (self.status == "deleted").then_some(&self.date_created);
        let mut fields = vec![
            ("account_sid", json(ACCOUNT_SID)),
            ("status", json(&self.status)),
            ("date_created", json(&self.date_created)),
            ("date_updated", json(&self.date_created)),
            ("date_deleted", json(deleted)),
            ("sid", json(rt)),
            ("source_sid", json(self.mt())),
            ("size", json(self.size.unwrap_or_else(|| self.media.len()))),
            ("type", json(self.kind.as_str())),
            ("duration", json(self.duration)),
            ("container_format", json(self.kind.container_format())),
            ("codec", json(self.kind.codec())),
            ("track_name", json(&self.track)),
            ("offset", json(self.offset)),
            (
                "grouping_sids",
                format!(r#"{{"room_sid":{},"participant_sid":{}}}"#, json(&self.room), json(self.pa())),
            ),
            ("media_external_location", "null".to_owned()),
            ("encryption_key", "null".to_owned()),
            ("url", json(url)),
            ("links", format!(r#"{{"media":{}}}"#, json(media))),
        ];
        for (name, text) in &self.written_as {
            let place = fields.iter().position(|(field, _)| field == name);
            match (place, text) {
                (Some(place), Some(text)) => text.clone_into(&mut fields[place].1),
                (Some(place), None) => drop(fields.remove(place)),
                (None, Some(text)) => fields.push((name, text.clone())),
                (None, None) => {}
            }
        }
        let fields: Vec<String> =
            fields.iter().map(|(name, text)| format!("{}:{text}", json(name))).collect();
        format!("{{{}}}", fields.join(","))
    }
}

/// A value as JSON text.
pub(crate) fn json(value: impl Serialize) -> String {
    // Text, numbers and options of them can always be written.
    serde_json::to_string(&value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_stand_in_twilios_order() {
        let text = Recording::audio("RM1", "alice").to_json("http://localhost");
        let names = [
            "account_sid",
            "status",
            "date_created",
            "date_updated",
            "date_deleted",
            "sid",
            "source_sid",
            "size",
            "type",
            "duration",
            "container_format",
            "codec",
            "track_name",
            "offset",
            "grouping_sids",
            "media_external_location",
            "encryption_key",
            "url",
            "links",
        ];
        let places: Vec<usize> =
            names.iter().map(|name| text.find(&format!("\"{name}\":")).unwrap()).collect();
        assert!(places.is_sorted(), "{text}");
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
    }

    #[test]
    fn a_field_may_be_left_out_or_written_as_it_should_not_be() {
        let text = Recording::video("RM1", "bob")
            .offset(9_007_199_254_740_993)
            .without("grouping_sids")
            .written_as("duration", "-1.50e1")
            .written_as("surprise", "[]")
            .to_json("");
        assert!(text.contains(r#""offset":9007199254740993,"#), "{text}");
        assert!(!text.contains("grouping_sids"), "{text}");
        assert!(text.contains(r#""duration":-1.50e1,"#), "{text}");
        assert!(text.ends_with(r#","surprise":[]}"#), "{text}");
    }
}
