//! Fills a table in memory and prints how many rows it has.

use std::env;
use std::ffi::{CStr, CString};
use std::os::raw::{c_char, c_int, c_void};
use std::ptr::null_mut;

use libsqlite3_sys::{sqlite3_exec, sqlite3_open};

extern "C" fn print(_: *mut c_void, _: c_int, values: *mut *mut c_char, _: *mut *mut c_char) -> c_int {
    println!("{}", unsafe { CStr::from_ptr(*values) }.to_string_lossy());
    0
}

fn statements(table: &str, rows: usize) -> String {
    let inserts: String = (0..rows).map(|row| format!("INSERT INTO {table} VALUES ({row});")).collect();
    format!("CREATE TABLE {table} (n);{inserts}SELECT count(*) FROM {table};")
}

fn main() {
    let rows = env::args().nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
    let table = env::var("TABLE").unwrap_or_else(|_| "rows".to_owned());
    let (name, text) = (CString::new(":memory:").unwrap(), CString::new(statements(&table, rows)).unwrap());
    let mut database = null_mut();
    unsafe {
        assert_eq!(sqlite3_open(name.as_ptr(), &mut database), 0);
        assert_eq!(sqlite3_exec(database, text.as_ptr(), Some(print), null_mut(), null_mut()), 0);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_table_is_made_filled_and_counted() {
        assert!(super::statements("a", 2).ends_with("VALUES (1);SELECT count(*) FROM a;"));
    }
}
