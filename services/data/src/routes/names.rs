//! The body of `/list_files`, written name by name straight into what goes over the wire.
//!
//! A listing of usual length is one body of known length; a very long one is sent as it is read, so that
//! its length costs no memory.

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use futures_util::stream;

use crate::domain::library::LibraryError;
use crate::domain::listing::{Listing, Piece};

const START: &[u8] = br#"{"code":200,"files":["#;
const END: &[u8] = br#"],"message":"list_files_success"}"#;
/// A listing up to this size is one body.
const WHOLE_BYTES_MAX: usize = 1024 * 1024;
const JSON: &str = "application/json";

/// Answers with every name of `listing`.
pub(super) async fn answer(mut listing: Listing) -> Result<HttpResponse, LibraryError> {
    let mut body = START.to_vec();
    while body.len() < WHOLE_BYTES_MAX {
        let Some(piece) = listing.next().await? else {
            end(&mut body);
            return Ok(HttpResponse::Ok().content_type(JSON).body(body));
        };
        write(&piece, &mut body);
    }
    let rest = stream::try_unfold(Some((listing, body)), async |state| match state {
        Some((listing, body)) => more(listing, body).await.map(Some),
        None => Ok(None),
    });
    Ok(HttpResponse::Ok().content_type(JSON).streaming(rest))
}

type More = (Bytes, Option<(Listing, Vec<u8>)>);

/// What can be sent of `body` now, and what is left. The last comma is kept back, because it depends on
/// what follows; and nothing empty is sent, because that would end the body.
async fn more(mut listing: Listing, mut body: Vec<u8>) -> Result<More, LibraryError> {
    loop {
        let Some(piece) = listing.next().await? else {
            end(&mut body);
            return Ok((body.into(), None));
        };
        write(&piece, &mut body);
        if body.len() > 1 {
            let kept = body.split_off(body.len() - 1);
            return Ok((body.into(), Some((listing, kept))));
        }
    }
}

/// Appends the names, each with a comma after it.
fn write(piece: &Piece, body: &mut Vec<u8>) {
    piece.for_each_name(|name| {
        // Writing text to memory cannot fail.
        let _ = serde_json::to_writer(&mut *body, name);
        body.push(b',');
    });
}

/// Turns the comma after the last name into the end.
fn end(body: &mut Vec<u8>) {
    if body.last() == Some(&b',') {
        body.pop();
    }
    body.extend_from_slice(END);
}
