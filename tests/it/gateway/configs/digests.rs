//! Whether a dump has a digest of names that anybody could compute: then it would be as good as the names.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use blake2::{Blake2b512, Blake2s256};
use sha2::{Digest as _, Sha256, Sha512};
use sha3::Sha3_256;

/// What is put between two names that are digested together.
const SEPARATORS: [&str; 9] = ["", "\0", ":", "/", "|", ".", "-", " ", "\n"];
/// Of each form so many bytes are looked for: also what was cut short is found, and nothing by chance.
const RAW_BYTES: usize = 8;
const TEXT_BYTES: usize = 16;

/// The beginnings of all digests of some texts, alone and in pairs, in every usual form.
pub(super) struct Digests {
    raw: HashMap<[u8; RAW_BYTES], String>,
    text: HashMap<[u8; TEXT_BYTES], String>,
}

impl Digests {
    pub(super) fn of(texts: &[&str]) -> Self {
        let mut digests = Self { raw: HashMap::new(), text: HashMap::new() };
        for one in texts {
            digests.add(one);
            for other in texts {
                for between in SEPARATORS {
                    digests.add(&format!("{one}{between}{other}"));
                }
            }
        }
        digests
    }

    fn add(&mut self, text: &str) {
        let bytes = text.as_bytes();
        for digest in [
            Sha256::digest(bytes).to_vec(),
            Sha512::digest(bytes).to_vec(),
            Sha3_256::digest(bytes).to_vec(),
            Blake2b512::digest(bytes).to_vec(),
            Blake2s256::digest(bytes).to_vec(),
        ] {
            let encoded = [
                hex::encode(&digest),
                hex::encode_upper(&digest),
                STANDARD_NO_PAD.encode(&digest),
                URL_SAFE_NO_PAD.encode(&digest),
            ];
            for form in encoded {
                self.text.insert(*form.as_bytes().first_chunk().expect("it is longer"), text.to_owned());
            }
            self.raw.insert(*digest.first_chunk().expect("it is longer"), text.to_owned());
            // As keys of records have it, in which a zero is escaped.
            let escaped: Vec<u8> =
                digest.iter().flat_map(|byte| if *byte == 0 { vec![0, 0xff] } else { vec![*byte] }).collect();
            self.raw.insert(*escaped.first_chunk().expect("it is longer"), text.to_owned());
        }
    }

    /// A text of which a digest is there.
    pub(super) fn first_in(&self, content: &[u8]) -> Option<&str> {
        let raw = content.windows(RAW_BYTES).find_map(|window| self.raw.get(window));
        let text = || content.windows(TEXT_BYTES).find_map(|window| self.text.get(window));
        raw.or_else(text).map(String::as_str)
    }
}

#[test]
fn a_digest_is_found_in_every_form_and_nothing_where_there_is_none() {
    let digests = Digests::of(&["a name", "another"]);
    let sha256 = Sha256::digest(b"a name");
    let blake2 = Blake2b512::digest(b"another:a name");
    for (planted, text) in [
        (sha256.to_vec(), "a name"),
        (sha256[..16].to_vec(), "a name"),
        (hex::encode(sha256).into_bytes(), "a name"),
        (hex::encode_upper(&blake2[..16]).into_bytes(), "another:a name"),
        (STANDARD_NO_PAD.encode(blake2).into_bytes(), "another:a name"),
    ] {
        let content = [&b"before"[..], &planted, b"behind"].concat();
        assert_eq!(digests.first_in(&content), Some(text));
    }
    assert_eq!(digests.first_in(&Sha256::digest(b"a third").repeat(100)), None);
}
