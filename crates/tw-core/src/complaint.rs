//! What serde_json complains about, in words for people who don't know it.

use serde_json::error::Category;

use crate::sid::is_sid;

/// Why a line, an input's first or another, holds no record, and what is wanted instead.
pub(crate) fn of_line(error: &serde_json::Error, line: &str, first: bool) -> String {
    let line = line.trim_ascii();
    if is_sid("RT", line) {
        return "a plain SID: run tw-fetch first, which makes a record of it".into();
    }
    if is_sid("RT", line.trim_matches('"')) {
        return "a SID in quotes: tw-fetch makes a record of a plain one, as jq -r writes it".into();
    }
    if first && line.split(',').any(|column| column == "offset") {
        return "a table in CSV: tw-offsets --from csv makes records of it".into();
    }
    let is_list = line.starts_with('[');
    // How jq and others begin what they write on many lines. A last line may just be cut there.
    let is_pretty = match line.as_bytes() {
        [b'{' | b'['] => true,
        [b'{' | b'[', .., b'{' | b'[' | b','] => first,
        _ => false,
    };
    if is_pretty {
        let command = if is_list { "jq -c '.[]'" } else { "jq -c" };
        return format!("pretty-printed JSON: one record per line is needed ({command})");
    }
    let what = match (error.classify(), line.as_bytes().first()) {
        (Category::Eof, _) => ": it breaks off".to_owned(),
        (Category::Data, Some(b'[')) => ", but a list".into(),
        (Category::Data, Some(b'"')) => ", but a string".into(),
        (Category::Data, _) => format!(", but {}", shorten(line)),
        (_, Some(b'{')) => format!(": wrong at column {}", error.column()),
        _ => String::new(),
    };
    let wanted = if is_list {
        "its objects on lines, as jq -c '.[]' writes them"
    } else {
        "one on each line, as jq -c writes them"
    };
    format!("not a JSON object{what} (want {wanted})")
}

/// What is wrong with a field's value, `raw`.
pub(crate) fn of_value(error: &serde_json::Error, raw: &str) -> String {
    let text = error.to_string();
    // Line and column are those of the field, not of the input.
    let text = text.rsplit_once(" at line ").map_or(&*text, |(text, _)| text);
    if let Some(name) = text.strip_prefix("missing field ") {
        return format!("it lacks {}", name.trim_matches('`'));
    }
    let Some((found, wanted)) = text.rsplit_once(", expected ") else { return text.to_owned() };
    let Some(found) = found.strip_prefix("invalid type: ").or_else(|| found.strip_prefix("invalid value: "))
    else {
        return text.to_owned();
    };
    let bits = wanted.strip_prefix(['i', 'u']).filter(|bits| bits.parse::<u8>().is_ok());
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let wanted = match (wanted, bits) {
        (_, Some(_)) if wanted.starts_with('u') && raw.starts_with('-') => "a whole number, 0 or more",
        (_, Some(bits)) if digits(raw.strip_prefix('-').unwrap_or(raw)) => {
            return format!("beyond {bits} bits");
        }
        (_, Some(_)) => "a whole number",
        ("f64" | "f32", _) => "a number",
        ("a string" | "a borrowed string" | "string", _) => "a string",
        ("a boolean", _) => "true or false",
        ("a sequence", _) => "a list",
        ("a map", _) => "an object",
        (other, _) if other.starts_with("struct ") => "an object",
        (other, _) => other,
    };
    if raw.starts_with(['{', '[']) && !matches!(found, "map" | "sequence") {
        return format!("{} in it should be {wanted}", value(found));
    }
    format!("should be {wanted}")
}

/// A value as serde names it: integer `5`, string "x".
fn value(found: &str) -> &str {
    match found.split_once(['`', '"']) {
        Some((kind, rest)) if found[kind.len()..].starts_with('`') => rest.trim_end_matches('`'),
        Some((kind, _)) => &found[kind.len()..],
        None => found,
    }
}

/// A value as a message shows it: at most 40 characters.
pub(crate) fn shorten(raw: &str) -> String {
    match raw.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &raw[..end]),
        None => raw.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Record;
    use std::collections::HashMap;

    #[test]
    fn lines_in_plain_words() {
        for (line, said) in [
            ("nope", "not a JSON object (want one on each line, as jq -c writes them)"),
            ("[1]", "not a JSON object, but a list (want its objects on lines, as jq -c '.[]' writes them)"),
            ("\"a\"", "not a JSON object, but a string (want one on each line, as jq -c writes them)"),
            ("5", "not a JSON object, but 5 (want one on each line, as jq -c writes them)"),
            ("{\"a\":1", "not a JSON object: it breaks off (want one on each line, as jq -c writes them)"),
            (
                "{\"a\":x}",
                "not a JSON object: wrong at column 6 (want one on each line, as jq -c writes them)",
            ),
            ("{", "pretty-printed JSON: one record per line is needed (jq -c)"),
            ("{ \"a\": 1,", "pretty-printed JSON: one record per line is needed (jq -c)"),
            ("[", "pretty-printed JSON: one record per line is needed (jq -c '.[]')"),
            ("[{", "pretty-printed JSON: one record per line is needed (jq -c '.[]')"),
            (
                "\"RT0123456789abcdef0123456789abcdef\"",
                "a SID in quotes: tw-fetch makes a record of a plain one, as jq -r writes it",
            ),
            ("track_name,offset,start_time", "a table in CSV: tw-offsets --from csv makes records of it"),
            (
                "RT0123456789abcdef0123456789abcdef",
                "a plain SID: run tw-fetch first, which makes a record of it",
            ),
        ] {
            assert_eq!(of_line(&Record::parse(line).unwrap_err(), line, true), said, "{line}");
        }
        let cut = "{ \"a\": 1,";
        let said = of_line(&Record::parse(cut).unwrap_err(), cut, false);
        assert!(said.contains("it breaks off"), "{said}");
    }

    #[test]
    fn values_in_plain_words() {
        fn said<T: serde::de::DeserializeOwned + std::fmt::Debug>(raw: &str) -> String {
            of_value(&serde_json::from_str::<T>(raw).unwrap_err(), raw)
        }
        assert_eq!(said::<i64>("\"5\""), "should be a whole number");
        assert_eq!(said::<i64>("1.5"), "should be a whole number");
        assert_eq!(said::<i64>("[1]"), "should be a whole number");
        assert_eq!(said::<i64>("99999999999999999999"), "beyond 64 bits");
        assert_eq!(said::<u32>("4294967296"), "beyond 32 bits");
        assert_eq!(said::<u64>("-1"), "should be a whole number, 0 or more");
        assert_eq!(said::<String>("5"), "should be a string");
        assert_eq!(said::<bool>("5"), "should be true or false");
        assert_eq!(said::<Vec<String>>("{}"), "should be a list");
        assert_eq!(said::<Vec<i64>>("[1,\"x\"]"), "\"x\" in it should be a whole number");
        assert_eq!(said::<Vec<String>>("[5]"), "5 in it should be a string");
        assert_eq!(said::<HashMap<String, String>>("\", expected\""), "should be an object");
    }
}
