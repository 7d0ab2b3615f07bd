//! The rate limiter for requests that need no sign-in.
//!
//! Clients are told apart by address: the peer's address, or, behind trusted proxies, the address
//! that the outermost of those proxies saw. An IPv6 client counts by its /64, because it can choose
//! the rest freely.

use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use domain::{Problem, problem::Remedy};
use store::session_hash;
use tower_sessions::Session;

use super::{Web, refusal::Refusal};
use crate::config::{Allowance, Strangers};

const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Clients that are remembered individually. Beyond this number all others share one allowance.
const MOST_CLIENTS: usize = 50_000;
/// Minimum interval between two cleanups of the remembered clients.
const TIDIED_EVERY: Duration = Duration::from_secs(1);
/// Sessions that are remembered as real. Beyond this number the memory starts anew.
const MOST_SESSIONS: usize = 50_000;

/// The rate limits for strangers.
#[derive(Debug)]
pub(super) struct Limits {
    proxies: usize,
    sign_in: Limiter,
    ready: Limiter,
    /// The limit for cookies that named no session.
    unknown: Limiter,
    /// Hashes of known sessions. A client with a known session is not blocked when somebody at the
    /// same address makes up session ids.
    sessions: Mutex<HashSet<[u8; 32]>>,
}

impl Limits {
    pub(super) fn new(strangers: &Strangers) -> Self {
        Self {
            proxies: strangers.trusted_proxies,
            sign_in: Limiter::new(strangers.sign_in, MOST_CLIENTS),
            ready: Limiter::new(strangers.ready, MOST_CLIENTS),
            unknown: Limiter::new(strangers.sign_in, MOST_CLIENTS),
            sessions: Mutex::default(),
        }
    }

    /// The rate limiter of a path, if it has one.
    fn of(&self, path: &str) -> Option<&Limiter> {
        match path {
            "/readyz" => Some(&self.ready),
            "/api/join" | "/api/invitation" => Some(&self.sign_in),
            _ if path.starts_with("/auth/") || path.starts_with("/join/") => Some(&self.sign_in),
            _ => None,
        }
    }
}

/// Refuses a client that asks too often.
pub(super) async fn limit(State(web): State<Web>, request: Request, next: Next) -> Response {
    let limits = &web.inner.limits_of_strangers;
    if let Some(limiter) = limits.of(request.uri().path()) {
        let client = limits.who_asks(&request);
        if let Err(wait) = limiter.take(client, Instant::now()) {
            return too_often(wait);
        }
    }
    next.run(request).await
}

/// The session that a request's cookie names, before the database is queried.
pub(super) struct Named {
    hash: [u8; 32],
    client: IpAddr,
}

impl Limits {
    fn who_asks(&self, request: &Request) -> IpAddr {
        let peer = request
            .extensions()
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| peer.0.ip());
        network(client(request.headers(), peer, self.proxies))
    }

    /// The session that a cookie names, if any. The error is how long a client that has made up too
    /// many ids must wait.
    pub(super) fn named(
        &self,
        session: &Session,
        request: &Request,
    ) -> Result<Option<Named>, Duration> {
        let Some(id) = session.id() else {
            return Ok(None);
        };
        let named = Named {
            hash: session_hash(&id),
            client: self.who_asks(request),
        };
        if !self.sessions().contains(&named.hash) {
            self.unknown.left(named.client, Instant::now())?;
        }
        Ok(Some(named))
    }

    /// Remembers whether the session exists.
    pub(super) fn learn(&self, named: &Named, found: bool) {
        if found {
            self.opened(named.hash);
            return;
        }
        self.sessions().remove(&named.hash);
        // Concurrent requests may have used up the allowance, so an error is ignored.
        let _ = self.unknown.take(named.client, Instant::now());
    }

    /// Remembers by its hash that a session exists.
    pub(super) fn opened(&self, session: [u8; 32]) {
        let mut sessions = self.sessions();
        if sessions.len() >= MOST_SESSIONS {
            sessions.clear();
        }
        sessions.insert(session);
    }

    fn sessions(&self) -> MutexGuard<'_, HashSet<[u8; 32]>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn too_often(wait: Duration) -> Response {
    let seconds = wait.as_secs().saturating_add(1);
    let problem = Problem::new(
        "request.too_often",
        Remedy::Wait,
        "Too many requests came from your address.",
        "Postern takes only so many from one address, so that nobody keeps others from signing in. Nothing was changed.",
        format!("Wait {seconds} seconds, then try again."),
    );
    let mut response = Refusal::new(StatusCode::TOO_MANY_REQUESTS, problem).into_response();
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// The client's address. Each proxy appends the address that it saw on the right, so everything to
/// the left of the trusted entries is whatever the client wrote.
fn client(headers: &HeaderMap, peer: IpAddr, proxies: usize) -> IpAddr {
    let Some(back) = proxies.checked_sub(1) else {
        return peer;
    };
    let listed: Vec<&str> = headers
        .get_all(FORWARDED)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .collect();
    listed
        .iter()
        .rev()
        .nth(back)
        .and_then(|text| address(text.trim()))
        .unwrap_or(peer)
}

/// Parses an address as proxies write it, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    text.parse()
        .ok()
        .or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
}

/// The network that counts as one client.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let prefix = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(prefix.into())
        }
    }
}

/// Counts requests by client. For each client it stores when the client will have its whole
/// allowance again (the generic cell rate algorithm). Clients with the whole allowance need not be
/// stored.
#[derive(Debug)]
struct Limiter {
    /// The time in which a client earns one more request.
    each: Duration,
    /// The requests in a row, expressed as the time in which they are earned.
    burst: Duration,
    most: usize,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    clients: HashMap<IpAddr, Instant>,
    /// The shared allowance of all clients that are not remembered individually.
    others: Option<Instant>,
    tidied: Option<Instant>,
}

impl Limiter {
    fn new(allowance: Allowance, most: usize) -> Self {
        let each = Duration::from_secs(1) / allowance.a_second.max(1);
        Self {
            each,
            burst: each * allowance.burst.max(1),
            most,
            known: Mutex::default(),
        }
    }

    /// Takes one request from a client's allowance. The error is the time until there is one.
    fn take(&self, client: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let new = !known.clients.contains_key(&client);
        if new && known.clients.len() >= self.most {
            known.tidy(now);
        }
        if new && known.clients.len() >= self.most {
            let whole = self.after_one(known.others, now)?;
            known.others = Some(whole);
            return Ok(());
        }
        let whole = self.after_one(known.clients.get(&client).copied(), now)?;
        known.clients.insert(client, whole);
        Ok(())
    }

    /// Whether a client has a request left, without taking it.
    fn left(&self, client: IpAddr, now: Instant) -> Result<(), Duration> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = match known.clients.get(&client) {
            None if known.clients.len() >= self.most => known.others,
            whole => whole.copied(),
        };
        self.after_one(whole, now).map(|_| ())
    }

    /// When the allowance will be whole again after one more request. The error is the time to
    /// wait.
    fn after_one(&self, whole: Option<Instant>, now: Instant) -> Result<Instant, Duration> {
        let whole = whole.map_or(now, |whole| whole.max(now)) + self.each;
        match whole.duration_since(now).checked_sub(self.burst) {
            Some(over) if !over.is_zero() => Err(over),
            _ => Ok(whole),
        }
    }
}

impl Known {
    /// Forgets clients with the whole allowance.
    fn tidy(&mut self, now: Instant) {
        if self
            .tidied
            .is_some_and(|tidied| now.duration_since(tidied) < TIDIED_EVERY)
        {
            return;
        }
        self.tidied = Some(now);
        self.clients.retain(|_, whole| *whole > now);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn limiter(most: usize) -> Limiter {
        let allowance = Allowance {
            a_second: 2,
            burst: 3,
        };
        Limiter::new(allowance, most)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn security_f03_an_address_has_an_allowance_of_its_own() {
        let limiter = limiter(100);
        let now = Instant::now();
        for _ in 0..3 {
            limiter.take(ip("192.0.2.1"), now).unwrap();
        }
        let wait = limiter.take(ip("192.0.2.1"), now).unwrap_err();
        assert_eq!(wait, Duration::from_millis(500));
        limiter.take(ip("192.0.2.2"), now).unwrap();
        // The refused request took nothing from the allowance.
        let later = now + wait;
        limiter.take(ip("192.0.2.1"), later).unwrap();
        assert!(limiter.take(ip("192.0.2.1"), later).is_err());
    }

    #[test]
    fn security_f03_the_memory_of_clients_is_bounded() {
        let limiter = limiter(10);
        let now = Instant::now();
        for number in 0..10_000_u32 {
            let _ = limiter.take(IpAddr::V4(number.into()), now);
        }
        assert!(limiter.known.lock().unwrap().clients.len() <= 10);
        // Remembered clients keep their own allowance. All others share one.
        limiter.take(IpAddr::V4(0.into()), now).unwrap();
        assert!(limiter.take(IpAddr::V4(20_000.into()), now).is_err());
        // A client that has not come for a while is forgotten, which makes room.
        let later = now + Duration::from_secs(10);
        limiter.take(IpAddr::V4(20_000.into()), later).unwrap();
        assert_eq!(limiter.known.lock().unwrap().clients.len(), 1);
    }

    #[test]
    fn security_f03_a_client_cannot_choose_its_address() {
        let peer = ip("10.0.0.1");
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED, "203.0.113.9, 198.51.100.7".parse().unwrap());
        headers.append(FORWARDED, "10.0.0.2".parse().unwrap());
        for (proxies, counts) in [
            (0, "10.0.0.1"),
            (1, "10.0.0.2"),
            (2, "198.51.100.7"),
            (3, "203.0.113.9"),
            // There are fewer proxies than the settings say: the nearest address counts.
            (4, "10.0.0.1"),
        ] {
            assert_eq!(client(&headers, peer, proxies), ip(counts), "{proxies}");
        }
        let mut odd = HeaderMap::new();
        odd.insert(FORWARDED, "[2001:db8::1]:4711".parse().unwrap());
        assert_eq!(client(&odd, peer, 1), ip("2001:db8::1"));
        odd.insert(FORWARDED, "192.0.2.1:80".parse().unwrap());
        assert_eq!(client(&odd, peer, 1), ip("192.0.2.1"));
        odd.insert(FORWARDED, "unknown".parse().unwrap());
        assert_eq!(client(&odd, peer, 1), peer);
    }

    #[test]
    fn security_f03_an_ipv6_client_is_its_network() {
        assert_eq!(
            network(ip("2001:db8:1:2:3:4:5:6")),
            network(ip("2001:db8:1:2::1"))
        );
        assert_ne!(
            network(ip("2001:db8:1:3::1")),
            network(ip("2001:db8:1:2::1"))
        );
        assert_eq!(network(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
    }
}
