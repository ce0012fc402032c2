//! Values as shells and readers of such files take them.

/// A value in quotes. In single ones everything is what it is, line ends included, for shells and for every reader; double
/// ones are for what has a single one in it. In those, too, a line end stands for itself: no shell takes `\n` for one.
pub(super) fn quoted(value: &str) -> String {
    if !value.contains('\'') {
        return format!("'{value}'");
    }
    let mut text = String::with_capacity(value.len() + 16);
    text.push('"');
    for char in value.chars() {
        if matches!(char, '"' | '\\' | '$' | '`') {
            text.push('\\');
        }
        text.push(char);
    }
    text.push('"');
    text
}

/// The value that begins here, and how many bytes it takes; nothing if its quotes do not end.
pub(super) fn unquoted(text: &str) -> Option<(String, usize)> {
    match text.as_bytes().first() {
        Some(b'\'') => {
            let length = text[1..].find('\'')?;
            Some((text[1..=length].to_owned(), length + 2))
        }
        Some(b'"') => in_double_quotes(text),
        _ => {
            let line = text.lines().next().unwrap_or_default();
            let value = line.split_once(" #").map_or(line, |(value, _)| value);
            Some((value.trim().to_owned(), line.len()))
        }
    }
}

fn in_double_quotes(text: &str) -> Option<(String, usize)> {
    let (mut value, mut chars) = (String::new(), text.char_indices().skip(1));
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, at + 1)),
            '\\' => match chars.next()?.1 {
                // As most readers of such files have it, and we wrote it once.
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                escaped @ ('"' | '\\' | '$' | '`') => value.push(escaped),
                // As shells do.
                other => value.extend(['\\', other]),
            },
            char => value.push(char),
        }
    }
    None
}
