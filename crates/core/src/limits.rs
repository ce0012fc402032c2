//! Limits that several parts of Coffer must agree on; each with its unit in the name.

/// An e-mail address (RFC 5321, section 4.5.3.1.3, less the angle brackets).
pub const EMAIL_BYTES_MAX: usize = 254;
/// A user name, in characters.
pub const USER_NAME_CHARS_MAX: usize = 64;
/// A file name, in bytes of UTF-8.
pub const FILE_NAME_BYTES_MAX: usize = 1024;
/// Longest key of the key-value store.
pub const KEY_BYTES_MAX: usize = 1024;
/// A password: bcrypt reads no more than this, so more is refused rather than cut.
pub const PASSWORD_BYTES_MAX: usize = 72;
/// A new password on the native surface, in characters.
pub const PASSWORD_CHARS_MIN: usize = 10;
/// Ciphertext up to this size stays in its record; larger becomes a blob.
pub const INLINE_BYTES_MAX: usize = 64 * 1024;
/// One part of a blob.
pub const BLOB_PART_BYTES: usize = 1024 * 1024;
/// One page of a listing, in items, when the caller names no size.
pub const PAGE_ITEMS_DEFAULT: usize = 100;
/// One page of a listing, in items, at most.
pub const PAGE_ITEMS_MAX: usize = 1000;
