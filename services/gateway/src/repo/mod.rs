//! What the domain keeps, as keys and sealed bytes.
