//! Any bytes come back as they were, and the items of a file tile it.

#![no_main]
#![allow(dead_code, reason = "the properties are shared with the tests")]

#[path = "../../tests/support/properties.rs"]
mod properties;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(message) = properties::lossless(bytes) {
        panic!("{message}");
    }
});
