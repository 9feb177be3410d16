//! Encrypted recordings: openssl encrypts, tw-fetch decrypts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs::{self, File};
use std::path::Path;

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use common::sealed::{IV_HEADER, KEY_HEADER, KEY_SID, Keys, LENGTH_HEADER, file_of, matroska, seal, secrets};
use common::{fetch, files, folder, line, records};
use predicates::prelude::*;
use predicates::str::contains;
use tw_loopback::{Fault, On, Recording, Twilio};

fn fetch_with_key(twilio: &Twilio, dir: &Path, key: &str) -> Command {
    let mut command = fetch(twilio, dir);
    command.args(["--private-key", &Keys::get().path(key)]);
    command
}

#[test]
fn decrypted_whatever_the_key_file_and_the_size() {
    for (length, key) in [(15, "mine.pem"), (16, "pkcs1.pem"), (17, "mine.pem"), (300_000, "pkcs1.pem")] {
        let media = matroska(length);
        let sealed = seal(&media);
        let sizes = [sealed.stored.len().to_string(), length.to_string(), "null".into(), "0".into()];
        for size in sizes {
            let recording = sealed.recording().written_as("size", &size);
            let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
            let dir = folder();
            let input = records(&twilio, std::slice::from_ref(&recording));
            let run =
                || fetch_with_key(&twilio, dir.path(), key).write_stdin(input.as_str()).assert().success();
            let output = run();
            assert_eq!(line(&output)["bytes"], length, "size {size}");
            let path = file_of(dir.path(), &recording);
            assert!(fs::read(&path).unwrap() == media, "size {size}");
            assert_eq!(files(dir.path()), [path]);
            // What is there is not fetched again, and then needs no key.
            run();
            fetch(&twilio, dir.path()).write_stdin(input.as_str()).assert().success();
            assert_eq!(twilio.count(&On::storage("*")), 1, "size {size}");
        }
    }
}

#[test]
fn a_length_that_is_not_said_is_not_missed() {
    let media = matroska(1000);
    let sealed = seal(&media);
    let recording = sealed.bare().media_header(KEY_HEADER, &sealed.key).media_header(IV_HEADER, &sealed.iv);
    let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
    let dir = folder();
    fetch_with_key(&twilio, dir.path(), "mine.pem").write_stdin(recording.rt()).assert().success();
    assert_eq!(fs::read(file_of(dir.path(), &recording)).unwrap(), media);
}

#[test]
fn what_breaks_is_gone_on_with() {
    let media = matroska(200_000);
    let recording = seal(&media).recording();
    for fault in [
        Fault::CloseInBody(70_001),
        Fault::ResetInBody(70_016),
        Fault::Unannounced(70_000),
        Fault::CloseInBody(1),
        Fault::CloseInBody(16),
        Fault::CloseInBody(17),
        Fault::CloseInBody(33),
        Fault::CloseInBody(200_000),
    ] {
        let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
        let dir = folder();
        twilio.fault(On::storage("*").first(2), fault.clone());
        fetch_with_key(&twilio, dir.path(), "mine.pem").write_stdin(recording.rt()).assert().success();
        let path = file_of(dir.path(), &recording);
        assert!(fs::read(&path).unwrap() == media, "{fault:?}");
        assert_eq!(files(dir.path()), [path], "{fault:?}");
    }
}

#[test]
fn the_next_run_goes_on_and_nothing_kept_is_a_key() {
    let media = matroska(200_000);
    let recording = seal(&media).recording();
    let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
    let dir = folder();
    let name = format!("{}.mka", recording.rt());
    let part = dir.path().join(format!(".{name}.part"));
    // The second time, the part was cut within a block.
    for (cut, range) in [(0, "bytes=69984-"), (5, "bytes=69968-")] {
        twilio.fault(On::storage("*").first(1), Fault::CloseInBody(70_001 - 69_984 * u64::from(cut > 0)));
        fetch_with_key(&twilio, dir.path(), "mine.pem")
            .args(["--retries", "0", "-v"])
            .write_stdin(recording.rt())
            .assert()
            .code(1);
        let there = fs::read(&part).unwrap();
        assert_eq!(there.len(), 70_000);
        assert!(media.starts_with(&there), "the part holds what was decrypted");
        let note = fs::read_to_string(dir.path().join(format!(".{name}.part.json"))).unwrap();
        assert!(secrets().iter().all(|secret| !note.contains(secret)), "{note}");
        File::options().write(true).open(&part).unwrap().set_len(70_000 - cut).unwrap();

        twilio.fault(On::storage("*").first(1), Fault::CloseInBody(0));
        let run = || fetch_with_key(&twilio, dir.path(), "mine.pem");
        run().args(["--retries", "0"]).write_stdin(recording.rt()).assert().code(1);
        assert_eq!(twilio.requests().pop().unwrap().header("range"), Some(range));
    }
    fetch_with_key(&twilio, dir.path(), "mine.pem").write_stdin(recording.rt()).assert().success();
    assert!(fs::read(file_of(dir.path(), &recording)).unwrap() == media);
    assert_eq!(files(dir.path()).len(), 1);
}

/// One recording that can't be decrypted: it says why, and leaves nothing.
fn fails(recording: &Recording, key: &str, why: &str) -> Assert {
    let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
    let dir = folder();
    let output = fetch_with_key(&twilio, dir.path(), key)
        .arg("-v")
        .write_stdin(recording.rt())
        .assert()
        .code(1)
        .stderr(contains(why));
    assert_eq!(line(&output)["error"]["kind"], "media");
    assert_eq!(files(dir.path()), [] as [&Path; 0], "{why}");
    let output = output.get_output();
    let said = String::from_utf8([&output.stdout[..], &output.stderr[..]].concat()).unwrap();
    assert!(secrets().iter().all(|secret| !said.contains(secret)), "{said}");
    Assert::new(output.clone())
}

#[test]
fn the_wrong_key_is_said() {
    let recording = seal(&matroska(1000)).recording();
    fails(&recording, "other.pem", "other.pem doesn't open it").stderr(contains(KEY_SID));
    // With both, the right one is taken.
    let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
    let dir = folder();
    fetch_with_key(&twilio, dir.path(), "other.pem")
        .args(["--private-key", &Keys::get().path("mine.pem")])
        .write_stdin(recording.rt())
        .assert()
        .success();
}

#[test]
fn without_a_key_it_says_what_to_do() {
    let recording = seal(&matroska(1000)).recording();
    // Whether the record says it, or only the storage.
    for recording in [recording.clone(), recording.without("encryption_key")] {
        let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
        let dir = folder();
        let output = fetch(&twilio, dir.path())
            .write_stdin(recording.rt())
            .assert()
            .code(1)
            .stderr(contains("its media is encrypted").and(contains("--private-key FILE")));
        assert_eq!(line(&output)["error"]["kind"], "media");
        assert!(files(dir.path()).is_empty());
    }
}

#[test]
fn what_comes_with_it_is_checked() {
    let sealed = seal(&matroska(1000));
    let with = |key: &str, iv: &str, length: &str| {
        let bare = sealed.bare().media_header(KEY_HEADER, key).media_header(IV_HEADER, iv);
        bare.media_header(LENGTH_HEADER, length)
    };
    let (key, iv) = (sealed.key.as_str(), sealed.iv.as_str());
    fails(&sealed.bare(), "mine.pem", "without the content key");
    fails(&sealed.bare().media_header(KEY_HEADER, key), "mine.pem", "without x-amz-meta-x-amz-iv");
    fails(&with("%", iv, "1000"), "mine.pem", "no base64");
    fails(&with("AAAA", iv, "1000"), "mine.pem", "doesn't open it");
    fails(&with(key, "AAAA", "1000"), "mine.pem", "no 16 bytes");
    fails(&with(key, "AAAAAAAAAAAAAAAAAAAAAA==", "1000"), "mine.pem", "no Matroska");
    fails(&with(key, iv, "many"), "mine.pem", "no number of bytes");
    // Of the same stored length, and of another.
    fails(&with(key, iv, "1001").written_as("size", "null"), "mine.pem", "has 1000 bytes, decrypted");
    fails(&with(key, iv, "999999").written_as("size", "null"), "mine.pem", "can't be the 999999");
    fails(&with(key, iv, "1000").size(5), "mine.pem", "Twilio's size is 5");
}

#[test]
fn media_that_was_changed_is_said() {
    let sealed = seal(&matroska(1000));
    let [first, .., last] = [0, 500, sealed.stored.len() - 1];
    let changed = |at: usize| {
        let mut bytes = sealed.stored.clone();
        bytes[at] ^= 0x55;
        sealed.recording().bytes(bytes)
    };
    fails(&changed(first), "mine.pem", "no Matroska");
    fails(&changed(last), "mine.pem", "cut short, or changed");
    let cut = |length: usize| sealed.recording().bytes(&sealed.stored[..length]).written_as("size", "null");
    fails(&cut(992), "mine.pem", "its media has 992 bytes, encrypted");
    let unsaid = |length: usize| {
        let bare = sealed.bare().bytes(&sealed.stored[..length]).written_as("size", "null");
        bare.media_header(KEY_HEADER, &sealed.key).media_header(IV_HEADER, &sealed.iv)
    };
    fails(&unsaid(992), "mine.pem", "cut short, or changed");
    fails(&unsaid(999), "mine.pem", "cut short, or changed");
    fails(&unsaid(1), "mine.pem", "cut short, or changed");
    fails(&unsaid(0), "mine.pem", "cut short, or changed");
}

#[test]
fn encrypted_media_under_the_final_name_is_replaced() {
    let media = matroska(1000);
    let sealed = seal(&media);
    let recording = sealed.recording();
    let twilio = Twilio::builder().recording(recording.clone()).start().unwrap();
    let dir = folder();
    let path = file_of(dir.path(), &recording);
    fs::write(&path, &sealed.stored).unwrap();
    fetch_with_key(&twilio, dir.path(), "mine.pem").write_stdin(recording.rt()).assert().success();
    assert_eq!(fs::read(&path).unwrap(), media);
}

#[test]
fn a_file_that_is_no_private_key_is_wrong_set_up() {
    let keys = Keys::get();
    let twilio = Twilio::builder().start().unwrap();
    let dir = folder();
    let pem = fs::read_to_string(keys.path("mine.pem")).unwrap();
    keys.write("damaged.pem", pem.replace("\nMII", "\nMIJ"));
    keys.write("empty.pem", "");
    for (name, why) in [
        ("missing.pem", "No such file"),
        ("empty.pem", "holds no key"),
        ("mine.pub", "public half"),
        ("protected.pem", "passphrase; take that off: openssl pkey -in"),
        ("mine.der", "openssl pkey -inform DER"),
        ("curve.pem", "an RSA key is needed"),
        ("damaged.pem", "damaged"),
    ] {
        fetch_with_key(&twilio, dir.path(), name)
            .write_stdin("")
            .assert()
            .code(2)
            .stderr(contains(name).and(contains(why)).and(contains("panicked").not()));
    }
    keys.write("after.pem", format!("Bag Attributes\r\n    name: x\r\n{}", pem.replace('\n', "\r\n")));
    fetch_with_key(&twilio, dir.path(), "after.pem").write_stdin("").assert().success();
}
