//! What two of the tw tools need: records, JSON lines, errors, child processes, the Twilio client.
