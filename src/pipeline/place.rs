//! Places in the original, and the names that fixes have by their place.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use dockeropt_syntax::{Dockerfile, Edits, LineIndex, Origins};
use dockeropt_transforms::Fix;

/// What was done to the text so far.
#[derive(Default)]
pub(super) struct History {
    origins: Vec<Origins>,
    seen: BTreeSet<u64>,
}

impl History {
    /// Notes edits and the text that they gave; `false` if that text was there before.
    pub(super) fn add(&mut self, edits: &Edits, text: &str) -> bool {
        self.origins.push(edits.origins());
        self.seen.insert(hash([text]))
    }

    /// Where a byte of the text as it is now stood in the original.
    pub(super) fn origin(&self, offset: usize) -> usize {
        self.origins.iter().rev().fold(offset, |offset, origins| origins.of(offset))
    }

    /// Whether a byte of the text as it is now was not there in the original, nor what it replaced.
    pub(super) fn is_new(&self, mut offset: usize) -> bool {
        self.origins.iter().rev().any(|origins| {
            let is_inserted = origins.is_inserted(offset);
            offset = origins.of(offset);
            is_inserted
        })
    }
}

/// The places of an original text.
pub(super) struct Places<'r> {
    file: &'r Dockerfile<'r>,
    lines: OnceCell<LineIndex>,
    instructions: OnceCell<Vec<Named>>,
}

/// An instruction with what tells it apart from the others.
struct Named {
    start: usize,
    end: usize,
    /// The hash of its text in hexadecimal: a long text may have many fixes.
    text: String,
    /// How many instructions above have the same text.
    same: usize,
}

impl<'r> Places<'r> {
    pub(super) fn new(file: &'r Dockerfile<'r>) -> Self {
        Self { file, lines: OnceCell::new(), instructions: OnceCell::new() }
    }

    /// The original text.
    pub(super) fn text(&self) -> &'r str {
        self.file.text
    }

    /// The line of an offset, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.lines.get_or_init(|| LineIndex::new(self.file.text)).line(offset)
    }

    /// The name of a fix, which stays the same while the instruction that it is about, what it does where in
    /// it, and whether that is safe stay the same: who accepted a safe fix did not accept another.
    ///
    /// `again` tells apart fixes that have everything else in common.
    pub(super) fn fingerprint(&self, fix: &Fix, offset: usize, again: usize) -> String {
        let instructions = self.instructions.get_or_init(|| self.name_instructions());
        let at = instructions.partition_point(|instruction| instruction.end <= offset);
        let named = instructions.get(at).or(instructions.last());
        let (text, same, start) =
            named.map_or(("", 0, 0), |named| (named.text.as_str(), named.same, named.start));
        // Line numbers in titles change when something is written above.
        let kind: String = fix.title.chars().filter(|character| !character.is_ascii_digit()).collect();
        let numbers = [same, offset.saturating_sub(start), again, usize::from(fix.is_safe())];
        let numbers = numbers.map(|number| number.to_string());
        let [same, place, again, safe] = numbers.each_ref().map(String::as_str);
        format!("{:016x}", hash([fix.transform, &kind, text, same, place, again, safe]))
    }

    fn name_instructions(&self) -> Vec<Named> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let named = self.file.instructions().map(|instruction| {
            let text = instruction.logical.text.trim();
            let count = counts.entry(text).or_default();
            *count += 1;
            let text = format!("{:016x}", hash([text]));
            Named { start: instruction.span.start, end: instruction.span.end, text, same: *count - 1 }
        });
        named.collect()
    }
}

/// The 64-bit FNV-1a hash, which unlike the standard library's is the same in every version.
fn hash<'t>(parts: impl IntoIterator<Item = &'t str>) -> u64 {
    let bytes = parts.into_iter().flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
