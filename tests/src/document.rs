//! Documents whose examples are executed: the fenced blocks of a Markdown file.

/// One fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What stands behind the opening fence: `sh`, `make`, `json`, `text`.
    pub language: String,
    /// Its lines.
    pub text: String,
    /// The line of the opening fence, counted from 1.
    pub line: usize,
}

/// The fenced blocks of a Markdown text, in order.
#[must_use]
pub fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in markdown.lines().enumerate() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(language), None) => {
                let language = language.trim().to_owned();
                open = Some(Block { language, text: String::new(), line: number + 1 });
            }
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    blocks
}

/// A script that runs a document's `sh` blocks one after the other, as somebody
/// who types them does; `make` blocks become the Makefile beside them. It ends at
/// the first command that fails, and says where that stands.
#[must_use]
pub fn script(name: &str, blocks: &[Block]) -> String {
    let mut script = String::from("set -eu -o pipefail\n");
    for block in blocks {
        let Block { text, line, .. } = block;
        match block.language.as_str() {
            "sh" => script.push_str(&format!("trap 'echo \"{name}:{line} failed\" >&2' EXIT\n{text}")),
            "make" => {
                script.push_str(&format!("cat > Makefile <<'END_OF_MAKEFILE'\n{text}END_OF_MAKEFILE\n"));
            }
            _ => {}
        }
    }
    script.push_str("trap - EXIT\n");
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_with_their_language_and_place() {
        let found = blocks("a\n```sh\nls\n```\n```text\nx\n```\n");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], Block { language: "sh".into(), text: "ls\n".into(), line: 2 });
        assert!(script("README.md", &found).contains("\nls\n"));
    }
}
