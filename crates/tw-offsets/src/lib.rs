//! Computes when each recording of a Twilio Video room begins on the room's timeline.
