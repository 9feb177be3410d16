//! What people bring: a `VideoLayout`, or a whole Compositions request, as it is
//! posted (CamelCase) or as the resource has it (snake_case).

use serde_json::{Map, Value};

use super::Regions;
use super::region::Region;
use super::sources::Sources;
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

/// The fields of a request by their two names. The presence of one of the first
/// three tells a request from an object of regions.
const FIELDS: [(&str, &str); 6] = [
    ("VideoLayout", "video_layout"),
    ("AudioSources", "audio_sources"),
    ("AudioSourcesExcluded", "audio_sources_excluded"),
    ("Resolution", "resolution"),
    ("Format", "format"),
    ("Trim", "trim"),
];

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
        if !FIELDS[..3].iter().any(|(posted, own)| object.contains_key(*posted) || object.contains_key(*own))
        {
            return Ok(Self { regions: object, whole: None });
        }
        let mut reader = Reader { object: &object, faults: Vec::new() };
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
    /// A field by either name.
    fn get(&self, posted: &str) -> Option<&'a Value> {
        let (_, own) = FIELDS.iter().find(|(name, _)| *name == posted)?;
        self.object.get(posted).or_else(|| self.object.get(*own)).filter(|value| !value.is_null())
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
        let (included, excluded) = (self.names("AudioSources"), self.names("AudioSourcesExcluded"));
        let heard = Sources::new(included, excluded).unwrap_or_else(|wrong| {
            self.faults.extend(wrong.into_iter().map(|why| format!("AudioSources has {why}")));
            Sources::default()
        });
        let size = self.text("Resolution").map_or(Ok(TWILIOS_SIZE), str::parse);
        let size = size.unwrap_or_else(|why| {
            self.faults.push(format!("Resolution: {why}"));
            TWILIOS_SIZE
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
        Whole { heard, size, format: format.map(str::to_owned), trim }
    }

    fn text(&mut self, posted: &str) -> Option<&'a str> {
        let value = self.get(posted)?;
        if value.as_str().is_none() {
            self.faults.push(format!("{posted} is {value}: must be a string"));
        }
        value.as_str()
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
    fn a_request_in_either_spelling() {
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
        let requests: Vec<Request> =
            [posted, own, form].iter().map(|text| Request::parse(text).unwrap()).collect();
        assert_eq!(requests[0], requests[1]);
        assert_eq!(requests[0], requests[2]);
        let whole = requests[0].whole.clone().unwrap();
        assert_eq!((whole.size.width, whole.trim, whole.format.as_deref()), (1280, false, Some("mp4")));
    }

    #[test]
    fn twilios_defaults() {
        let whole = Request::parse(&format!(r#"{{"VideoLayout":{REGIONS}}}"#)).unwrap().whole.unwrap();
        assert_eq!((whole.size, whole.trim, whole.heard), (TWILIOS_SIZE, true, Sources::default()));
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
