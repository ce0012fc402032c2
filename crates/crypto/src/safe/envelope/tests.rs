use std::io::{Cursor, Read as _, Write as _};
use std::sync::LazyLock;

use coffer_core::{FileId, SeededRandom, SystemRandom, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::filekey::{FileKeyPair, RsaBits};

static PAIR: LazyLock<FileKeyPair> = LazyLock::new(|| FileKeyPair::generate(RsaBits::Rsa2048));
const FILE: FileId = FileId::from_bytes([7; 16]);
const SMALL: Options = Options { compression: Compression::Lz4, frame_bytes: 4096 };

fn recipient() -> Recipient<'static> {
    Recipient { file_key: FILE, version: 1, key: PAIR.public() }
}

fn details() -> Details {
    Details {
        name: Some("報告 2026.bin".parse().unwrap()),
        media_type: Some("application/octet-stream".to_owned()),
        modified_at: Some(Timestamp::from_ms(1_800_000_000_000)),
        created_at: Some(Timestamp::from_ms(-1)),
        mode: Some(0o600),
        kind: Some(Kind::File),
        modified_nanos: Some(1),
    }
}

fn sealed(options: Options, plaintext: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &SystemRandom, options, &[recipient()]).unwrap();
    writer.write_all(plaintext).unwrap();
    writer.finish(details(), &SystemRandom).unwrap().0
}

fn unlock(mut envelope: &[u8]) -> (Head, ContentKey) {
    let head = read_head(&mut envelope).unwrap();
    let content = head.stanzas.stanzas()[0].unwrap(PAIR.private()).unwrap();
    (head, content)
}

fn opened(envelope: &[u8]) -> std::io::Result<(Vec<u8>, LastPart)> {
    let head = read_head(&mut &*envelope)?;
    opened_with(envelope, &head.stanzas.stanzas()[0].unwrap(PAIR.private())?)
}

fn opened_with(mut envelope: &[u8], content: &ContentKey) -> std::io::Result<(Vec<u8>, LastPart)> {
    let head = read_head(&mut envelope)?;
    let mut reader = Reader::new(envelope, &head, content)?;
    let mut plaintext = Vec::new();
    reader.read_to_end(&mut plaintext)?;
    Ok((plaintext, reader.last_part().unwrap().clone()))
}

fn refusal(err: &std::io::Error) -> Refusal {
    *err.get_ref().unwrap().downcast_ref().unwrap()
}

/// Bytes that do not compress, so that lengths in a test follow from the sizes.
fn noise(bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    coffer_core::Random::fill(&SeededRandom::new(bytes as u64), &mut noise);
    noise
}

#[test]
fn a_file_of_any_size_survives_its_envelope() {
    for options in [SMALL, Options { compression: Compression::None, ..SMALL }, Options::default()] {
        for bytes in [0, 1, 4095, 4096, 4097, 8192, 65_536, 65_537, 200_000] {
            for plaintext in [noise(bytes), vec![b'x'; bytes]] {
                let (read, last) = opened(&sealed(options, &plaintext)).unwrap();
                assert!(read == plaintext, "{bytes} bytes, {options:?}");
                assert_eq!((last.plaintext_bytes, last.details), (bytes as u64, details()));
            }
        }
    }
}

#[test]
fn the_envelope_does_not_depend_on_how_the_plaintext_was_cut() {
    let plaintext = noise(20_000);
    let seal = |piece: usize| {
        let random = SeededRandom::new(1);
        let mut sealer = Sealer::new(&random, SMALL).unwrap();
        let mut out = Vec::new();
        plaintext.chunks(piece).for_each(|piece| sealer.push(piece, &mut out).unwrap());
        sealer.finish(Details::default(), &random, &mut out).unwrap();
        out
    };
    let whole = seal(20_000);
    for piece in [1, 4095, 4096, 4097, 8192] {
        assert!(seal(piece) == whole, "pieces of {piece}");
    }
}

#[test]
fn two_envelopes_of_one_file_share_nothing() {
    let [a, b] = [0, 1].map(|_| sealed(SMALL, &[0; 10_000]));
    assert_ne!(a[16..PREFIX_BYTES], b[16..PREFIX_BYTES]);
    let head_bytes = unlock(&a).0.to_bytes().len();
    assert_ne!(a[head_bytes + 4..head_bytes + 40], b[head_bytes + 4..head_bytes + 40]);
}

#[test]
fn compression_shrinks_what_it_can_and_none_hides_it() {
    let text = vec![b'x'; 100_000];
    assert!(sealed(Options::default(), &text).len() < 5_000);
    let plain = Options { compression: Compression::None, ..Options::default() };
    assert_eq!(sealed(plain, &text).len(), sealed(plain, &noise(100_000)).len());
}

#[test]
fn stanzas_are_replaced_without_touching_a_frame() {
    let envelope = sealed(SMALL, b"a file");
    let (head, content) = unlock(&envelope);
    let newer = FileKeyPair::generate(RsaBits::Rsa2048);
    let recipient = Recipient { file_key: FILE, version: 2, key: newer.public() };
    let stanzas = vec![Stanza::wrap(&content, recipient)];
    let section = StanzaSection::seal(&content, &head.prefix, stanzas).unwrap();
    assert_eq!(section.verify(&content, &head.prefix), Ok(()));
    let frames = &envelope[head.to_bytes().len()..];
    let rewrapped = [&head.prefix.as_bytes()[..], section.as_bytes(), frames].concat();

    let mut source = &rewrapped[..];
    let head = read_head(&mut source).unwrap();
    assert_eq!(head.stanzas.stanzas()[0].version, 2);
    assert_eq!(head.stanzas.stanzas()[0].unwrap(PAIR.private()).err(), Some(Refusal::Stanza));
    let content = head.stanzas.stanzas()[0].unwrap(newer.private()).unwrap();
    let mut plaintext = Vec::new();
    Reader::new(source, &head, &content).unwrap().read_to_end(&mut plaintext).unwrap();
    assert_eq!(plaintext, b"a file");
}

#[test]
fn any_range_reads_alone() {
    // 1,100 frames: two pages of the index.
    let plaintext: Vec<u8> = (0..1_100u32 * 4096).map(|i| i.to_le_bytes()[usize::from(i % 7 == 0)]).collect();
    let envelope = sealed(SMALL, &plaintext);
    let (head, content) = unlock(&envelope);
    let mut reader = RangeReader::new(Cursor::new(&envelope), &head, &content).unwrap();
    let size = plaintext.len();
    assert_eq!(reader.last_part().plaintext_bytes, size as u64);
    for (start, end) in [
        (0, 0),
        (0, 1),
        (4095, 4097),
        (5000, 5001),
        (1024 * 4096 - 1, 1024 * 4096 + 1),
        (size - 1, size),
        (size, size),
        (0, size),
    ] {
        let mut range = Vec::new();
        reader.read(&(start as u64..end as u64), &mut range).unwrap();
        assert!(range == plaintext[start..end], "{start}..{end}");
    }
    let beyond = reader.read(&(size as u64..size as u64 + 1), &mut Vec::new()).unwrap_err();
    assert_eq!(refusal(&beyond), Refusal::OutOfRange);
    assert_eq!(opened(&envelope).unwrap().0, plaintext);
}

#[test]
fn the_end_alone_tells_that_the_plaintext_is_whole() {
    let envelope = sealed(SMALL, &noise(10_000));
    let (_, content) = unlock(&envelope);
    for end in 0..envelope.len() {
        let err = opened_with(&envelope[..end], &content).unwrap_err();
        assert_eq!(refusal(&err), Refusal::Truncated, "cut at {end}");
    }
    let longer = [&envelope[..], &[0]].concat();
    assert!(opened_with(&longer, &content).is_err());
}

#[test]
fn any_changed_byte_is_refused_by_the_stream_and_by_ranges() {
    let envelope = sealed(SMALL, &noise(5_000));
    let (head, content) = unlock(&envelope);
    let head_bytes = head.to_bytes().len();
    for position in 0..envelope.len() {
        let mut changed = envelope.clone();
        changed[position] ^= 0x40;
        // The content key comes from the KMS; what is in a changed stanza does not matter to it.
        let streamed = opened_with(&changed, &content);
        assert!(streamed.is_err(), "byte {position}");
        if position >= head_bytes {
            let ranged = RangeReader::new(Cursor::new(&changed), &head, &content)
                .and_then(|mut reader| reader.read(&(0..5_000), &mut Vec::new()));
            assert!(ranged.is_err(), "byte {position}");
        }
    }
}

#[test]
fn a_refused_opener_stays_refused() {
    let mut envelope = sealed(SMALL, &noise(10_000));
    let (head, content) = unlock(&envelope);
    let at = head.to_bytes().len();
    envelope[at + 9] ^= 1;
    let mut opener = Opener::new(&head, &content).unwrap();
    let mut out = Vec::new();
    assert_eq!(opener.push(&envelope[at..], &mut out), Err(Refusal::Frame(0)));
    assert_eq!(opener.push(&[0], &mut out), Err(Refusal::Frame(0)));
    assert_eq!(opener.finish(), Err(Refusal::Frame(0)));
    assert!(out.is_empty());
}

#[test]
fn the_length_of_a_name_does_not_show() {
    let of = |name: &str| {
        let details = Details { name: Some(name.parse().unwrap()), ..Details::default() };
        let writer = Writer::new(Vec::new(), &SystemRandom, SMALL, &[recipient()]).unwrap();
        writer.finish(details, &SystemRandom).unwrap().0.len()
    };
    assert_eq!(of("a"), of(&"a".repeat(200)));
}

#[test]
fn impossible_options_and_details_are_refused() {
    for frame_bytes in [0, 1, 2048, 5000, 2 * 1024 * 1024] {
        let options = Options { frame_bytes, ..SMALL };
        assert_eq!(Sealer::new(&SystemRandom, options).err(), Some(Refusal::FrameSize(frame_bytes)));
    }
    for media_type in [String::new(), "x".repeat(256), "tëxt".to_owned(), "text\n".to_owned()] {
        let details = Details { media_type: Some(media_type), ..Details::default() };
        let sealer = Sealer::new(&SystemRandom, SMALL).unwrap();
        let refused = sealer.finish(details, &SystemRandom, &mut Vec::new());
        assert_eq!(refused.err(), Some(Refusal::LastPartFormat));
    }
    let sealer = Sealer::new(&SystemRandom, SMALL).unwrap();
    assert_eq!(sealer.head(&[]).err(), Some(Refusal::StanzaCount(0)));
    assert_eq!(sealer.head(&[recipient(); 17]).err(), Some(Refusal::StanzaCount(17)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_plaintext_survives_however_the_envelope_arrives(
        plaintext in proptest::collection::vec(0u8..3, 0..20_000),
        piece in 1usize..5_000,
    ) {
        let envelope = sealed(SMALL, &plaintext);
        let (head, content) = unlock(&envelope);
        let mut opener = Opener::new(&head, &content).unwrap();
        let mut out = Vec::new();
        for piece in envelope[head.to_bytes().len()..].chunks(piece) {
            opener.push(piece, &mut out).unwrap();
        }
        prop_assert_eq!(opener.finish().unwrap().plaintext_bytes, plaintext.len() as u64);
        prop_assert_eq!(out, plaintext);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(opened(&bytes).is_err());
        let valid = sealed(SMALL, b"");
        let spliced = [&valid[..valid.len().min(bytes.len() * 2)], &bytes].concat();
        prop_assert!(opened(&spliced).is_err());
    }
}
