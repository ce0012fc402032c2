//! A genuine envelope, changed: refused, or what was sealed.
//!
//! The input says how the plaintext is made, how long it is, and then which bytes are cut out, put in or changed where.
#![no_main]

use coffer_core::{FileId, Random as _, SeededRandom};
use coffer_crypto::envelope::{
    Compression, ContentKey, Details, Head, Opener, Options, Ranges, Sealer, Stanza, StanzaSection,
};
use libfuzzer_sys::fuzz_target;

const CHANGES_MAX: usize = 8;

fuzz_target!(|bytes: &[u8]| {
    let [options, long, short, change @ ..] = bytes else { return };
    let length = usize::from(*long) * 97 + usize::from(*short);
    let plaintext: Vec<u8> = (0..length).map(|place| (place / (1 + usize::from(*options))) as u8).collect();
    let compression = if options & 1 == 0 { Compression::None } else { Compression::Lz4 };
    let Envelope { genuine, content } = seal(&plaintext, Options { compression, frame_bytes: 4096 });
    let mut changed = genuine.clone();
    for step in change.chunks_exact(4).take(CHANGES_MAX) {
        let place = usize::from(u16::from_be_bytes([step[1], step[2]])) % (changed.len() + 1);
        match step[0] % 4 {
            0 => changed.truncate(place),
            1 => changed.insert(place, step[3]),
            2 => drop(changed.drain(place..(place + usize::from(step[3])).min(changed.len()))),
            _ => {
                if let Some(byte) = changed.get_mut(place) {
                    *byte ^= step[3];
                }
            }
        }
    }
    match open(&changed, &content) {
        Some(opened) => assert!(opened == plaintext && changed == genuine, "a changed envelope opens"),
        None => assert!(changed != genuine, "a genuine envelope does not open"),
    }
    open_ends(&changed, &content);
});

struct Envelope {
    genuine: Vec<u8>,
    content: ContentKey,
}

fn seal(plaintext: &[u8], options: Options) -> Envelope {
    // The content key is the first that the sealer draws, so the same seed gives it to us.
    let mut key = [0; 32];
    SeededRandom::new(7).fill(&mut key);
    let content = ContentKey::from_bytes(&key).expect("32 bytes");
    let random = SeededRandom::new(7);
    let mut sealer = Sealer::new(&random, options).expect("the options are good");
    let stanza = Stanza { file_key: FileId::from_bytes([1; 16]), version: 1, wrapped: vec![5; 256] };
    let section = StanzaSection::seal(&content, sealer.prefix(), vec![stanza]).expect("one stanza");
    let mut genuine = Head { prefix: sealer.prefix().clone(), stanzas: section }.to_bytes();
    sealer.push(plaintext, &mut genuine).expect("a short plaintext");
    sealer.finish(Details::default(), &random, &mut genuine).expect("no details");
    Envelope { genuine, content }
}

fn head(envelope: &[u8]) -> Option<(Head, &[u8])> {
    let length = Head::length(envelope.first_chunk()?).ok()?;
    let (head, body) = envelope.split_at_checked(length)?;
    Some((Head::parse(head).ok()?, body))
}

fn open(envelope: &[u8], content: &ContentKey) -> Option<Vec<u8>> {
    let (head, body) = head(envelope)?;
    let (mut opener, mut plaintext) = (Opener::new(&head, content).ok()?, Vec::new());
    opener.push(body, &mut plaintext).ok()?;
    opener.finish().ok()?;
    Some(plaintext)
}

/// As a reader of ranges begins: with the end.
fn open_ends(envelope: &[u8], content: &ContentKey) {
    let Some((head, _)) = head(envelope) else { return };
    let end = &envelope[envelope.len().saturating_sub(Ranges::END_BYTES)..];
    let _ = Ranges::new(&head, content, envelope.len() as u64, end);
}
