//! Who was recorded: the identity behind a participant's SID.

use std::collections::HashMap;

use tw_core::http::{Client, HttpError, is_sid};
use tw_core::{Failure, Record, messages};

/// Each participant is asked for once in a run.
#[derive(Default)]
pub(crate) struct Participants {
    known: HashMap<(String, String), Option<String>>,
}

impl Participants {
    /// Adds `participant_identity`: null when the recording names no participant,
    /// or one whom Twilio doesn't know any more.
    ///
    /// # Errors
    /// When Twilio can't be asked.
    pub(crate) fn add_to(&mut self, client: &Client, recording: &mut Record) -> Result<(), HttpError> {
        let identity = match (recording.room_sid(), recording.participant_sid()) {
            (Some(room), Some(participant)) if is_sid("RM", &room) && is_sid("PA", &participant) => {
                self.identity(client, room, participant)?
            }
            _ => None,
        };
        recording.set(&[("participant_identity", Some(serde_json::Value::from(identity).to_string()))]);
        Ok(())
    }

    fn identity(
        &mut self,
        client: &Client,
        room: String,
        participant: String,
    ) -> Result<Option<String>, HttpError> {
        let key = (room, participant);
        if let Some(identity) = self.known.get(&key) {
            return Ok(identity.clone());
        }
        let url = client.base().join(&["v1", "Rooms", &key.0, "Participants", &key.1], &[]);
        let identity = match client.json(&url) {
            Ok(found) => found.text_of("identity"),
            Err(error) if error.status() == Some(404) => {
                messages::warn(format_args!("room {}: Twilio knows no participant {}", key.0, key.1));
                None
            }
            Err(error) => return Err(error),
        };
        self.known.insert(key, identity.clone());
        Ok(identity)
    }
}

/// Why a recording goes on without its participant's identity.
pub(crate) fn failure(error: HttpError) -> Failure {
    let failure = Failure::from(error);
    // Refused credentials are said once, and not of each recording.
    let message = match failure.set_up {
        true => failure.message,
        false => format!("its participant is not known: {}", failure.message),
    };
    Failure { message, ..failure }
}
