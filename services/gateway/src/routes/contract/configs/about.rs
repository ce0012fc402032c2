//! What programs are told of this service, and of the cluster that it is not.

use actix_web::web::Json;
use coffer_api::contract::configs::{About, ClusterHealth, ClusterStatus};
use serde_json::json;

/// What this service is.
pub(in crate::routes) fn about() -> About {
    About {
        service: "OpenSecureConf API",
        version: env!("CARGO_PKG_VERSION"),
        features: &["encrypted configurations", "environments", "categories", "history", "rekey"],
        endpoints: json!({
            "create": "POST /configs",
            "read": "GET /configs/{key}",
            "update": "PUT /configs/{key}",
            "delete": "DELETE /configs/{key}",
            "list": "GET /configs",
            "rekey": "POST /configs/rekey",
            "cluster_status": "GET /cluster/status",
            "cluster_health": "GET /cluster/health",
            "native": "/api/v1/configs: versions, diff, references, schemas, promotion, import and export, changes as they happen",
            "documentation": "GET /docs",
        }),
    }
}

/// Whether there is a cluster.
#[utoipa::path(get, path = "/cluster/status", tag = "configurations", responses((status = 200, body = ClusterStatus)))]
pub(in crate::routes) async fn cluster_status() -> Json<ClusterStatus> {
    Json(ClusterStatus { enabled: false, mode: "standalone", total_nodes: 1, healthy_nodes: 1 })
}

/// Whether this node is well.
#[utoipa::path(get, path = "/cluster/health", tag = "configurations", responses((status = 200, body = ClusterHealth)))]
pub(in crate::routes) async fn cluster_health() -> Json<ClusterHealth> {
    Json(ClusterHealth { status: "healthy" })
}
