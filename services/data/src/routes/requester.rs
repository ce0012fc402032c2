//! Who is asking: a user with a session, or anybody where `files.shared_names` is set.

use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use coffer_auth::permission::UseFiles;
use coffer_server::{ClientAddress, Granted, HttpError, Surface};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;

use crate::domain::library::Caller;
use crate::domain::turns::Reader;

/// Whether files need a session. Part of the application's data, so that no handler can forget to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Openness {
    /// Every call needs a live session.
    Sessions,
    /// `files.shared_names`: none does.
    Anybody,
}

/// Whoever may call a handler of files.
pub(super) struct Requester<S: Surface> {
    pub(super) caller: Caller,
    /// Whose its large downloads are.
    pub(super) reader: Reader,
    surface: PhantomData<S>,
}

impl<S: Surface> Requester<S> {
    fn of(caller: Caller, client: ClientAddress) -> Self {
        let reader = match &caller {
            Caller::User(principal) => Reader::User(principal.user_id),
            Caller::Anybody => Reader::Address(client.limit_key()),
        };
        Self { caller, reader, surface: PhantomData }
    }
}

impl<S: Surface> FromRequest for Requester<S> {
    type Error = HttpError<S>;
    type Future = LocalBoxFuture<'static, Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let Ok(client) = ClientAddress::from_request(request, payload).into_inner();
        // Without the setting at hand, a session is asked for.
        if request.app_data::<web::Data<Openness>>().is_some_and(|openness| ***openness == Openness::Anybody)
        {
            return futures_util::future::ready(Ok(Self::of(Caller::Anybody, client))).boxed_local();
        }
        Granted::<UseFiles, S>::from_request(request, payload)
            .map(move |granted| granted.map(|principal| Self::of(Caller::User(*principal), client)))
            .boxed_local()
    }
}
