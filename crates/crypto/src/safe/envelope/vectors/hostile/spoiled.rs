//! What somebody without the content key can do to an envelope.

use super::*;

/// A genuine envelope after `change`, and what it is refused for.
fn spoiled(name: &str, refusal: Refusal, about: &str, change: impl FnOnce(&mut Parts)) -> Hostile {
    let mut parts = Parts::genuine(1);
    change(&mut parts);
    parts.hostile(name, refusal, about)
}

pub(super) fn vectors() -> Vec<Hostile> {
    [prefix(), stanzas(), frames(), ends()].into_iter().flatten().collect()
}

fn prefix() -> Vec<Hostile> {
    let frame_size =
        |bytes: u32| move |parts: &mut Parts| parts.prefix[12..16].copy_from_slice(&bytes.to_be_bytes());
    vec![
        spoiled("magic", Refusal::NotAnEnvelope, "The first byte is another.", |p| p.prefix[0] = b'c'),
        spoiled("version", Refusal::Version(2), "Format version 2.", |p| p.prefix[7] = 2),
        spoiled("suite", Refusal::Suite(2), "Suite 2.", |p| p.prefix[9] = 2),
        spoiled("compression", Refusal::Compression(2), "Compression 2.", |p| p.prefix[10] = 2),
        spoiled("reserved", Refusal::Reserved, "The reserved byte is 1.", |p| p.prefix[11] = 1),
        spoiled("frame-size-zero", Refusal::FrameSize(0), "Frames of no bytes.", frame_size(0)),
        spoiled("frame-size-odd", Refusal::FrameSize(5000), "5,000 is no power of two.", frame_size(5000)),
        spoiled("frame-size-small", Refusal::FrameSize(2048), "Below the least size.", frame_size(2048)),
        spoiled(
            "frame-size-large",
            Refusal::FrameSize(2_097_152),
            "Over the greatest size.",
            frame_size(2_097_152),
        ),
        spoiled(
            "frame-size-other",
            Refusal::WrongKey,
            "A size that may be, but is not this one's.",
            frame_size(8192),
        ),
        spoiled("compression-off", Refusal::WrongKey, "Said to be uncompressed.", |p| p.prefix[10] = 0),
        spoiled("id", Refusal::WrongKey, "A bit of the envelope id is changed.", |p| p.prefix[16] ^= 1),
        spoiled("salt", Refusal::WrongKey, "A bit of the salt is changed.", |p| p.prefix[32] ^= 1),
        spoiled("commitment", Refusal::WrongKey, "A bit of the commitment is changed.", |p| {
            p.prefix[64] ^= 1;
        }),
        spoiled("wrong-key", Refusal::WrongKey, "The content key is another one.", |p| {
            p.content_key = Parts::genuine(2).content_key;
        }),
        spoiled("other-prefix", Refusal::WrongKey, "The prefix of another envelope.", |p| {
            p.prefix = Parts::genuine(2).prefix;
        }),
    ]
}

/// Where the first stanza begins in its section: after the section's length and the count.
const FIRST_STANZA: usize = 5;

fn stanzas() -> Vec<Hostile> {
    let resize = |parts: &mut Parts| {
        let bytes = u32::try_from(parts.stanzas.len() - 4).unwrap();
        parts.stanzas[..4].copy_from_slice(&bytes.to_be_bytes());
    };
    vec![
        spoiled("section-too-long", Refusal::StanzaSection, "Over 8,593 bytes.", |p| p.stanzas[2] = 0x80),
        spoiled("section-padded", Refusal::StanzaSection, "A byte between the stanzas and the code.", |p| {
            p.stanzas.insert(p.stanzas.len() - 32, 0);
            resize(p);
        }),
        spoiled("no-stanza", Refusal::StanzaCount(0), "A count of 0.", |p| p.stanzas[4] = 0),
        spoiled("many-stanzas", Refusal::StanzaCount(17), "A count of 17.", |p| p.stanzas[4] = 17),
        spoiled(
            "missing-stanza",
            Refusal::StanzaKind(0),
            "A count of 3 before two; the third begins in the code.",
            |p| {
                p.stanzas[4] = 3;
                let code = p.stanzas.len() - 32;
                p.stanzas.splice(code..code, [0; 40]);
                resize(p);
            },
        ),
        spoiled("stanza-kind", Refusal::StanzaKind(2), "A stanza of kind 2.", |p| {
            p.stanzas[FIRST_STANZA] = 2;
        }),
        spoiled("stanza-key", Refusal::StanzasChanged, "A stanza names another file key.", |p| {
            p.stanzas[FIRST_STANZA + 1] ^= 1;
        }),
        spoiled("stanza-version", Refusal::StanzasChanged, "A stanza names another version.", |p| {
            p.stanzas[FIRST_STANZA + 20] ^= 1;
        }),
        spoiled("stanza-wrapped", Refusal::StanzasChanged, "A bit of a wrapped key is changed.", |p| {
            p.stanzas[FIRST_STANZA + 30] ^= 1;
        }),
        spoiled("stanza-removed", Refusal::StanzasChanged, "The first of two stanzas is gone.", |p| {
            p.stanzas[4] = 1;
            p.stanzas.drain(FIRST_STANZA..FIRST_STANZA + 23 + 256);
            resize(p);
        }),
        spoiled("stanza-code", Refusal::StanzasChanged, "A bit of the section's code is changed.", |p| {
            *p.stanzas.last_mut().unwrap() ^= 1;
        }),
        spoiled("other-stanzas", Refusal::StanzasChanged, "The stanza section of another envelope.", |p| {
            p.stanzas = Parts::genuine(2).stanzas;
        }),
    ]
}

fn frames() -> Vec<Hostile> {
    vec![
        spoiled("frame-changed", Refusal::Frame(1), "A bit of the second frame is changed.", |p| {
            p.frames[1][9] ^= 1;
        }),
        spoiled("frame-tag", Refusal::Frame(0), "A bit of the first frame's tag is changed.", |p| {
            *p.frames[0].last_mut().unwrap() ^= 1;
        }),
        spoiled("frames-swapped", Refusal::Frame(0), "The first two frames are swapped.", |p| {
            p.frames.swap(0, 1);
        }),
        spoiled("frame-dropped", Refusal::Frame(1), "The second frame is gone.", |p| {
            drop(p.frames.remove(1));
        }),
        spoiled("frame-repeated", Refusal::Frame(1), "The first frame comes twice.", |p| {
            p.frames.insert(1, p.frames[0].clone());
        }),
        spoiled("frame-of-another", Refusal::Frame(1), "The second frame of another envelope.", |p| {
            p.frames[1] = Parts::genuine(2).frames.remove(1);
        }),
        spoiled("last-too-early", Refusal::Frame(1), "The second frame is called the last.", |p| {
            p.frames[1][0] |= 0x80;
        }),
        spoiled("cut-as-last", Refusal::Frame(1), "The same, and what follows it is gone.", |p| {
            p.frames.truncate(2);
            p.frames[1][0] |= 0x80;
        }),
        spoiled("last-not-said", Refusal::Frame(2), "The last frame is not called the last.", |p| {
            p.frames[2][0] &= 0x7f;
        }),
        spoiled("frame-length-zero", Refusal::FrameLength(1), "A frame of no bytes.", |p| {
            p.frames[1][..4].fill(0);
        }),
        spoiled(
            "frame-length-large",
            Refusal::FrameLength(1),
            "A frame longer than a full stored one.",
            |p| {
                p.frames[1][..4].copy_from_slice(&(4096u32 + 18).to_be_bytes());
            },
        ),
        spoiled("frame-length-other", Refusal::Frame(1), "A frame's length is one too small.", |p| {
            p.frames[1][3] -= 1;
        }),
    ]
}

fn ends() -> Vec<Hostile> {
    let cut = |bytes: usize| {
        move |parts: &mut Parts| {
            let short = parts.last_part.len() - bytes;
            parts.last_part.truncate(short);
        }
    };
    vec![
        spoiled("cut-in-frame", Refusal::Truncated, "It ends within the second frame.", |p| {
            p.frames.truncate(2);
            p.frames[1].truncate(20);
            (p.index, p.last_part) = (Vec::new(), Vec::new());
        }),
        spoiled("cut-between-frames", Refusal::Truncated, "It ends after the second frame.", |p| {
            p.frames.truncate(2);
            (p.index, p.last_part) = (Vec::new(), Vec::new());
        }),
        spoiled("cut-after-frames", Refusal::Truncated, "It ends after the last frame.", |p| {
            (p.index, p.last_part) = (Vec::new(), Vec::new());
        }),
        spoiled("cut-in-index", Refusal::Truncated, "It ends within the index.", |p| {
            p.index.truncate(20);
            p.last_part.clear();
        }),
        spoiled("cut-after-index", Refusal::Truncated, "It ends after the index.", |p| p.last_part.clear()),
        spoiled(
            "cut-in-last-part",
            Refusal::Extended,
            "It ends within the last part, whose last four bytes name 0 bytes.",
            |p| {
                p.last_part.truncate(100);
                p.last_part.extend([0; 4]);
            },
        ),
        spoiled("cut-by-four", Refusal::Truncated, "The length of the last part is gone.", cut(4)),
        spoiled(
            "appended-byte",
            Refusal::Truncated,
            "A byte 1 follows the end, so the length reads far more.",
            |p| {
                p.last_part.push(1);
            },
        ),
        spoiled(
            "appended-zeros",
            Refusal::Extended,
            "Four zeros follow the end, so the length reads 0.",
            |p| {
                p.last_part.extend([0; 4]);
            },
        ),
        spoiled(
            "appended-much",
            Refusal::Extended,
            "More follows the index than a last part can have.",
            |p| {
                p.last_part.extend([0; 5000]);
            },
        ),
        spoiled("appended-frame", Refusal::Index(0), "A frame follows the last one.", |p| {
            p.frames.push(p.frames[0].clone());
        }),
        spoiled(
            "appended-envelope",
            Refusal::Index(0),
            "The frames of another envelope follow the last one.",
            |p| {
                p.frames.extend(Parts::genuine(2).frames);
            },
        ),
        spoiled("index-changed", Refusal::Index(0), "A bit of the index is changed.", |p| p.index[3] ^= 1),
        spoiled("other-index", Refusal::Index(0), "The index of another envelope.", |p| {
            p.index = Parts::genuine(2).index;
        }),
        spoiled("last-part-changed", Refusal::LastPart, "A bit of the last part is changed.", |p| {
            p.last_part[40] ^= 1;
        }),
        spoiled("other-last-part", Refusal::LastPart, "The last part of another envelope.", |p| {
            p.last_part = Parts::genuine(2).last_part;
        }),
    ]
}
