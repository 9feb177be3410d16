//! Composes the recordings of a Twilio Video room into one file in sync, with ffmpeg.
