//! Reading an image as an engine saves it: a tar archive of layers, which are tar archives, and JSON.
//!
//! Nothing is unpacked: of a file, its digest stays. Layers come in any order, so what each brings is
//! noted and put on top of each other at the end.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{self, Read};
use std::ops::Bound;
use std::rc::Rc;

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use tar::{Archive, EntryType};

use super::content::{self, Fingerprint};
use super::pruned::is_note;

/// An image: its files, its configuration and its layers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Image {
    /// All there is, by absolute path.
    pub files: BTreeMap<Rc<str>, Node>,
    /// The content of the files that [`is_kept`] names, by absolute path.
    pub kept: BTreeMap<String, Vec<u8>>,
    /// The object `config` of the image's configuration.
    pub config: serde_json::Map<String, serde_json::Value>,
    /// The layers, from the lowest.
    pub layers: Vec<Layer>,
    /// The bytes that a later layer replaces or deletes, counted as `dive` does: of every path that
    /// several layers have, all sizes.
    pub wasted: u64,
}

/// Paths of images. Two builds of a project have nearly the same ones: each is kept once.
#[derive(Debug, Default)]
pub(super) struct Paths(HashSet<Rc<str>>);

impl Paths {
    fn add(&mut self, path: &str) -> Rc<str> {
        if let Some(known) = self.0.get(path) {
            return Rc::clone(known);
        }
        let path: Rc<str> = path.into();
        self.0.insert(Rc::clone(&path));
        path
    }
}

/// A layer, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layer {
    /// The bytes in its files.
    pub size: u64,
    /// The instruction that made it, as the engine notes it.
    pub created_by: String,
}

/// What lies at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Its permissions.
    pub mode: u16,
    /// The numbers of its owner and group.
    pub owner: (u32, u32),
    /// Its extended attributes by name, if it has any; capabilities are one of them.
    #[expect(clippy::box_collection, reason = "there are many nodes, and few have attributes")]
    pub attributes: Option<Box<BTreeMap<String, Vec<u8>>>>,
}

/// What kind of thing lies at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NodeKind {
    /// A file with its size, and the digest of what counts in it.
    File(u64, Fingerprint),
    /// A folder.
    Folder,
    /// A symbolic link with its target.
    Link(Box<str>),
    /// A device with its numbers, or a pipe.
    Special(u8, u32, u32),
}

impl Image {
    /// The bytes in all layers.
    pub(super) fn size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.size).sum()
    }

    /// What lies in a folder, at any depth.
    pub(super) fn below(&self, folder: &str) -> impl Iterator<Item = (&Rc<str>, &Node)> {
        let inside = format!("{}/", folder.trim_end_matches('/'));
        let from = (Bound::Included(inside.as_str()), Bound::Unbounded);
        self.files.range::<str, _>(from).take_while(move |(path, _)| path.starts_with(&inside))
    }
}

/// What a layer brings.
#[derive(Clone, Default)]
struct LayerContent {
    nodes: Vec<(Rc<str>, Brought)>,
    kept: BTreeMap<String, Vec<u8>>,
    size: u64,
}

#[derive(Clone)]
enum Brought {
    Node(Node),
    /// Another name for what lies at a path.
    HardLink(Rc<str>),
    /// What lies below is gone.
    Whiteout,
    /// All that lower layers have in the folder is gone.
    Opaque,
}

/// Whether the content of a file is kept: what package managers note, and the names of users.
pub(super) fn is_kept(path: &str) -> bool {
    path == "/etc/passwd"
        || path == "/etc/group"
        || path == "/var/lib/dpkg/status"
        || path == "/lib/apk/db/installed"
        || path == "/usr/lib/apk/db/installed"
        || (path.starts_with("/var/lib/dpkg/info/") && path.ends_with(".list"))
        || is_note(path)
}

/// `manifest.json`
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Manifest {
    config: String,
    layers: Vec<String>,
}

/// The parts of an image's configuration that are read here.
#[derive(Deserialize)]
struct Configuration {
    #[serde(default)]
    config: Option<serde_json::Map<String, serde_json::Value>>,
    #[serde(default)]
    history: Vec<History>,
}

#[derive(Deserialize)]
struct History {
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    empty_layer: bool,
}

/// The largest JSON file that is read.
const LARGEST_JSON: u64 = 16 << 20;

/// Reads an image from a docker archive.
pub(super) fn read(archive: impl Read, paths: &mut Paths) -> io::Result<Image> {
    let mut json: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut layers: BTreeMap<String, LayerContent> = BTreeMap::new();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut archive = Archive::new(archive);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if let Some(target) = entry.link_name_bytes() {
            // podman gives a layer that occurs twice by a link.
            names.insert(name.clone(), beside(&name, &String::from_utf8_lossy(&target)));
            continue;
        }
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let mut start = [0; 4];
        let count = read_start(&mut entry, &mut start)?;
        let small = entry.header().size()? <= LARGEST_JSON;
        let start = &start[..count];
        let mut whole = start.chain(entry);
        match start {
            [b'{' | b'[', ..] if small => drop(whole.read_to_end(json.entry(name).or_default())?),
            [0x1f, 0x8b, ..] => drop(layers.insert(name, read_layer(MultiGzDecoder::new(whole), paths)?)),
            [0x28, 0xb5, 0x2f, 0xfd] => {
                return Err(io::Error::other(
                    "the engine saves layers compressed by zstd, which are not read",
                ));
            }
            // `VERSION`, and `repositories` of old archives.
            _ if !name.ends_with(".tar") && !name.starts_with("blobs/") => {}
            _ => drop(layers.insert(name, read_layer(whole, paths)?)),
        }
    }
    let missing = |what: &str| io::Error::other(format!("the saved image has no {what}"));
    let manifest = json.get("manifest.json").ok_or_else(|| missing("manifest.json"))?;
    let manifest: Vec<Manifest> = serde_json::from_slice(manifest)?;
    let manifest = manifest.into_iter().next().ok_or_else(|| missing("image"))?;
    let configuration = json.get(&manifest.config).ok_or_else(|| missing("configuration"))?;
    let configuration: Configuration = serde_json::from_slice(configuration)?;
    let mut made = configuration.history.into_iter().filter(|history| !history.empty_layer);
    let mut image = Image { config: configuration.config.unwrap_or_default(), ..Image::default() };
    let mut sizes = Sizes::default();
    let mut order = manifest.layers.clone();
    for name in &mut order {
        while let Some(target) = names.get(name.as_str()) {
            name.clone_from(target);
        }
    }
    for (at, name) in order.iter().enumerate() {
        // What a layer holds goes into the image, unless the layer occurs once more.
        let again = order[at + 1..].contains(name);
        let layer = if again { layers.get(name).cloned() } else { layers.remove(name) };
        let layer = layer.ok_or_else(|| missing("layer"))?;
        let created_by = made.next().map(|history| history.created_by).unwrap_or_default();
        image.layers.push(Layer { size: layer.size, created_by });
        image.put(layer, &mut sizes);
    }
    image.wasted = sizes.wasted();
    Ok(image)
}

fn read_start(file: &mut impl Read, start: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while count < start.len() {
        match file.read(&mut start[count..])? {
            0 => break,
            more => count += more,
        }
    }
    Ok(count)
}

/// The path that a link in an archive means.
fn beside(name: &str, target: &str) -> String {
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn read_layer(layer: impl Read, paths: &mut Paths) -> io::Result<LayerContent> {
    let mut content = LayerContent::default();
    let mut archive = Archive::new(layer);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = format!("/{}", path.trim_start_matches("./").trim_matches('/'));
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        if name == ".wh..wh..opq" {
            let folder = if folder.is_empty() { "/" } else { folder };
            content.nodes.push((paths.add(folder), Brought::Opaque));
            continue;
        }
        if let Some(gone) = name.strip_prefix(".wh.") {
            content.nodes.push((paths.add(&format!("{folder}/{gone}")), Brought::Whiteout));
            continue;
        }
        let header = entry.header();
        let (mode, owner) = ((header.mode()? & 0o7777) as u16, (header.uid()? as u32, header.gid()? as u32));
        // The numbers are blank where there is no device.
        let number = |number: io::Result<Option<u32>>| number.ok().flatten().unwrap_or_default();
        let device = (number(header.device_major()), number(header.device_minor()));
        let (entry_type, size) = (header.entry_type(), entry.size());
        let linked = entry.link_name_bytes().map(|target| String::from_utf8_lossy(&target).into_owned());
        let mut attributes = BTreeMap::new();
        for extension in entry.pax_extensions()?.into_iter().flatten() {
            let extension = extension?;
            if let Some(name) = extension.key().ok().and_then(|key| key.strip_prefix("SCHILY.xattr.")) {
                attributes.insert(name.to_owned(), extension.value_bytes().to_vec());
            }
        }
        let kind = match entry_type {
            EntryType::Directory => NodeKind::Folder,
            EntryType::Symlink => NodeKind::Link(linked.unwrap_or_default().into()),
            EntryType::Link => {
                let target = linked.unwrap_or_default();
                let target = format!("/{}", target.trim_start_matches("./").trim_matches('/'));
                content.nodes.push((paths.add(&path), Brought::HardLink(paths.add(&target))));
                continue;
            }
            EntryType::Char | EntryType::Block | EntryType::Fifo => {
                NodeKind::Special(entry_type.as_byte(), device.0, device.1)
            }
            EntryType::XGlobalHeader => continue,
            _ => {
                content.size += size;
                let mut kept = is_kept(&path).then(Vec::new);
                let read = content::read(&mut entry, size, kept.as_mut())?;
                if let Some(bytes) = kept {
                    content.kept.insert(path.clone(), bytes);
                }
                NodeKind::File(size, read.essence)
            }
        };
        let attributes = (!attributes.is_empty()).then(|| Box::new(attributes));
        content.nodes.push((paths.add(&path), Brought::Node(Node { kind, mode, owner, attributes })));
    }
    Ok(content)
}

impl Image {
    /// Puts a layer on top of those that are there.
    fn put(&mut self, layer: LayerContent, sizes: &mut Sizes) {
        let LayerContent { nodes, kept, .. } = layer;
        let deletes = nodes.iter().any(|(_, it)| matches!(it, Brought::Whiteout | Brought::Opaque));
        let own: BTreeSet<Rc<str>> = nodes
            .iter()
            .filter(|_| deletes)
            .filter(|(_, brought)| matches!(brought, Brought::Node(_) | Brought::HardLink(_)))
            .map(|(path, _)| Rc::clone(path))
            .collect();
        // Deletions are about the layers below, wherever they stand.
        for (path, brought) in &nodes {
            match brought {
                Brought::Whiteout => {
                    sizes.add(path, self.size_below(path));
                    self.delete(path, true, &own);
                }
                Brought::Opaque => self.delete(path, false, &own),
                _ => {}
            }
        }
        for (path, brought) in nodes {
            let is_linked = matches!(brought, Brought::HardLink(_));
            let node = match brought {
                Brought::Node(node) => Some(node),
                Brought::HardLink(target) => self.files.get(&target).cloned(),
                Brought::Whiteout | Brought::Opaque => None,
            };
            let Some(node) = node else { continue };
            if let NodeKind::File(size, _) = &node.kind {
                sizes.add(&path, if is_linked { 0 } else { *size });
            }
            let replaces_folder = !matches!(node.kind, NodeKind::Folder)
                && self.files.get(&path).is_some_and(|it| it.kind == NodeKind::Folder);
            if replaces_folder {
                self.delete(&path, false, &own);
            }
            if !kept.contains_key(&*path) {
                self.kept.remove(&*path);
            }
            self.files.insert(path, node);
        }
        self.kept.extend(kept);
    }

    /// Takes away what lies at a path, itself included on request, but for what the layer brings.
    fn delete(&mut self, path: &str, itself: bool, own: &BTreeSet<Rc<str>>) {
        let below: Vec<Rc<str>> = self.below(path).map(|(other, _)| Rc::clone(other)).collect();
        for gone in below.into_iter().chain(itself.then(|| path.into())) {
            if !own.contains(&gone) {
                self.files.remove(&gone);
                self.kept.remove(&*gone);
            }
        }
    }

    /// The bytes in the files of a folder.
    fn size_below(&self, path: &str) -> u64 {
        self.below(path).map(|(_, node)| if let NodeKind::File(size, _) = node.kind { size } else { 0 }).sum()
    }
}

/// How often layers have a path, and how large it is there in all.
#[derive(Default)]
struct Sizes(BTreeMap<Rc<str>, (u32, u64)>);

impl Sizes {
    fn add(&mut self, path: &Rc<str>, size: u64) {
        match self.0.get_mut(path) {
            Some((count, all)) => (*count, *all) = (*count + 1, *all + size),
            None => drop(self.0.insert(Rc::clone(path), (1, size))),
        }
    }

    fn wasted(&self) -> u64 {
        self.0.values().filter(|(count, _)| *count > 1).map(|(_, size)| size).sum()
    }
}
