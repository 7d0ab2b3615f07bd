//! Reads lists of Graph, page by page (MICROSOFT.md §7.3).

use reqwest::Url;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::answer::{Address, address, get, understood};
use crate::{
    call::{Call, Trace},
    customer::Customer,
    error::{Error, Kind, Result, Service},
};

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Page<T> {
    value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

/// No list that Postern reads has more pages. The limit also ends a circle of page links.
const MOST_PAGES: usize = 2_000;

impl Customer {
    /// All items of a list. If one page fails, the whole call fails, because a part is not the
    /// list.
    pub(crate) async fn graph_list<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Call<Vec<T>>> {
        let root = self.microsoft.endpoints().graph();
        self.pages_from(address(root, segments, query), false).await
    }

    /// All items of a list whose first page came in a batch.
    ///
    /// # Errors
    /// Those of [`Self::graph_list`], and [`Kind::Malformed`] when `first` is not a page.
    pub(crate) async fn rest_of_list<T: DeserializeOwned>(&self, first: Value) -> Result<Vec<T>> {
        let page: Page<T> = serde_json::from_value(first)
            .map_err(|error| Error::unsent(Service::Graph, Kind::Malformed, error.to_string()))?;
        let mut all = page.value;
        if let Some(link) = page.next {
            let root = self.microsoft.endpoints().graph();
            let next = follow(root, &link, Trace::default())?;
            all.extend(self.pages_from(next, true).await?.value);
        }
        Ok(all)
    }

    /// Like [`Self::rest_of_list`], but hands out the items page by page, for a list that is too
    /// long for memory.
    ///
    /// # Errors
    /// Those of [`Self::graph_list`]. The items handed out until then are not the whole list.
    pub(crate) async fn rest_of_list_into<T: DeserializeOwned>(
        &self,
        first: Value,
        mut take: impl FnMut(Vec<T>),
    ) -> Result<()> {
        let page: Page<T> = serde_json::from_value(first)
            .map_err(|error| Error::unsent(Service::Graph, Kind::Malformed, error.to_string()))?;
        take(page.value);
        if let Some(link) = page.next {
            let root = self.microsoft.endpoints().graph();
            let next = follow(root, &link, Trace::default())?;
            self.pages_into(next, true, take).await?;
        }
        Ok(())
    }

    /// `later`: whether a page was read before.
    async fn pages_from<T: DeserializeOwned>(
        &self,
        first: Address,
        later: bool,
    ) -> Result<Call<Vec<T>>> {
        let mut all = Vec::new();
        let traces = self
            .pages_into(first, later, |page: Vec<T>| all.extend(page))
            .await?;
        Ok(joined(all, traces))
    }

    async fn pages_into<T: DeserializeOwned>(
        &self,
        first: Address,
        later: bool,
        mut take: impl FnMut(Vec<T>),
    ) -> Result<Vec<Trace>> {
        let root = self.microsoft.endpoints().graph();
        let mut next = first;
        let mut traces: Vec<Trace> = Vec::new();
        for number in 0..MOST_PAGES {
            let reply = self.send(Service::Graph, |_| get(&next)).await?;
            let page: Call<Page<T>> = understood(reply).map_err(|error| match error.kind() {
                Kind::NotFound | Kind::Other if later || number > 0 => {
                    error.with_kind(Kind::PageLost)
                }
                _ => error,
            })?;
            take(page.value.value);
            traces.push(page.trace.clone());
            let Some(link) = page.value.next else {
                return Ok(traces);
            };
            next = follow(root, &link, page.trace)?;
        }
        Err(Error::new(
            Service::Graph,
            Kind::PageLost,
            traces.pop().unwrap_or_default(),
        )
        .with_message("the list does not end"))
    }
}

/// Joins the traces: the first page's request and response, and the number of pages.
fn joined<T>(all: Vec<T>, traces: Vec<Trace>) -> Call<Vec<T>> {
    let pages = traces.len();
    let first = traces.first().cloned().unwrap_or_default();
    let mut trace = Trace::join(traces, first.answer);
    trace.sent = if pages > 1 {
        format!("{} ({pages} pages)", first.sent)
    } else {
        first.sent
    };
    Call { value: all, trace }
}

/// The next page, if its link is where the token may go.
fn follow(root: &Url, link: &str, trace: Trace) -> Result<Address> {
    match Url::parse(link) {
        Ok(url) if url.origin() == root.origin() && url.path().starts_with("/v1.0/") => {
            let shown = format!("{} (next page)", url.path());
            Ok(Address { url, shown })
        }
        _ => Err(Error::new(Service::Graph, Kind::ForeignLink, trace)
            .with_message("the next page is not at the configured address")),
    }
}
