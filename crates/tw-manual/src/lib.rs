//! Man pages and completions of the five tools, from the same definitions of
//! their flags that they parse with: nothing here can fall behind.
//!
//! The folders are those below `share` of the XDG Base Directory Specification
//! and of the Filesystem Hierarchy Standard, where man, bash-completion, zsh and
//! fish look: `man/man1`, `bash-completion/completions`, `zsh/site-functions`,
//! `fish/vendor_completions.d`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Command, CommandFactory, Parser};
use clap_complete::{Generator, Shell};
use clap_mangen::Man;

/// Write the man pages and the completions of the tw tools
#[derive(Debug, Parser)]
#[command(name = "tw-manual", version)]
struct Cli {
    /// The folder that gets man/, bash-completion/, zsh/ and fish/: /usr/local/share, ~/.local/share
    folder: PathBuf,
}

/// Reads the flags, writes the files, says what went wrong.
#[must_use]
pub fn main() -> ExitCode {
    match write(&Cli::parse().folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where stderr is gone too, only the status is left to tell.
            let _ = writeln!(io::stderr(), "tw-manual: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// The tools, in the order of the pipeline.
#[must_use]
pub fn tools() -> [Command; 5] {
    [
        tw_list::Cli::command(),
        tw_fetch::Cli::command(),
        tw_probe::Cli::command(),
        tw_offsets::Cli::command(),
        tw_ffcmd::Cli::command(),
    ]
}

/// Writes everything below `share`; what was there is written over.
///
/// # Errors
/// When a folder can't be made or a file can't be written.
pub fn write(share: &Path) -> anyhow::Result<()> {
    for tool in tools() {
        let name = tool.get_name().to_owned();
        let mut page = Vec::new();
        man_page(tool.clone(), &mut page)?;
        put(share, &format!("man/man1/{name}.1"), &page)?;
        for (shell, folder) in [
            (Shell::Bash, "bash-completion/completions"),
            (Shell::Zsh, "zsh/site-functions"),
            (Shell::Fish, "fish/vendor_completions.d"),
        ] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut tool.clone(), &name, &mut script);
            let file = match shell {
                // bash-completion loads a file of the command's own name.
                Shell::Bash => name.clone(),
                _ => shell.file_name(&name),
            };
            put(share, &format!("{folder}/{file}"), &script)?;
        }
    }
    Ok(())
}

fn put(share: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let path = share.join(name);
    let folder = path.parent().unwrap_or(share);
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// A page of section 1. Examples keep their lines, which clap_mangen's own
/// section of extra text would fill into paragraphs.
fn man_page(tool: Command, page: &mut Vec<u8>) -> io::Result<()> {
    let others: Vec<String> = tools().iter().map(|other| other.get_name().to_owned()).collect();
    let name = tool.get_name().to_owned();
    let mut tool = tool;
    let usage = tool.render_usage().to_string();
    let extra = tool.get_after_long_help().or_else(|| tool.get_after_help()).map(ToString::to_string);
    let man = Man::new(tool);
    // Without a date, which would change with every build; its place must be held.
    writeln!(page, ".TH {} 1 \"\" \"tw {}\" tw", roff(&name), env!("CARGO_PKG_VERSION"))?;
    man.render_name_section(page)?;
    // Some thirty flags in one paragraph help nobody.
    let usage = usage.trim_start_matches("Usage:").trim();
    writeln!(page, ".SH SYNOPSIS\n\\fB{}\\fR{}", roff(&name), roff(usage.trim_start_matches(&*name)))?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    if let Some(extra) = extra {
        writeln!(page, ".SH NOTES AND EXAMPLES\n.nf")?;
        for line in extra.lines() {
            writeln!(page, "{}", roff(line))?;
        }
        writeln!(page, ".fi")?;
    }
    let others: Vec<String> = others
        .iter()
        .filter(|other| **other != name)
        .map(|other| format!("\\fB{}\\fR(1)", roff(other)))
        .collect();
    writeln!(page, ".SH \"SEE ALSO\"\n{}, \\fBffmpeg\\fR(1), \\fBjq\\fR(1)", others.join(", "))
}

/// A line as roff takes it: backslashes and hyphens as they stand, no line that
/// begins like a request.
fn roff(line: &str) -> String {
    let escaped = line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq").replace('`', "\\(ga");
    if escaped.starts_with('.') { format!("\\&{escaped}") } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_gets_a_page_and_three_completions() {
        let share = tempfile::tempdir().unwrap();
        write(share.path()).unwrap();
        for tool in tools() {
            let name = tool.get_name();
            for file in [
                format!("man/man1/{name}.1"),
                format!("bash-completion/completions/{name}"),
                format!("zsh/site-functions/_{name}"),
                format!("fish/vendor_completions.d/{name}.fish"),
            ] {
                let text = fs::read_to_string(share.path().join(&file)).unwrap();
                assert!(text.contains("progress"), "{file} knows no --progress");
            }
        }
    }

    #[test]
    fn behind_trim_a_file_is_completed() {
        let mut script = Vec::new();
        clap_complete::generate(Shell::Bash, &mut tw_ffcmd::Cli::command(), "tw-ffcmd", &mut script);
        let script = String::from_utf8(script).unwrap();
        let (_, after) = script.split_once("--trim)").unwrap();
        let (case, _) = after.split_once(";;").unwrap();
        // Its value stands behind an equals sign alone.
        assert!(case.contains("compgen -f") && !case.contains("true"), "{case}");
    }

    #[test]
    fn examples_are_no_requests() {
        assert_eq!(roff(".SH it's a\\b-c"), "\\&.SH it\\(aqs a\\eb\\-c");
    }

    #[test]
    fn both_lengths_of_help_have_examples() {
        for mut tool in tools() {
            let name = tool.get_name().to_owned();
            let (short, long) = (tool.render_help().to_string(), tool.render_long_help().to_string());
            assert!(short.lines().count() < long.lines().count(), "{name}: -h is no shorter than --help");
            for help in [&short, &long] {
                assert!(help.contains("Examples:") && help.contains(&format!("{name} ")), "{name}:\n{help}");
            }
        }
    }
}
