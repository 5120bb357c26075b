//! Prints the numbers that it is given, or that it reads, in Roman numerals.

use std::io::Read;

const DIGITS: [(u32, &str); 13] = [
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"),
    (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
];

fn roman(mut number: u32) -> String {
    let mut text = String::new();
    for (value, digit) in DIGITS {
        while number >= value {
            text.push_str(digit);
            number -= value;
        }
    }
    text
}

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    if words.is_empty() {
        let mut input = String::new();
        std::io::stdin().read_to_string(&mut input).expect("text");
        words = input.split_whitespace().map(String::from).collect();
    }
    for word in words {
        match word.parse() {
            Ok(number) => println!("{number} {}", roman(number)),
            Err(error) => {
                eprintln!("{word}: {error}");
                std::process::exit(1);
            }
        }
    }
}

#[test]
fn digits() {
    assert_eq!(roman(1994), "MCMXCIV");
    assert_eq!(roman(0), "");
}
