//! Names that people give: what is taken is written as it was read, and can hurt no folder.
#![no_main]

use coffer_core::{EmailAddress, FileName, UserName};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(name) = text.parse::<FileName>() {
        assert_eq!(name.as_str(), text);
        let path = std::path::Path::new(text);
        let is_plain = |part| matches!(part, std::path::Component::Normal(_));
        assert!(path.is_relative() && path.components().all(is_plain));
    }
    if let Ok(name) = text.parse::<UserName>() {
        assert_eq!(name.as_str(), text);
    }
    if let Ok(address) = text.parse::<EmailAddress>() {
        assert_eq!(address.as_str().parse::<EmailAddress>().expect("it was written"), address);
    }
});
