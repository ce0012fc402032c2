//! `/internal/v1/feed`: what services must forget.

use actix_web::web::{Data, Json};
use coffer_api::internal::{FeedAnswer, FeedRequest};
use coffer_server::{Failure, HttpError, ServiceCaller, ValidJson};

use crate::domain::feed::Feed;

/// What was revoked after a position.
pub(super) async fn since(
    _: ServiceCaller,
    asked: ValidJson<FeedRequest>,
    feed: Data<Feed>,
) -> Result<Json<FeedAnswer>, HttpError> {
    // Whatever is wrong, a service that cannot follow the feed fails closed; it only has to know that.
    Ok(Json(feed.since(asked.after).await.map_err(Failure::unavailable)?))
}
