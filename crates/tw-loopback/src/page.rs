//! Cutting a list into pages, with `meta` as Twilio writes it.

use url::form_urlencoded::Serializer;

use crate::answer::Answer;
use crate::fault::Fault;
use crate::log::Request;
use crate::recording::Recording;
use crate::resource::json;
use crate::world::World;

/// `PageSize`, where it is not said.
const DEFAULT_SIZE: usize = 50;

/// One page of `rows`.
pub(crate) fn answer(
    world: &World,
    request: &Request,
    rows: &[&Recording],
    largest: usize,
    fault: Option<&Fault>,
) -> Answer {
    let query = request.query();
    let number = |name: &str, default: usize| {
        query.iter().rev().find(|(key, _)| key == name).map_or(Some(default), |(_, value)| value.parse().ok())
    };
    let Some(size) = number("PageSize", DEFAULT_SIZE).filter(|size| (1..=largest).contains(size)) else {
        return Answer::twilio_error(400, 20007, &format!("PageSize must be 1 to {largest}"));
    };
    let token = query.iter().find(|(key, _)| key == "PageToken");
    let (Some(page), Some(start)) =
        (number("Page", 0), start(rows, size, token.map(|(_, value)| value.as_str())))
    else {
        return Answer::twilio_error(400, 20006, "Invalid page");
    };
    let shown = &rows[start..rows.len().min(start + size)];

    let address = |page: usize, token: Option<String>| {
        let mut text = Serializer::new(String::new());
        for (name, value) in &query {
            if !matches!(name.as_str(), "Page" | "PageSize" | "PageToken") {
                text.append_pair(name, value);
            }
        }
        text.append_pair("PageSize", &size.to_string());
        text.append_pair("Page", &page.to_string());
        if let Some(token) = token {
            text.append_pair("PageToken", &token);
        }
        format!("{}{}?{}", world.base_url, request.path(), text.finish())
    };
    let more = start + size < rows.len();
    let next = shown.last().filter(|_| more);
    let this = format!("{}{}", world.base_url, request.target);
    let next = match fault {
        Some(Fault::NextPageIsThis) => Some(this.clone()),
        Some(Fault::NextPageIsFirst) => Some(address(0, None)),
        Some(Fault::NextPageIs(url)) => Some(url.clone()),
        Some(Fault::EmptyPage) => Some(address(page + 1, None)),
        _ => next.map(|last| address(page + 1, Some(format!("PA{}", last.rt())))),
    };
    let previous = shown
        .first()
        .filter(|_| start > 0)
        .map(|first| address(page.saturating_sub(1), Some(format!("PB{}", first.rt()))));

    let shown = if fault == Some(&Fault::EmptyPage) { &[] } else { shown };
    let mut shown: Vec<String> = shown.iter().map(|row| row.to_json(&world.base_url)).collect();
    if let Some(Fault::OddRow(row)) = fault {
        shown.insert(1.min(shown.len()), (*row).to_owned());
    }
    Answer::json(
        200,
        format!(
            r#"{{"recordings":[{}],"meta":{{"page":{page},"page_size":{size},"first_page_url":{},"previous_page_url":{},"url":{},"next_page_url":{},"key":"recordings"}}}}"#,
            shown.join(","),
            json(address(0, None)),
            json(previous),
            json(this),
            json(next),
        ),
    )
}

/// Where a page starts. A token names the recording before it (`PA`) or after it
/// (`PB`), so that a page stays in place while recordings are added; the page's
/// number alone says nothing.
fn start(rows: &[&Recording], size: usize, token: Option<&str>) -> Option<usize> {
    let Some(token) = token else { return Some(0) };
    let (side, rt) = token.split_at_checked(2)?;
    let at = rows.iter().position(|row| row.has_sid(rt))?;
    match side {
        "PA" => Some(at + 1),
        "PB" => Some(at.saturating_sub(size)),
        _ => None,
    }
}
