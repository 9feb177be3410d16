//! Downloads the media of Twilio Video recordings.

fn main() {}
