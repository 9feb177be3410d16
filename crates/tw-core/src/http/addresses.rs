//! The addresses of a host, kept for a moment.
//!
//! ureq looks a host up before each request, also when a connection to it is open
//! already, and on a thread of its own so that the lookup can take too long. For a
//! list of many pages that is a thread and a question to the DNS for each page; on
//! loopback the thread alone was 6 ms of CPU in 100 pages.
//!
//! ureq's `unversioned` may change with a minor version: the manifest holds it to one.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// How long addresses are good. curl keeps them for a minute; this is shorter than the
/// pauses between a few retries, so that a host that moves is found again.
const GOOD_FOR: Duration = Duration::from_secs(5);

/// The host that was looked up last: the API is one host.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    system: DefaultResolver,
    last: Mutex<Option<Known>>,
}

#[derive(Debug)]
struct Known {
    host: String,
    since: Instant,
    addresses: ResolvedSocketAddrs,
}

impl Resolver for Addresses {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri
            .scheme()
            .zip(uri.authority())
            .and_then(|(scheme, authority)| DefaultResolver::host_and_port(scheme, authority));
        let Some(host) = host else { return self.system.resolve(uri, config, timeout) };
        if let Some(known) = &*self.last.lock().unwrap_or_else(PoisonError::into_inner)
            && known.host == host
            && known.since.elapsed() < GOOD_FOR
        {
            return Ok(known.addresses.clone());
        }
        // Not under the lock: others needn't wait for a slow lookup.
        let addresses = self.system.resolve(uri, config, timeout)?;
        let known = Known { host, since: Instant::now(), addresses: addresses.clone() };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_is_not_taken_for_another() {
        let addresses = Addresses::default();
        let mut kept = Vec::new();
        for host in ["127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:2", "127.0.0.2:2", "127.0.0.1:1"] {
            let uri: Uri = format!("http://{host}/").parse().unwrap();
            let found = addresses.resolve(&uri, &Config::default(), NextTimeout::default()).unwrap();
            assert_eq!(*found, [host.parse().unwrap()]);
            kept.push(addresses.last.lock().unwrap().as_ref().unwrap().since);
        }
        // Only the second one was known already.
        let same: Vec<bool> = kept.windows(2).map(|pair| pair[0] == pair[1]).collect();
        assert_eq!(same, [true, false, false, false]);
    }
}
