//! Every case of [`tw_tests::sync`], composed by the real tools and measured.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use tw_tests::sync::{cases, random, run};

/// Composes and measures a case; any violation fails it.
fn holds(name: &str) {
    let case = cases::named(name).expect("no such case");
    let measured = run::run(case).unwrap_or_else(|error| panic!("{name} ({}): {error:#}", case.about));
    let report = measured.report;
    assert!(report.violations.is_empty(), "{name}: {}\n{report}", case.about);
}

/// A test for each case, so that they run side by side and fail by name.
macro_rules! tests {
    ($($name:ident)*) => {
        $(#[test] fn $name() { holds(stringify!($name)); })*

        #[test]
        fn every_case_is_a_test() {
            let tests = [$(stringify!($name)),*];
            let cases: Vec<&str> = cases::all().map(|case| case.name).collect();
            assert_eq!(cases, tests);
        }
    };
}

tests! {
    smaller larger size_every_two_seconds phone_is_turned portrait_in_a_flat_cell odd_sizes pixel_aspect
    camera_off camera_off_black irregular_frames four_frame_rates output_at_25 output_at_ntsc
    one_packet_lost many_small_losses sound_off muted_for_minutes silent_microphone drifting_clocks
    stereo pcmu before_zero all_speak
    streamed streamed_by_gstreamer cut_off damaged damaged_across_a_cut damaged_throughout
    no_packet one_frame h264 strange_names
    late_and_early rejoin rejoin_by_identity camera_and_screen room_recovery nobody_seen nobody_heard
    alone sixteen fifty ten_minutes_of_nobody data_tracks
    row column focus background_and_cell_gap window window_off_the_grid audio_only mp4 mkv
    regions regions_twice regions_later
}

/// Rooms that nobody thought of. `just sync --random` makes more of them.
#[test]
fn rooms_made_by_chance() {
    for seed in 1..=6 {
        let measured = random::run(seed).unwrap_or_else(|error| panic!("room {seed}: {error:#}"));
        let report = measured.report;
        assert!(report.violations.is_empty(), "room {seed}: {:?}\n{report}", measured.scene.flags);
    }
}
