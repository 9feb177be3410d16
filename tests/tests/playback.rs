//! What lets a player begin early and seek: read from the files' bytes. Whether a
//! browser really does is `just play-test`'s to find out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;

use tw_tests::environment::Environment;

/// Composes two seconds of the made-up room as each of these files.
fn composed(names: &[&str]) -> Vec<Vec<u8>> {
    let environment = Environment::new().unwrap();
    let mut script = String::from(
        "set -eu -o pipefail\n\
         tw-list --room \"${ROOMS%% *}\" | tw-fetch | tw-probe | tw-offsets > room.jsonl\n",
    );
    for name in names {
        let chunk = if name.starts_with("chunks") { "--chunk 1" } else { "" };
        script.push_str(&format!(
            "tw-ffcmd --size 160x120 --speed fast --end 2 {chunk} -o {name} --run room.jsonl > {name}.job\n"
        ));
    }
    let output = environment.with_twilio(&script).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    names.iter().map(|name| fs::read(environment.folder().join(name)).unwrap()).collect()
}

/// The top-level boxes of an mp4 (ISO/IEC 14496-12, 4.2): a length of 32 bits,
/// then four letters.
fn boxes(file: &[u8]) -> Vec<String> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at + 8 <= file.len() {
        let length = u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        found.push(String::from_utf8_lossy(&file[at + 4..at + 8]).into_owned());
        assert!(length >= 8, "a box of {length} bytes in a file this small");
        at += length;
    }
    found
}

/// An EBML number of one to eight bytes (RFC 8794, 4): how many there are, and the
/// value with or without the bit that says so.
fn number(bytes: &[u8], marker: bool) -> (usize, u64) {
    let length = bytes[0].leading_zeros() as usize + 1;
    let value = bytes[..length].iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    (length, if marker { value } else { value & !(1 << (7 * length)) })
}

/// The elements of a webm's segment (RFC 9559, 4.1), with what is in them.
fn elements(file: &[u8]) -> Vec<(u64, &[u8])> {
    const SEGMENT: u64 = 0x1853_8067;
    let mut found = Vec::new();
    let mut rest = file;
    while !rest.is_empty() {
        let (id_length, id) = number(rest, true);
        let (size_length, size) = number(&rest[id_length..], false);
        let body = &rest[id_length + size_length..];
        if id == SEGMENT {
            rest = body;
            continue;
        }
        let (content, after) = body.split_at(usize::try_from(size).unwrap());
        found.push((id, content));
        rest = after;
    }
    found
}

#[test]
fn an_mp4_begins_before_it_is_there() {
    for file in composed(&["room.mp4", "chunks.mp4"]) {
        let boxes = boxes(&file);
        let place = |name| boxes.iter().position(|found| found == name).expect(name);
        assert!(place("moov") < place("mdat"), "{boxes:?}");
    }
}

#[test]
fn a_webm_can_be_sought_in() {
    const SEEK_HEAD: u64 = 0x114D_9B74;
    const INFO: u64 = 0x1549_A966;
    const CUES: u64 = 0x1C53_BB6B;
    const DURATION: [u8; 3] = [0x44, 0x89, 0x88];
    const CUE_POINT: u8 = 0xBB;
    for file in composed(&["room.webm", "chunks.webm"]) {
        let elements = elements(&file);
        let find = |id| elements.iter().find(|(found, _)| *found == id).expect("an element").1;
        assert!(!find(SEEK_HEAD).is_empty());
        assert_eq!(find(CUES)[0], CUE_POINT, "no key frame in the index");
        let info = find(INFO);
        let at = info.windows(3).position(|window| window == DURATION).expect("a duration of 64 bits");
        let duration = f64::from_be_bytes(info[at + 3..at + 11].try_into().unwrap());
        assert!((2000.0..2100.0).contains(&duration), "{duration} ms");
    }
}
