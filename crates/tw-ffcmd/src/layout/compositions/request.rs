//! What people bring: a `VideoLayout`, or a whole Compositions request, as it is
//! posted (`VideoLayout`), as the resource has it (`video_layout`), or as Twilio's
//! libraries take it (`videoLayout`).

use serde_json::{Map, Value};
use tw_core::text::escaped;

use super::Regions;
use super::region::Region;
use super::sources::{Patterns, Sources};
use crate::layout::Size;

/// A layout file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    regions: Map<String, Value>,
    /// What only a whole request says.
    pub whole: Option<Whole>,
}

/// The rest of a Compositions request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// Who is heard; nobody where `AudioSources` isn't given, as with Twilio.
    pub heard: Sources,
    /// `Resolution`; Twilio's default is 640x480.
    pub size: Size,
    /// `Format`, if given: `webm` or `mp4`.
    pub format: Option<String>,
    /// `Trim`; Twilio's default is true.
    pub trim: bool,
}

const TWILIOS_SIZE: Size = Size { width: 640, height: 480 };

/// The fields of a request that count here. The presence of one of the first three tells a
/// request from an object of regions.
const FIELDS: [&str; 6] =
    ["VideoLayout", "AudioSources", "AudioSourcesExcluded", "Resolution", "Format", "Trim"];
/// How like one of them another name must be to be taken for a misspelt one, from 0 to 1. Twilio's
/// own other fields, which mean nothing here, are all below 0.5.
const ALIKE: f64 = 0.75;

/// What all spellings of a field have in common.
fn spelt_alike(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

impl Request {
    /// Reads a layout file.
    ///
    /// # Errors
    /// Everything that is wrong with it but for the regions, a line each.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|e| vec![format!("not JSON: {e}")])?;
        let Value::Object(object) = value else {
            return Err(vec!["a layout is a JSON object: of regions, or a Compositions request".into()]);
        };
        let mut reader = Reader { object: &object, faults: Vec::new() };
        if FIELDS[..3].iter().all(|field| reader.field(field).is_none()) {
            return Ok(Self { regions: object, whole: None });
        }
        reader.refuse_misspelt();
        reader.refuse_twice();
        let regions = reader.regions();
        let whole = reader.whole();
        if reader.faults.is_empty() { Ok(Self { regions, whole: Some(whole) }) } else { Err(reader.faults) }
    }

    /// The regions, checked against a canvas.
    ///
    /// # Errors
    /// Everything that is wrong with them, a line each.
    pub fn regions(&self, canvas: Size) -> Result<Regions, Vec<String>> {
        let mut faults = Vec::new();
        let regions = self
            .regions
            .iter()
            .filter_map(|(name, value)| Region::read(name, value, canvas).map_err(|f| faults.extend(f)).ok())
            .collect();
        if faults.is_empty() { Ok(Regions(regions)) } else { Err(faults) }
    }
}

struct Reader<'a> {
    object: &'a Map<String, Value>,
    faults: Vec<String>,
}

impl<'a> Reader<'a> {
    /// A field in any spelling.
    fn field(&self, posted: &str) -> Option<&'a Value> {
        let wanted = spelt_alike(posted);
        self.object.iter().find(|(name, _)| spelt_alike(name) == wanted).map(|(_, value)| value)
    }

    /// The same, if there is anything in it.
    fn get(&self, posted: &str) -> Option<&'a Value> {
        self.field(posted).filter(|value| !value.is_null())
    }

    /// What is misspelt would be left out silently.
    fn refuse_misspelt(&mut self) {
        let fields = FIELDS.map(spelt_alike);
        for name in self.object.keys() {
            let spelt = spelt_alike(name);
            let likeness = |i: &usize| strsim::normalized_damerau_levenshtein(&spelt, &fields[*i]);
            let nearest = (0..fields.len()).find(|i| likeness(i) > ALIKE && likeness(i) < 1.0);
            if let Some(nearest) = nearest.filter(|_| !fields.contains(&spelt)) {
                self.faults.push(format!("{} is no field: is {} meant?", escaped(name), FIELDS[nearest]));
            }
        }
    }

    /// Of a field that is there in two spellings, one would be left out silently.
    fn refuse_twice(&mut self) {
        for field in FIELDS.map(spelt_alike) {
            let names: Vec<&str> =
                self.object.keys().map(String::as_str).filter(|name| spelt_alike(name) == field).collect();
            if names.len() > 1 {
                self.faults.push(format!("{} are one field: write it once", names.join(" and ")));
            }
        }
    }

    fn regions(&mut self) -> Map<String, Value> {
        match self.get("VideoLayout") {
            None => Map::new(),
            Some(Value::Object(regions)) => regions.clone(),
            // A form field holds the object as text.
            Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_else(|e| {
                self.faults.push(format!("VideoLayout: not an object of regions: {e}"));
                Map::new()
            }),
            Some(other) => {
                self.faults.push(format!("VideoLayout is {other}: must be an object of regions"));
                Map::new()
            }
        }
    }

    fn whole(&mut self) -> Whole {
        let heard = Sources {
            included: self.patterns("AudioSources"),
            excluded: self.patterns("AudioSourcesExcluded"),
        };
        let size = self.text("Resolution").map_or(Some(TWILIOS_SIZE), |text| {
            let size = Size::of_any_parity(text);
            if size.is_none() {
                self.faults.push(format!("Resolution is {text:?}: must be WIDTHxHEIGHT, from 16 to 8192"));
            }
            size
        });
        let format = self.text("Format");
        if let Some(other) = format.filter(|format| !matches!(*format, "webm" | "mp4")) {
            self.faults.push(format!("Format is \"{other}\": must be webm or mp4"));
        }
        let trim = match self.get("Trim") {
            None => true,
            Some(Value::Bool(trim)) => *trim,
            Some(Value::String(text)) if text == "true" || text == "false" => text == "true",
            Some(other) => {
                self.faults.push(format!("Trim is {other}: must be true or false"));
                true
            }
        };
        Whole { heard, size: size.unwrap_or(TWILIOS_SIZE), format: format.map(str::to_owned), trim }
    }

    fn text(&mut self, posted: &str) -> Option<&'a str> {
        let value = self.get(posted)?;
        if value.as_str().is_none() {
            self.faults.push(format!("{posted} is {value}: must be a string"));
        }
        value.as_str()
    }

    fn patterns(&mut self, posted: &str) -> Patterns {
        Patterns::new(self.names(posted)).unwrap_or_else(|wrong| {
            self.faults.extend(wrong.into_iter().map(|why| format!("{posted} has {why}")));
            Patterns::default()
        })
    }

    /// A list of names, or one name.
    fn names(&mut self, posted: &str) -> Vec<&'a str> {
        let names = match self.get(posted) {
            None => return Vec::new(),
            Some(Value::String(name)) => return vec![name],
            Some(value) => value.as_array().and_then(|names| names.iter().map(Value::as_str).collect()),
        };
        names.unwrap_or_else(|| {
            self.faults.push(format!("{posted}: must be a list of SIDs or track names"));
            Vec::new()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGIONS: &str = r#"{"grid":{"video_sources":["*"]}}"#;

    #[test]
    fn regions_alone() {
        let request = Request::parse(REGIONS).unwrap();
        assert_eq!(request.whole, None);
        assert_eq!(request.regions(TWILIOS_SIZE).unwrap().0.len(), 1);
    }

    #[test]
    fn a_request_in_any_spelling() {
        let posted = format!(
            r#"{{"RoomSid":"RM1","VideoLayout":{REGIONS},"AudioSources":"*","Resolution":"1280x720","Format":"mp4","Trim":false}}"#
        );
        let own = format!(
            r#"{{"sid":"CJ1","video_layout":{REGIONS},"audio_sources":["*"],"resolution":"1280x720","format":"mp4","trim":false}}"#
        );
        let form = format!(
            r#"{{"VideoLayout":{},"AudioSources":["*"],"Resolution":"1280x720","Format":"mp4","Trim":"false"}}"#,
            Value::from(REGIONS)
        );
        let library = posted.replace("\"VideoLayout", "\"videoLayout").replace("\"AudioS", "\"audioS");
        let requests: Vec<Request> =
            [posted, own, form, library].iter().map(|text| Request::parse(text).unwrap()).collect();
        assert_eq!(requests[0], requests[1]);
        assert_eq!(requests[0], requests[2]);
        assert_eq!(requests[0], requests[3]);
        let whole = requests[0].whole.clone().unwrap();
        assert_eq!((whole.size.width, whole.trim, whole.format.as_deref()), (1280, false, Some("mp4")));
    }

    #[test]
    fn twilios_defaults() {
        let whole = Request::parse(&format!(r#"{{"VideoLayout":{REGIONS}}}"#)).unwrap().whole.unwrap();
        assert_eq!((whole.size, whole.trim, whole.heard), (TWILIOS_SIZE, true, Sources::default()));
    }

    #[test]
    fn odd_sides_are_cut_where_the_canvas_is_made() {
        let text = format!(r#"{{"VideoLayout":{REGIONS},"Resolution":"853x481"}}"#);
        let request = Request::parse(&text).unwrap();
        let size = request.whole.as_ref().unwrap().size;
        assert_eq!((size.width, size.height), (853, 481));
        let area = request.regions(size).unwrap().0[0].area;
        assert_eq!((area.width, area.height), (size.even().width, size.even().height));
    }

    #[test]
    fn misspelt_fields_are_refused_and_twilios_others_are_not() {
        let text = format!(r#"{{"VideoLayout":{REGIONS},"AudioSource":["*"],"resolutions":"1x1"}}"#);
        assert_eq!(
            Request::parse(&text).unwrap_err(),
            [
                "AudioSource is no field: is AudioSources meant?",
                "resolutions is no field: is Resolution meant?"
            ]
        );
        let others = "RoomSid StatusCallback StatusCallbackMethod FriendlyName Enabled account_sid status \
                      date_created date_updated date_completed date_deleted sid bitrate size duration url links \
                      media_external_location callback_method";
        let others = others.split_whitespace().map(|name| format!("\"{name}\":null,")).collect::<String>();
        assert!(Request::parse(&format!(r#"{{{others}"VideoLayout":{REGIONS}}}"#)).is_ok());
    }

    #[test]
    fn a_field_in_two_spellings_is_refused() {
        let text = format!(r#"{{"VideoLayout":null,"video_layout":{REGIONS},"trim":true,"Trim":false}}"#);
        assert_eq!(
            Request::parse(&text).unwrap_err(),
            [
                "VideoLayout and video_layout are one field: write it once",
                "Trim and trim are one field: write it once"
            ]
        );
    }

    #[test]
    fn each_list_is_named_for_what_is_wrong_with_it() {
        let faults = Request::parse(r#"{"AudioSources":["a*b"],"AudioSourcesExcluded":["**"]}"#).unwrap_err();
        assert!(faults[0].starts_with("AudioSources has \"a*b\""), "{faults:?}");
        assert!(faults[1].starts_with("AudioSourcesExcluded has \"**\""), "{faults:?}");
    }

    #[test]
    fn all_faults_at_once() {
        let faults = Request::parse(
            r#"{"VideoLayout":7,"AudioSources":["a*b"],"Resolution":"big","Format":"avi","Trim":"maybe"}"#,
        )
        .unwrap_err();
        assert_eq!(faults.len(), 5, "{faults:#?}");
        for text in ["", "[]", "{"] {
            assert_eq!(Request::parse(text).unwrap_err().len(), 1, "{text}");
        }
        let regions = Request::parse(r#"{"a":{},"b":{"width":1}}"#).unwrap();
        assert_eq!(regions.regions(TWILIOS_SIZE).unwrap_err().len(), 3);
    }
}
