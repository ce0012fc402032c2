//! What somebody with the content key can do: envelopes whose every seal holds, and which are refused for
//! what is in them. Whoever may write a file can send these to whoever reads it.

use coffer_core::Random;

use super::*;
use crate::safe::envelope::index::{self, Page};
use crate::stream::{Part, StreamKey};

/// The contents of frames before sealing, and everything else made to fit them.
fn forged(name: &str, refusal: Refusal, about: &str, frames: &[&[u8]]) -> Hostile {
    forged_parts(frames).hostile(name, refusal, about)
}

fn forged_parts(frames: &[&[u8]]) -> Parts {
    let mut parts = Parts::genuine(3);
    let count = frames.len() as u64;
    parts.frames =
        (0..).zip(frames).map(|(index, content)| seal_frame(&parts.keys, index, count, content)).collect();
    let lengths = lengths(&parts);
    parts.index = Page::first(&lengths).seal(&parts.keys, 0, count);
    let bytes = frames.iter().map(|content| content.len() as u64 - 1).sum::<u64>().max(1);
    parts.last_part = last_part(&parts, bytes, count, &[]);
    parts
}

fn seal_frame(keys: &Keys, index: u64, count: u64, content: &[u8]) -> Vec<u8> {
    let last = index + 1 == count;
    let mut sealed = content.to_vec();
    keys.frames.seal_part(Part { index, last }, &keys.prefix_hash, &mut sealed);
    let length = u32::try_from(sealed.len()).unwrap();
    let header = if last { length | LAST_FRAME } else { length };
    [&header.to_be_bytes()[..], &sealed].concat()
}

fn lengths(parts: &Parts) -> Vec<u32> {
    parts.frames.iter().map(|frame| u32::try_from(frame.len() - 4).unwrap()).collect()
}

/// A last part with these sizes and fields, padded.
fn last_part(parts: &Parts, plaintext_bytes: u64, frames: u64, fields: &[u8]) -> Vec<u8> {
    let body_bytes: u64 = lengths(parts).iter().map(|&length| index::frame_bytes(length)).sum();
    let sizes = [plaintext_bytes, frames, body_bytes].map(u64::to_be_bytes).concat();
    let mut content = [&sizes[..], fields].concat();
    content.resize(content.len().next_multiple_of(256), 0);
    seal_last_part(parts, &content)
}

fn seal_last_part(parts: &Parts, content: &[u8]) -> Vec<u8> {
    let mut nonce = [0; 12];
    SeededRandom::new(4).fill(&mut nonce);
    let mut ciphertext = content.to_vec();
    let tag = parts.keys.last_part.seal(&nonce, &parts.keys.prefix_hash, &mut ciphertext);
    let bytes = u32::try_from(12 + ciphertext.len() + 16).unwrap().to_be_bytes();
    [&nonce[..], &ciphertext, &tag, &bytes].concat()
}

/// A frame's content, stored.
fn stored(bytes: usize) -> Vec<u8> {
    let mut content = Vec::new();
    coffer_compression::store_frame(&vec![b'x'; bytes], &mut content);
    content
}

pub(super) fn vectors() -> Vec<Hostile> {
    [frames(), index(), last_parts()].into_iter().flatten().collect()
}

fn frames() -> Vec<Hostile> {
    let mut bomb = Vec::new();
    coffer_compression::compress_frame(&[b'x'; 4097], &mut bomb);
    vec![
        forged("encoding", Refusal::FrameEncoding(0), "A frame in encoding 2.", &[&[2, b'x']]),
        forged("no-block", Refusal::FrameEncoding(0), "An LZ4 frame without a block.", &[&[1]]),
        forged(
            "cut-block",
            Refusal::FrameEncoding(0),
            "An LZ4 block that promises more literals.",
            &[&[1, 0xf0, 9]],
        ),
        forged(
            "far-block",
            Refusal::FrameEncoding(0),
            "An LZ4 match before the beginning.",
            &[&[1, 0x14, b'x', 9, 0, 0x50, b'x', b'x', b'x', b'x', b'x']],
        ),
        forged("bomb", Refusal::FrameEncoding(0), "A frame that decompresses to 4,097 bytes.", &[&bomb]),
        forged(
            "short-frame",
            Refusal::FrameShort(0),
            "A frame of 4,095 bytes before another.",
            &[&stored(4095), &stored(1)],
        ),
        forged(
            "empty-frame",
            Refusal::FrameShort(0),
            "An empty frame before another.",
            &[&stored(0), &stored(1)],
        ),
        forged(
            "empty-end",
            Refusal::FrameShort(1),
            "An empty last frame after a full one.",
            &[&stored(4096), &stored(0)],
        ),
    ]
}

fn index() -> Vec<Hostile> {
    let with_page = |name, refusal, about, page: &dyn Fn(Page) -> Page| {
        let mut parts = forged_parts(&[&stored(4096), &stored(1)]);
        parts.index = page(Page::first(&lengths(&parts))).seal(&parts.keys, 0, 2);
        parts.hostile(name, refusal, about)
    };
    let mut short = forged_parts(&[&stored(4096), &stored(1)]);
    short.index = Page::first(&lengths(&short)[..1]).seal(&short.keys, 0, 2);
    let mut unmarked = forged_parts(&[&stored(4096), &stored(1)]);
    unmarked.index = unmarked_page(&unmarked.keys, &Page::first(&lengths(&unmarked)));
    vec![
        with_page(
            "index-lengths",
            Refusal::IndexMismatch(0),
            "The index tells other lengths.",
            &|mut page| {
                page.lengths.swap(0, 1);
                page
            },
        ),
        with_page("index-offset", Refusal::IndexMismatch(0), "The index tells another offset.", &|page| {
            Page { offset: 1, ..page }
        }),
        short.hostile("index-short", Refusal::Index(0), "The index tells of one frame of two."),
        unmarked.hostile("index-not-last", Refusal::Index(0), "The only page is not sealed as the last."),
    ]
}

fn unmarked_page(keys: &Keys, page: &Page) -> Vec<u8> {
    let lengths: Vec<u8> = page.lengths.iter().flat_map(|length| length.to_be_bytes()).collect();
    let mut bytes = [&page.offset.to_be_bytes()[..], &lengths].concat();
    let key: &StreamKey = &keys.index;
    key.seal_part(Part { index: 0, last: false }, &keys.prefix_hash, &mut bytes);
    bytes
}

fn last_parts() -> Vec<Hostile> {
    let parts = || forged_parts(&[&stored(4096), &stored(1)]);
    let with_sizes = |name, about, bytes, frames| {
        let mut parts = parts();
        parts.last_part = last_part(&parts, bytes, frames, &[]);
        parts.hostile(name, Refusal::LastPartMismatch, about)
    };
    let with_fields = |name, about, fields: &[u8]| {
        let mut parts = parts();
        parts.last_part = last_part(&parts, 4097, 2, fields);
        parts.hostile(name, Refusal::LastPartFormat, about)
    };
    let with_content = |name, about, content: &[u8]| {
        let mut parts = parts();
        parts.last_part = seal_last_part(&parts, content);
        parts.hostile(name, Refusal::LastPartFormat, about)
    };
    let sizes = [4097, 2, 4096 + 1 + 2 * 21].map(u64::to_be_bytes).concat();
    vec![
        with_sizes("size-larger", "The last part tells a larger size.", 4098, 2),
        with_sizes("size-smaller", "The last part tells a smaller size.", 4096, 2),
        with_sizes("more-frames", "The last part tells one frame more.", 4097, 3),
        with_fields("path-name", "The name is `../x`.", b"\x01\x00\x04../x"),
        with_fields("absolute-name", "The name is `/x`.", b"\x01\x00\x02/x"),
        with_fields("binary-name", "The name is no UTF-8.", b"\x01\x00\x01\xff"),
        with_fields("empty-media-type", "The media type is empty.", b"\x02\x00\x00"),
        with_fields("short-time", "A time of seven bytes.", b"\x03\x00\x07\0\0\0\0\0\0\0"),
        with_fields("large-mode", "A mode of more than twelve bits.", b"\x05\x00\x02\x10\x00"),
        with_fields("short-mode", "A mode of one byte.", b"\x05\x00\x01\x07"),
        with_fields("kind-none", "Kind 0.", b"\x06\x00\x01\x00"),
        with_fields("kind-unknown", "Kind 4.", b"\x06\x00\x01\x04"),
        with_fields("long-kind", "A kind of two bytes.", b"\x06\x00\x02\x00\x01"),
        with_fields(
            "many-nanos",
            "A million nanoseconds past a millisecond.",
            b"\x07\x00\x04\x00\x0f\x42\x40",
        ),
        with_fields("short-nanos", "Nanoseconds of three bytes.", b"\x07\x00\x03\0\0\0"),
        with_fields("same-tag", "The name comes twice.", b"\x01\x00\x01a\x01\x00\x01b"),
        with_fields("falling-tags", "The media type comes before the name.", b"\x02\x00\x01a\x01\x00\x01b"),
        with_fields("long-field", "A field reaches beyond the end.", b"\x01\xff\xff"),
        with_fields("dirty-padding", "Something follows the end of the fields.", b"\0x"),
        with_content("unpadded", "The last part is not padded.", &sizes),
        with_content(
            "much-padding",
            "A whole step of padding too much.",
            &[&sizes[..], &[0; 512 - 24]].concat(),
        ),
        with_content("no-sizes", "The last part is empty.", b""),
    ]
}
