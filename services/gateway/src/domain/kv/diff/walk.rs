//! Two values, side by side.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::index::{Index, Sort};
use super::{DIFFERENCES_MAX, Edit};

/// Deeper than this, values are compared as a whole.
const DEPTH_MAX: usize = 128;

/// A walk through two values at the same time.
pub(super) struct Walk<'a> {
    old: &'a Index<'a>,
    new: &'a Index<'a>,
    pub(super) edits: Vec<Edit>,
    pub(super) is_cut: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn of(old: &'a Index<'a>, new: &'a Index<'a>) -> Self {
        Self { old, new, edits: Vec::new(), is_cut: false }
    }

    /// Compares two values of the same path.
    pub(super) fn compare(&mut self, path: &mut String, (old, new): (usize, usize), depth: usize) {
        if self.is_cut || self.old.text(old) == self.new.text(new) {
            return;
        }
        match (self.old.sort(old), self.new.sort(new)) {
            (Sort::Text, Sort::Text) if self.old.said(old) == self.new.said(new) => {}
            (Sort::Object, Sort::Object) if depth < DEPTH_MAX => {
                match (fields(self.old, old), fields(self.new, new)) {
                    (Some(old), Some(new)) => self.compare_fields(path, (&old, &new), depth),
                    _ => self.replaced(path, (old, new)),
                }
            }
            (Sort::Array, Sort::Array) if depth < DEPTH_MAX => self.compare_items(path, (old, new), depth),
            _ => self.replaced(path, (old, new)),
        }
    }

    fn compare_fields(&mut self, path: &mut String, (old, new): (&Fields<'_>, &Fields<'_>), depth: usize) {
        let mut names: Vec<_> =
            old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))).collect();
        names.sort_unstable();
        for name in names {
            let token = name.replace('~', "~0").replace('/', "~1");
            self.at(path, &token, (old.get(name).copied(), new.get(name).copied()), depth);
        }
    }

    fn compare_items(&mut self, path: &mut String, (old, new): (usize, usize), depth: usize) {
        let (mut old, mut new) = (self.old.children(old), self.new.children(new));
        for place in 0_usize.. {
            match (old.next(), new.next()) {
                (None, None) => return,
                _ if self.is_cut => return,
                pair => self.at(path, &place.to_string(), pair, depth),
            }
        }
    }

    fn at(&mut self, path: &mut String, token: &str, pair: (Option<usize>, Option<usize>), depth: usize) {
        let length = path.len();
        path.push('/');
        path.push_str(token);
        match pair {
            (Some(old), Some(new)) => self.compare(path, (old, new), depth + 1),
            (Some(old), None) => {
                let value = written(self.old.text(old));
                self.tell(value.map(|value| Edit::Removed { path: path.clone(), value }));
            }
            (None, Some(new)) => {
                let value = written(self.new.text(new));
                self.tell(value.map(|value| Edit::Added { path: path.clone(), value }));
            }
            (None, None) => {}
        }
        path.truncate(length);
    }

    /// Tells of two values as a whole, unless only the white space in them is different.
    fn replaced(&mut self, path: &str, (old, new): (usize, usize)) {
        let both = written(self.old.text(old)).zip(written(self.new.text(new)));
        if both.as_ref().is_none_or(|(from, to)| from.get() != to.get()) {
            self.tell(both.map(|(from, to)| Edit::Replaced { path: path.to_owned(), from, to }));
        }
    }

    fn tell(&mut self, edit: Option<Edit>) {
        match edit {
            Some(edit) if self.edits.len() < DIFFERENCES_MAX => self.edits.push(edit),
            _ => self.is_cut = true,
        }
    }
}

type Fields<'a> = BTreeMap<Cow<'a, str>, usize>;

/// The values of an object by their names; nothing if a name stands twice.
fn fields<'a>(index: &'a Index<'a>, object: usize) -> Option<Fields<'a>> {
    let (mut fields, mut children) = (Fields::new(), index.children(object));
    while let Some((name, value)) = children.next().zip(children.next()) {
        if fields.insert(index.said(name), value).is_some() {
            return None;
        }
    }
    Some(fields)
}

/// A value without the white space in it. It was valid JSON as a part of the whole, so it is by itself.
fn written(text: &str) -> Option<Box<RawValue>> {
    let (mut compact, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(first) = rest.as_bytes().first() {
        let length = match first {
            b'"' => crate::domain::json::text_bytes(rest.as_bytes()),
            b' ' | b'\t' | b'\r' | b'\n' => {
                rest = &rest[1..];
                continue;
            }
            _ => rest.find([' ', '\t', '\r', '\n', '"']).unwrap_or(rest.len()),
        };
        let (taken, left) = rest.split_at(length);
        compact.push_str(taken);
        rest = left;
    }
    RawValue::from_string(compact).ok()
}
