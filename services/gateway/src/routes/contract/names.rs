//! The body of `/keys`, written name by name straight into what goes over the wire.
//!
//! A list of usual length is one body of known length; a very long one is sent as it is read, so that its length costs
//! no memory. Should the storage fail in its middle, the connection is cut: nobody can take the half for the whole.

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use futures_util::stream;

use crate::domain::kv::{KvError, Names};

const START: &[u8] = br#"{"keys":["#;
/// A list up to this size is one body.
const WHOLE_BYTES_MAX: usize = 256 * 1024;
const JSON: &str = "application/json";

/// A list under way: what is still to be read, what is still to be sent, and how many names were written.
struct List {
    names: Names,
    body: Vec<u8>,
    count: usize,
}

/// Answers with every one of these names.
pub(super) async fn answer(names: Names) -> Result<HttpResponse, KvError> {
    let mut list = List { names, body: START.to_vec(), count: 0 };
    while list.body.len() < WHOLE_BYTES_MAX {
        if !list.read().await? {
            return Ok(HttpResponse::Ok().content_type(JSON).body(list.body));
        }
    }
    let rest = stream::try_unfold(Some(list), async |list| match list {
        Some(list) => list.more().await.map(Some),
        None => Ok::<_, KvError>(None),
    });
    Ok(HttpResponse::Ok().content_type(JSON).streaming(rest))
}

impl List {
    /// Writes the next names, each with a comma after it, or the end. Answers whether there may be more.
    async fn read(&mut self) -> Result<bool, KvError> {
        let Some(names) = self.names.next().await? else {
            if self.count > 0 {
                self.body.pop();
            }
            self.body.extend_from_slice(format!("],\"count\":{}}}", self.count).as_bytes());
            return Ok(false);
        };
        self.count += names.len();
        for name in names {
            // Writing text to memory cannot fail.
            let _ = serde_json::to_writer(&mut self.body, &name);
            self.body.push(b',');
        }
        Ok(true)
    }

    /// What can be sent now, and what is left. The last comma is kept back, because it depends on what follows; and
    /// nothing empty is sent, because that would end the body.
    async fn more(mut self) -> Result<(Bytes, Option<Self>), KvError> {
        loop {
            if !self.read().await? {
                return Ok((self.body.into(), None));
            }
            if self.body.len() > 1 {
                let kept = self.body.split_off(self.body.len() - 1);
                let body = std::mem::replace(&mut self.body, kept);
                return Ok((body.into(), Some(self)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::{BodySize, MessageBody as _, to_bytes};
    use serde_json::json;

    use super::*;
    use crate::domain::kv::tests::bed::{Bed, ann};

    /// The answer's length, if it tells it, and its JSON.
    async fn listed(bed: &Bed) -> (BodySize, serde_json::Value) {
        let body = answer(bed.kv.all_names(&ann())).await.unwrap().into_body();
        let size = body.size();
        (size, serde_json::from_slice(&to_bytes(body).await.unwrap()).unwrap())
    }

    #[actix_web::test]
    async fn short_lists_are_one_body_also_without_any_key() {
        let bed = Bed::memory();
        let (size, list) = listed(&bed).await;
        assert!(matches!(size, BodySize::Sized(_)), "{size:?}");
        assert_eq!(list, json!({"keys": [], "count": 0}));
        bed.put("a \"quoted\" name", "1").await;
        bed.put("b", "1").await;
        assert_eq!(listed(&bed).await.1, json!({"keys": ["a \"quoted\" name", "b"], "count": 2}));
    }

    #[actix_web::test]
    async fn long_lists_are_sent_as_they_are_read_and_are_whole() {
        let bed = Bed::memory();
        let names: Vec<_> = (0..6_300).map(|i| format!("{i:0100}")).collect();
        bed.put_all(&names, None).await;
        let (size, list) = listed(&bed).await;
        assert!(matches!(size, BodySize::Stream), "{size:?}");
        assert_eq!(list, json!({"keys": names, "count": 6_300}));
    }
}
