//! The API's answers.

use tw_core::Record;
use tw_core::http::BaseUrl;
use tw_list::pages::Page;
use url::Url;

/// The rows of a page are records on one line each; what it names as the next
/// page is followed on Twilio's own host only, and media only over https.
pub fn api_page(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Ok(answer) = Record::parse(text) else { return };
    let base = BaseUrl::parse(BaseUrl::TWILIO).unwrap();
    let asked = Url::parse(BaseUrl::TWILIO).unwrap();
    for address in ["redirect_to", "location"].iter().filter_map(|name| answer.text_of(name)) {
        if let Ok(url) = base.storage(&asked, &address) {
            assert_eq!(url.scheme(), "https", "{address}");
        }
    }
    let Ok(page) = Page::read(&answer) else { return };
    for row in page.rows.iter().flatten() {
        assert!(!row.as_str().contains(['\n', '\r']), "{row}");
        assert!(Record::parse(row.as_str()).is_ok(), "{row}");
    }
    if let Some(next) = page.next
        && let Ok(url) = base.own(&next)
    {
        assert_eq!(url.origin(), asked.origin(), "{next}");
        assert!(url.username().is_empty() && url.password().is_none(), "{next}");
    }
}
