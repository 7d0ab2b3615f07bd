//! Runs one cmdlet, with all its pages (MICROSOFT.md §1.2, §1.3).

use domain::{
    cmdlet::{Cmdlet, Value as Argument},
    id::TenantId,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use reqwest::Url;
use serde_json::{Map, Value, json};

use super::{
    fault::refusal,
    row::{Row, shown},
};
use crate::{
    call::{Call, Trace, shorten_to},
    customer::Customer,
    error::{Error, Fault, Kind, Result, Service},
    http::transport::{Reply, Request},
};

/// How a cmdlet is called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    /// The cmdlet changes nothing: it may be retried, and its pages are followed.
    safe: bool,
    /// The properties to return. Empty: all properties.
    pub(super) select: &'static [&'static str],
    /// The maximum number of rows that are needed.
    most: usize,
}

impl How {
    pub(crate) const fn read(select: &'static [&'static str]) -> Self {
        Self {
            safe: true,
            select,
            most: usize::MAX,
        }
    }

    pub(super) const fn at_most(mut self, most: usize) -> Self {
        self.most = most;
        self
    }
}

/// No cmdlet that Postern runs gives more pages. The limit also ends a circle of page links.
const MOST_PAGES: usize = 2_000;

/// Parameters that name the object of a cmdlet. An empty value means *every* object (§2).
const NAMES: [&str; 5] = [
    "Identity",
    "Member",
    "PolicyScopeGroupId",
    "RoleAssignee",
    "AppId",
];

impl Customer {
    /// Runs a cmdlet and returns all its rows. `safe`: the cmdlet changes nothing, so it is retried
    /// after a lost response.
    ///
    /// # Errors
    /// [`Kind::NotSent`] for an empty identity, which Exchange takes for “all objects”;
    /// [`Kind::Cmdlet`] when it ran and failed; [`Kind::ExchangeRoleMissing`]; [`Kind::PageLost`]
    /// when the pages broke off.
    pub async fn invoke(&self, cmdlet: &Cmdlet, safe: bool) -> Result<Call<Vec<Row>>> {
        let how = How {
            safe,
            ..How::read(&[])
        };
        self.rows(cmdlet, how).await
    }

    /// Runs a cmdlet that changes something. There is no retry after a lost response: check the
    /// state first.
    ///
    /// # Errors
    /// As [`Customer::invoke`]. [`Error::maybe_done`] identifies a lost response.
    pub async fn run(&self, cmdlet: &Cmdlet) -> Result<Call<Vec<Row>>> {
        self.invoke(cmdlet, false).await
    }

    pub(crate) async fn rows(&self, cmdlet: &Cmdlet, how: How) -> Result<Call<Vec<Row>>> {
        name_objects(cmdlet)?;
        let first = self.address(how.select);
        let mut url = first.clone();
        let mut rows: Vec<Row> = Vec::new();
        let mut traces: Vec<Trace> = Vec::new();
        for _ in 0..MOST_PAGES {
            let reply = self
                .send(Service::Exchange, |_| self.request(cmdlet, &url, how.safe))
                .await
                .map_err(|error| error.with_subject(&cmdlet.name))?;
            let later = !traces.is_empty();
            let (page, next, trace) = page(reply, how.safe, self.tenant).map_err(|error| {
                let error = error.with_subject(&cmdlet.name);
                // The cmdlet itself worked. Only its pages are lost.
                match error.kind() {
                    Kind::Cmdlet(_) | Kind::Malformed | Kind::ExchangeRoleMissing if later => {
                        error.with_kind(Kind::PageLost)
                    }
                    _ => error,
                }
            })?;
            rows.extend(page);
            traces.push(trace);
            match next {
                Some(link) if how.safe && rows.len() < how.most => {
                    url = follow(&first, &link).ok_or_else(|| {
                        let trace = traces.pop().unwrap_or_default();
                        Error::new(Service::Exchange, Kind::ForeignLink, trace)
                            .with_subject(&cmdlet.name)
                            .with_message("the next page is not at the configured address")
                    })?;
                }
                _ => {
                    let answer = shown(&rows);
                    let sent = match traces.len() {
                        1 => cmdlet.line(),
                        pages => format!("{} ({pages} pages)", cmdlet.line()),
                    };
                    let trace = Trace {
                        sent,
                        ..Trace::join(traces, answer)
                    };
                    return Ok(Call { value: rows, trace });
                }
            }
        }
        let trace = traces.pop().unwrap_or_default();
        Err(Error::new(Service::Exchange, Kind::PageLost, trace)
            .with_subject(&cmdlet.name)
            .with_message("the pages do not end"))
    }

    pub(super) fn address(&self, select: &[&str]) -> Url {
        let mut url = self.microsoft.endpoints().exchange().clone();
        url.set_path(&format!("adminapi/beta/{}/InvokeCommand", self.tenant));
        if !select.is_empty() {
            url.set_query(Some(&format!("$select={}", select.join(","))));
        }
        url
    }

    fn request(&self, cmdlet: &Cmdlet, url: &Url, safe: bool) -> Request {
        Request {
            service: Service::Exchange,
            method: Method::POST,
            url: url.clone(),
            headers: self.headers(cmdlet),
            body: Some(body(cmdlet).to_string().into_bytes()),
            safe,
            sent: cmdlet.line(),
        }
    }

    pub(super) fn headers(&self, cmdlet: &Cmdlet) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let fixed = |text: &'static str| HeaderValue::from_static(text);
        headers.insert(header::CONTENT_TYPE, fixed("application/json"));
        headers.insert(header::ACCEPT, fixed("application/json"));
        headers.insert("prefer", fixed("odata.maxpagesize=1000"));
        headers.insert("x-responseformat", fixed("json"));
        headers.insert("x-serializationlevel", fixed("Partial"));
        headers.insert("x-clientapplication", fixed("Postern"));
        headers.insert("warningaction", fixed(""));
        let spoken = [
            ("x-anchormailbox", self.anchor()),
            ("x-cmdletname", cmdlet.name.clone()),
            ("connection-id", self.microsoft.0.connection_id.to_string()),
        ];
        for (name, value) in spoken {
            // Names of people have letters that a header takes only as bytes.
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        headers
    }
}

/// The casing matters, and `Parameters` must not be null (§1.2).
pub(super) fn body(cmdlet: &Cmdlet) -> Value {
    let parameters: Map<String, Value> = cmdlet
        .parameters
        .iter()
        .map(|(name, argument)| {
            let value = match argument {
                Argument::Bool(on) => json!(on),
                Argument::Number(number) => json!(number),
                Argument::Text(text) => json!(text),
                Argument::List(items) => json!(items),
            };
            (name.clone(), value)
        })
        .collect();
    json!({"CmdletInput": {"CmdletName": cmdlet.name, "Parameters": parameters}})
}

/// Refuses an empty identity, which Exchange would take for “all objects”.
pub(super) fn name_objects(cmdlet: &Cmdlet) -> Result<()> {
    let empty = |text: &str| {
        let text = text.trim();
        text.is_empty() || text.eq_ignore_ascii_case("$null") || text.contains('\0')
    };
    let unnamed = cmdlet.parameters.iter().any(|(name, argument)| {
        NAMES.contains(&name.as_str())
            && match argument {
                Argument::Text(text) => empty(text),
                Argument::List(items) => items.is_empty() || items.iter().any(|item| empty(item)),
                Argument::Bool(_) | Argument::Number(_) => true,
            }
    });
    let needs_identity = ["Remove-", "Add-", "Test-"]
        .iter()
        .any(|verb| cmdlet.name.starts_with(verb));
    let has_identity = cmdlet.parameters.iter().any(|(name, _)| name == "Identity");
    if unnamed || (needs_identity && !has_identity) {
        return Err(Error::unsent(
            Service::Exchange,
            Kind::NotSent,
            "the cmdlet names no object, and would mean all of them",
        )
        .with_subject(&cmdlet.name));
    }
    Ok(())
}

/// Parses a response: rows, the link to the next page, and the trace.
pub(super) fn page(
    reply: Reply,
    safe: bool,
    tenant: TenantId,
) -> Result<(Vec<Row>, Option<String>, Trace)> {
    let Reply {
        status,
        headers,
        body,
        mut trace,
    } = reply;
    if !status.is_success() {
        return Err(refusal(status, &headers, &body, trace));
    }
    // Cmdlets without output return an empty response, in three forms (§1.3).
    if status == StatusCode::NO_CONTENT || body.iter().all(u8::is_ascii_whitespace) {
        trace.answer = shown(&[]);
        return Ok((Vec::new(), None, trace));
    }
    let malformed = |trace: Trace, what: String| {
        Error::new(Service::Exchange, Kind::Malformed, trace).with_message(what)
    };
    let mut answer = match serde_json::from_slice::<Value>(&body) {
        Ok(Value::Object(answer)) => answer,
        Ok(_) => return Err(malformed(trace, "the answer is no object".to_owned())),
        Err(error) => return Err(malformed(trace, shorten_to(&error.to_string(), 200))),
    };
    if let Some(other) = answer
        .get("@odata.context")
        .and_then(Value::as_str)
        .and_then(tenant_of)
        && other != tenant
    {
        trace.answer = format!("of the tenant {other}");
        return Err(Error::new(Service::Exchange, Kind::Mismatch, trace)
            .with_message(format!("the answer is of the tenant {other}")));
    }
    if let Some(Value::Array(errors)) = answer.get("@adminapi.errors")
        && let Some(first) = errors.first()
    {
        let text = first
            .as_str()
            .map_or_else(|| first.to_string(), str::to_owned);
        trace.answer = shorten_to(&text, 600);
        let kind = Kind::Cmdlet(Fault::Other);
        return Err(Error::new(Service::Exchange, kind, trace).with_message(shorten_to(&text, 600)));
    }
    let rows = match answer.remove("value") {
        Some(Value::Array(rows)) => rows,
        None | Some(Value::Null) if !safe => Vec::new(),
        // For a read, a missing list does not count as an empty list.
        _ => return Err(malformed(trace, "“value” is no list".to_owned())),
    };
    let mut read = Vec::with_capacity(rows.len());
    for row in rows {
        match row {
            Value::Object(properties) => read.push(Row::new(properties)),
            _ => return Err(malformed(trace, "a row is no object".to_owned())),
        }
    }
    let next = answer
        .get("@odata.nextLink")
        .and_then(Value::as_str)
        .map(str::to_owned);
    Ok((read, next, trace))
}

/// The tenant named in a response: the last part of its context address (§1.3). None when the
/// response names the tenant in another form, for example by a domain.
fn tenant_of(context: &str) -> Option<TenantId> {
    let (path, _) = context.split_once("/$metadata")?;
    path.rsplit('/').next()?.parse().ok()
}

/// The next page, if its link is where the token may go: the same host and the same tenant's path.
fn follow(first: &Url, link: &str) -> Option<Url> {
    let url = Url::parse(link).ok()?;
    let same = url.origin() == first.origin() && url.path().eq_ignore_ascii_case(first.path());
    same.then_some(url)
}
