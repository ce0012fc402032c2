//! Base64 of a text that comes in pieces.

pub(crate) use coffer_core::base64::{encode, encoded_len};

/// Encodes a text that comes in pieces: up to two bytes wait for the next piece.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    waiting: [u8; 3],
    length: usize,
}

impl Pieces {
    /// Appends what `bytes` completes.
    pub(crate) fn encode(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while self.length > 0 && self.length < 3 && !bytes.is_empty() {
            self.waiting[self.length] = bytes[0];
            self.length += 1;
            bytes = &bytes[1..];
        }
        if self.length == 3 {
            encode(&self.waiting, out);
            self.length = 0;
        }
        let whole = bytes.len() / 3 * 3;
        encode(&bytes[..whole], out);
        for &byte in &bytes[whole..] {
            self.waiting[self.length] = byte;
            self.length += 1;
        }
    }

    /// Appends what waits, padded.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        encode(&self.waiting[..self.length], out);
        self.length = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_length_make_the_same_text_as_the_whole() {
        let bytes: Vec<u8> = (0..1000_u32).map(|i| u8::try_from(i * 7 % 256).unwrap()).collect();
        let mut whole = Vec::new();
        encode(&bytes, &mut whole);
        assert_eq!(u64::try_from(whole.len()).unwrap(), encoded_len(1000));
        for piece in [1, 2, 3, 4, 5, 7, 100, 999, 1000] {
            let (mut pieces, mut out) = (Pieces::default(), Vec::new());
            bytes.chunks(piece).for_each(|chunk| pieces.encode(chunk, &mut out));
            pieces.finish(&mut out);
            assert_eq!(out, whole, "pieces of {piece}");
        }
    }
}
