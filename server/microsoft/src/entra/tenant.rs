//! Finds the tenant id of a domain, without a token.

use domain::{address::is_domain, id::TenantId};
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;

use super::refusal::Refusal;
use crate::{
    call::{Call, Trace},
    error::{Error, Kind, Result, Service},
    http::transport::Request,
    microsoft::Microsoft,
};

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
}

impl Microsoft {
    /// The tenant that has verified this domain, from the issuer in its public metadata.
    ///
    /// # Errors
    /// [`Kind::TenantNotFound`], whose problem belongs to the field `tenant`.
    pub async fn tenant_of_domain(&self, domain: &str) -> Result<Call<TenantId>> {
        let domain = domain.trim().to_lowercase();
        if !is_domain(&domain) {
            return Err(
                Error::unsent(Service::Entra, Kind::TenantNotFound, "not a domain")
                    .with_subject(&domain),
            );
        }
        let mut url = self.0.endpoints.authority().clone();
        url.set_path(&format!("{domain}/v2.0/.well-known/openid-configuration"));
        let reply = self
            .0
            .transport
            .send(
                Request {
                    service: Service::Entra,
                    sent: format!("GET {}", url.path()),
                    method: Method::GET,
                    url,
                    headers: HeaderMap::new(),
                    body: None,
                    safe: true,
                },
                &self.0.gate,
            )
            .await?;
        if reply.status != StatusCode::OK {
            let error = match serde_json::from_slice::<Refusal>(&reply.body) {
                Ok(refusal) => refusal.into_error(reply.trace),
                Err(_) if reply.status == StatusCode::NOT_FOUND => {
                    Error::new(Service::Entra, Kind::TenantNotFound, reply.trace)
                }
                Err(_) => Error::new(Service::Entra, Kind::Malformed, reply.trace),
            };
            return Err(error.with_subject(&domain));
        }
        let tenant = serde_json::from_slice::<Metadata>(&reply.body)
            .ok()
            .and_then(|metadata| tenant_in(&metadata.issuer));
        match tenant {
            Some(value) => Ok(Call {
                value,
                trace: Trace {
                    answer: format!("tenant {value}"),
                    ..reply.trace
                },
            }),
            None => Err(Error::new(Service::Entra, Kind::Malformed, reply.trace)
                .with_message("the metadata name no tenant")),
        }
    }
}

/// The `{tenant}` part of `https://…/{tenant}/v2.0`.
fn tenant_in(issuer: &str) -> Option<TenantId> {
    issuer
        .trim_end_matches('/')
        .strip_suffix("/v2.0")?
        .rsplit('/')
        .next()?
        .parse()
        .ok()
}
