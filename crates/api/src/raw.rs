//! JSON values that travel as they are, in a field that may be missing.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A field that is there is a value, `null` as well as any other.
pub(crate) fn also_null<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}
