//! A body that is taken as it is.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;

use crate::body::{self, BodyLimits};
use crate::failure::HttpError;
use crate::in_flight::Reservation;
use crate::scaffold::Scaffold;
use crate::surface::Native;

/// A body of any type. It keeps its share of the bytes in flight until it is dropped.
#[derive(Debug)]
pub struct BytesBody {
    bytes: Bytes,
    reservation: Reservation,
}

impl BytesBody {
    /// Reads a body of at most so many bytes, where a route takes more or less than the service in general.
    pub async fn of(
        request: &HttpRequest,
        payload: &mut Payload,
        bytes_max: usize,
    ) -> Result<Self, HttpError<Native>> {
        let scaffold = Scaffold::of(request)?;
        let limits = BodyLimits { bytes_max, ..scaffold.body };
        let (bytes, reservation) = body::read(request, payload, &limits, &scaffold.bytes_in_flight).await?;
        Ok(Self { bytes, reservation })
    }

    /// The bytes and their share of the bytes in flight, to be kept as long as the bytes are.
    pub fn into_parts(self) -> (Bytes, Reservation) {
        (self.bytes, self.reservation)
    }
}

impl FromRequest for BytesBody {
    type Error = HttpError<Native>;
    type Future = LocalBoxFuture<'static, Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        async move {
            let scaffold = Scaffold::of(&request)?;
            let (bytes, reservation) =
                body::read(&request, &mut payload, &scaffold.body, &scaffold.bytes_in_flight).await?;
            Ok(Self { bytes, reservation })
        }
        .boxed_local()
    }
}
