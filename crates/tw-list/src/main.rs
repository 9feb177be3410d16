//! Lists the recordings of Twilio Video rooms as JSON lines.

fn main() {}
