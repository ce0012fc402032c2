//! Mail: a persistent queue that several processes share, and the ways a letter leaves.
//!
//! Nothing waits for a mail server. A letter is put on hold before the code that it carries is in the
//! store, and leaves only while that code is outstanding: so it never carries a code that opens nothing,
//! neither after a crash in between nor after the code was used. A letter that cannot be delivered is
//! tried again, later and later, until its code has expired.
//!
//! What is in a letter is never logged, nor whom it is for.

mod letter;
mod mailbox;
mod outbox;
mod postman;
mod refusal;
mod smtp;
#[cfg(test)]
mod tests;

pub use letter::{CodeMail, Letter};
pub use mailbox::{DevMailbox, Received};
pub use outbox::Outbox;
pub use postman::{Postman, Transport, TransportError};
pub use smtp::{SmtpError, SmtpTransport};
