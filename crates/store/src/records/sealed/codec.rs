//! Typed values as bytes: `MessagePack` with field names, so that a record written before a field existed is
//! still read (`#[serde(default)]`). No plaintext is left behind in memory.

use std::io;

use coffer_core::SecretBytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroize as _;

use super::super::StoreError;

pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<SecretBytes, StoreError> {
    let mut writer = WipingWriter(Vec::with_capacity(256));
    match rmp_serde::encode::write_named(&mut writer, value) {
        Ok(()) => Ok(SecretBytes::new(std::mem::take(&mut writer.0))),
        Err(source) => Err(StoreError::Unserializable { source: Box::new(source) }),
    }
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    // The message of a decoding error can quote what it read, so only its kind is told.
    rmp_serde::from_slice(bytes).map_err(|err| {
        use rmp_serde::decode::Error;
        let kind = match err {
            Error::Syntax(_) | Error::Uncategorized(_) => "fields other than expected",
            Error::TypeMismatch(_) => "a type other than expected",
            Error::LengthMismatch(_) => "a length other than expected",
            _ => "no complete value",
        };
        StoreError::Corrupt { what: format!("a {} has {kind}", std::any::type_name::<T>()) }
    })
}

/// A growing buffer that wipes each allocation which it outgrows.
struct WipingWriter(Vec<u8>);

impl io::Write for WipingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.capacity() - self.0.len() < bytes.len() {
            let mut larger = Vec::with_capacity((self.0.capacity() * 2).max(self.0.len() + bytes.len()));
            larger.extend_from_slice(&self.0);
            self.0.zeroize();
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for WipingWriter {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Old {
        name: String,
        blob: Vec<u8>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct New {
        name: String,
        #[serde(default)]
        added: u32,
    }

    #[test]
    fn a_record_written_before_a_field_existed_is_still_read() {
        let old = Old { name: "a".repeat(1000), blob: vec![7; 5000] };
        let bytes = encode(&old).unwrap();
        assert_eq!(decode::<Old>(bytes.expose()).unwrap(), old);
        assert_eq!(decode::<New>(bytes.expose()).unwrap(), New { name: old.name, added: 0 });
    }

    #[test]
    fn a_value_that_does_not_decode_is_not_quoted() {
        let bytes = encode("hunter2").unwrap();
        let err = decode::<u32>(bytes.expose()).unwrap_err();
        assert!(!format!("{err} {err:?}").contains("hunter2"), "{err:?}");
        assert!(decode::<Old>(&bytes.expose()[..3]).is_err());
    }
}
