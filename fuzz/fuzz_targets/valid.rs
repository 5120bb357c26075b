//! What was accepted is accepted after all fixes, with every comment, and the check finds no bug.

#![no_main]
#![allow(dead_code, reason = "the properties are shared with the tests")]

#[path = "../../tests/support/properties.rs"]
mod properties;

use dockeropt_syntax::Text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = Text::decode(bytes.to_vec());
    for options in properties::both() {
        if let Err(message) = properties::valid(text.as_str(), &options) {
            panic!("{message}");
        }
    }
});
