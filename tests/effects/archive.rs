//! The layers of an image that an engine saved, path by path.

use std::collections::BTreeMap;
use std::io::Read;

use dockeropt_facts::effects::within;
use tar::{Archive, EntryType};

/// What a layer has at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A folder with its mode and owner.
    Folder(u32, u64, u64),
    /// Anything else.
    Other,
    /// Nothing is there any more.
    Gone,
}

impl Entry {
    pub(crate) fn is_folder(&self) -> bool {
        matches!(self, Self::Folder(..))
    }
}

/// What a layer changed, by absolute path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    pub(crate) entries: BTreeMap<String, Entry>,
}

impl Layer {
    /// Brings what lies below up to date.
    pub(crate) fn put_on(&self, below: &mut BTreeMap<String, Entry>) {
        for (path, entry) in &self.entries {
            if *entry == Entry::Gone {
                below.retain(|other, _| !within(other, path));
            }
        }
        let here = self.entries.iter().filter(|(_, entry)| **entry != Entry::Gone);
        below.extend(here.map(|(path, entry)| (path.clone(), entry.clone())));
    }
}

/// The layers of a docker archive, from the lowest.
pub(crate) fn read(archive: impl Read) -> Vec<Layer> {
    let mut layers: BTreeMap<String, Layer> = BTreeMap::new();
    let mut links: BTreeMap<String, String> = BTreeMap::new();
    let mut manifest = serde_json::Value::Null;
    let mut archive = Archive::new(archive);
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        if let Some(target) = entry.link_name().unwrap() {
            links.insert(name, target.to_string_lossy().trim_start_matches("../").to_owned());
            continue;
        }
        if name == "manifest.json" {
            manifest = serde_json::from_reader(&mut entry).unwrap();
            continue;
        }
        let is_layer = name.starts_with("blobs/") || name.ends_with(".tar");
        if is_layer && entry.header().entry_type().is_file() {
            layers.insert(name, read_layer(entry));
        }
    }
    let order = manifest[0]["Layers"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    order.map(|name| layers[links.get(name).map_or(name, String::as_str)].clone()).collect()
}

/// A layer; JSON, which isn't one, has no entries.
fn read_layer(layer: impl Read) -> Layer {
    let mut found = Layer::default();
    let mut archive = Archive::new(layer);
    for entry in archive.entries().unwrap() {
        let Ok(entry) = entry else { break };
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        let path = format!("/{}", path.trim_start_matches("./").trim_matches('/'));
        let (folder, name) = path.rsplit_once('/').unwrap();
        if let Some(gone) = name.strip_prefix(".wh.") {
            let gone = if gone == ".wh..opq" { folder.to_owned() } else { format!("{folder}/{gone}") };
            found.entries.insert(gone, Entry::Gone);
            continue;
        }
        let header = entry.header();
        let what = match header.entry_type() {
            EntryType::Directory => {
                Entry::Folder(header.mode().unwrap() & 0o7777, header.uid().unwrap(), header.gid().unwrap())
            }
            _ => Entry::Other,
        };
        found.entries.insert(path, what);
    }
    found
}
