//! Variables by name, as they are at one step; the next step shares what it does not change.

use std::cell::RefCell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::rc::{Rc, Weak};

use rpds::RedBlackTreeMap;
use rustc_hash::FxHasher;

use crate::effects::is_commonly_read;

/// What variables hold, by name.
pub struct Variables<T>(Rc<Inner<T>>);

struct Inner<T> {
    all: RedBlackTreeMap<String, T>,
    /// Those that modelled programs may read.
    common: RedBlackTreeMap<String, T>,
    /// Equal variables have equal digests, in whichever order they were set.
    digest: u64,
    /// What these were made of, and the names that were set then.
    before: Weak<Self>,
    set: Vec<String>,
    /// Other variables that turned out to be equal.
    equal: RefCell<Weak<Self>>,
}

impl<T: Clone + Hash + Eq> Variables<T> {
    /// What a variable holds.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.all.get(name)
    }

    /// A variable's name, as it is kept here, with what it holds.
    pub(crate) fn get_key_value(&self, name: &str) -> Option<(&str, &T)> {
        self.0.all.get_key_value(name).map(|(name, value)| (name.as_str(), value))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.all.is_empty()
    }

    /// The variables by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.all.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Those that modelled programs may read; see [`is_commonly_read`].
    pub fn commonly_read(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.common.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Sets some variables.
    pub(crate) fn set(&mut self, pairs: Vec<(String, T)>) {
        let mut next = Inner {
            all: self.0.all.clone(),
            common: self.0.common.clone(),
            digest: self.0.digest,
            before: Rc::downgrade(&self.0),
            set: Vec::with_capacity(pairs.len()),
            equal: RefCell::default(),
        };
        for (name, value) in pairs {
            if let Some(old) = next.all.get(&name) {
                next.digest = next.digest.wrapping_sub(digest(&name, old));
            }
            next.digest = next.digest.wrapping_add(digest(&name, &value));
            if is_commonly_read(&name) {
                next.common.insert_mut(name.clone(), value.clone());
            }
            next.all.insert_mut(name.clone(), value);
            next.set.push(name);
        }
        self.0 = Rc::new(next);
    }
}

fn digest<T: Hash>(name: &str, value: &T) -> u64 {
    let mut hasher = FxHasher::default();
    (name, value).hash(&mut hasher);
    hasher.finish()
}

impl<T: Eq> Inner<T> {
    fn is_known_equal(self: &Rc<Self>, other: &Rc<Self>) -> bool {
        Rc::ptr_eq(self, other) || std::ptr::eq(self.equal.borrow().as_ptr(), Rc::as_ptr(other))
    }

    /// Whether both were made in the same way of what is equal.
    fn is_made_alike(&self, other: &Self) -> bool {
        let Some((one, two)) = self.before.upgrade().zip(other.before.upgrade()) else { return false };
        one.is_known_equal(&two)
            && self.set == other.set
            && self.set.iter().all(|name| self.all.get(name) == other.all.get(name))
    }
}

impl<T: Eq> PartialEq for Variables<T> {
    fn eq(&self, other: &Self) -> bool {
        let (one, two) = (&self.0, &other.0);
        if one.is_known_equal(two) {
            return true;
        }
        let equal = one.digest == two.digest
            && one.all.size() == two.all.size()
            && (one.is_made_alike(two) || one.all.iter().eq(two.all.iter()));
        if equal {
            *one.equal.borrow_mut() = Rc::downgrade(two);
        }
        equal
    }
}

impl<T: Eq> Eq for Variables<T> {}

impl<T> Clone for Variables<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> Default for Variables<T> {
    fn default() -> Self {
        Self(Rc::new(Inner {
            all: RedBlackTreeMap::new(),
            common: RedBlackTreeMap::new(),
            digest: 0,
            before: Weak::new(),
            set: Vec::new(),
            equal: RefCell::default(),
        }))
    }
}

impl<T: fmt::Debug> fmt::Debug for Variables<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.0.all.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, u8)]) -> Variables<u8> {
        let mut variables = Variables::default();
        for (name, value) in pairs {
            variables.set(vec![((*name).to_owned(), *value)]);
        }
        variables
    }

    #[test]
    fn the_order_of_setting_does_not_count() {
        assert_eq!(of(&[("a", 1), ("b", 2)]), of(&[("b", 2), ("a", 0), ("a", 1)]));
        assert_ne!(of(&[("a", 1), ("b", 2)]), of(&[("a", 2), ("b", 1)]));
        assert_ne!(of(&[("a", 1)]), of(&[("a", 1), ("b", 2)]));
    }

    #[test]
    fn a_change_is_seen_after_an_equal_start() {
        let (mut one, mut two) = (of(&[("a", 1), ("b", 2)]), of(&[("a", 1), ("b", 2)]));
        assert_eq!(one, two);
        one.set(vec![("a".to_owned(), 3)]);
        assert_ne!(one, two);
        two.set(vec![("a".to_owned(), 3)]);
        assert_eq!(one, two);
    }
}
