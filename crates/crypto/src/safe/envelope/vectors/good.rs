//! Envelopes that open.

use coffer_core::{SeededRandom, Timestamp};

use super::*;

#[derive(Serialize, Deserialize)]
struct Good {
    name: String,
    about: String,
    /// Which keys of `keys.json` the stanzas are for, in their order.
    stanzas: Vec<String>,
    content_key: String,
    prefix_hash: String,
    derived: Derived,
    plaintext: Plaintext,
    frames: u64,
    details: VectorDetails,
    envelope: String,
}

/// HKDF's output for each purpose, in hexadecimal.
#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Derived {
    commitment: String,
    frames: String,
    index: String,
    last_part: String,
    stanzas: String,
}

/// `repeat` over and over, cut after `bytes` bytes.
#[derive(Serialize, Deserialize)]
struct Plaintext {
    repeat: String,
    bytes: usize,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct VectorDetails {
    name: Option<String>,
    media_type: Option<String>,
    modified_at_ms: Option<i64>,
    created_at_ms: Option<i64>,
    mode: Option<u16>,
    kind: Option<String>,
    modified_nanos: Option<u32>,
}

struct Recipe {
    name: &'static str,
    about: &'static str,
    options: Options,
    stanzas: &'static [&'static str],
    repeat: Vec<u8>,
    bytes: usize,
    details: Details,
}

const SMALL: Options = Options { compression: Compression::Lz4, frame_bytes: 4096 };

fn recipes() -> Vec<Recipe> {
    let mut noise = vec![0; 5000];
    SeededRandom::new(99).fill(&mut noise);
    let sentence = b"Envelopes keep what is in them to themselves. ".to_vec();
    let full = Details {
        name: Some("報告 2026.bin".parse().unwrap()),
        media_type: Some("application/octet-stream".to_owned()),
        modified_at: Some(Timestamp::from_ms(1_795_219_200_123)),
        created_at: Some(Timestamp::from_ms(-1)),
        mode: Some(0o640),
        kind: Some(Kind::File),
        modified_nanos: Some(456_789),
    };
    let of_kind = |kind, mode| Details {
        modified_at: Some(Timestamp::from_ms(1_795_219_200_999)),
        mode: Some(mode),
        kind: Some(kind),
        modified_nanos: Some(999_999),
        ..Details::default()
    };
    let plain = Details::default();
    let recipe = |name, about, options, repeat: &[u8], bytes| Recipe {
        name,
        about,
        options,
        stanzas: &["rsa-2048"],
        repeat: repeat.to_vec(),
        bytes,
        details: plain.clone(),
    };
    let stored = Options { compression: Compression::None, ..SMALL };
    let default = Options::default();
    vec![
        recipe("empty", "An empty file: one last frame, which is empty.", default, b"", 0),
        Recipe {
            details: full,
            ..recipe("details", "A short file with every detail.", default, &sentence, 46)
        },
        Recipe {
            stanzas: &["rsa-2048", "rsa-3072"],
            ..recipe(
                "frames",
                "Three compressed frames, for two versions of the file key.",
                SMALL,
                &sentence,
                10_000,
            )
        },
        recipe("exact", "Two frames, the last one full; nothing is compressed.", stored, &sentence, 8192),
        recipe("noise", "Frames that do not shrink are stored, also with LZ4.", SMALL, &noise, 5000),
        recipe("pages", "1,025 frames: the index has two pages.", SMALL, &[0], 1024 * 4096 + 1),
        Recipe {
            details: of_kind(Kind::Directory, MODE_MAX),
            ..recipe("directory", "A directory with every bit of a mode: nothing is in it.", default, b"", 0)
        },
        Recipe {
            details: of_kind(Kind::SymbolicLink, 0),
            ..recipe("link", "A symbolic link to `../報告`.", default, "../報告".as_bytes(), 9)
        },
    ]
}

fn make(recipe: &Recipe, seed: u64) -> Good {
    let random = SeededRandom::new(seed);
    let mut sealer = Sealer::new(&random, recipe.options).unwrap();
    let content = sealer.content_key();
    let stanzas = recipe
        .stanzas
        .iter()
        .map(|name| stanza(KEYS.iter().find(|key| key.name == *name).unwrap(), content, &random));
    let head = sealer.head_of(stanzas.collect()).unwrap();
    let (content_key, prefix) = (hex::encode(content.expose()), head.prefix.clone());
    let derived = derived(content, &prefix);
    let mut envelope = head.to_bytes();
    sealer.push(&plaintext(&recipe.repeat, recipe.bytes), &mut envelope).unwrap();
    let last = sealer.finish(recipe.details.clone(), &random, &mut envelope).unwrap();
    Good {
        name: recipe.name.to_owned(),
        about: recipe.about.to_owned(),
        stanzas: recipe.stanzas.iter().map(|name| (*name).to_owned()).collect(),
        content_key,
        prefix_hash: hex::encode(prefix.hash()),
        derived,
        plaintext: Plaintext { repeat: STANDARD.encode(&recipe.repeat), bytes: recipe.bytes },
        frames: last.frames,
        details: vector_details(&last.details),
        envelope: STANDARD.encode(envelope),
    }
}

fn plaintext(repeat: &[u8], bytes: usize) -> Vec<u8> {
    repeat.iter().copied().cycle().take(bytes).collect()
}

fn vector_details(details: &Details) -> VectorDetails {
    VectorDetails {
        name: details.name.as_ref().map(ToString::to_string),
        media_type: details.media_type.clone(),
        modified_at_ms: details.modified_at.map(Timestamp::as_ms),
        created_at_ms: details.created_at.map(Timestamp::as_ms),
        mode: details.mode,
        kind: details.kind.map(|kind| format!("{kind:?}")),
        modified_nanos: details.modified_nanos,
    }
}

fn derived(content: &ContentKey, prefix: &Prefix) -> Derived {
    let of = |purpose| hex::encode(content.derive(prefix, purpose).expose());
    Derived {
        commitment: of("commitment"),
        frames: of("frames"),
        index: of("index"),
        last_part: of("last part"),
        stanzas: of("stanzas"),
    }
}

#[test]
fn the_good_vectors_are_what_this_code_makes() {
    let vectors: Vec<Good> = (1..).zip(recipes()).map(|(seed, recipe)| make(&recipe, seed)).collect();
    check_file("good.json", &vectors);
}

#[test]
fn the_good_vectors_open() {
    let vectors: Vec<Good> =
        serde_json::from_str(&std::fs::read_to_string(path("good.json")).unwrap()).unwrap();
    assert_eq!(vectors.len(), 8);
    for vector in vectors {
        let envelope = STANDARD.decode(&vector.envelope).unwrap();
        let head = read_head(&mut &envelope[..]).unwrap();
        assert_eq!(hex::encode(head.prefix.hash()), vector.prefix_hash);
        assert_eq!(head.stanzas.stanzas().len(), vector.stanzas.len());
        for (stanza, name) in head.stanzas.stanzas().iter().zip(&vector.stanzas) {
            let content = stanza.unwrap(&private_key(name)).unwrap();
            assert_eq!(hex::encode(content.expose()), vector.content_key, "{}", vector.name);
        }
        let content = content_key(&vector.content_key);
        assert_eq!(derived(&content, &head.prefix), vector.derived);
        let expected = plaintext(&STANDARD.decode(vector.plaintext.repeat).unwrap(), vector.plaintext.bytes);
        for (found, last) in
            [open_stream(&envelope, &content).unwrap(), open_ranges(&envelope, &content).unwrap()]
        {
            assert!(found == expected, "{}", vector.name);
            assert_eq!((last.frames, last.plaintext_bytes), (vector.frames, expected.len() as u64));
            assert_eq!(vector_details(&last.details), vector.details);
        }
    }
}
