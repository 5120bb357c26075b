//! Changes to a text.

use crate::Span;

/// One replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes to replace; empty for an insertion.
    pub span: Span,
    /// What comes in their place.
    pub replacement: String,
}

/// Two edits that want the same place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the edit of bytes {}..{} overlaps the edit of bytes {}..{}", second.start, second.end, first.start, first.end)]
pub struct Overlap {
    /// The edit that was there.
    pub first: Span,
    /// The edit that was refused.
    pub second: Span,
}

/// Edits of one text, sorted by place and disjoint.
///
/// Insertions at the same place keep the order in which they were added. An insertion may touch the
/// edge of a replacement, but not lie within it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    edits: Vec<Edit>,
}

impl Edits {
    /// No edits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// The edits in order.
    pub fn iter(&self) -> impl Iterator<Item = &Edit> {
        self.edits.iter()
    }

    /// Adds the replacement of `span` by `replacement`.
    pub fn replace(&mut self, span: Span, replacement: impl Into<String>) -> Result<(), Overlap> {
        let at = self.place_for(span)?;
        self.edits.insert(at, Edit { span, replacement: replacement.into() });
        Ok(())
    }

    /// Where among the edits one of `span` belongs.
    fn place_for(&self, span: Span) -> Result<usize, Overlap> {
        let at = self.edits.partition_point(|edit| edit.span.end <= span.start);
        match self.edits.get(at).filter(|other| other.span.start < span.end) {
            Some(other) => Err(Overlap { first: other.span, second: span }),
            None => Ok(at),
        }
    }

    /// Adds an insertion before the byte at `offset`.
    pub fn insert(&mut self, offset: usize, text: impl Into<String>) -> Result<(), Overlap> {
        self.replace(Span::empty(offset), text)
    }

    /// Adds the removal of `span`.
    pub fn remove(&mut self, span: Span) -> Result<(), Overlap> {
        self.replace(span, "")
    }

    /// Adds all of `other`, or none of it.
    pub fn merge(&mut self, other: &Self) -> Result<(), Overlap> {
        // The edits of `other` are disjoint, so that each can be looked at alone.
        for edit in &other.edits {
            self.place_for(edit.span)?;
        }
        for edit in &other.edits {
            self.replace(edit.span, edit.replacement.clone())?;
        }
        Ok(())
    }

    /// The text with the edits made. `text` must be the one that the spans are places in.
    pub fn apply(&self, text: &str) -> String {
        let added: usize = self.edits.iter().map(|edit| edit.replacement.len()).sum();
        let mut result = String::with_capacity(text.len() + added);
        let mut at = 0;
        for edit in &self.edits {
            result.push_str(&text[at..edit.span.start]);
            result.push_str(&edit.replacement);
            at = edit.span.end;
        }
        result.push_str(&text[at..]);
        result
    }

    /// An upper bound of the bytes that any line that the edits write to will have, without those of
    /// other edits on it.
    pub fn longest_line(&self, text: &str) -> usize {
        let added: usize = self.edits.iter().map(|edit| edit.replacement.len()).sum();
        let writing = self.edits.iter().filter(|edit| !edit.replacement.is_empty());
        let longest = writing.map(|edit| {
            let start = text[..edit.span.start].rfind('\n').map_or(0, |newline| newline + 1);
            let end = text[edit.span.end..].find('\n').map_or(text.len(), |newline| edit.span.end + newline);
            end - start
        });
        longest.max().unwrap_or_default() + added
    }

    /// Where the bytes of the edited text stood before.
    pub fn origins(&self) -> Origins {
        let mut shift = 0isize;
        let places = self.edits.iter().map(|edit| {
            let start = edit.span.start.wrapping_add_signed(shift);
            shift += edit.replacement.len() as isize - edit.span.len() as isize;
            Place { start, end: start + edit.replacement.len(), before: edit.span }
        });
        Origins { places: places.collect() }
    }
}

/// Where the bytes of an edited text stood before; see [`Edits::origins`].
#[derive(Clone, Debug)]
pub struct Origins {
    places: Vec<Place>,
}

/// What an edit wrote, and in place of what.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: usize,
    end: usize,
    before: Span,
}

impl Origins {
    /// Where a byte of the edited text stood before. A byte that an edit brought in gives the start
    /// of what the edit replaced.
    pub fn of(&self, offset: usize) -> usize {
        let next = self.places.partition_point(|place| place.start <= offset);
        match next.checked_sub(1).map(|last| self.places[last]) {
            // Of several edits at one byte, only the last can have written something.
            Some(last) if offset < last.end => last.before.start,
            Some(last) => last.before.end + (offset - last.end),
            None => offset,
        }
    }

    /// Whether an edit brought in a byte of the edited text, and replaced nothing.
    pub fn is_inserted(&self, offset: usize) -> bool {
        let next = self.places.partition_point(|place| place.start <= offset);
        let last = next.checked_sub(1).map(|last| self.places[last]);
        last.is_some_and(|last| offset < last.end && last.before.start == last.before.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_made_in_order_of_place() {
        let mut edits = Edits::new();
        edits.replace(Span::new(4, 6), "XY").unwrap();
        edits.insert(0, "a").unwrap();
        edits.insert(4, "b").unwrap();
        edits.insert(6, "c").unwrap();
        edits.remove(Span::new(8, 9)).unwrap();
        assert_eq!(edits.apply("0123456789"), "a0123bXYc679");
    }

    #[test]
    fn an_overlap_is_an_error() {
        let mut edits = Edits::new();
        edits.remove(Span::new(4, 6)).unwrap();
        for (start, end) in [(3, 5), (5, 6), (4, 6), (5, 7), (0, 9), (5, 5)] {
            assert!(edits.replace(Span::new(start, end), "x").is_err(), "{start}..{end}");
        }
        edits.insert(4, "b").unwrap();
        assert_eq!(edits.apply("0123456789"), "0123b6789");
    }

    #[test]
    fn insertions_at_one_place_keep_their_order() {
        let mut edits = Edits::new();
        edits.insert(1, "a").unwrap();
        edits.insert(1, "b").unwrap();
        assert_eq!(edits.apply("01"), "0ab1");
    }

    #[test]
    fn the_longest_line_counts_what_is_added() {
        let mut edits = Edits::new();
        edits.insert(1, "abc").unwrap();
        edits.remove(Span::new(6, 12)).unwrap();
        assert_eq!(edits.longest_line("01\n3456789\n12345"), 2 + 3);
    }

    #[test]
    fn origins_are_found() {
        let mut edits = Edits::new();
        edits.insert(2, "ab").unwrap();
        edits.remove(Span::new(4, 6)).unwrap();
        let after = edits.apply("01234567");
        assert_eq!(after, "01ab2367");
        let origins: Vec<_> = (0..after.len()).map(|at| edits.origins().of(at)).collect();
        assert_eq!(origins, [0, 1, 2, 2, 2, 3, 6, 7]);
    }
}
