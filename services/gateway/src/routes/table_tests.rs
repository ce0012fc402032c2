//! The route table has everything that the services behind the gateway serve natively.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{App, test};
use coffer_auth::service_token::{ServiceName, ServiceSecret};
use coffer_client::Forwarder;
use coffer_core::{Clock, Random, SystemClock, SystemRandom};
use coffer_kms_link::{Kms, Link, RemoteKms};
use serde_json::Value;

use super::{Parts, SeatLimits, Upstreams, Watchers, public};
use crate::domain::kms::UserKms;
use crate::domain::usage::Calendar;
use crate::domain::vault::Vault;

const SEATS: SeatLimits = SeatLimits {
    per_user: NonZeroUsize::MIN,
    configs_per_address: NonZeroUsize::MIN,
    configs: NonZeroUsize::MIN,
};

/// What handlers work with, on services that are not there.
fn parts() -> Parts {
    let nowhere = "http://127.0.0.1:9";
    let secret = ServiceSecret::new("a secret of at least thirty-two bytes".into()).unwrap();
    let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let proof = (ServiceName::Gateway, Arc::new(secret));
    let kms: Arc<dyn UserKms> =
        Arc::new(RemoteKms::new(nowhere, proof, (Arc::clone(&clock), random)).unwrap());
    let link = Link::new(Arc::clone(&kms) as Arc<dyn Kms>, Arc::clone(&clock));
    let forwarder = || Forwarder::new(nowhere, None).unwrap();
    Parts {
        kms: Data::from(kms),
        link: Data::new(link),
        clock: Data::from(clock),
        vault: Data::new(Vault::default()),
        upstreams: Data::new(Upstreams { kms: forwarder(), data: forwarder() }),
        owners: Data::default(),
        watchers: Data::new(Watchers::new(SEATS)),
        door: Data::default(),
        calendar: Data::new(Calendar::of("UTC").unwrap()),
    }
}

/// Every native call in the document of a service.
fn calls(service: &str) -> Vec<(Method, String)> {
    let path = format!("../../proto-docs/openapi/{service}.json");
    let text = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let document: Value = serde_json::from_slice(&text).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let native = paths.filter(|(path, _)| path.starts_with("/api/v1/"));
    let calls = native.flat_map(|(path, item)| {
        item.as_object().unwrap().keys().filter_map(|method| {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).ok()?;
            Some((method, path.replace("{id}", "00000000-0000-0000-0000-000000000000")))
        })
    });
    calls.collect()
}

#[actix_web::test]
async fn every_native_call_of_the_services_behind_has_a_way_through() {
    let parts = parts();
    let app = test::init_service(App::new().configure(|app| public(app, &parts))).await;
    let calls: Vec<_> = ["kms", "data"].into_iter().flat_map(calls).collect();
    assert!(calls.len() > 20, "the documents were read");
    for (method, path) in calls {
        let request = test::TestRequest::default().method(method.clone()).uri(&path).to_request();
        let status = test::call_service(&app, request).await.status();
        let is_lost = matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
        assert!(!is_lost, "{method} {path}: {status}");
    }
    let request = test::TestRequest::get().uri("/api/v1/nothing").to_request();
    assert_eq!(test::call_service(&app, request).await.status(), StatusCode::NOT_FOUND);
}
