//! ffprobe's answers as `-of compact` writes them: `section|key=value|…` on each line.

use std::borrow::Cow;

/// The `key=value` pairs of a line; what has no `=` is passed over.
pub fn values(line: &str) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = unescaped_bar(text);
        rest = end.map(|end| &text[end + 1..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
    .filter_map(|pair| pair.split_once('='))
    .map(|(key, value)| (key, unescape(value)))
}

/// Where the pair ends. In a value, ffprobe puts a backslash before a bar.
fn unescaped_bar(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let bar = byte == b'|' && !escaped;
        escaped = byte == b'\\' && !escaped;
        bar
    })
}

fn unescape(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        text.extend(match c {
            '\\' => match chars.next() {
                Some('n') => Some('\n'),
                Some('r') => Some('\r'),
                Some('b') => Some('\u{8}'),
                Some('f') => Some('\u{c}'),
                other => other,
            },
            other => Some(other),
        });
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_hold_bars_and_more() {
        let pairs: Vec<_> = values("a=1|side_data|tag:b=x\\|y\\\\=z\\n|c=").collect();
        assert_eq!(pairs, [("a", "1".into()), ("tag:b", "x|y\\=z\n".into()), ("c", "".into())]);
    }
}
