//! Page links of Exchange: a POST with the same body and anchor, and only for a while
//! (MICROSOFT.md §1.3).

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

use crate::clock::Time;

/// What a link stands for.
#[derive(Debug, Clone)]
pub struct Page {
    pub tenant: Uuid,
    pub body: Value,
    /// The anchor of the first request. Without one the link never works.
    pub anchor: Option<String>,
    pub rows: Vec<Value>,
    pub expires: Time,
}

/// All links that have been given out and may still work.
#[derive(Debug, Default)]
pub struct PageStore {
    pages: HashMap<String, Page>,
}

impl PageStore {
    pub fn keep(&mut self, token: String, page: Page, now: Time) {
        self.pages.retain(|_, known| known.expires > now);
        self.pages.insert(token, page);
    }

    /// The rest of a listing, if the request is the one that the link was made for.
    pub fn open(
        &self,
        token: &str,
        tenant: Uuid,
        body: &Value,
        anchor: Option<&str>,
        now: Time,
    ) -> Option<Vec<Value>> {
        let page = self.pages.get(token)?;
        let fits = page.tenant == tenant
            && page.expires > now
            && page.body == *body
            && page.anchor.is_some()
            && page.anchor.as_deref() == anchor;
        fits.then(|| page.rows.clone())
    }
}

/// The page size of `Prefer: odata.maxpagesize=N`, spaces allowed.
pub fn preferred_size(prefer: Option<&str>) -> Option<usize> {
    prefer?
        .split([';', ','])
        .filter_map(|part| part.split_once('='))
        .find(|(name, _)| {
            let name = name.trim();
            name.eq_ignore_ascii_case("odata.maxpagesize")
                || name.eq_ignore_ascii_case("maxpagesize")
        })
        .and_then(|(_, value)| value.trim().parse().ok())
        .filter(|size| *size > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_preference() {
        assert_eq!(preferred_size(Some("odata.maxpagesize=50")), Some(50));
        assert_eq!(
            preferred_size(Some("odata.maxpagesize = 7;odata.continue-on-error")),
            Some(7)
        );
        assert_eq!(preferred_size(Some("respond-async")), None);
        assert_eq!(preferred_size(None), None);
    }
}
