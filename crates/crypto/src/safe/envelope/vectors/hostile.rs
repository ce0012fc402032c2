//! Envelopes that are refused, each for its own reason.

mod forged;
mod spoiled;

use coffer_core::SeededRandom;

use super::*;
use crate::safe::envelope::keys::Keys;

#[derive(Serialize, Deserialize)]
struct Hostile {
    name: String,
    about: String,
    content_key: String,
    /// The variant of `Refusal`, with the number of the frame or page, or the value met.
    refusal: String,
    envelope: String,
}

/// A genuine envelope, taken apart.
struct Parts {
    content_key: String,
    keys: Keys,
    prefix: Vec<u8>,
    /// With its length before it.
    stanzas: Vec<u8>,
    /// Each with its header.
    frames: Vec<Vec<u8>>,
    index: Vec<u8>,
    /// With its length after it.
    last_part: Vec<u8>,
}

impl Parts {
    /// Three frames of 4,096 bytes at most, under two stanzas.
    fn genuine(seed: u64) -> Self {
        let random = SeededRandom::new(seed);
        let options = Options { compression: Compression::Lz4, frame_bytes: 4096 };
        let mut sealer = Sealer::new(&random, options).unwrap();
        let content = sealer.content_key();
        let content_key = hex::encode(content.expose());
        let stanzas = KEYS.iter().map(|key| stanza(key, content, &random)).collect();
        let keys = Keys::derive(content, sealer.prefix()).unwrap();
        let head = sealer.head_of(stanzas).unwrap();
        let mut body = Vec::new();
        sealer.push(&b"Three frames of one file. ".repeat(400), &mut body).unwrap();
        sealer.finish(Details::default(), &random, &mut body).unwrap();
        let frames = (0..3).map(|_| take_frame(&mut body)).collect();
        let index = body.drain(..8 + 3 * 4 + 16).collect();
        Self {
            content_key,
            keys,
            prefix: head.prefix.as_bytes().to_vec(),
            stanzas: head.stanzas.as_bytes().to_vec(),
            frames,
            index,
            last_part: body,
        }
    }

    fn join(&self) -> Vec<u8> {
        [&self.prefix, &self.stanzas, &self.frames.concat(), &self.index, &self.last_part]
            .map(Vec::as_slice)
            .concat()
    }

    fn hostile(&self, name: &str, refusal: Refusal, about: &str) -> Hostile {
        Hostile {
            name: name.to_owned(),
            about: about.to_owned(),
            content_key: self.content_key.clone(),
            refusal: format!("{refusal:?}"),
            envelope: STANDARD.encode(self.join()),
        }
    }
}

fn take_frame(body: &mut Vec<u8>) -> Vec<u8> {
    let header = u32::from_be_bytes(*body.first_chunk().unwrap());
    body.drain(..4 + (header & !LAST_FRAME) as usize).collect()
}

#[test]
fn the_hostile_vectors_are_what_this_code_makes() {
    let mut vectors = spoiled::vectors();
    vectors.extend(forged::vectors());
    check_file("hostile.json", &vectors);
}

#[test]
fn the_hostile_vectors_are_refused_for_their_reason() {
    let vectors: Vec<Hostile> =
        serde_json::from_str(&std::fs::read_to_string(path("hostile.json")).unwrap()).unwrap();
    assert!(vectors.len() >= 50);
    for vector in vectors {
        let envelope = STANDARD.decode(&vector.envelope).unwrap();
        let content = content_key(&vector.content_key);
        let refusal = open_stream(&envelope, &content).expect_err(&vector.name);
        assert_eq!(format!("{refusal:?}"), vector.refusal, "{}", vector.name);
        assert!(open_ranges(&envelope, &content).is_err(), "{} by ranges", vector.name);
    }
}

#[test]
fn the_genuine_envelope_below_the_hostile_ones_opens() {
    let parts = Parts::genuine(1);
    let (plaintext, _) = open_stream(&parts.join(), &content_key(&parts.content_key)).unwrap();
    assert_eq!(plaintext, b"Three frames of one file. ".repeat(400));
}
