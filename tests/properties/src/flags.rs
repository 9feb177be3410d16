//! What people write in flags.

use tw_ffcmd::cli::colour;
use tw_ffcmd::layout::{Layout, Size};
use tw_ffcmd::time::{Millis, Rate, parse_time};

/// Each parser either refuses a text in one line or reads it as it is written.
pub fn flags(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    match text.parse::<Size>() {
        Ok(size) => assert_eq!(size.to_string().parse(), Ok(size)),
        Err(why) => one_line(&why, text),
    }
    match text.parse::<Rate>() {
        Ok(rate) => {
            assert_eq!(rate.to_string().parse(), Ok(rate));
            assert!(rate.time_of(rate.nearest(Millis(86_400_000))) <= Millis(86_430_000));
        }
        Err(why) => one_line(&why, text),
    }
    match parse_time(text) {
        Ok(time) => {
            assert!(time >= Millis::ZERO);
            assert_eq!(parse_time(&time.seconds().to_string()), Ok(time));
        }
        Err(why) => one_line(&why, text),
    }
    match colour(text) {
        Ok(colour) => assert!(colour.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{colour}"),
        Err(why) => one_line(&why, text),
    }
    if let Err(why) = text.parse::<Layout>() {
        one_line(&why, text);
    }
}

fn one_line(why: &str, text: &str) {
    assert!(!why.is_empty() && (text.contains('\n') || !why.contains('\n')), "{why}");
}
