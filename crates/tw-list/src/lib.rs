//! Lists the recordings of Twilio Video rooms as JSON lines.
