//! Who asks, as the domain wants to know it.

use coffer_api::trace::TraceContext;
use coffer_auth::Principal;
use coffer_server::ClientAddress;

use crate::domain::events::Origin;
use crate::domain::filekeys::Caller;

/// The caller of this request.
pub(super) fn caller(principal: &Principal, address: ClientAddress) -> Caller {
    let request_id = TraceContext::current().map(|context| context.request_id.as_str().to_owned());
    Caller {
        user: principal.user_id,
        address: principal.address_hash,
        second_factor: principal.second_factor,
        origin: Origin { address: Some(address.0), request_id },
    }
}
