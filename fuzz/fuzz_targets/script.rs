//! Any text is read as a script without a panic, and what is read stands in order.

#![no_main]
#![allow(dead_code, reason = "the properties are shared with the tests")]

#[path = "../../tests/support/properties.rs"]
mod properties;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(message) = properties::script(text) {
        panic!("{message}");
    }
});
