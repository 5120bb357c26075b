//! `migrate`, with real repositories and real git; no network beyond this machine.

#![allow(clippy::unwrap_used, reason = "these are tests, helpers included")]
#![cfg(unix)]

mod apply;
mod decide;
mod hosts;
mod kill;
mod many;
mod page;
mod plan;
mod support;
