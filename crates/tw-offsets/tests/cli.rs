//! tw-offsets as a user meets it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command as Plain, Stdio};

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::{contains, starts_with};

const TUTORIAL_JSONL: &str = r#"{"track_name":"alice.mka","offset":163481005731,"start_time_ms":1564}
{"track_name":"alice.mkv","offset":163481005731,"start_time_ms":1584}
{"track_name":"bob.mka","offset":163481005732,"start_time_ms":20789}
{"track_name":"bob.mkv","offset":163481005732,"start_time_ms":20814}
"#;

const TUTORIAL_CSV: &str = "\
track_name,offset,start_time
alice.mka,163481005731,1564
alice.mkv,163481005731,1584
bob.mka,163481005732,20789
bob.mkv,163481005732,20814
";

const PLACED_JSONL: &str = r#"{"track_name":"alice.mka","offset":163481005731,"start_time_ms":1564,"addition_ms":163481007295,"reference_ms":163481007295,"relative_offset_ms":0}
{"track_name":"alice.mkv","offset":163481005731,"start_time_ms":1584,"addition_ms":163481007315,"reference_ms":163481007295,"relative_offset_ms":20}
{"track_name":"bob.mka","offset":163481005732,"start_time_ms":20789,"addition_ms":163481026521,"reference_ms":163481007295,"relative_offset_ms":19226}
{"track_name":"bob.mkv","offset":163481005732,"start_time_ms":20814,"addition_ms":163481026546,"reference_ms":163481007295,"relative_offset_ms":19251}
"#;

const PLACED_CSV: &str = "\
track_name,offset,start_time,addition,reference_value,relative_offset
alice.mka,163481005731,1564,163481007295,163481007295,0
alice.mkv,163481005731,1584,163481007315,163481007295,20
bob.mka,163481005732,20789,163481026521,163481007295,19226
bob.mkv,163481005732,20814,163481026546,163481007295,19251
";

fn tool(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("tw-offsets").unwrap();
    command.args(args).env_remove("NO_COLOR");
    command
}

/// Runs on this input, and gives stdout and stderr; the status must be this.
fn run(args: &[&str], input: &str, status: i32) -> (String, String) {
    let output = tool(args).write_stdin(input).assert().code(status).get_output().clone();
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_tutorials_numbers_from_every_format_to_every_format() {
    for (from, input) in
        [("jsonl", TUTORIAL_JSONL), ("csv", TUTORIAL_CSV), ("csv", PLACED_CSV), ("jsonl", PLACED_JSONL)]
    {
        for (to, output) in [("jsonl", PLACED_JSONL), ("csv", PLACED_CSV)] {
            assert_eq!(
                run(&["--from", from, "--to", to], input, 0),
                (output.into(), String::new()),
                "{from} {to}"
            );
        }
        let (table, _) = run(&["--from", from, "--to", "table"], input, 0);
        assert_eq!(
            table.lines().nth(4).unwrap(),
            "  bob.mkv     163481005732       20814  163481026546     163481007295            19251"
        );
        assert!(table.contains("\n* alice.mka "), "{table}");
    }
    assert_eq!(run(&["--grouped"], TUTORIAL_JSONL, 0).0, PLACED_JSONL);
}

#[test]
fn foreign_fields_stay_byte_for_byte_and_own_ones_are_replaced_in_place() {
    let input = r#"{ "relative_offset_ms": 7 , "big":12345678901234567890123,"offset" :1, "x":{"a":[ 1.50,"\u00e9"]},"start_time_ms":2 }"#;
    let once = r#"{ "relative_offset_ms": 0 , "big":12345678901234567890123,"offset" :1, "x":{"a":[ 1.50,"\u00e9"]},"start_time_ms":2,"addition_ms":3,"reference_ms":3 }"#;
    assert_eq!(run(&[], input, 0).0, format!("{once}\n"));
    assert_eq!(run(&[], once, 0).0, format!("{once}\n"));
}

#[test]
fn each_room_has_its_reference_and_the_order_stays() {
    let line = |room: &str, offset: i64| {
        format!(r#"{{"grouping_sids":{{"room_sid":{room}}},"offset":{offset},"start_time_ms":0}}"#)
    };
    let input = [
        line("\"RMa\"", 50),
        line("\"RMb\"", 7),
        line("null", 1000),
        line("\"RMa\"", 40),
        line("\"RMb\"", 9),
    ];
    let (output, _) = run(&[], &input.join("\n"), 0);
    let relative: Vec<&str> = output.lines().map(|line| line.rsplit_once(':').unwrap().1).collect();
    assert_eq!(relative, ["10}", "0}", "0}", "0}", "2}"]);

    let (csv, _) = run(&["--to", "csv"], &input.join("\n"), 0);
    assert_eq!(csv.lines().next().unwrap().rsplit_once(',').unwrap().1, "room_sid");
    assert_eq!(run(&["--from", "csv", "--to", "csv"], &csv, 0).0, csv);
}

#[test]
fn what_tells_no_room_does_not_end_one() {
    let input = r#"{"grouping_sids":{"room_sid":"RM1"},"offset":9,"start_time_ms":0}
{"error":{"tool":"tw-fetch","kind":"input","message":"x"}}
{"sid":"RT9","error":{"tool":"tw-fetch","kind":"http","message":"x"}}
{"type":"data"}
{"grouping_sids":{"room_sid":"RM1"},"offset":3,"start_time_ms":0}
"#;
    assert_eq!(run(&["--grouped"], input, 1).0, run(&[], input, 1).0);
    assert!(run(&[], input, 1).0.contains("\"reference_ms\":3,\"relative_offset_ms\":6"));
}

#[test]
fn what_cannot_be_placed_is_marked_and_does_not_count() {
    let input = r#"{"sid":"RT1","offset":100,"start_time_ms":5}
{"sid":"RT2","offset":1}
{"sid":"RT3","offset":1.5,"start_time_ms":0}
{"sid":"RT4","offset":9223372036854775807,"start_time_ms":1}
nonsense
{"sid":"RT5","offset":1,"start_time_ms":1,"error":{"tool":"tw-fetch","kind":"http","message":"404"}}
{"sid":"RT6","offset":101,"start_time_ms":5}
"#;
    let (output, said) = run(&[], input, 1);
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), 7);
    assert!(lines[0].ends_with(r#""addition_ms":105,"reference_ms":105,"relative_offset_ms":0}"#));
    assert_eq!(
        lines[1],
        r#"{"sid":"RT2","offset":1,"error":{"tool":"tw-offsets","kind":"field","message":"no start_time_ms: run tw-probe first"}}"#
    );
    assert!(lines[2].contains("offset is 1.5: not a whole number of milliseconds"));
    assert!(lines[3].contains("offset + start_time_ms is beyond 64 bits"));
    assert!(lines[4].starts_with(
        r#"{"error":{"tool":"tw-offsets","kind":"input","message":"stdin:5: not a JSON object"#
    ));
    assert_eq!(lines[5], input.lines().nth(5).unwrap());
    assert!(lines[6].ends_with(r#""relative_offset_ms":1}"#));
    assert!(said.contains("tw-offsets: RT2: no start_time_ms: run tw-probe first\n"), "{said}");
    assert!(said.contains("1 record that failed in an earlier step handed on as it was\n"), "{said}");

    assert_eq!(run(&["--grouped"], input, 1), (output, said));
    // In a table there is no place for it.
    let (_, said) = run(&["--to", "table"], input, 1);
    assert!(said.contains("1 record failed in an earlier step\n"), "{said}");
}

#[test]
fn rooms_are_told_apart_as_jq_reads_them() {
    let line = |grouping: &str, offset: i64| {
        format!("{{\"grouping_sids\":{grouping},\"offset\":{offset},\"start_time_ms\":0}}\n")
    };
    let input = line(r#"{"room_sid":"RM1"}"#, 50)
        + &line(r#"{"room_sid":"RM9","room_sid":"RM1"}"#, 51)
        + &line(r#"{"room_sid":"RM1","x":"\ud800","\ud800":1}"#, 52)
        + &line("{}", 7)
        + &line(r#"["RM1"]"#, 8)
        + &line(r#"{"room_sid":"RM1\ud800"}"#, 100);
    let (output, _) = run(&[], &input, 0);
    let relative: Vec<&str> = output.lines().map(|line| line.rsplit_once(':').unwrap().1).collect();
    assert_eq!(relative, ["0}", "1}", "2}", "0}", "1}", "0}"], "{output}");
    assert!(output.lines().zip(input.lines()).all(|(out, line)| out.starts_with(&line[..line.len() - 1])));
    assert_eq!(run(&["--grouped"], &input, 0).0, output);
}

#[test]
fn half_a_character_where_nothing_is_read_costs_nothing() {
    let input = r#"{"\ud800":"\udc00","track_name":"a\ud83d","offset":1,"start_time_ms":2}"#;
    let placed = r#","addition_ms":3,"reference_ms":3,"relative_offset_ms":0}"#;
    for flags in [&[][..], &["--grouped"]] {
        let expected = format!("{}{placed}\n", &input[..input.len() - 1]);
        assert_eq!(run(flags, input, 0), (expected, String::new()));
    }
    assert!(run(&["--to", "csv"], input, 0).0.ends_with("\na\u{fffd},1,2,3,3,0\n"));
}

#[test]
fn a_record_without_a_place_keeps_none_of_an_earlier_run() {
    let stale = r#""addition_ms":7,"reference_ms":5,"relative_offset_ms":2"#;
    let marked = format!(r#"{{"sid":"RT5",{stale},"error":{{"kind":"http"}}}}"#);
    let input = format!(
        r#"{{"type":"data","offset":1,{stale}}}
{{{stale},"offset":1,"start_time_ms":null}}
{{"sid":"RT3",{stale},"offset":1}}
{{"sid":"RT4","offset":1,{stale},"start_time_ms":1.5}}
{marked}
"#
    );
    for flags in [&[][..], &["--grouped"]] {
        let (output, _) = run(flags, &input, 1);
        let lines: Vec<&str> = output.lines().collect();
        assert_eq!(lines[0], r#"{"type":"data","offset":1}"#);
        assert_eq!(lines[1], r#"{"offset":1,"start_time_ms":null}"#);
        assert!(lines[2].starts_with(r#"{"sid":"RT3","offset":1,"error":{"tool":"tw-offsets","#), "{output}");
        assert!(lines[3].starts_with(r#"{"sid":"RT4","offset":1,"start_time_ms":1.5,"error":"#), "{output}");
        // What an earlier tool has marked is handed on untouched.
        assert_eq!(lines[4], marked);
        // A second run changes nothing.
        assert_eq!(run(flags, &output, 1).0, output);
    }
}

#[test]
fn what_has_no_name_is_said_with_its_place() {
    let (output, said) = run(&[], "{\"sid\":\"RT1\"}\n\n{\"a\":1}\n", 1);
    assert!(said.contains("tw-offsets: stdin:3: no offset: "), "{said}");
    assert!(output.contains("\"message\":\"stdin:3: no offset: "), "{output}");
    assert!(said.starts_with("tw-offsets: RT1: no offset: "), "{said}");
}

#[test]
fn pretty_printed_records_and_plain_sids_are_told_from_garbage() {
    let (output, said) = run(&[], "{\n  \"sid\": \"RT1\",\n  \"offset\": 1\n}\n", 1);
    let first = "tw-offsets: stdin:1: pretty-printed JSON: one record per line is needed (jq -c)\n";
    assert!(said.starts_with(first), "{said}");
    assert_eq!(output.lines().count(), 4);
    let (_, said) = run(&[], "RT0123456789abcdef0123456789abcdef\n", 1);
    assert!(said.starts_with("tw-offsets: stdin:1: a plain SID: run tw-fetch first"), "{said}");
}

#[test]
fn wrong_flags_say_whose_they_are_and_the_last_of_two_counts() {
    let (_, said) = run(&["--nonsense"], "", 2);
    assert!(said.starts_with("tw-offsets: error: unexpected argument '--nonsense'"), "{said}");
    let (output, _) = run(&["--to", "table", "--to", "csv"], TUTORIAL_JSONL, 0);
    assert_eq!(output, PLACED_CSV);
}

#[test]
fn two_ends_of_64_bits_are_no_trouble() {
    let input = "{\"offset\":-9223372036854775808,\"start_time_ms\":0}\n{\"offset\":9223372036854775807,\"start_time_ms\":0}\n";
    let (output, said) = run(&[], input, 1);
    assert!(output.lines().next().unwrap().ends_with("\"relative_offset_ms\":0}"));
    assert!(said.contains("more than 64 bits away"), "{said}");
}

#[test]
fn data_tracks_are_handed_on_without_error() {
    let input = "{\"type\":\"data\",\"offset\":3}\n{\"type\":\"data\",\"offset\":4}\n";
    for flags in [&[][..], &["--grouped"]] {
        let (output, said) = run(flags, input, 0);
        assert_eq!(output, input);
        assert_eq!(said, "tw-offsets: 2 records handed on as they were: nothing in them has a start time\n");
    }
    assert_eq!(run(&["-q"], input, 0).1, "");
}

#[test]
fn the_same_recording_twice_stays_twice() {
    let line = "{\"sid\":\"RT1\",\"offset\":1,\"start_time_ms\":1}\n";
    assert_eq!(run(&[], &line.repeat(2), 0).0.lines().count(), 2);
}

#[test]
fn crlf_bom_blank_lines_and_nothing() {
    let (output, _) = run(&[], "\u{feff}{\"offset\":1,\"start_time_ms\":1}\r\n\r\n  \n", 0);
    assert_eq!(
        output,
        "{\"offset\":1,\"start_time_ms\":1,\"addition_ms\":2,\"reference_ms\":2,\"relative_offset_ms\":0}\n"
    );
    let csv = format!("\u{feff}{}\r\n", TUTORIAL_CSV.replace('\n', "\r\n"));
    assert_eq!(run(&["--from", "csv", "--to", "csv"], &csv, 0).0, PLACED_CSV);
    assert_eq!(run(&[], "", 0), (String::new(), String::new()));
    assert_eq!(run(&["--to", "table"], "", 0), (String::new(), String::new()));
    assert_eq!(run(&["--from", "csv"], "", 0), (String::new(), String::new()));
    assert_eq!(run(&["--to", "csv"], "", 0).0.lines().count(), 1);
}

#[test]
fn invalid_utf8_spoils_only_its_own_line() {
    let mut input = b"{\"offset\":1,\"start_time_ms\":1}\n{\"sid\":\"\xff\"}\n".to_vec();
    input.extend_from_slice(b"{\"offset\":2,\"start_time_ms\":1}\n");
    for flags in [&[][..], &["--grouped"]] {
        let assert = tool(flags).write_stdin(input.clone()).assert().code(1);
        assert
            .stderr(starts_with("tw-offsets: stdin:2: not UTF-8"))
            .stdout(contains("\"relative_offset_ms\":0").and(contains("\"relative_offset_ms\":1")));
    }
}

#[test]
fn columns_are_found_by_name_and_others_are_kept() {
    let input = "note,start_time,track_name,offset\n\"a, \"\"b\"\"\",5,x,1\n,7,y,1\n";
    assert_eq!(
        run(&["--from", "csv", "--to", "csv"], input, 0).0,
        "note,start_time,track_name,offset,addition,reference_value,relative_offset\n\
         \"a, \"\"b\"\"\",5,x,1,6,6,0\n,7,y,1,8,6,2\n"
    );
}

#[test]
fn rows_that_cannot_be_placed_are_said_with_their_line_and_kept() {
    let input = "track_name,offset,start_time\r\na,1,soon\r\nb,2,\r\nc,3,4\r\n";
    let (output, said) = run(&["--from", "csv", "--to", "csv"], input, 1);
    assert_eq!(
        output,
        "track_name,offset,start_time,addition,reference_value,relative_offset\na,1,soon,,,\nb,2,,,,\nc,3,4,7,7,0\n"
    );
    assert_eq!(
        said,
        "tw-offsets: a: stdin:2: start_time is \"soon\": not a whole number of milliseconds\n\
         tw-offsets: b: stdin:3: no start_time: the cell is empty\n"
    );
    // What has no column would be lost; an empty cell at the end is none.
    let (output, said) = run(&["--from", "csv"], "track_name,offset,start_time\na,1,2,x\nb,3,4,\n", 1);
    assert_eq!(output.matches("\"error\"").count(), 1);
    assert!(said.contains("stdin:2: more cells than there are columns"), "{said}");
    let input = b"track_name,offset,start_time\n\xe9,1,2\nc,3,4\n".to_vec();
    let assert = tool(&["--from", "csv"]).write_stdin(input).assert().code(1);
    assert
        .stderr(contains("stdin:2: not UTF-8: save the file as UTF-8"))
        .stdout(contains("\"addition_ms\":7"));
}

#[test]
fn a_row_is_said_with_its_own_line_behind_blank_ones() {
    let input = "track_name,offset,start_time\n\n\na,1,soon\n\nb,1,2\n\nc,2,\n";
    for input in [input.to_owned(), input.replace('\n', "\r\n")] {
        let (_, said) = run(&["--from", "csv"], &input, 1);
        assert!(said.contains("a: stdin:4: ") && said.contains("c: stdin:8: "), "{said}");
    }
}

#[test]
fn the_line_breaks_in_a_cell_come_out_again() {
    let input = "track_name,offset,start_time,addition,reference_value,relative_offset,note\n\
                 a,1,2,3,3,0,\"x\r\"\nb,1,2,3,3,0,\"x\r\n\"\nc,1,2,3,3,0,y\n";
    assert_eq!(run(&["--from", "csv", "--to", "csv"], input, 0).0, input);
    // The line end of a table that has others in its cells is no part of them.
    let crlf = "note,offset,start_time,other\r\nx,1,2,\"z\r\"\r\ny,1,2,z\r\n";
    let (output, _) = run(&["--from", "csv"], crlf, 0);
    assert_eq!(output.matches(r#""other":"z\r","#).count(), 1, "{output}");
    assert_eq!(output.matches(r#""other":"z","#).count(), 1, "{output}");
}

#[test]
fn columns_that_a_spreadsheet_adds_are_none() {
    let input = "track_name,offset,start_time,,\r\na,1,2,,\r\nb,1,3,,\r\n";
    let (output, said) = run(&["--from", "csv", "--to", "csv"], input, 0);
    assert_eq!((output.lines().next(), &*said), (PLACED_CSV.lines().next(), ""));
    let (_, said) = run(&["--from", "csv"], &input.replace("b,1,3,,", "b,1,3,,note"), 1);
    assert!(said.contains("stdin:3: more cells than there are columns: name all columns"), "{said}");
}

#[test]
fn a_table_without_the_columns_is_refused() {
    for (input, why) in [
        ("track_name,offset\na,1\n", "stdin: no column start_time"),
        ("offset,start_time,offset\n1,2,3\n", "two columns are named offset"),
        (",,offset,start_time\n1,2,3,4\n", "stdin: two columns have no name: name them in the first line"),
        ("offset,start_time,start_time_ms\n1,2,3\n", "start_time and start_time_ms say the same"),
        ("{\"offset\":1}\n", "stdin: no column offset"),
        ("track_name;offset;start_time\na;1;2\n", "stdin: its columns are parted by semicolons"),
        ("track_name\toffset\tstart_time\na\t1\t2\n", "stdin: its columns are parted by tabs"),
    ] {
        let (output, said) = run(&["--from", "csv"], input, 2);
        assert_eq!(output, "");
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn rooms_one_after_the_other_are_written_as_they_end() {
    let line = |room: &str| {
        format!("{{\"grouping_sids\":{{\"room_sid\":\"{room}\"}},\"offset\":1,\"start_time_ms\":1}}\n")
    };
    let mut child = Plain::new(env!("CARGO_BIN_EXE_tw-offsets"))
        .arg("--grouped")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all((line("RMa") + &line("RMb")).as_bytes()).unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("RMa") && first.contains("\"relative_offset_ms\":0"), "{first}");
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn in_a_room_of_two_files_a_line_has_its_own_files_name() {
    let folder = tempfile::tempdir().unwrap();
    let good = "{\"grouping_sids\":{\"room_sid\":\"RMa\"},\"offset\":1,\"start_time_ms\":1}\n";
    for (name, text) in [("a.jsonl", good.to_owned()), ("b.jsonl", format!("nope\n{good}"))] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let mut command = tool(&["--grouped", "a.jsonl", "b.jsonl"]);
    command.current_dir(folder.path()).assert().code(1).stderr(contains("b.jsonl:1: not a JSON object"));
}

#[test]
fn a_room_that_comes_back_is_noticed() {
    let line = |room: &str| {
        format!("{{\"grouping_sids\":{{\"room_sid\":\"{room}\"}},\"offset\":1,\"start_time_ms\":1}}\n")
    };
    let input = line("RMa") + &line("RMb") + &line("RMa");
    let (output, said) = run(&["--grouped"], &input, 1);
    assert_eq!(output.lines().filter(|line| line.contains("\"error\"")).count(), 1);
    assert!(output.lines().nth(2).unwrap().contains("\"error\""));
    assert!(said.contains("leave out --grouped"), "{said}");
    run(&["--grouped", "--to", "csv"], &input, 2);
}

#[test]
fn the_first_failure_can_end_it() {
    let input = "{\"offset\":1,\"start_time_ms\":1}\n{}\n{\"offset\":1,\"start_time_ms\":1}\n";
    for flags in [&["--fail-fast"][..], &["--fail-fast", "--grouped"]] {
        assert_eq!(run(flags, input, 1).0.lines().count(), 2);
    }
    // Only what was written is counted.
    let data = "{\"type\":\"data\"}\n";
    let input = format!("{data}{{}}\n{}", data.repeat(3));
    for flags in [&[][..], &["--grouped"], &["--to", "csv"], &["--to", "table"]] {
        let (_, said) = run(&[&["--fail-fast"], flags].concat(), &input, 1);
        assert!(said.ends_with("tw-offsets: 1 record handed on as it was: nothing in it has a start time\n"));
    }
}

#[test]
fn a_full_disk_and_a_closed_pipe() {
    for to in ["jsonl", "csv", "table", "svg", "term"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut child = Plain::new(env!("CARGO_BIN_EXE_tw-offsets"))
            .args(["--to", to])
            .stdin(Stdio::piped())
            .stdout(full)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(TUTORIAL_JSONL.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{to}");
        assert!(String::from_utf8(output.stderr).unwrap().contains("cannot write to stdout"), "{to}");

        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut child = Plain::new(env!("CARGO_BIN_EXE_tw-offsets"))
            .args(["--to", to])
            .stdin(Stdio::piped())
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(TUTORIAL_JSONL.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{to}");
    }
}

#[test]
fn pictures_show_every_recording_and_name_those_without_a_place() {
    let input = TUTORIAL_JSONL.to_owned() + "{\"sid\":\"RT<9>\",\"offset\":1}\n";
    let (svg, said) = run(&["--to", "svg"], &input, 1);
    assert!(said.contains("RT<9>: no start_time_ms: run tw-probe first"), "{said}");
    assert_eq!(svg.matches("<g class=\"bar\">").count(), 4);
    assert!(svg.contains(">alice</text>") && svg.contains(">bob</text>"), "{svg}");
    assert!(svg.contains("Without a place: RT&lt;9&gt;") && !svg.contains("<script"), "{svg}");

    let output = tool(&["--to", "term", "-q"]).env("COLUMNS", "70").write_stdin(input).assert().code(1);
    let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    assert_eq!(text.lines().filter(|line| line.contains('─')).count(), 5, "{text}");
    assert!(text.contains("alice") && text.contains("Without a place: RT<9>"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 70), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_file_that_is_not_there() {
    tool(&["/nowhere/x.jsonl"]).assert().code(2).stderr(contains("cannot read /nowhere/x.jsonl"));
}

#[test]
fn several_files_and_their_line_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("a"), "{\"offset\":5,\"start_time_ms\":1}\n").unwrap();
    std::fs::write(path("b"), "\n{\"offset\":4,\"start_time_ms\":1}\noops\n").unwrap();
    let assert = tool(&[&path("a"), &path("b")]).assert().code(1);
    assert.stderr(contains("b:3: not a JSON object")).stdout(contains("\"relative_offset_ms\":1"));
}

#[test]
fn help_teaches_by_examples_that_fit_a_terminal() {
    let help = run(&["--help"], "", 0).0;
    assert!(help.contains("tw-probe < fetched.jsonl | tw-offsets"), "{help}");
    let examples = help.split("All numbers").nth(1).unwrap();
    assert!(examples.lines().all(|line| line.len() <= 80), "{help}");
}

#[test]
fn a_table_of_a_room_and_of_none_is_read_again_as_such() {
    let input = r#"{"track_name":"a","offset":100,"start_time_ms":1,"grouping_sids":{"room_sid":"RM1"}}
{"track_name":"b","offset":110,"start_time_ms":1,"grouping_sids":{"room_sid":"RM1"}}
{"track_name":"c","offset":5,"start_time_ms":1}
"#;
    let table = "track_name,offset,start_time,addition,reference_value,relative_offset,room_sid
a,100,1,101,101,0,RM1
b,110,1,111,101,10,RM1
c,5,1,6,6,0,
";
    tool(&["--to", "csv"]).write_stdin(input).assert().success().stdout(table);
    tool(&["--from", "csv", "--to", "csv"]).write_stdin(table).assert().success().stdout(table);
}
