//! Microsoft's three hosts, checked once at startup.

use std::net::IpAddr;

use domain::permission::Resource;
use reqwest::Url;

/// The addresses of Entra, Graph and Exchange.
///
/// Each is an origin without a path. Requests, page links and key sets stay on these origins, so
/// that a token never travels anywhere else (DESIGN §9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    authority: Url,
    graph: Url,
    exchange: Url,
}

/// The address of one of Microsoft's hosts cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{address}” cannot be the address of {host}: {why}")]
pub struct NotAnEndpoint {
    /// `Entra`, `Graph` or `Exchange`.
    pub host: &'static str,
    pub address: String,
    pub why: &'static str,
}

impl Endpoints {
    /// Parses `https://host[:port]`. Plain `http` is accepted for loopback addresses only.
    ///
    /// # Errors
    /// The first address that has another scheme, a path, a query or a user.
    pub fn parse(authority: &str, graph: &str, exchange: &str) -> Result<Self, NotAnEndpoint> {
        Ok(Self {
            authority: origin("Entra", authority)?,
            graph: origin("Graph", graph)?,
            exchange: origin("Exchange", exchange)?,
        })
    }

    /// Microsoft's worldwide cloud.
    ///
    /// # Errors
    /// None in practice: the three addresses are constants.
    pub fn worldwide() -> Result<Self, NotAnEndpoint> {
        Self::parse(
            "https://login.microsoftonline.com",
            PUBLIC_GRAPH,
            PUBLIC_EXCHANGE,
        )
    }

    pub const fn authority(&self) -> &Url {
        &self.authority
    }

    pub const fn graph(&self) -> &Url {
        &self.graph
    }

    pub const fn exchange(&self) -> &Url {
        &self.exchange
    }

    /// The prefix of a resource's scopes. National clouds name their resources after their hosts. A
    /// simulation on loopback uses the worldwide names.
    pub fn audience(&self, resource: Resource) -> String {
        let (url, public) = match resource {
            Resource::Graph => (&self.graph, PUBLIC_GRAPH),
            Resource::Exchange => (&self.exchange, PUBLIC_EXCHANGE),
        };
        if is_loopback(url) {
            public.to_owned()
        } else {
            url.as_str().trim_end_matches('/').to_owned()
        }
    }

    /// Whether all three hosts are on this machine. Then no proxy is used.
    pub(crate) fn all_loopback(&self) -> bool {
        [&self.authority, &self.graph, &self.exchange]
            .into_iter()
            .all(is_loopback)
    }
}

const PUBLIC_GRAPH: &str = "https://graph.microsoft.com";
const PUBLIC_EXCHANGE: &str = "https://outlook.office365.com";

fn origin(host: &'static str, address: &str) -> Result<Url, NotAnEndpoint> {
    let wrong = |why| NotAnEndpoint {
        host,
        address: address.to_owned(),
        why,
    };
    let url = Url::parse(address.trim()).map_err(|_| wrong("it is no URL"))?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(wrong("plain http is for loopback addresses only")),
        _ => return Err(wrong("it must begin with https://")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it must not name a user"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it must end after the host and the port"));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn graph(address: &str) -> Result<Endpoints, NotAnEndpoint> {
        Endpoints::parse(
            "https://login.microsoftonline.com",
            address,
            PUBLIC_EXCHANGE,
        )
    }

    #[test]
    fn takes_https_and_loopback() {
        for good in [
            "https://graph.microsoft.us",
            "https://graph.example:8443/",
            "http://127.0.0.1:4000",
            "http://localhost:4000/",
            "http://[::1]:4000",
        ] {
            assert!(graph(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn refuses_what_could_leak_a_token() {
        for bad in [
            "http://graph.microsoft.com",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "ftp://graph.microsoft.com",
            "https://user:pass@graph.microsoft.com",
            "https://graph.microsoft.com/v1.0",
            "https://graph.microsoft.com/?x=1",
            "graph.microsoft.com",
            "",
        ] {
            assert!(graph(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_resources_as_each_cloud_does() {
        let audience = |address| graph(address).unwrap().audience(Resource::Graph);
        assert_eq!(
            audience("https://graph.microsoft.us/"),
            "https://graph.microsoft.us"
        );
        assert_eq!(audience("http://127.0.0.1:4000"), PUBLIC_GRAPH);
    }
}
