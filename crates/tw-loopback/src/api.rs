//! The API's answers: lists, resources, and where the media is.

use base64::Engine;

use crate::answer::Answer;
use crate::fault::Fault;
use crate::filter::Filter;
use crate::log::Request;
use crate::page;
use crate::recording::{Media, Recording};
use crate::resource::json;
use crate::world::World;
use crate::{ACCOUNT_SID, API_KEY, API_SECRET, AUTH_TOKEN};

/// How `GET .../Media` says where the media is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MediaAnswer {
    /// 302 with `Location`, and `{"redirect_to": ...}` as the body: the API of today.
    #[default]
    Redirect,
    /// The same, the body's field being called `location`, as years ago.
    OldLocation,
    /// 200 and `{"redirect_to": ...}` only.
    JsonOnly,
}

/// The largest `PageSize` of the account's list, and of a room's own.
const ACCOUNT_PAGE: usize = 100;
const ROOM_PAGE: usize = 1000;

/// Answers a request to the API.
pub(crate) fn answer(world: &mut World, request: &Request, fault: Option<&Fault>) -> Answer {
    if !known(request.header("authorization")) {
        return Answer::twilio_error(401, 20003, "Authenticate")
            .header("WWW-Authenticate", "Basic realm=\"Twilio API\"");
    }
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Answer::twilio_error(405, 20004, "Method not allowed");
    }
    let parts: Vec<&str> = request.path().split('/').skip(1).collect();
    match parts[..] {
        ["v1", "Recordings"] => account_list(world, request, fault),
        ["v1", "Recordings", rt] => recording(world, rt),
        ["v1", "Recordings", rt, "Media"] => media(world, request, rt, fault),
        ["v1", "Rooms", rm] => room(world, rm),
        ["v1", "Rooms", rm, "Recordings"] => room_list(world, request, rm, fault),
        ["v1", "Rooms", rm, "Participants", pa] => participant(world, rm, pa),
        _ => None,
    }
    .unwrap_or_else(|| {
        let message = format!("The requested resource {} was not found", request.path());
        Answer::twilio_error(404, 20404, &message)
    })
}

/// Whether these are the account's credentials, or the API key's.
fn known(authorization: Option<&str>) -> bool {
    [(ACCOUNT_SID, AUTH_TOKEN), (API_KEY, API_SECRET)].iter().any(|(user, password)| {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        authorization == Some(format!("Basic {pair}").as_str())
    })
}

fn account_list(world: &World, request: &Request, fault: Option<&Fault>) -> Option<Answer> {
    let filter = match Filter::from_query(&request.query()) {
        Ok(filter) => filter,
        Err(message) => return Some(Answer::twilio_error(400, 20001, &message)),
    };
    let rows: Vec<&Recording> = world.recordings().iter().filter(|r| filter.admits(r)).collect();
    Some(page::answer(world, request, &rows, ACCOUNT_PAGE, fault))
}

fn room_list(world: &World, request: &Request, rm: &str, fault: Option<&Fault>) -> Option<Answer> {
    if !world.has_room(rm) {
        return None;
    }
    let filter = match Filter::from_query(&request.query()) {
        Ok(filter) => filter,
        Err(message) => return Some(Answer::twilio_error(400, 20001, &message)),
    };
    let rows: Vec<&Recording> =
        world.recordings().iter().filter(|r| r.rm() == rm && filter.admits(r)).collect();
    Some(page::answer(world, request, &rows, ROOM_PAGE, fault))
}

fn recording(world: &World, rt: &str) -> Option<Answer> {
    let recording = world.recording(rt)?;
    Some(Answer::json(200, recording.to_json(&world.base_url)))
}

fn media(world: &mut World, request: &Request, rt: &str, fault: Option<&Fault>) -> Option<Answer> {
    let recording = world.recording(rt)?;
    if recording.status_word() != "completed" || matches!(recording.media(), Media::None) {
        return None;
    }
    let ttl = request
        .query()
        .iter()
        .find(|(name, _)| name == "Ttl")
        .map_or(Ok(600), |(_, value)| value.parse::<u64>());
    let Some(ttl) = ttl.ok().filter(|seconds| (1..=3600).contains(seconds)) else {
        return Some(Answer::twilio_error(400, 20001, "Ttl must be 1 to 3600"));
    };
    let address = match fault {
        Some(Fault::RedirectTo(address)) => address.clone(),
        _ => world.sign(rt, ttl),
    };
    let named = |field: &str| format!(r#"{{"{field}":{}}}"#, json(&address));
    Some(match world.media_answer {
        MediaAnswer::Redirect => Answer::json(302, named("redirect_to")).header("Location", &address),
        MediaAnswer::OldLocation => Answer::json(302, named("location")).header("Location", &address),
        MediaAnswer::JsonOnly => Answer::json(200, named("redirect_to")),
    })
}

fn room(world: &World, rm: &str) -> Option<Answer> {
    let base = &world.base_url;
    world.has_room(rm).then(|| {
        Answer::json(
            200,
            format!(
                r#"{{"sid":{sid},"account_sid":{account},"status":"completed","type":"group","unique_name":{sid},"record_participants_on_connect":true,"url":{url},"links":{{"participants":{participants},"recordings":{recordings}}}}}"#,
                sid = json(rm),
                account = json(ACCOUNT_SID),
                url = json(format!("{base}/v1/Rooms/{rm}")),
                participants = json(format!("{base}/v1/Rooms/{rm}/Participants")),
                recordings = json(format!("{base}/v1/Rooms/{rm}/Recordings")),
            ),
        )
    })
}

fn participant(world: &World, rm: &str, pa: &str) -> Option<Answer> {
    let recording =
        world.recordings().iter().find(|recording| recording.rm() == rm && recording.pa() == pa)?;
    Some(Answer::json(
        200,
        format!(
            r#"{{"sid":{},"room_sid":{},"account_sid":{},"status":"disconnected","identity":{},"date_created":{},"url":{}}}"#,
            json(pa),
            json(rm),
            json(ACCOUNT_SID),
            json(recording.identity()),
            json(recording.created()),
            json(format!("{}/v1/Rooms/{rm}/Participants/{pa}", world.base_url)),
        ),
    ))
}
