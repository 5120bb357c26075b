//! The language server with a real editor: Neovim, without a window. Without it on PATH nothing is tried, which
//! is said.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests")]

use std::fs;
use std::path::Path;
use std::process::Command;

const TEXT: &str = "FROM debian:12\nRUN apt-get update\nRUN apt-get install -y gcc\nCMD [\"gcc\"]\n";

const FIXED: &str = r#"FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
CMD ["gcc"]
"#;

#[test]
fn neovim_shows_diagnostics_and_makes_all_fixes() {
    if Command::new("nvim").arg("--version").output().is_err() {
        println!("skipped: nvim is not on PATH");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Dockerfile"), TEXT).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/editor/neovim.lua");
    let output = Command::new("nvim")
        .args(["--headless", "-u", "NONE", "-i", "NONE", "Dockerfile", "-c"])
        .arg(format!("luafile {}", script.display()))
        .current_dir(folder.path())
        .env("DOCKEROPT", env!("CARGO_BIN_EXE_dockeropt"))
        .output()
        .unwrap();
    // It prints to standard error when it has no window.
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    for wanted in ["2 dockeropt merge-run Join 2 RUNs", "hover true", "source.fixAll.dockeropt"] {
        assert!(said.contains(wanted), "{said}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("Dockerfile")).unwrap(), FIXED);
}
