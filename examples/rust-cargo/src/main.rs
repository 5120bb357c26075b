fn main() {
    let mut buffer = itoa::Buffer::new();
    for word in std::env::args().skip(1) {
        println!("{} {}", word.to_uppercase(), buffer.format(word.len()));
    }
}
