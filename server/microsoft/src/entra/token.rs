//! Token requests: codes, refresh tokens and client credentials.

use std::{borrow::Cow, fmt};

use domain::{
    Timestamp,
    id::{AppId, TenantId},
};
use oauth2::{
    AuthType, AuthorizationCode, Client, ClientId, ClientSecret, EndpointNotSet, EndpointSet,
    ExtraTokenFields, PkceCodeVerifier, RedirectUrl, RefreshToken, Scope, StandardRevocableToken,
    StandardTokenResponse, TokenResponse as _, TokenUrl,
    basic::{BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{
    adapter::{Adapter, CLIENT_CREDENTIALS, CODE, REFRESH_TOKEN, failed},
    refusal::Refusal,
};
use crate::{
    error::{Error, Kind, Result, Service},
    microsoft::{Credential, Microsoft},
    tokens::AccessToken,
};

/// The result of exchanging a code or a refresh token.
#[derive(Clone)]
pub struct Redeemed {
    /// Present only with the scope `openid`. Not validated: see [`Microsoft::identity`].
    pub id_token: Option<String>,
    pub access: AccessToken,
    /// Present only with the scope `offline_access`. It replaces the previous refresh token.
    pub refresh: Option<SecretString>,
    /// The scopes as Entra writes them. All belong to one resource.
    pub scopes: Vec<String>,
    /// The expiry of the access token.
    pub expires_at: Timestamp,
}

/// Leaves out the tokens.
impl fmt::Debug for Redeemed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redeemed")
            .field("scopes", &self.scopes)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl Redeemed {
    /// The scopes granted on a resource, by full name. Entra leaves out the resource of Graph's
    /// scopes. Scopes that grant no right on the resource are left out.
    pub fn granted(&self, audience: &str) -> Vec<String> {
        const NO_RIGHTS: [&str; 4] = ["openid", "profile", "email", "offline_access"];
        let mut all: Vec<String> = self
            .scopes
            .iter()
            .filter(|scope| !NO_RIGHTS.contains(&scope.as_str()) && !scope.ends_with("/.default"))
            .map(|scope| match scope.contains("://") {
                true => scope.clone(),
                false => format!("{audience}/{scope}"),
            })
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

#[derive(Serialize, Deserialize)]
struct IdToken {
    id_token: Option<String>,
}

impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdToken(…)")
    }
}

impl ExtraTokenFields for IdToken {}

type Tokens = StandardTokenResponse<IdToken, BasicTokenType>;
type EntraClient = Client<
    Refusal,
    Tokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// The credential of an application, ready for one request.
enum Shown {
    Secret(ClientSecret),
    Assertion(String),
}

impl Microsoft {
    /// Exchanges an authorization code. `tenant`: the tenant of the sign-in address, or none for
    /// `organizations`. `scopes`: of one resource, with `openid` and the like.
    ///
    /// # Errors
    /// [`Kind::CodeSpent`] when the code was used before or is too old, and Entra's other refusals.
    /// There is no retry when the outcome is unknown, because a code works once.
    pub async fn redeem_code(
        &self,
        tenant: Option<TenantId>,
        code: &str,
        verifier: &SecretString,
        redirect_uri: &str,
        scopes: &[String],
    ) -> Result<Redeemed> {
        let redirect = RedirectUrl::new(redirect_uri.to_owned()).map_err(|_| {
            Error::unsent(
                Service::Entra,
                Kind::NotSent,
                "the redirect address is no URL",
            )
        })?;
        let (client, assertion) = self.own_client(tenant)?;
        let adapter = Adapter::new(self, CODE, false);
        let mut request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose_secret().to_owned()))
            .set_redirect_uri(Cow::Owned(redirect))
            // RFC 6749 has no scope here. Entra needs one to know the resource.
            .add_extra_param("scope", scopes.join(" "));
        for (name, value) in assertion {
            request = request.add_extra_param(name, value);
        }
        let tokens = request.request_async(&adapter).await;
        self.redeemed(tokens.map_err(|error| failed(&adapter, error))?, &adapter)
    }

    /// Exchanges a refresh token for an access token of one resource, in this tenant. A refresh
    /// token is bound to neither (MICROSOFT.md §6.4).
    ///
    /// # Errors
    /// After [`Kind::ConsentMissing`] the refresh token is still valid; after [`Kind::TokenDead`]
    /// it is not.
    pub async fn refresh(
        &self,
        tenant: TenantId,
        refresh_token: &SecretString,
        scopes: &[String],
    ) -> Result<Redeemed> {
        self.refresh_with(tenant, refresh_token, scopes, None).await
    }

    /// Like [`Self::refresh`]. `claims`: the claims that the resource's challenge requires of the
    /// token.
    pub(crate) async fn refresh_with(
        &self,
        tenant: TenantId,
        refresh_token: &SecretString,
        scopes: &[String],
        claims: Option<&str>,
    ) -> Result<Redeemed> {
        let (client, assertion) = self.own_client(Some(tenant))?;
        // Old tokens stay valid when new ones are issued, so a retry does no harm.
        let adapter = Adapter::new(self, REFRESH_TOKEN, true);
        let token = RefreshToken::new(refresh_token.expose_secret().to_owned());
        let mut request = client
            .exchange_refresh_token(&token)
            .add_scopes(scopes.iter().cloned().map(Scope::new));
        if let Some(claims) = claims {
            request = request.add_extra_param("claims", claims.to_owned());
        }
        for (name, value) in assertion {
            request = request.add_extra_param(name, value);
        }
        let tokens = request.request_async(&adapter).await;
        self.redeemed(tokens.map_err(|error| failed(&adapter, error))?, &adapter)
    }

    /// A token of an application itself, with its own secret, for the proof. `claims`: the claims
    /// that a challenge requires (MICROSOFT.md §6.6).
    ///
    /// # Errors
    /// [`Kind::SecretWrong`], [`Kind::SecretExpired`], [`Kind::AppNotFound`],
    /// [`Kind::AppDisabled`], and Entra's other refusals.
    pub async fn client_credentials(
        &self,
        tenant: TenantId,
        app: AppId,
        secret: &SecretString,
        scope: &str,
        claims: Option<&str>,
    ) -> Result<AccessToken> {
        let shown = Shown::Secret(ClientSecret::new(secret.expose_secret().to_owned()));
        let (client, _) = self.client_of(Some(tenant), app, shown);
        let adapter = Adapter::new(self, CLIENT_CREDENTIALS, true);
        let mut request = client
            .exchange_client_credentials()
            .add_scope(Scope::new(scope.to_owned()));
        if let Some(claims) = claims {
            request = request.add_extra_param("claims", claims.to_owned());
        }
        let tokens = request.request_async(&adapter).await;
        Ok(self
            .redeemed(tokens.map_err(|error| failed(&adapter, error))?, &adapter)?
            .access)
    }

    /// A client for Postern's own registration, and the assertion to add to its requests.
    fn own_client(&self, tenant: Option<TenantId>) -> Result<(EntraClient, Assertion)> {
        let shown = match &self.0.app.credential {
            Credential::Secret(secret) => {
                Shown::Secret(ClientSecret::new(secret.expose_secret().to_owned()))
            }
            Credential::Certificate(certificate) => {
                let audience = self.entra_url(tenant, TOKEN_PATH);
                let assertion = certificate
                    .assertion(self.client_id(), audience.as_str(), self.clock().now())
                    .ok_or_else(|| {
                        Error::unsent(
                            Service::Entra,
                            Kind::NotSent,
                            "the certificate's key could not sign",
                        )
                    })?;
                Shown::Assertion(assertion)
            }
        };
        Ok(self.client_of(tenant, self.client_id(), shown))
    }

    fn client_of(
        &self,
        tenant: Option<TenantId>,
        app: AppId,
        shown: Shown,
    ) -> (EntraClient, Assertion) {
        let client: Client<
            Refusal,
            Tokens,
            BasicTokenIntrospectionResponse,
            StandardRevocableToken,
            BasicRevocationErrorResponse,
        > = Client::new(ClientId::new(app.to_string()));
        let client = client
            .set_token_uri(TokenUrl::from_url(self.entra_url(tenant, TOKEN_PATH)))
            .set_auth_type(AuthType::RequestBody);
        match shown {
            Shown::Secret(secret) => (client.set_client_secret(secret), Vec::new()),
            Shown::Assertion(assertion) => (
                client,
                vec![
                    ("client_assertion_type", ASSERTION_TYPE.to_owned()),
                    ("client_assertion", assertion),
                ],
            ),
        }
    }

    fn redeemed(&self, tokens: Tokens, adapter: &Adapter<'_>) -> Result<Redeemed> {
        // Without a lifetime the time to renew is unknown. Entra always sends one.
        let lasts = tokens.expires_in().ok_or_else(|| {
            Error::new(Service::Entra, Kind::Malformed, adapter.trace())
                .with_message("the token has no expires_in")
        })?;
        let expires_at = self
            .clock()
            .now()
            .plus_seconds(i64::try_from(lasts.as_secs()).unwrap_or(i64::MAX));
        Ok(Redeemed {
            id_token: tokens.extra_fields().id_token.clone(),
            access: AccessToken {
                secret: tokens.access_token().secret().clone().into(),
                expires_at,
            },
            refresh: tokens
                .refresh_token()
                .map(|token| token.secret().clone().into()),
            scopes: tokens
                .scopes()
                .map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect())
                .unwrap_or_default(),
            expires_at,
        })
    }
}

type Assertion = Vec<(&'static str, String)>;

const TOKEN_PATH: &str = "oauth2/v2.0/token";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
