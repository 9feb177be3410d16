//! What the two servers know in common.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use crate::ACCOUNT_SID;
use crate::api::MediaAnswer;
use crate::fault::Schedule;
use crate::log::Request;
use crate::recording::{Media, Recording};

/// Recordings, signed URLs, faults still to come, and the log.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) base_url: String,
    pub(crate) storage_url: String,
    pub(crate) media_answer: MediaAnswer,
    pub(crate) faults: Schedule,
    pub(crate) log: Vec<Request>,
    recordings: Vec<Recording>,
    by_sid: HashMap<String, usize>,
    rooms: BTreeSet<String>,
    replaced: HashMap<String, Media>,
    /// When each signed URL expires, by its signature.
    signed: HashMap<String, Instant>,
}

impl World {
    pub(crate) fn add(&mut self, recording: Recording) {
        let recording = recording.settled();
        self.rooms.insert(recording.rm().to_owned());
        let place = self.recordings.len();
        self.by_sid.entry(recording.rt()).or_insert(place);
        self.recordings.push(recording);
    }

    pub(crate) fn add_room(&mut self, rm: &str) {
        self.rooms.insert(rm.to_owned());
    }

    pub(crate) fn recordings(&self) -> &[Recording] {
        &self.recordings
    }

    pub(crate) fn recording(&self, rt: &str) -> Option<&Recording> {
        self.recordings.get(*self.by_sid.get(rt)?)
    }

    pub(crate) fn has_room(&self, rm: &str) -> bool {
        self.rooms.contains(rm)
    }

    /// A URL of the storage host that is good for `ttl` seconds.
    pub(crate) fn sign(&mut self, rt: &str, ttl: u64) -> String {
        let signature = format!("{rt}.{}", self.signed.len() + 1);
        let expires = Instant::now() + Duration::from_secs(ttl);
        self.signed.insert(signature.clone(), expires);
        format!("{}/{ACCOUNT_SID}/{rt}?Expires={ttl}&Signature={signature}", self.storage_url)
    }

    /// Whether this request carries a signature for this recording that has not expired.
    pub(crate) fn signature_holds(&self, request: &Request, rt: &str) -> bool {
        request.query().iter().any(|(name, signature)| {
            name == "Signature"
                && signature.split('.').next() == Some(rt)
                && self.signed.get(signature).is_some_and(|expires| *expires > Instant::now())
        })
    }

    pub(crate) fn expire_signed_urls(&mut self) {
        let now = Instant::now();
        self.signed.values_mut().for_each(|expires| *expires = now);
    }

    pub(crate) fn replace_media(&mut self, rt: &str, bytes: &[u8]) {
        self.replaced.insert(rt.to_owned(), Media::Bytes(bytes.into()));
    }

    pub(crate) fn replaced_media(&self, rt: &str) -> Option<&Media> {
        self.replaced.get(rt)
    }
}
