//! What handlers work with.

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use coffer_server::ServiceKeys;

use crate::domain::events::Events;
use crate::domain::feed::Feed;
use crate::domain::filekeys::FileKeys;
use crate::domain::identity::Identity;
use crate::domain::keyrings::Keyrings;
use crate::domain::mail::DevMailbox;

/// The domain, shared by all workers. Each part is an extractor of its own: `Data<Identity>`.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) identity: Arc<Identity>,
    pub(crate) file_keys: Arc<FileKeys>,
    pub(crate) events: Arc<Events>,
    pub(crate) feed: Arc<Feed>,
    pub(crate) keyrings: Arc<Keyrings>,
    pub(crate) service_keys: ServiceKeys,
    pub(crate) mailbox: Option<Arc<DevMailbox>>,
}

impl Parts {
    /// Makes the parts extractable.
    pub(super) fn configure(&self, app: &mut ServiceConfig) {
        app.app_data(Data::from(Arc::clone(&self.identity)))
            .app_data(Data::from(Arc::clone(&self.file_keys)))
            .app_data(Data::from(Arc::clone(&self.events)))
            .app_data(Data::from(Arc::clone(&self.feed)))
            .app_data(Data::from(Arc::clone(&self.keyrings)))
            .app_data(Data::new(self.service_keys.clone()));
        if let Some(mailbox) = &self.mailbox {
            app.app_data(Data::from(Arc::clone(mailbox)));
        }
    }
}
