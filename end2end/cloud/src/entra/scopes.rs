//! Scopes: what a client asks for, sorted by resource.

use serde_json::Value;
use uuid::Uuid;

use crate::permissions::{OIDC_SCOPES, Resource};

use super::errors::EntraError;

/// What is asked of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    pub resource: Resource,
    /// `.default`: everything that was consented (or, when consenting, that is declared).
    pub default: bool,
    /// `.default` as the client wrote it: the answer's `scope` repeats it, and clients look for it
    /// in their caches.
    pub default_as: Option<String>,
    /// Values of delegated scopes, in their proper case.
    pub scopes: Vec<String>,
    /// Whether the client wrote the resource's identifier before them.
    pub prefixed: bool,
}

/// A parsed `scope` parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    pub oidc: Vec<&'static str>,
    pub asks: Vec<Ask>,
}

impl Wanted {
    pub fn has_oidc(&self, scope: &str) -> bool {
        self.oidc.contains(&scope)
    }

    fn ask(&mut self, resource: Resource, prefixed: bool) -> Option<&mut Ask> {
        if !self.asks.iter().any(|ask| ask.resource == resource) {
            self.asks.push(Ask {
                resource,
                default: false,
                default_as: None,
                scopes: Vec::new(),
                prefixed,
            });
        }
        self.asks.iter_mut().find(|ask| ask.resource == resource)
    }

    /// The only resource of a token request; several are an error (MICROSOFT.md §6.1: 700022).
    /// With OpenID scopes alone the token is for Graph.
    pub fn single(&self) -> Result<Ask, EntraError> {
        match self.asks.as_slice() {
            [] => Ok(Ask {
                resource: Resource::Graph,
                default: false,
                default_as: None,
                scopes: Vec::new(),
                prefixed: false,
            }),
            [one] => Ok(one.clone()),
            _ => Err(EntraError::new(
                700_022,
                "The provided value for the input parameter scope is not valid because it contains more than one resource.",
            )),
        }
    }
}

/// The Conditional Access rules that a `claims` parameter answers to: what a refusal's claims
/// challenge named, sent back.
pub fn rules_of(claims: Option<&str>) -> Vec<Uuid> {
    claims
        .and_then(|text| serde_json::from_str::<Value>(text).ok())
        .and_then(|claims| claims.pointer("/access_token/capolids/values").cloned())
        .and_then(|values| serde_json::from_value(values).ok())
        .unwrap_or_default()
}

/// Parses the parameter. Scopes without a resource are Graph's.
pub fn parse(text: &str) -> Result<Wanted, EntraError> {
    let mut wanted = Wanted::default();
    for word in text.split_ascii_whitespace() {
        if let Some(known) = OIDC_SCOPES.iter().find(|known| **known == word) {
            if !wanted.oidc.contains(known) {
                wanted.oidc.push(known);
            }
            continue;
        }
        let (resource, value, prefixed) = split(word, text)?;
        let invalid = || invalid_scope(text, word);
        let ask = wanted.ask(resource, prefixed).ok_or_else(invalid)?;
        if value == ".default" {
            ask.default = true;
            ask.default_as = Some(word.to_owned());
        } else {
            let known = resource.scope(value).ok_or_else(invalid)?;
            if !ask.scopes.iter().any(|scope| scope == known.value) {
                ask.scopes.push(known.value.to_owned());
            }
        }
    }
    let defaults = wanted.asks.iter().filter(|ask| ask.default).count();
    if wanted
        .asks
        .iter()
        .any(|ask| ask.default && !ask.scopes.is_empty())
        || (defaults > 0 && wanted.asks.len() > defaults)
    {
        return Err(EntraError::new(
            70011,
            format!(
                "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope '{text}' is not valid. .default scope can't be combined with resource-specific scopes."
            ),
        ));
    }
    Ok(wanted)
}

/// Resource, value and whether the resource was written.
fn split<'a>(word: &'a str, all: &str) -> Result<(Resource, &'a str, bool), EntraError> {
    if !word.contains("://") && !word.contains('/') {
        return Ok((Resource::Graph, word, false));
    }
    let (identifier, value) = word
        .rsplit_once('/')
        .filter(|(_, value)| !value.is_empty())
        .ok_or_else(|| invalid_scope(all, word))?;
    match Resource::from_identifier(identifier) {
        Some(resource) => Ok((resource, value, true)),
        None => Err(EntraError::new(
            500_011,
            format!(
                "The resource principal named {identifier} was not found in the tenant. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant."
            ),
        )),
    }
}

fn invalid_scope(all: &str, word: &str) -> EntraError {
    EntraError::new(
        70011,
        format!(
            "The provided value for the input parameter 'scope' is not valid. The scope '{all}' is not valid: '{word}' does not exist."
        ),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn scopes_are_sorted_by_resource() {
        let wanted = parse(
            "openid offline_access User.Read https://graph.microsoft.com/mail.send https://outlook.office365.com/Exchange.Manage",
        )
        .unwrap();
        assert_eq!(wanted.oidc, ["openid", "offline_access"]);
        assert_eq!(wanted.asks[0].scopes, ["User.Read", "Mail.Send"]);
        assert_eq!(wanted.asks[1].resource, Resource::Exchange);
        assert_eq!(wanted.single().unwrap_err().code, 700_022);
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(parse("Bogus.Read").unwrap_err().code, 70011);
        assert_eq!(
            parse("http://127.0.0.1:4000/.default").unwrap_err().code,
            500_011
        );
        let mixed = "https://graph.microsoft.com/.default https://graph.microsoft.com/User.Read";
        assert_eq!(parse(mixed).unwrap_err().code, 70011);
        assert!(
            parse("https://outlook.office365.com/.default offline_access")
                .unwrap()
                .asks[0]
                .default
        );
    }
}
