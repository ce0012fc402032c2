//! The store as one caller sees it: what nearly every handler here works with.

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use coffer_core::{Clock, EmailAddress};
use coffer_server::{Failure, HttpError, Session};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;

use super::Owners;
use crate::domain::kv::{Caller, Key, Kv, Space};
use crate::domain::vault::{Locked, Vault};
use crate::routes::Kms;
use crate::routes::operations::Timed;

/// A caller with a live session, and what serves them.
#[derive(Debug)]
pub(in crate::routes) struct Desk {
    /// Who is asking.
    pub(super) caller: Caller,
    /// The KMS.
    pub(super) kms: Kms,
    vault: Data<Vault>,
    clock: Data<dyn Clock>,
    owners: Data<Owners>,
}

impl Desk {
    /// The store.
    pub(super) fn kv(&self) -> Result<&Kv, Locked> {
        self.vault.kv()
    }

    /// The space of `owner`, an id or an address; the caller's own without. It says nothing about whether the
    /// caller may use it, nor whether an address has an account.
    pub(super) async fn space(&self, owner: Option<&str>) -> Result<Space, Failure> {
        let Some(owner) = owner else { return Ok(self.caller.own_space()) };
        if let Ok(owner) = owner.parse() {
            return Ok(Space { owner });
        }
        let address: EmailAddress =
            owner.parse().map_err(|_| Failure::field("owner", "is neither an id nor an e-mail address"))?;
        let ask = self.kms.address_owner(&address);
        Ok(Space { owner: self.owners.find(self.caller.principal.user_id, &address, ask).await? })
    }

    /// Starts an operation on keys of `space`.
    pub(super) fn timed(&self, space: Space) -> Result<Timed<'_>, Locked> {
        Ok(Timed::start(self.vault.usage()?, &**self.clock, space))
    }
}

/// The key that a field holds.
pub(super) fn key_in(field: &'static str, text: &str) -> Result<Key, Failure> {
    text.parse().map_err(|error: crate::domain::kv::KeyError| Failure::field(field, error.to_string()))
}

impl FromRequest for Desk {
    type Error = HttpError;
    type Future = LocalBoxFuture<'static, Result<Self, HttpError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let session = Session::from_request(request, payload);
        let request = request.clone();
        async move {
            Ok(Self {
                caller: Caller::from(*session.await?),
                kms: data(&request)?,
                vault: data(&request)?,
                clock: data(&request)?,
                owners: data(&request)?,
            })
        }
        .boxed_local()
    }
}

fn data<T: ?Sized + 'static>(request: &HttpRequest) -> Result<Data<T>, Failure> {
    request.app_data::<Data<T>>().cloned().ok_or_else(|| Failure::internal("the application lacks its data"))
}
