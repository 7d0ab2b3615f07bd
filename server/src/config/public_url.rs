//! The address of the portal as browsers see it.

use std::{fmt, net::IpAddr, str::FromStr};

use http::Uri;

/// An origin: scheme, host and port, without a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    https: bool,
}

impl PublicUrl {
    /// The origin as a browser writes it in `Origin`: lower case, without the scheme's default
    /// port.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub const fn is_https(&self) -> bool {
        self.https
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = |why: &str| format!("“{text}” cannot be the portal's address: {why}.");
        let uri: Uri = text.parse().map_err(|error| wrong(&format!("{error}")))?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("it must begin with https://")),
        };
        let Some(authority) = uri.authority() else {
            return Err(wrong("it names no host"));
        };
        if authority.as_str().contains('@') {
            return Err(wrong("it must not name a user"));
        }
        if uri.path() != "/" || uri.query().is_some() || text.contains('#') {
            return Err(wrong("it must end after the host and the port"));
        }
        let host = authority.host().to_lowercase();
        if !https && !is_this_machine(&host) {
            return Err(wrong(
                "cookies and codes would travel in the clear; plain http is for localhost only",
            ));
        }
        let scheme = if https { "https" } else { "http" };
        let own_port = if https { 443 } else { 80 };
        let port = match authority.port_u16() {
            Some(port) if port != own_port => format!(":{port}"),
            _ => String::new(),
        };
        Ok(Self {
            origin: format!("{scheme}://{host}{port}"),
            https,
        })
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost"
        || host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn origin(text: &str) -> String {
        text.parse::<PublicUrl>().unwrap().origin().to_owned()
    }

    #[test]
    fn is_written_as_browsers_write_it() {
        assert_eq!(origin("https://Portal.Example/"), "https://portal.example");
        assert_eq!(
            origin("https://portal.example:443"),
            "https://portal.example"
        );
        assert_eq!(origin("http://localhost:3000"), "http://localhost:3000");
        assert_eq!(origin("http://[::1]:80/"), "http://[::1]");
    }

    #[test]
    fn refuses_what_is_unsafe_or_no_origin() {
        for bad in [
            "http://portal.example",
            "http://localhost.evil.example",
            "https://portal.example/path",
            "https://portal.example/?a=b",
            "https://user@portal.example",
            "ftp://portal.example",
            "portal.example",
            "",
        ] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
    }
}
