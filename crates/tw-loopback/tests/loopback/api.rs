//! What the API answers when nothing goes wrong.

use crate::client::{Reply, authorization, basic, get, get_authorized};
use tw_loopback::{
    ACCOUNT_SID, API_KEY, API_SECRET, AUTH_TOKEN, MediaAnswer, On, Recording, Twilio, many, room_sid,
};

/// The SIDs of a list, page after page, and the number of pages.
fn all(url: &str) -> (Vec<String>, usize) {
    let (mut sids, mut pages, mut next) = (Vec::new(), 0, Some(url.to_owned()));
    while let Some(url) = next {
        let page = get_authorized(&url).json();
        pages += 1;
        let rows = page["recordings"].as_array().unwrap();
        sids.extend(rows.iter().map(|row| row["sid"].as_str().unwrap().to_owned()));
        next = page["meta"]["next_page_url"].as_str().map(str::to_owned);
    }
    (sids, pages)
}

fn assert_error(reply: &Reply, status: u16, code: u32) {
    assert_eq!(reply.status, status, "{}", reply.head);
    let error = reply.json();
    assert_eq!(error["code"], code);
    assert_eq!(error["status"], status);
    assert!(error["message"].is_string() && error["more_info"].is_string());
}

#[test]
fn credentials_are_wanted() {
    let twilio = Twilio::builder().start().unwrap();
    let list = format!("{}/v1/Recordings", twilio.base_url());
    assert_error(&get(&list, &[]), 401, 20003);
    assert_error(&get(&list, &[basic(ACCOUNT_SID, "wrong")]), 401, 20003);
    assert_error(&get(&list, &[basic(API_KEY, AUTH_TOKEN)]), 401, 20003);
    assert_eq!(get(&list, &[basic(ACCOUNT_SID, AUTH_TOKEN)]).status, 200);
    assert_eq!(get(&list, &[basic(API_KEY, API_SECRET)]).status, 200);
    let came: Vec<bool> = twilio.requests().iter().map(tw_loopback::Request::authorized).collect();
    assert_eq!(came, [false, true, true, true, true]);
}

#[test]
fn a_list_comes_in_pages_and_in_order() {
    let room = room_sid("long");
    let recordings = many(&room, 250);
    let sids: Vec<String> = recordings.iter().map(Recording::rt).collect();
    let twilio = Twilio::builder().recordings(recordings).start().unwrap();
    let base = twilio.base_url();
    for (path, pages) in [
        ("/v1/Recordings".to_owned(), 5),
        (format!("/v1/Recordings?GroupingSid={room}&PageSize=100"), 3),
        (format!("/v1/Recordings?GroupingSid={room}&PageSize=99"), 3),
        (format!("/v1/Rooms/{room}/Recordings?PageSize=1000"), 1),
    ] {
        assert_eq!(all(&format!("{base}{path}")), (sids.clone(), pages), "{path}");
    }
    for path in ["/v1/Recordings?PageSize=101", "/v1/Recordings?PageSize=0"] {
        assert_error(&get_authorized(&format!("{base}{path}")), 400, 20007);
    }
    let audio = all(&format!("{base}/v1/Recordings?MediaType=audio&PageSize=100"));
    assert_eq!((audio.0.len(), audio.1), (125, 2));
}

#[test]
fn meta_is_written_as_twilio_does() {
    let twilio = Twilio::builder().recordings(many(&room_sid("x"), 7)).start().unwrap();
    let first = format!("{}/v1/Recordings?PageSize=3", twilio.base_url());
    let one = get_authorized(&first).json()["meta"].clone();
    assert_eq!(one["key"], "recordings");
    assert_eq!(one["page"], 0);
    assert_eq!(one["page_size"], 3);
    assert_eq!(one["url"], first.as_str());
    assert!(one["previous_page_url"].is_null());
    let two = get_authorized(one["next_page_url"].as_str().unwrap()).json()["meta"].clone();
    assert_eq!(two["page"], 1);
    assert_eq!(two["first_page_url"], one["first_page_url"]);
    let back = get_authorized(two["previous_page_url"].as_str().unwrap()).json();
    assert_eq!(back["recordings"], get_authorized(&first).json()["recordings"]);
}

#[test]
fn deleted_recordings_and_other_rooms_stay_out() {
    let (here, there) = (room_sid("here"), room_sid("there"));
    let alice = Recording::audio(&here, "alice");
    let gone = Recording::video(&here, "alice").status("deleted");
    let twilio = Twilio::builder()
        .recordings([alice.clone(), gone.clone(), Recording::audio(&there, "bob")])
        .start()
        .unwrap();
    let list = format!("{}/v1/Recordings?GroupingSid={here}", twilio.base_url());
    assert_eq!(all(&list), (vec![alice.rt()], 1));
    assert_eq!(all(&format!("{list}&Status=deleted")), (vec![gone.rt()], 1));
}

#[test]
fn resources_are_found_or_missed_as_twilio_says() {
    let room = room_sid("r");
    let alice = Recording::audio(&room, "alice").offset(9_007_199_254_740_993);
    let twilio = Twilio::builder().recording(alice.clone()).start().unwrap();
    let base = twilio.base_url();
    let one = get_authorized(&format!("{base}/v1/Recordings/{}", alice.rt()));
    assert!(one.text().contains(r#""offset":9007199254740993,"#), "{}", one.text());
    assert_eq!(get_authorized(&format!("{base}/v1/Rooms/{room}")).json()["sid"], room.as_str());
    let person = format!("{base}/v1/Rooms/{room}/Participants/{}", alice.pa());
    assert_eq!(get_authorized(&person).json()["identity"], "alice");
    for missing in [
        "/v1/Rooms/RM0".to_owned(),
        "/v1/Rooms/RM0/Recordings".to_owned(),
        "/v1/Recordings/RT0".to_owned(),
        "/v1/Recordings/RT0/Media".to_owned(),
        format!("/v1/Recordings/{}/Media", alice.rt()),
        format!("/v1/Rooms/{room}/Participants/PA0"),
        "/v2".to_owned(),
    ] {
        assert_error(&get_authorized(&format!("{base}{missing}")), 404, 20404);
    }
}

#[test]
fn media_is_named_in_three_ways() {
    for (answer, status, field) in [
        (MediaAnswer::Redirect, 302, "redirect_to"),
        (MediaAnswer::OldLocation, 302, "location"),
        (MediaAnswer::JsonOnly, 200, "redirect_to"),
    ] {
        let alice = Recording::audio(&room_sid("r"), "alice").bytes("media");
        let twilio = Twilio::builder().recording(alice.clone()).media_answer(answer).start().unwrap();
        let reply = get_authorized(&format!("{}/v1/Recordings/{}/Media", twilio.base_url(), alice.rt()));
        assert_eq!(reply.status, status);
        let body = reply.json();
        let address = body[field].as_str().unwrap();
        assert!(address.starts_with(twilio.storage_url()));
        assert_eq!(reply.header("location"), (status == 302).then_some(address));
        assert_eq!(get(address, &[]).text(), "media");
        assert_eq!(twilio.count(&On::storage("*")), 1);
    }
}

#[test]
fn connections_are_kept_for_the_next_request() {
    let alice = Recording::audio(&room_sid("r"), "alice").bytes("media");
    let twilio = Twilio::builder().recording(alice.clone()).start().unwrap();
    let agent = ureq::Agent::new_with_defaults();
    let url = format!("{}/v1/Recordings/{}", twilio.base_url(), alice.rt());
    let (name, value) = authorization();
    for _ in 0..3 {
        let text = agent.get(&url).header(name, &value).call().unwrap();
        assert!(text.into_body().read_to_string().unwrap().contains(&alice.rt()));
    }
    // ureq follows to storage, and leaves the credentials behind.
    let media = agent.get(format!("{url}/Media")).header(name, &value).call().unwrap();
    assert_eq!(media.into_body().read_to_string().unwrap(), "media");
    assert!(!twilio.credentials_leaked());
}
