//! A second run changes nothing.

#![no_main]
#![allow(dead_code, reason = "the properties are shared with the tests")]

#[path = "../../tests/support/properties.rs"]
mod properties;

use dockeropt::pipeline::optimize;
use dockeropt_syntax::Text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = Text::decode(bytes.to_vec());
    for options in properties::both() {
        let outcome = optimize(text.as_str(), &options);
        if let Err(message) = properties::stable(&outcome, &options) {
            panic!("{message}");
        }
    }
});
