//! Paths of this site to which a person is sent back.

/// Whether a browser can be sent back to the path. It must stay on this site, and never lead to
/// another host, however a browser reads it. A path with an empty segment or a dot segment is
/// refused, although it stays here: without that segment, the rest can begin with two slashes.
pub fn is_local(path: &str) -> bool {
    let place = path.split(['?', '#']).next().unwrap_or_default();
    place.starts_with('/')
        && !place.contains("//")
        && !place.split('/').any(is_dots)
        && !path
            .chars()
            .any(|c| c == '\\' || c.is_control() || crate::name::is_invisible(c))
}

/// Whether a browser removes the segment: `.`, or `..` together with the segment before it.
fn is_dots(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    matches!(plain.as_str(), "." | "..")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use url::Url;

    use super::is_local;

    const HOSTS: [&str; 3] = [
        "http://localhost:3000/",
        "https://portal.example/customers/x?y=z",
        "https://portal.example//evil.example/",
    ];

    /// Whether a browser stays on each host: when it follows the path, and when it then follows the
    /// path that it shows.
    fn stays(path: &str) -> bool {
        HOSTS.iter().all(|host| {
            let here = Url::parse(host).unwrap();
            let same = |there: &Url| there.origin() == here.origin();
            here.join(path).is_ok_and(|there| {
                same(&there) && here.join(there.path()).is_ok_and(|again| same(&again))
            })
        })
    }

    #[test]
    fn returns_only_to_this_site() {
        for good in [
            "/",
            "/customers?search=a&page=2",
            "/customers/x/setups/y",
            "/customers?search=//a/../b",
            "/a.b/..c/...",
        ] {
            assert!(is_local(good), "{good}");
            assert!(stays(good), "{good}");
        }
        for wrong in [
            "",
            "customers",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            "/a\nb",
            "/\t/evil.example",
        ] {
            assert!(!is_local(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn security_check12_paths_that_turn_into_another_host_are_refused() {
        for wrong in [
            "/..//evil.example",
            "/.//evil.example",
            "/a/..//evil.example",
            "/%2e%2E//evil.example",
            "/.%2e/evil.example",
            "/a//evil.example",
            "/\u{2028}/evil.example",
        ] {
            assert!(!is_local(wrong), "{wrong:?}");
        }
        // A browser does not decode `%09`.
        assert!(is_local("/%09/evil.example") && stays("/%09/evil.example"));
        assert!(!stays("/..//evil.example"), "this test could not fail");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn security_check12_what_is_local_is_of_the_same_origin(
            path in "/?([./\\\\]|%2[eEfF]|%09|%5c|[\t\n\r \u{2028}\u{200b}\u{ff0f}@:?#]|evil|http:){0,12}",
        ) {
            prop_assert!(!is_local(&path) || stays(&path), "{:?}", path);
        }

        #[test]
        fn security_check12_any_text_that_is_local_is_of_the_same_origin(path in "/.{0,40}") {
            prop_assert!(!is_local(&path) || stays(&path), "{:?}", path);
        }
    }
}
