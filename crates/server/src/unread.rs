//! What happens to a body that nobody read to its end.
//!
//! After an early answer (413, 408, 401 …) the HTTP layer closes the connection, with a short time for the
//! client to notice. Except that it goes on reading a *chunked* body whose reader is gone, in the hope of
//! keeping the connection, and sets no limit to that in bytes or time: whoever sends such a body slowly
//! holds a connection for ever. Here the reader of a chunked body is kept until the answer is sent, so that
//! those connections are closed like the others.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpMessage as _;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::header;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};

/// The body of a chunked request, which its reader shares with the answer: the answer's body keeps it until it is sent.
pub(crate) struct Shared(Rc<RefCell<Payload>>);

impl Stream for Shared {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.borrow_mut().poll_next_unpin(cx)
    }
}

/// Shares the body of `request`, if it is chunked.
pub(crate) fn share(request: &mut ServiceRequest) -> Option<Shared> {
    request.headers().get(header::TRANSFER_ENCODING)?;
    let payload = Rc::new(RefCell::new(request.take_payload()));
    request.set_payload(Payload::Stream { payload: Box::pin(Shared(Rc::clone(&payload))) });
    Some(Shared(payload))
}
