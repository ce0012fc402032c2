//! Who asks, as the domain wants to know it.

use coffer_auth::Principal;

use crate::domain::filekeys::Caller;
use crate::routes::visitor::Visitor;

/// The caller of this request.
pub(super) fn caller(principal: &Principal, Visitor(origin): Visitor) -> Caller {
    Caller {
        user: principal.user_id,
        address: principal.address_hash,
        second_factor: principal.second_factor,
        origin,
    }
}
