//! The record tables of the KMS. What stands in one partition commits together.

use coffer_store::records::Table;

/// What belongs to an e-mail address; partition: the blinded address.
pub const ADDRESS: Table = Table::new("address");
/// Whose a user name is; partition: the blinded, folded name.
pub const USER_NAME: Table = Table::new("username");
/// A user with what must change together with him; partition: the user's id.
pub const USER: Table = Table::new("user");
/// A session; partition: the hash of its token.
pub const SESSION: Table = Table::new("session");
/// Which number is whose, and the counter that numbers come from; one partition.
pub const USER_NUMBER: Table = Table::new("user_number");
/// How often something was tried lately; partition: what is limited.
pub const LIMIT: Table = Table::new("limit");
/// Mail that waits to be sent; one partition.
pub const MAIL: Table = Table::new("mail");
/// The root key's verifier and the wrapped keyrings, not sealed; one partition.
pub const KEYRING: Table = Table::new("keyring");
/// Security events; partition: a day and a shard.
pub const EVENT: Table = Table::new("event");
/// The revocation feed; one partition.
pub const FEED: Table = Table::new("feed");
/// Key pairs made ahead; partition: the size of the keys.
pub const POOL: Table = Table::new("pool");
/// File keys and grants; partition: a name space, which is the owner's id or the nil id.
pub const FILES: Table = Table::new("files");
/// Who shares what with somebody; partition: the blinded address.
pub const GRANTEE: Table = Table::new("grantee");
/// File keys whose files are being wrapped for their current versions; one partition.
pub const ROTATION: Table = Table::new("rotation");
