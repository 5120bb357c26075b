//! Counts the words of a file, in a database in memory.

use std::{env, fs};

use rusqlite::{Connection, Result};

fn main() -> Result<()> {
    let path = env::args().nth(1).unwrap_or_else(|| "words.txt".to_owned());
    let text = fs::read_to_string(&path).expect("the file can be read");
    let database = Connection::open_in_memory()?;
    database.execute("CREATE TABLE words (word TEXT)", [])?;
    for word in text.split_whitespace() {
        database.execute("INSERT INTO words VALUES (?1)", [word])?;
    }
    let count: i64 = database.query_row("SELECT count(DISTINCT word) FROM words", [], |row| row.get(0))?;
    println!("{count}");
    Ok(())
}
