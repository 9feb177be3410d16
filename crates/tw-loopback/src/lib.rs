//! A Twilio on loopback, for the tests and the demo of the tw tools.
