//! The program `dockeropt`; see [`dockeropt::run`].

use std::process::ExitCode;

/// Reading a file makes many small things that live for microseconds, which the system's allocator is
/// slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    dockeropt::run::main()
}
