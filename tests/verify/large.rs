//! Images of several GB take little memory: what the engine saves is read as it comes.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::json;
use tar::Header;

use super::support::{Bench, file};
use super::{DOCKERFILE, REWRITTEN};

/// So many files has each image, of so many bytes.
const FILES: u64 = 150_000;
const SIZE: u64 = 20_000;
/// What `verify` may take at most, in bytes.
const LIMIT: u64 = 200 << 20;

fn header(size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header
}

fn padding(size: u64) -> u64 {
    size.next_multiple_of(512) - size
}

/// Writes an image of one large layer as it would come from an engine that saves it. One file has `note` in it.
fn write(target: impl Write, note: &str) -> std::io::Result<()> {
    let mut target = BufWriter::with_capacity(1 << 20, target);
    let entry = |target: &mut BufWriter<_>, path: &str, size: u64| -> std::io::Result<()> {
        let mut header = header(size);
        header.set_path(path)?;
        header.set_cksum();
        target.write_all(header.as_bytes())
    };
    let layer = FILES * (512 + SIZE + padding(SIZE)) + 1024;
    entry(&mut target, "blobs/sha256/layer", layer)?;
    let mut content = vec![b'x'; SIZE as usize];
    for number in 0..FILES {
        let (folder, inner) = (number / 1000, number / 40 % 25);
        let path =
            format!("usr/lib/node_modules/package-{folder}/dist/modules-{inner}/component-{number}.js");
        entry(&mut target, &path, SIZE)?;
        content[..8].copy_from_slice(&number.to_le_bytes());
        if number == FILES / 2 {
            content[8..8 + note.len()].copy_from_slice(note.as_bytes());
        }
        target.write_all(&content)?;
        content[8..8 + note.len()].fill(b'x');
        target.write_all(&vec![0; padding(SIZE) as usize])?;
    }
    target.write_all(&[0; 1024])?;
    target.write_all(&vec![0; padding(layer) as usize])?;
    let config = json!({"config": {"Cmd": ["sh"]}, "history": [{"created_by": "step"}]}).to_string();
    let manifest = json!([{"Config": "blobs/sha256/config", "Layers": ["blobs/sha256/layer"]}]).to_string();
    for (name, text) in [("blobs/sha256/config", config), ("manifest.json", manifest)] {
        entry(&mut target, name, text.len() as u64)?;
        target.write_all(text.as_bytes())?;
        target.write_all(&vec![0; padding(text.len() as u64) as usize])?;
    }
    target.write_all(&[0; 1024])?;
    target.flush()
}

/// Has an image come from a pipe instead of a file, each time that it is saved.
fn stream(path: PathBuf, note: &'static str) {
    fs::remove_file(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    thread::spawn(move || {
        while let Ok(pipe) = File::options().write(true).open(&path) {
            if write(pipe, note).is_err() {
                return;
            }
        }
    });
}

/// The most memory that a process had at once, watched to its end.
fn peak(child: &mut Child) -> u64 {
    let status = Path::new("/proc").join(child.id().to_string()).join("status");
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let size = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak = peak.max(size.unwrap_or_default() * 1024);
        thread::sleep(Duration::from_millis(5));
    }
    peak
}

/// Runs where `DOCKEROPT_LARGE` is set: a debug build takes minutes for it.
#[test]
fn large_images_take_little_memory() {
    if std::env::var_os("DOCKEROPT_LARGE").is_none() || !cfg!(target_os = "linux") {
        return;
    }
    let bench = Bench::new(DOCKERFILE);
    bench.install("docker");
    let small = super::support::Made { layers: vec![vec![file("/a", "")]], config: json!({}) };
    bench.image("a-rewrite", REWRITTEN, &small);
    bench.image("original", "RUN", &small);
    stream(bench.path("bin/store/original.tar"), "old");
    stream(bench.path("bin/store/a-rewrite.tar"), "new");
    let mut child = bench
        .command(&["verify", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let peak = peak(&mut child);
    let output = child.wait_with_output().unwrap();
    let report = super::report(&output);
    println!("{FILES} files, {} MB: {} MB of memory", FILES * SIZE / 1_000_000, peak / 1_000_000);
    assert_eq!(report["before"]["size"], FILES * SIZE);
    let changed = format!("component-{}.js: other content", FILES / 2);
    let unexpected = super::unexpected(&report);
    assert!(unexpected.len() == 1 && unexpected[0].ends_with(&changed), "{unexpected:?}");
    assert!(peak < LIMIT, "{peak} bytes");
}
