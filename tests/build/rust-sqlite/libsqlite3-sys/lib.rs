//! The few functions of SQLite that the program calls.
#![allow(non_camel_case_types)]

use std::os::raw::{c_char, c_int, c_void};

pub enum sqlite3 {}
pub type Row = extern "C" fn(*mut c_void, c_int, *mut *mut c_char, *mut *mut c_char) -> c_int;

extern "C" {
    pub fn sqlite3_open(name: *const c_char, database: *mut *mut sqlite3) -> c_int;
    pub fn sqlite3_exec(
        database: *mut sqlite3,
        text: *const c_char,
        row: Option<Row>,
        argument: *mut c_void,
        error: *mut *mut c_char,
    ) -> c_int;
}
