//! File names from records. What a record holds comes from strangers: it never
//! chooses a folder, an option, or a hidden name.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use tw_core::{ErrorKind, Failure, Record};

/// A name may have 255 bytes on all usual file systems; of these, the part file
/// beside it takes a dot in front and `.part.json` behind.
const LONGEST_NAME: usize = 255 - ".".len() - ".part.json".len();

/// How files are called, read from `--name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// One for each folder, and the file's own at the end.
    components: Vec<Vec<Piece>>,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// As it stands.
    Text(String),
    /// The name of a field, which stood in braces.
    Field(String),
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with('/') {
            return Err("begins with /: names are relative to --dir".into());
        }
        let components = text.split('/').map(component).collect::<Result<_, _>>()?;
        Ok(Self { components })
    }
}

/// Reads one component of a path.
fn component(text: &str) -> Result<Vec<Piece>, String> {
    match text {
        "" => Err("an empty name, or one that ends with /".into()),
        "." | ".." => Err(format!("{text} is no name")),
        _ if text.contains(char::is_control) => Err("a control character".into()),
        _ => pieces(text),
    }
}

/// Reads text with fields in braces.
///
/// # Errors
/// When braces don't pair, or hold no name.
pub(crate) fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        if before.contains('}') {
            return Err("a } without {".into());
        }
        let (field, after) = after.split_once('}').ok_or("a { without }")?;
        if field.is_empty() || field.contains('{') {
            return Err("braces want a field's name, such as {sid}".into());
        }
        if !before.is_empty() {
            pieces.push(Piece::Text(before.into()));
        }
        pieces.push(Piece::Field(field.into()));
        rest = after;
    }
    if rest.contains('}') {
        return Err("a } without {".into());
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.into()));
    }
    Ok(pieces)
}

impl Template {
    /// Whether a path that it gave to a recording can be no other's, whatever the other
    /// fields hold.
    pub(crate) fn is_unique(&self, path: &Path, sid: &str) -> bool {
        self.components.iter().flatten().any(Piece::is_sid) && path.to_string_lossy().contains(sid)
    }

    /// The recording's file, relative to `--dir`.
    ///
    /// # Errors
    /// When a field is missing, or the name comes out as one that can't be.
    pub fn path(&self, record: &Record) -> Result<PathBuf, Failure> {
        let mut path = PathBuf::new();
        for component in &self.components {
            let mut values = component
                .iter()
                .map(|piece| piece.value(record))
                .collect::<Result<Vec<String>, Failure>>()?;
            fit(component, &mut values);
            let mut name = String::new();
            for (piece, value) in component.iter().zip(values) {
                match piece {
                    Piece::Text(text) => name.push_str(text),
                    Piece::Field(_) => push_safe(&mut name, &value),
                }
            }
            if matches!(name.as_str(), "" | "." | "..") {
                return Err(Failure::new(
                    ErrorKind::Refused,
                    format!("{name:?} comes out as the file's name: see --name"),
                ));
            }
            // A field that is empty must not make what the template has after it the beginning.
            if name.starts_with(['.', '-', '~']) && matches!(component.first(), Some(Piece::Field(_))) {
                name.insert(0, '_');
            }
            path.push(shorten(name));
        }
        Ok(path)
    }
}

impl Piece {
    fn is_sid(&self) -> bool {
        matches!(self, Self::Field(field) if field == "sid")
    }

    fn value(&self, record: &Record) -> Result<String, Failure> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Field(field) => value(record, field, "the file's name", "--name"),
        }
    }
}

/// Makes the longest of the fields shorter until the name fits, but never the SID, which
/// tells recordings apart.
fn fit(component: &[Piece], values: &mut [String]) {
    loop {
        // One more may come in front.
        let length = 1 + values.iter().map(String::len).sum::<usize>();
        let fields = component.iter().zip(values.iter_mut());
        let fields = fields.filter(|(piece, _)| matches!(piece, Piece::Field(_)) && !piece.is_sid());
        let Some((_, longest)) = fields.max_by_key(|(_, value)| value.len()) else { return };
        let excess = length.saturating_sub(LONGEST_NAME);
        if excess == 0 || longest.is_empty() {
            return;
        }
        cut(longest, longest.len().saturating_sub(excess));
    }
}

/// A field of the record as text, which stands in braces for `what`, given with `flag`.
///
/// # Errors
/// When there is none, or something else: with what to do, where that is known.
pub(crate) fn value(record: &Record, field: &str, what: &str, flag: &str) -> Result<String, Failure> {
    text(record, field).ok_or_else(|| {
        let missing = matches!(record.raw(field), None | Some("null"));
        let hint = match field {
            "participant_identity" if missing => ": tw-list --participants adds it",
            "grouping_sids" if !missing => ": {room_sid} and {participant_sid} are in it",
            _ => "",
        };
        Failure::field(if missing {
            format!("no {field} for {what} ({flag}){hint}")
        } else {
            format!("{field} is no text, and {what} is made of that ({flag}){hint}")
        })
    })
}

fn text(record: &Record, field: &str) -> Option<String> {
    record.text_of(field).or_else(|| match field {
        "room_sid" => record.room_sid(),
        "participant_sid" => record.participant_sid(),
        // Twilio gives null at times; its media is Matroska all the same.
        "container_format" if record.text_of("type").as_deref() == Some("audio") => Some("mka".into()),
        "container_format" => Some("mkv".into()),
        _ => None,
    })
}

/// Appends a value, made harmless.
fn push_safe(name: &mut String, value: &str) {
    for c in value.chars() {
        let harmless = match c {
            '/' | '\\' | '\0' => false,
            // In front, these make a hidden file, a folder above, or an option.
            '.' | '-' | '~' => !name.is_empty(),
            c => !c.is_control(),
        };
        name.push(if harmless { c } else { '_' });
    }
}

/// The name, cut before its ending when it is too long.
fn shorten(name: String) -> String {
    if name.len() <= LONGEST_NAME {
        return name;
    }
    let ending = Path::new(&name).extension().and_then(|e| e.to_str()).filter(|e| e.len() < 16);
    let ending = ending.map(|e| format!(".{e}")).unwrap_or_default();
    let mut stem = name;
    cut(&mut stem, LONGEST_NAME - ending.len());
    stem + &ending
}

/// Cuts text to this many bytes, or some less, between characters.
fn cut(text: &mut String, mut length: usize) {
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    text.truncate(length);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::Component;

    fn path(template: &str, record: &str) -> Result<String, Failure> {
        let path = template.parse::<Template>().unwrap().path(&Record::parse(record).unwrap())?;
        Ok(path.to_str().unwrap().to_owned())
    }

    #[test]
    fn fields_make_a_name() {
        let record =
            r#"{"sid":"RT1","container_format":"mka","offset":-5,"grouping_sids":{"room_sid":"RM1"}}"#;
        assert_eq!(path("{sid}.{container_format}", record).unwrap(), "RT1.mka");
        assert_eq!(path("{room_sid}/x{offset}/{sid}", record).unwrap(), "RM1/x-5/RT1");
        assert_eq!(path("{sid}.{container_format}", r#"{"sid":"RT1","type":"audio"}"#).unwrap(), "RT1.mka");
        let failure = path("{track_name}", record).unwrap_err();
        assert_eq!(failure.kind, ErrorKind::Field);
        assert!(failure.message.starts_with("no track_name"));
    }

    #[test]
    fn a_field_that_cannot_be_filled_in_says_what_to_do() {
        let record =
            r#"{"sid":"RT1","grouping_sids":{"room_sid":"RM1"},"links":{},"streams":[1],"codec":null}"#;
        for (field, message) in [
            ("codec", "no codec for the file's name (--name)"),
            ("links", "links is no text, and the file's name is made of that (--name)"),
            ("streams", "streams is no text, and the file's name is made of that (--name)"),
            (
                "grouping_sids",
                "grouping_sids is no text, and the file's name is made of that (--name): \
                 {room_sid} and {participant_sid} are in it",
            ),
            (
                "participant_identity",
                "no participant_identity for the file's name (--name): tw-list --participants adds it",
            ),
        ] {
            let failure = path(&format!("{{sid}}-{{{field}}}"), record).unwrap_err();
            assert_eq!((failure.kind, failure.message.as_str()), (ErrorKind::Field, message));
        }
    }

    #[test]
    fn a_template_stays_in_the_folder() {
        for text in
            ["", "/etc/{sid}", "../{sid}", "a/../{sid}", "a//b", "a/", "{", "}", "{}", "{a{b}}", "a}{b", "\0"]
        {
            assert!(text.parse::<Template>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_value_leads_nowhere() {
        for (value, name) in [
            ("../../etc/passwd", "_._.._etc_passwd"),
            ("/etc/passwd", "_etc_passwd"),
            ("-rf", "_rf"),
            ("~root", "_root"),
            (".", "_"),
            ("..", "_."),
            ("a\u{0}b\nc", "a_b_c"),
            (".bashrc", "_bashrc"),
        ] {
            let record = serde_json::json!({ "x": value }).to_string();
            assert_eq!(path("{x}", &record).unwrap(), name, "{value:?}");
        }
        assert!(path("{x}", r#"{"x":""}"#).is_err());
        assert_eq!(path("{x}.mka", r#"{"x":""}"#).unwrap(), "_.mka");
        assert!(path(".{x}", r#"{"x":"."}"#).is_err());
    }

    #[test]
    fn a_long_name_keeps_its_ending() {
        let record = serde_json::json!({ "x": "é".repeat(300) }).to_string();
        let name = path("{x}.mka", &record).unwrap();
        assert!(name.len() <= LONGEST_NAME && name.ends_with("é.mka"), "{name}");
    }

    #[test]
    fn a_long_name_keeps_its_sid() {
        let sid = format!("RT{:032}", 7);
        let record =
            serde_json::json!({ "x": "é".repeat(300), "y": "b".repeat(150), "sid": sid }).to_string();
        for (template, unique) in [("{x}-{sid}.mka", true), ("{x}{y}/{y}{x}-{sid}-{y}", true), ("{x}", false)]
        {
            let name = path(template, &record).unwrap();
            assert!(name.split('/').all(|name| name.len() <= LONGEST_NAME), "{name}");
            let template = template.parse::<Template>().unwrap();
            assert_eq!(template.is_unique(Path::new(&name), &sid), unique, "{name}");
        }
        assert!(path("{x}-{sid}.mka", &record).unwrap().ends_with(&format!("é-{sid}.mka")));
        // Somebody's track may be called like another's recording.
        assert!(!"{x}".parse::<Template>().unwrap().is_unique(Path::new(&sid), &sid));
    }

    proptest! {
        #[test]
        fn any_value_is_one_plain_name(value in any::<String>(), before in "[a-z.-]{0,2}") {
            let record = serde_json::json!({ "x": value }).to_string();
            let template = format!("in/{before}{{x}}.mka").parse::<Template>().unwrap();
            let path = template.path(&Record::parse(record).unwrap()).unwrap();
            let parts: Vec<Component<'_>> = path.components().collect();
            prop_assert_eq!(parts.len(), 2);
            prop_assert!(parts.iter().all(|part| matches!(part, Component::Normal(_))));
            let name = path.file_name().unwrap().to_str().unwrap();
            prop_assert!(name.len() <= LONGEST_NAME);
            prop_assert!(!name.contains(|c: char| c.is_control()));
            prop_assert!(name.ends_with(".mka"));
            if before.is_empty() {
                prop_assert!(!name.starts_with('-'));
            }
        }
    }
}
