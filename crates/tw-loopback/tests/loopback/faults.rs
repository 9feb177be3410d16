//! Every fault, seen from the other end of the wire.

use std::io::{ErrorKind, Read};
use std::time::Duration;

use crate::client::{Reply, authorization, get, get_authorized, receive, send};
use tw_loopback::{Endless, Fault, On, Recording, Twilio, many, room_sid};

const MEDIA: &str = "0123456789";

fn alice() -> Recording {
    Recording::audio(&room_sid("r"), "alice").bytes(MEDIA)
}

/// One request to the list, where `fault` waits.
fn list_with(fault: Fault) -> Reply {
    let twilio = Twilio::builder().fault(On::api("/v1/Recordings"), fault).start().unwrap();
    get_authorized(&format!("{}/v1/Recordings", twilio.base_url()))
}

fn media_url(twilio: &Twilio) -> String {
    let media = format!("{}/v1/Recordings/{}/Media", twilio.base_url(), alice().rt());
    get_authorized(&media).header("location").unwrap().to_owned()
}

/// One request to storage, where `fault` waits.
fn media_with(fault: Fault) -> Reply {
    let twilio = Twilio::builder().recording(alice()).fault(On::storage("*"), fault).start().unwrap();
    get(&media_url(&twilio), &[])
}

#[test]
fn a_status_comes_in_the_form_of_its_host() {
    for status in [401, 403, 404, 500, 502, 503, 504] {
        let api = list_with(Fault::Status(status));
        assert_eq!((api.status, api.json()["status"].as_u64()), (status, Some(status.into())));
        let storage = media_with(Fault::Status(status));
        assert_eq!(storage.status, status);
        assert!(storage.text().contains("<Error><Code>"), "{}", storage.text());
    }
}

#[test]
fn too_many_requests_with_and_without_retry_after() {
    let reply = list_with(Fault::TooManyRequests(Some("7")));
    assert_eq!((reply.status, reply.json()["code"].as_u64()), (429, Some(20429)));
    assert_eq!(reply.header("retry-after"), Some("7"));
    let reply = list_with(Fault::TooManyRequests(None));
    assert_eq!((reply.status, reply.header("retry-after")), (429, None));
}

#[test]
fn a_fault_goes_away_after_its_number_of_requests() {
    let on = On::api("/v1/Recordings").first(2);
    let twilio = Twilio::builder().fault(on.clone(), Fault::Status(503)).start().unwrap();
    let list = format!("{}/v1/Recordings", twilio.base_url());
    let statuses = [0; 3].map(|_| get_authorized(&list).status);
    assert_eq!(statuses, [503, 503, 200]);
    twilio.fault(On::api("/v1/Recordings").first(1), Fault::Status(500));
    assert_eq!(get_authorized(&list).status, 500);
    assert_eq!(twilio.count(&on), 4);
}

#[test]
fn a_connection_ends_before_the_answer() {
    let closed = list_with(Fault::Close);
    assert_eq!((closed.status, closed.error), (0, None));
    let reset = list_with(Fault::Reset);
    assert_eq!((reset.status, reset.error), (0, Some(ErrorKind::ConnectionReset)));
}

#[test]
fn a_connection_ends_in_the_body() {
    let closed = media_with(Fault::CloseInBody(4));
    assert_eq!((closed.text(), closed.error), ("0123", None));
    assert_eq!(closed.header("content-length"), Some("10"));
    let reset = media_with(Fault::ResetInBody(4));
    assert_eq!((reset.text(), reset.error), ("0123", Some(ErrorKind::ConnectionReset)));
    let after_head = media_with(Fault::ResetInBody(0));
    assert_eq!((after_head.status, after_head.text()), (200, ""));
}

#[test]
fn lengths_are_wrong_in_every_way() {
    let longer = media_with(Fault::Longer(3));
    assert_eq!((longer.text(), longer.header("content-length")), ("0123456789+++", Some("13")));
    let shorter = media_with(Fault::Shorter(3));
    assert_eq!((shorter.text(), shorter.header("content-length")), ("0123456", Some("7")));
    let beyond = media_with(Fault::BeyondAnnounced(3));
    assert_eq!((beyond.text(), beyond.header("content-length")), ("0123456789+++", Some("10")));
    let unannounced = media_with(Fault::Unannounced(4));
    assert_eq!((unannounced.text(), unannounced.header("content-length")), ("0123", None));
}

#[test]
fn a_stall_lasts_until_the_server_stops() {
    for (fault, expected) in
        [(Fault::Silence, None), (Fault::StallInBody(0), Some("")), (Fault::StallInBody(4), Some("0123"))]
    {
        let twilio = Twilio::builder().recording(alice()).fault(On::storage("*"), fault).start().unwrap();
        let mut stream = send(&media_url(&twilio), &[]);
        let mut came = Vec::new();
        if let Some(body) = expected {
            while !String::from_utf8_lossy(&came).ends_with(&format!("\r\n\r\n{body}")) {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                came.extend(byte);
            }
        }
        stream.set_nonblocking(true).unwrap();
        let now = stream.read(&mut [0]).unwrap_err().kind();
        assert_eq!(now, ErrorKind::WouldBlock, "still open, and nothing more");
        stream.set_nonblocking(false).unwrap();
        drop(twilio);
        let rest = receive(&mut stream);
        assert_eq!((rest.head.as_str(), rest.body.len()), ("", 0));
    }
}

#[test]
fn a_dripping_body_is_whole_in_the_end() {
    let reply = media_with(Fault::Drip(Duration::from_millis(1)));
    assert_eq!((reply.status, reply.text()), (200, MEDIA));
}

#[test]
fn what_has_no_end_goes_on() {
    for (what, goes_on) in [
        (Endless::Head, "\r\nX-More: yes\r\nX-More: yes"),
        (Endless::ChunkExtension, "\r\n\r\na;more=xxx"),
        (Endless::Trailer, "\r\n\r\na\r\n0123456789\r\n0\r\nX-More: yes\r\nX-More: yes\r\n"),
    ] {
        let fault = Fault::Endless(what, Duration::from_millis(1));
        let twilio = Twilio::builder().recording(alice()).fault(On::storage("*"), fault).start().unwrap();
        let mut stream = send(&media_url(&twilio), &[]);
        let mut came = String::new();
        while !came.contains(goes_on) {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            came.push(byte[0].into());
        }
        assert!(came.contains("Transfer-Encoding: chunked") && !came.contains("Content-Length"), "{came}");
    }
}

#[test]
fn what_is_no_json_comes_as_json() {
    let broken = list_with(Fault::InvalidJson);
    assert_eq!((broken.status, broken.header("content-type")), (200, Some("application/json")));
    assert!(serde_json::from_slice::<serde_json::Value>(&broken.body).is_err());
    for status in [200, 502] {
        let proxy = list_with(Fault::Html(status));
        assert_eq!((proxy.status, proxy.header("content-type")), (status, Some("text/html")));
        assert!(proxy.text().starts_with("<html>"));
    }
}

#[test]
fn redirects_lead_nowhere() {
    let reply = list_with(Fault::RedirectLoop);
    assert_eq!((reply.status, reply.header("location")), (302, Some("/v1/Recordings")));
    let elsewhere = "http://storage.example/alice.mka";
    let twilio = Twilio::builder()
        .recording(alice())
        .fault(On::api("*/Media"), Fault::RedirectTo(elsewhere.to_owned()))
        .start()
        .unwrap();
    assert_eq!(media_url(&twilio), elsewhere);
}

#[test]
fn an_expired_url_is_said_so_by_storage() {
    let reply = media_with(Fault::ExpiredUrl);
    assert_eq!(reply.status, 403);
    assert!(reply.text().contains("<Code>AccessDenied</Code>"));
}

#[test]
fn pages_repeat_point_back_or_lead_away() {
    let elsewhere = "https://twilio.example/v1/Recordings?Page=2".to_owned();
    for (fault, expected) in [
        (Fault::NextPageIsThis, "{base}/v1/Recordings?PageSize=2&Page=1"),
        (Fault::NextPageIsFirst, "{base}/v1/Recordings?PageSize=2&Page=0"),
        (Fault::NextPageIs(elsewhere.clone()), elsewhere.as_str()),
    ] {
        let twilio = Twilio::builder()
            .recordings(many(&room_sid("r"), 6))
            .fault(On::api("/v1/Recordings?*Page=1*"), fault)
            .start()
            .unwrap();
        let next = |url: &str| {
            let meta = get_authorized(url).json()["meta"].clone();
            meta["next_page_url"].as_str().unwrap().to_owned()
        };
        let second = next(&format!("{}/v1/Recordings?PageSize=2", twilio.base_url()));
        let third = next(&second);
        let expected = expected.replace("{base}", twilio.base_url());
        assert!(third.starts_with(&expected), "{third}");
    }
}

#[test]
fn an_odd_row_is_among_the_others() {
    let on = On::api("/v1/Recordings");
    let twilio = Twilio::builder()
        .recordings(many(&room_sid("r"), 2))
        .fault(on, Fault::OddRow("null"))
        .start()
        .unwrap();
    let rows = get_authorized(&format!("{}/v1/Recordings", twilio.base_url())).json()["recordings"].clone();
    assert_eq!((rows.as_array().unwrap().len(), rows[1].is_null()), (3, true));
}

#[test]
fn links_media_may_lead_away() {
    let alice = alice().media_link("https://media.example/alice");
    let twilio = Twilio::builder().recording(alice.clone()).start().unwrap();
    let url = format!("{}/v1/Recordings/{}", twilio.base_url(), alice.rt());
    assert_eq!(get(&url, &[authorization()]).json()["links"]["media"], "https://media.example/alice");
}
