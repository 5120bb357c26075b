//! A made engine and made images.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

/// A file of an image.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) content: Vec<u8>,
    pub(crate) mode: u32,
    pub(crate) owner: (u64, u64),
    pub(crate) capability: Option<Vec<u8>>,
    pub(crate) link: Option<String>,
}

pub(crate) fn file(path: &str, content: &str) -> File {
    File {
        path: path.to_owned(),
        content: content.into(),
        mode: 0o644,
        owner: (0, 0),
        capability: None,
        link: None,
    }
}

/// An image of several layers.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) layers: Vec<Vec<File>>,
    pub(crate) config: Value,
}

impl Made {
    /// Takes a file of the last layer out, changes it, and puts what comes of it back.
    pub(crate) fn change(&self, path: &str, change: impl Fn(File) -> Option<File>) -> Self {
        let mut made = self.clone();
        let last = made.layers.last_mut().unwrap();
        let at = last.iter().position(|file| file.path == path).unwrap();
        let old = last.remove(at);
        last.extend(change(old));
        made
    }

    /// The image as `docker save` writes it; with layers that are compressed on request.
    pub(crate) fn archive(&self, compress: bool) -> Vec<u8> {
        let mut archive = Builder::new(Vec::new());
        let mut names = Vec::new();
        // Layers come before the manifest that tells their order.
        for (at, layer) in self.layers.iter().enumerate().rev() {
            let name = format!("blobs/sha256/layer{at}");
            let mut bytes = tar_of(layer);
            if compress {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                std::io::Write::write_all(&mut encoder, &bytes).unwrap();
                bytes = encoder.finish().unwrap();
            }
            add(&mut archive, &name, &bytes);
            names.insert(0, name);
        }
        let history: Vec<Value> = self
            .layers
            .iter()
            .enumerate()
            .map(|(at, _)| json!({"created_by": format!("step {at}")}))
            .collect();
        let config = json!({"config": self.config, "history": history, "os": "linux"});
        add(&mut archive, "blobs/sha256/config", config.to_string().as_bytes());
        let manifest = json!([{"Config": "blobs/sha256/config", "RepoTags": null, "Layers": names}]);
        add(&mut archive, "manifest.json", manifest.to_string().as_bytes());
        archive.into_inner().unwrap()
    }
}

fn add(archive: &mut Builder<Vec<u8>>, name: &str, bytes: &[u8]) {
    let mut header = Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, name, bytes).unwrap();
}

fn tar_of(files: &[File]) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    for file in files {
        if let Some(capability) = &file.capability {
            archive
                .append_pax_extensions([("SCHILY.xattr.security.capability", capability.as_slice())])
                .unwrap();
        }
        let mut header = Header::new_ustar();
        header.set_mode(file.mode);
        header.set_uid(file.owner.0);
        header.set_gid(file.owner.1);
        let name = file.path.trim_start_matches('/');
        match &file.link {
            Some(target) => {
                header.set_entry_type(EntryType::Symlink);
                header.set_size(0);
                archive.append_link(&mut header, name, target).unwrap();
            }
            None if name.ends_with('/') => {
                header.set_entry_type(EntryType::Directory);
                header.set_size(0);
                archive.append_data(&mut header, name, &b""[..]).unwrap();
            }
            None => {
                header.set_size(file.content.len() as u64);
                archive.append_data(&mut header, name, file.content.as_slice()).unwrap();
            }
        }
    }
    archive.into_inner().unwrap()
}

/// A folder with a made engine and a project.
pub(crate) struct Bench {
    folder: TempDir,
}

impl Bench {
    pub(crate) fn new(dockerfile: &str) -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["bin/store/tags", "project", "tmp"] {
            fs::create_dir_all(bench.path(folder)).unwrap();
        }
        fs::write(bench.path("project/Dockerfile"), dockerfile).unwrap();
        bench.link_programs();
        bench
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// Puts the programs of the system on PATH, but for its engines.
    fn link_programs(&self) {
        for folder in ["/usr/bin", "/bin"] {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                let name = entry.file_name();
                if !["docker", "podman", "buildah"].iter().any(|engine| name == *engine) {
                    // What is in both folders is there already.
                    let _ = std::os::unix::fs::symlink(entry.path(), self.path("bin").join(name));
                }
            }
        }
    }

    /// Puts the engine on PATH under a name.
    pub(crate) fn install(&self, program: &str) {
        let path = self.path("bin").join(program);
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify/engine.sh"), &path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Has the image built of Dockerfiles that contain a text; earlier names win.
    pub(crate) fn image(&self, name: &str, text: &str, made: &Made) {
        let store = self.path("bin/store");
        fs::write(store.join(format!("{name}.match")), text).unwrap();
        fs::write(store.join(format!("{name}.tar")), made.archive(false)).unwrap();
        self.runs(name, "out\n", 0);
    }

    /// What commands say in an image, and how they end.
    pub(crate) fn runs(&self, name: &str, output: &str, status: u8) {
        let store = self.path("bin/store");
        fs::write(store.join(format!("{name}.run")), output).unwrap();
        fs::write(store.join(format!("{name}.exit")), status.to_string()).unwrap();
    }

    pub(crate) fn set(&self, flag: &str) {
        fs::write(self.path("bin/store").join(flag), "").unwrap();
    }

    /// dockeropt in the project, with the made engine.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dockeropt"));
        command.args(arguments).current_dir(self.path("project")).env("PATH", self.path("bin"));
        command.env("TMPDIR", self.path("tmp"));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// How the engine was called, with temporary names made equal.
    pub(crate) fn transcript(&self) -> String {
        let text = fs::read_to_string(self.path("bin/store/transcript")).unwrap_or_default();
        let tmp = self.path("tmp").display().to_string();
        let text = text.replace(&tmp, "TMP").replace(&self.path("project").display().to_string(), "PROJECT");
        let mut plain = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find("dockeropt-") {
            plain.push_str(&rest[..at]);
            rest = rest[at..].trim_start_matches("dockeropt-");
            let name = rest.starts_with("verify-");
            rest = rest.trim_start_matches("verify-");
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            plain.push_str(if name { "NAME" } else { "FOLDER" });
            rest = &rest[end..];
        }
        plain + rest
    }

    /// The names of images that are still there, and the temporary folders.
    pub(crate) fn left(&self) -> Vec<String> {
        let names = |folder: &str| {
            let entries = fs::read_dir(self.path(folder)).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
        };
        [names("bin/store/tags"), names("tmp")].concat()
    }
}
