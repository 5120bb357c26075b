//! Tables that are sorted by their first column, and searched where they lie: nothing is read that isn't
//! asked for.

use memchr::{memchr, memchr2, memrchr};

/// A row's first column, and the others, still joined.
pub(crate) type Row = (&'static str, &'static str);

/// A table: comments first, then rows in the order of the bytes of their first column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sorted(pub(crate) &'static str);

impl Sorted {
    /// The rows of a name, in their order: the name, and the other columns, still joined.
    pub(crate) fn rows(self, name: &str) -> impl Iterator<Item = Row> + use<'_> {
        let start = self.first_not_before(name);
        self.0[start..].lines().map(split).take_while(move |(key, _)| *key == name)
    }

    /// All rows.
    pub(crate) fn all(self) -> impl Iterator<Item = Row> {
        self.0[self.body()..].lines().map(split)
    }

    /// The comments.
    pub(crate) fn comments(self) -> impl Iterator<Item = &'static str> {
        self.0[..self.body()].lines()
    }

    /// Where the rows begin.
    fn body(self) -> usize {
        let comments = self.0.split_inclusive('\n').take_while(|line| line.starts_with('#'));
        comments.map(str::len).sum()
    }

    /// Where the first row begins whose name isn't smaller.
    fn first_not_before(self, name: &str) -> usize {
        let bytes = self.0.as_bytes();
        let (mut low, mut high) = (self.body(), bytes.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let start = memrchr(b'\n', &bytes[low..middle]).map_or(low, |at| low + at + 1);
            let key = &bytes[start..];
            let key = memchr2(b'\t', b'\n', key).map_or(key, |end| &key[..end]);
            if key < name.as_bytes() {
                let rest = start + key.len();
                low = memchr(b'\n', &bytes[rest..]).map_or(bytes.len(), |at| rest + at + 1);
            } else {
                high = start;
            }
        }
        low
    }
}

/// The first column of a line, and the others.
pub(crate) fn split(line: &'static str) -> Row {
    line.split_once('\t').unwrap_or((line, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_halves() {
        let row = |table: Sorted, name: &str| table.rows(name).next().map(|(_, rest)| rest);
        let table = Sorted("# a comment\n# x\ty\na\t1\nab\t2\tx\nb\nb\t3\nd\t4\n");
        assert_eq!(
            (row(table, "a"), row(table, "ab"), row(table, "d")),
            (Some("1"), Some("2\tx"), Some("4"))
        );
        assert_eq!(table.rows("b").collect::<Vec<_>>(), [("b", ""), ("b", "3")]);
        for missing in ["", "#", "aa", "c", "e", "# a comment"] {
            assert_eq!(row(table, missing), None, "{missing}");
        }
        assert_eq!((table.all().count(), table.comments().count()), (5, 2));
        assert_eq!(
            (row(Sorted(""), "a"), row(Sorted("# c"), "a"), row(Sorted("a"), "a")),
            (None, None, Some(""))
        );
    }
}
