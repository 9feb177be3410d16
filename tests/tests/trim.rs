//! Pauses that are cut out: what comes after them stays in sync.

#![allow(clippy::unwrap_used)]

use serde_json::Value;
use tw_tests::environment::Environment;
use tw_tests::sync::{Scene, run};
use tw_testsignal::{Audio, Video};

/// Alice alone, then, 3 s after she has left, bob alone.
#[test]
fn a_pause_is_cut_and_everybody_stays_in_sync() {
    let environment = Environment::new().unwrap();
    let add_bob = |scene: &mut Scene, offset_ms: i64| {
        scene.audio("bob", offset_ms, &Audio::new(2).start_ms(13).lasting_ms(2000)).unwrap();
        scene.video("bob", offset_ms, &Video::new(2, 24.0).start_ms(40).lasting_ms(2000)).unwrap()
    };
    let mut told = Scene::new(environment.folder(), 1);
    let add_alice = |scene: &mut Scene| {
        scene.audio("alice", 0, &Audio::new(1).start_ms(13).lasting_ms(2000)).unwrap();
        scene.video("alice", 0, &Video::new(1, 24.0).start_ms(40).lasting_ms(2000)).unwrap()
    };
    add_alice(&mut told);
    add_bob(&mut told, 5000);
    let placed = run::places(&environment, told.fetched().as_bytes()).unwrap().stdout;

    // When alice has gone, bob's first recording begins.
    let plan = environment.filter("tw-ffcmd", &["--emit=plan".into()], &placed).unwrap().stdout;
    let plan: Vec<Value> = String::from_utf8(plan).unwrap().lines().map(|l| l.parse().unwrap()).collect();
    let ends = |range: std::ops::Range<i64>| {
        let ends = plan.iter().map(|p| p["end_ms"].as_i64().unwrap()).filter(|end| range.contains(end));
        ends.max().unwrap()
    };
    let alice_has_gone = ends(0..4000);

    // The truth: bob comes at once. His sound begins 13 ms into his own clock, the room's does at 13 too.
    let mut truth = Scene::new(environment.folder(), 2);
    let alice = add_alice(&mut truth);
    let bob = add_bob(&mut truth, alice_has_gone);
    truth.cells(1, 1, 0, [[alice, bob]]);
    truth.flag("--trim");
    // Compared by what is seen and heard: the tail of the file is the composer's.
    let composed = run::compose(&environment, &truth, &placed).unwrap();
    assert!(composed.status.success(), "{}", String::from_utf8_lossy(&composed.stderr));
    let report = run::check(&truth).unwrap();
    assert!(report.violations.is_empty(), "{report}");
}
