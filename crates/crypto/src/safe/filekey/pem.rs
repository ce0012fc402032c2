//! The PEM and DER around keys (RFC 7468, RFC 5958, RFC 8017 appendix A). Its base64 runs in constant time.

use pkcs8::der::asn1::{AnyRef, OctetStringRef};
use pkcs8::der::pem::LineEnding;
use pkcs8::der::{Decode, Tag};
use pkcs8::spki::AlgorithmIdentifierRef;
use pkcs8::{Document, ObjectIdentifier, PrivateKeyInfoRef, SecretDocument};
use zeroize::Zeroizing;

use super::KeyFormatError;

/// A PEM text, at most: an RSA-4096 private key takes 3.3 KiB.
const PEM_BYTES_MAX: usize = 16 * 1024;
const SPKI: &str = "PUBLIC KEY";
const PKCS1: &str = "RSA PRIVATE KEY";
const PKCS8: &str = "PRIVATE KEY";
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// The PKCS#1 key (PEM, `BEGIN RSA PRIVATE KEY`) in a PKCS#8 DER document. It looks only at the wrapping, so
/// it is cheap; use it on documents that were written here.
pub fn pkcs8_der_to_pkcs1_pem(der: &[u8]) -> Result<Zeroizing<String>, KeyFormatError> {
    let info = PrivateKeyInfoRef::from_der(der).map_err(|_| KeyFormatError::Key)?;
    if info.algorithm.oid != RSA_ENCRYPTION {
        return Err(KeyFormatError::Key);
    }
    let pkcs1 = SecretDocument::try_from(info.private_key.as_bytes()).map_err(|_| KeyFormatError::Key)?;
    pkcs1.to_pem(PKCS1, LineEnding::LF).map_err(|_| KeyFormatError::Key)
}

pub(super) fn private_pem_to_pkcs8(text: &str) -> Result<SecretDocument, KeyFormatError> {
    let (label, document) = SecretDocument::from_pem(bounded(text)?).map_err(|_| KeyFormatError::Pem)?;
    match label {
        PKCS8 => Ok(document),
        PKCS1 => {
            let null = AnyRef::new(Tag::Null, &[]).expect("NULL is empty");
            let algorithm = AlgorithmIdentifierRef { oid: RSA_ENCRYPTION, parameters: Some(null) };
            let key = OctetStringRef::new(document.as_bytes()).map_err(|_| KeyFormatError::Key)?;
            let info = PrivateKeyInfoRef::new(algorithm, key);
            SecretDocument::encode_msg(&info).map_err(|_| KeyFormatError::Key)
        }
        _ => Err(KeyFormatError::Pem),
    }
}

pub(super) fn public_pem_to_spki(text: &str) -> Result<Document, KeyFormatError> {
    match Document::from_pem(bounded(text)?) {
        Ok((SPKI, document)) => Ok(document),
        _ => Err(KeyFormatError::Pem),
    }
}

pub(super) fn spki_to_pem(der: &[u8]) -> String {
    let document = Document::try_from(der).expect("the engine writes DER");
    document.to_pem(SPKI, LineEnding::LF).expect("the label is fit for PEM")
}

fn bounded(text: &str) -> Result<&str, KeyFormatError> {
    Some(text.trim()).filter(|text| text.len() <= PEM_BYTES_MAX).ok_or(KeyFormatError::Pem)
}
