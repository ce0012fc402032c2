//! What the fuzz targets need to reach: parsers of content that only its writer could have sealed.

use super::details::LastPart;
use super::index::Page;

/// Reads the content of a last part, as if it had just been opened.
pub fn last_part(content: &[u8]) {
    if let Some(read) = LastPart::decode(content) {
        let mut written = Vec::new();
        if read.encode(&mut written).is_ok() {
            assert_eq!(LastPart::decode(&written), Some(read), "what is written is read again");
        }
    }
}

/// Reads the content of a page of the index, of as many frames as it has room for.
pub fn index_page(content: &[u8]) {
    let frames = content.len().saturating_sub(8) / 4;
    if let Some(page) = Page::decode(content, frames as u64) {
        assert_eq!(page.encode(), content);
    }
}
