//! Where the values in a JSON text stand, found in one pass without making anything of them: numbers stay as they are
//! written, fields that stand twice stay twice, and what is nested deeply needs no stack.

use std::borrow::Cow;

use crate::domain::json::text_bytes;

/// What one value costs in memory, and the least that it takes in the text, in bytes: see [`Index::bytes`].
const NODE_BYTES: usize = size_of::<Node>();

/// A value or the name of a field. What a list or an object holds stands behind it.
#[derive(Clone, Copy)]
struct Node {
    from: u32,
    to: u32,
    /// The number of the first node that is neither this one nor in it.
    next: u32,
}

/// What sort of value something is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Object,
    Array,
    Text,
    /// A number or a word.
    Other,
}

/// A JSON text of at most 4 GiB, taken apart.
pub(super) struct Index<'a> {
    text: &'a str,
    nodes: Vec<Node>,
}

impl<'a> Index<'a> {
    /// Bytes that the index of a text takes at most, the text not included.
    pub(super) fn bytes(text: &str) -> usize {
        most_nodes(text) * NODE_BYTES
    }

    /// Takes a text apart that is well formed; nothing if it is not even nested rightly.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        let (bytes, mut nodes) = (text.as_bytes(), Vec::with_capacity(most_nodes(text)));
        let (mut open, mut at) = (Vec::new(), 0);
        let number = |number: usize| u32::try_from(number).ok();
        while let Some(byte) = bytes.get(at) {
            let length = match byte {
                b'[' | b'{' => {
                    open.push(nodes.len());
                    nodes.push(Node { from: number(at)?, to: 0, next: 0 });
                    1
                }
                b']' | b'}' => {
                    let next = number(nodes.len())?;
                    let closed = nodes.get_mut(open.pop()?)?;
                    (closed.to, closed.next) = (number(at + 1)?, next);
                    1
                }
                b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => 1,
                byte => {
                    let length = match byte {
                        b'"' => text_bytes(&bytes[at..]),
                        _ => bytes[at..].iter().take_while(|byte| !b"[]{},: \t\r\n\"".contains(byte)).count(),
                    };
                    let next = number(nodes.len() + 1)?;
                    nodes.push(Node { from: number(at)?, to: number(at + length)?, next });
                    length
                }
            };
            at += length;
        }
        let is_one = nodes.first().is_some_and(|first| first.next as usize == nodes.len());
        (open.is_empty() && is_one).then_some(Self { text, nodes })
    }

    /// How a value is written.
    pub(super) fn text(&self, node: usize) -> &'a str {
        let Node { from, to, .. } = self.nodes[node];
        &self.text[from as usize..to as usize]
    }

    pub(super) fn sort(&self, node: usize) -> Sort {
        match self.text(node).as_bytes().first() {
            Some(b'{') => Sort::Object,
            Some(b'[') => Sort::Array,
            Some(b'"') => Sort::Text,
            _ => Sort::Other,
        }
    }

    /// What a list holds; of an object, names and values by turns.
    pub(super) fn children(&self, node: usize) -> impl Iterator<Item = usize> {
        let end = self.nodes[node].next as usize;
        let first = Some(node + 1).filter(|first| *first < end);
        std::iter::successors(first, move |node| {
            Some(self.nodes[*node].next as usize).filter(|next| *next < end)
        })
    }

    /// What a text says; as it is written, if that is no Unicode.
    pub(super) fn said(&self, node: usize) -> Cow<'a, str> {
        let text = self.text(node);
        let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
        if !inner.contains('\\') {
            return Cow::Borrowed(inner);
        }
        serde_json::from_str(text).map_or(Cow::Borrowed(inner), Cow::Owned)
    }
}

/// Before each value but the first there is one of these.
fn most_nodes(text: &str) -> usize {
    1 + text.bytes().filter(|byte| b"[{,:".contains(byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_found_as_it_is_written() {
        let text = " { \"a\" : [ 1e400 , [ ] , \"x,\\\"]\" ] , \"\\u0061\":null}";
        let index = Index::of(text).unwrap();
        let texts = |node| index.children(node).map(|child| index.text(child)).collect::<Vec<_>>();
        assert_eq!(index.text(0), text.trim());
        let fields: Vec<_> = index.children(0).collect();
        assert_eq!(texts(0).len(), 4);
        assert_eq!(texts(fields[1]), ["1e400", "[ ]", "\"x,\\\"]\""]);
        assert_eq!((index.said(fields[0]), index.said(fields[2])), ("a".into(), "a".into()));
        assert!(index.nodes.len() <= most_nodes(text));
        for wrong in ["", "[", "]", "[]]", "1 2", "{}{}"] {
            assert!(Index::of(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn what_is_nested_ever_so_deeply_is_taken_apart() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(Index::of(&deep).unwrap().nodes.len(), 100_000);
    }
}
