//! Every case, by what is the matter with its recordings.

mod files;
mod layouts;
mod people;
mod pictures;
mod sizes;
mod sounds;

use super::Case;

/// All cases.
pub fn all() -> impl Iterator<Item = &'static Case> {
    let groups = [sizes::CASES, pictures::CASES, sounds::CASES, files::CASES, people::CASES, layouts::CASES];
    groups.into_iter().flatten()
}

/// The case of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Case> {
    all().find(|case| case.name == name)
}
