//! What the storage host answers.

use crate::client::{authorization, get, get_authorized};
use tw_loopback::{Fault, On, Recording, Twilio, room_sid};

fn alice() -> Recording {
    Recording::audio(&room_sid("r"), "alice").bytes("0123456789")
}

/// A fresh signed URL.
fn signed(twilio: &Twilio, recording: &Recording, query: &str) -> String {
    let media = format!("{}/v1/Recordings/{}/Media{query}", twilio.base_url(), recording.rt());
    get_authorized(&media).json()["redirect_to"].as_str().unwrap().to_owned()
}

fn range(text: &str) -> (&'static str, String) {
    ("Range", text.to_owned())
}

#[test]
fn credentials_are_refused_and_remembered() {
    let twilio = Twilio::builder().recording(alice()).start().unwrap();
    let url = signed(&twilio, &alice(), "");
    assert_eq!(get(&url, &[]).status, 200);
    assert!(!twilio.credentials_leaked());
    assert_eq!(get(&url, &[authorization()]).status, 400);
    assert!(twilio.credentials_leaked());
}

#[test]
fn parts_are_served() {
    let twilio = Twilio::builder().recording(alice()).start().unwrap();
    let url = signed(&twilio, &alice(), "");
    let whole = get(&url, &[]);
    let etag = whole.header("etag").unwrap().to_owned();
    assert_eq!((whole.status, whole.text()), (200, "0123456789"));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.header("content-length"), Some("10"));

    let rest = get(&url, &[range("bytes=4-"), ("If-Range", etag)]);
    assert_eq!((rest.status, rest.text()), (206, "456789"));
    assert_eq!(rest.header("content-range"), Some("bytes 4-9/10"));
    let other = get(&url, &[range("bytes=4-"), ("If-Range", "\"other\"".to_owned())]);
    assert_eq!((other.status, other.text()), (200, "0123456789"));
    let outside = get(&url, &[range("bytes=10-")]);
    assert_eq!(outside.status, 416);
    assert_eq!(outside.header("content-range"), Some("bytes */10"));
}

#[test]
fn a_file_is_served_as_its_bytes_are() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("alice.mka");
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(&path, &bytes).unwrap();
    let alice = Recording::audio(&room_sid("r"), "alice").file(&path);
    let twilio = Twilio::builder().recording(alice.clone()).start().unwrap();
    let url = signed(&twilio, &alice, "");
    assert_eq!(get(&url, &[]).body, bytes);
    assert_eq!(get(&url, &[range("bytes=299990-")]).body, bytes[299_990..]);
}

#[test]
fn a_signed_url_is_good_for_its_recording_and_its_time_only() {
    let bob = Recording::audio(&room_sid("r"), "bob").bytes("bob");
    let twilio = Twilio::builder().recordings([alice(), bob.clone()]).start().unwrap();
    let url = signed(&twilio, &alice(), "?Ttl=3600");
    let stranger = url.replacen(&alice().rt(), &bob.rt(), 1);
    assert_eq!(get(&stranger, &[]).status, 403);
    assert_eq!(get(url.split('?').next().unwrap(), &[]).status, 403);
    twilio.expire_signed_urls();
    let late = get(&url, &[]);
    assert_eq!(late.status, 403);
    assert!(late.text().contains("<Message>Request has expired</Message>"));
    assert_eq!(get(&signed(&twilio, &alice(), ""), &[]).status, 200);
}

#[test]
fn encrypted_media_comes_with_its_headers() {
    let alice = alice().media_header("x-amz-meta-x-amz-key", "wrapped");
    let twilio = Twilio::builder().recording(alice.clone()).start().unwrap();
    let reply = get(&signed(&twilio, &alice, ""), &[]);
    assert_eq!(reply.header("x-amz-meta-x-amz-key"), Some("wrapped"));
}

#[test]
fn media_that_changes_is_not_gone_on_with() {
    let twilio = Twilio::builder()
        .recording(alice())
        .fault(On::storage("*").after(1).first(1), Fault::OtherMedia(b"abcdefghij".to_vec()))
        .start()
        .unwrap();
    let url = signed(&twilio, &alice(), "");
    let etag = get(&url, &[]).header("etag").unwrap().to_owned();
    for _ in 0..2 {
        let again = get(&url, &[range("bytes=4-"), ("If-Range", etag.clone())]);
        assert_eq!((again.status, again.text()), (200, "abcdefghij"));
        assert_ne!(again.header("etag"), Some(etag.as_str()));
    }
}
