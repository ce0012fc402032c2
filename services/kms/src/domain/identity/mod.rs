//! Users: how one becomes one, logs in, stays logged in and is shut out.
