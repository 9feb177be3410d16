//! Recordings that carry their own time, and measuring where it went in a composition.
