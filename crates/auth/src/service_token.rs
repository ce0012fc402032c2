//! Tokens by which one service proves itself to another: JWT, HS256, at most a minute old.
//!
//! Each service shares one secret with the KMS and nobody else. A token names its issuer and its
//! audience, so it is of no use anywhere but where it was meant for, and one minute later of no use at
//! all. The algorithm is pinned: a token that names another, or none, is refused before its signature is
//! looked at. The library compares signatures in constant time.
//!
//! Not here: replay protection within the minute. The tokens travel between services on the internal
//! listener; who can read them there can read the answers as well. `jti` is for logs.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use coffer_core::{Clock, ExposeSecret, Random, SecretString, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

/// Fewest bytes in a service secret.
pub const SECRET_BYTES_MIN: usize = 32;
/// Longest life of a token.
pub const TOKEN_TTL_S: u64 = 60;
/// How far two services' clocks may differ.
pub const CLOCK_SKEW_S: u64 = 5;
const TOKEN_BYTES_MAX: usize = 1024;

/// The services that speak to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceName {
    /// The key management service.
    Kms,
    /// The data service.
    Data,
    /// The gateway.
    Gateway,
}

impl ServiceName {
    /// The name as it stands in tokens, settings and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kms => "kms",
            Self::Data => "data",
            Self::Gateway => "gateway",
        }
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ServiceName {
    type Err = ServiceTokenError;
    fn from_str(text: &str) -> Result<Self, ServiceTokenError> {
        [Self::Kms, Self::Data, Self::Gateway]
            .into_iter()
            .find(|name| name.as_str() == text)
            .ok_or(ServiceTokenError::UnknownService)
    }
}

/// Why a secret or a token is not accepted. Says nothing that helps to make a better one.
#[derive(Debug, thiserror::Error)]
pub enum ServiceTokenError {
    /// The secret is too short to be one.
    #[error("a service secret has at least {SECRET_BYTES_MIN} bytes")]
    ShortSecret,
    /// No service has this name.
    #[error("there is no service of this name")]
    UnknownService,
    /// The token could not be signed.
    #[error("signing a service token")]
    Sign(#[source] jsonwebtoken::errors::Error),
    /// The signature, the form or a name in the token is not as it must be.
    #[error("the service token is not valid")]
    Invalid(#[source] jsonwebtoken::errors::Error),
    /// Longer than any token of ours.
    #[error("the service token is too long")]
    TooLong,
    /// Expired, from the future, or made to live too long.
    #[error("the service token is outside its time")]
    Time,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: ServiceName,
    aud: ServiceName,
    iat: u64,
    exp: u64,
    jti: String,
}

/// The secret that one service shares with the KMS.
pub struct ServiceSecret {
    text: SecretString,
    signing: EncodingKey,
    checking: DecodingKey,
}

impl fmt::Debug for ServiceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceSecret(redacted)")
    }
}

/// A token that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceIdentity {
    /// Who made it.
    pub service: ServiceName,
    /// The token's id, for logs.
    pub token_id: String,
}

/// A token to send, and when to make another.
#[derive(Debug)]
pub struct ServiceToken {
    /// The token; goes behind `Bearer` in `Authorization`.
    pub token: SecretString,
    /// When half of its life is over.
    pub renew_at: Timestamp,
}

fn seconds(moment: Timestamp) -> u64 {
    u64::try_from(moment.as_ms() / 1000).unwrap_or(0)
}

impl ServiceSecret {
    /// Takes a secret over; it must have [`SECRET_BYTES_MIN`] bytes.
    pub fn new(text: SecretString) -> Result<Self, ServiceTokenError> {
        let bytes = text.expose_secret().as_bytes();
        if bytes.len() < SECRET_BYTES_MIN {
            return Err(ServiceTokenError::ShortSecret);
        }
        let signing = EncodingKey::from_secret(bytes);
        let checking = DecodingKey::from_secret(bytes);
        Ok(Self { text, signing, checking })
    }

    /// The secret's bytes, to derive other keys from; never to send.
    pub fn expose(&self) -> &[u8] {
        self.text.expose_secret().as_bytes()
    }

    /// A new token from `issuer` for `audience`.
    pub fn make_token(
        &self,
        issuer: ServiceName,
        audience: ServiceName,
        (clock, random): (&dyn Clock, &dyn Random),
    ) -> Result<ServiceToken, ServiceTokenError> {
        let now = clock.now();
        let mut id = [0; 16];
        random.fill(&mut id);
        let claims = Claims {
            iss: issuer,
            aud: audience,
            iat: seconds(now),
            exp: seconds(now) + TOKEN_TTL_S,
            jti: format!("{:032x}", u128::from_be_bytes(id)),
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
            .map_err(ServiceTokenError::Sign)?;
        let renew_at = now.plus(Duration::from_secs(TOKEN_TTL_S / 2));
        Ok(ServiceToken { token: SecretString::from(token), renew_at })
    }

    /// Accepts `token` if `issuer` made it with this secret for `audience`, and its time is now.
    pub fn verify(
        &self,
        token: &str,
        (issuer, audience): (ServiceName, ServiceName),
        now: Timestamp,
    ) -> Result<ServiceIdentity, ServiceTokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(ServiceTokenError::TooLong);
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[issuer.as_str()]);
        validation.set_audience(&[audience.as_str()]);
        // Time is judged below by our own clock; the library would ask the machine's.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.checking, &validation)
            .map_err(ServiceTokenError::Invalid)?
            .claims;
        let now = seconds(now);
        let alive =
            claims.exp.saturating_add(CLOCK_SKEW_S) > now && claims.iat <= now.saturating_add(CLOCK_SKEW_S);
        let short = claims.exp >= claims.iat && claims.exp - claims.iat <= TOKEN_TTL_S;
        if !(alive && short) {
            return Err(ServiceTokenError::Time);
        }
        Ok(ServiceIdentity { service: claims.iss, token_id: claims.jti })
    }
}

/// The tokens by which one service proves itself to another; each is used until half of its life is over.
#[derive(Debug)]
pub struct ServiceTokens {
    secret: Arc<ServiceSecret>,
    path: (ServiceName, ServiceName),
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    current: Mutex<Option<Current>>,
}

#[derive(Debug)]
struct Current {
    token: Arc<SecretString>,
    made_at: Timestamp,
    renew_at: Timestamp,
}

impl ServiceTokens {
    /// Tokens from a service for another one, by their names.
    pub fn new(
        secret: Arc<ServiceSecret>,
        (issuer, audience): (ServiceName, ServiceName),
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self { secret, path: (issuer, audience), clock, random, current: Mutex::new(None) }
    }

    /// A token that is good for half a minute at least.
    pub fn current(&self) -> Result<Arc<SecretString>, ServiceTokenError> {
        let now = self.clock.now();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = &*current
            // A clock that was set back must not keep a token alive.
            && (kept.made_at..kept.renew_at).contains(&now)
        {
            return Ok(Arc::clone(&kept.token));
        }
        let made = self.secret.make_token(self.path.0, self.path.1, (&*self.clock, &*self.random))?;
        let token = Arc::new(made.token);
        *current = Some(Current { token: Arc::clone(&token), made_at: now, renew_at: made.renew_at });
        Ok(token)
    }
}

/// The issuer that `token` claims to have, to choose the secret it must then be verified with. Proves
/// nothing by itself.
pub fn claimed_issuer(token: &str) -> Option<ServiceName> {
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    jsonwebtoken::dangerous::insecure_decode_claims::<Claims>(token).ok().map(|claims| claims.iss)
}

#[cfg(test)]
mod tests;
