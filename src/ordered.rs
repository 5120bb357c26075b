//! Working on many things at once and seeing the results in order.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many blocks of results may wait for an earlier one, per thread. Bounds the memory when one
/// file takes much longer than those after it.
const AHEAD: usize = 8;

/// How many items a thread takes at a time, at most: waking a thread costs more than to read a file.
const BLOCK: usize = 16;

/// The stack of a thread, in bytes: that of a main thread.
const STACK: usize = 8 << 20;

struct Shared<R> {
    state: Mutex<State<R>>,
    /// A result came, for the one who sees them.
    came: Condvar,
    /// A result was seen, for those who make them.
    seen: Condvar,
}

struct State<R> {
    next_to_make: usize,
    next_to_see: usize,
    waiting: BTreeMap<usize, R>,
    /// How many there are, as soon as that is known.
    end: Option<usize>,
    stopped: bool,
    threads: usize,
}

impl<R> Shared<R> {
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls `make` for every item on `jobs` threads, and `see` on this thread for every result in the
/// order of the items, until `see` breaks. `make` must not panic.
pub fn for_each<T: Sync, R: Send>(
    items: &[T],
    jobs: usize,
    make: impl Fn(&T) -> R + Sync,
    mut see: impl FnMut(R) -> ControlFlow<()>,
) {
    let jobs = jobs.min(items.len());
    let block = (items.len() / (jobs.max(1) * 8)).clamp(1, BLOCK);
    let mut blocks = items.chunks(block);
    if jobs <= 1 {
        let _ = items.iter().try_for_each(|item| see(make(item)));
        return;
    }
    let make_block = |block: &[T]| block.iter().map(&make).collect::<Vec<R>>();
    stream(|| blocks.next(), jobs, make_block, |results| results.into_iter().try_for_each(&mut see));
}

/// Calls `make` on `jobs` threads for what `next` gives until it gives nothing more, and `see` on this
/// thread for every result in that order, until `see` breaks. Only so much is taken from `next` as can be
/// made and seen soon. `make` must not panic.
///
/// If `see` breaks while a thread waits in `next`, this ends when `next` does.
pub fn stream<T: Send, R: Send>(
    mut next: impl FnMut() -> Option<T> + Send,
    jobs: usize,
    make: impl Fn(T) -> R + Sync,
    mut see: impl FnMut(R) -> ControlFlow<()>,
) {
    let shared = Shared {
        state: Mutex::new(State {
            next_to_make: 0,
            next_to_see: 0,
            waiting: BTreeMap::new(),
            end: None,
            stopped: false,
            threads: 0,
        }),
        came: Condvar::new(),
        seen: Condvar::new(),
    };
    let source: Mutex<&mut (dyn FnMut() -> Option<T> + Send)> = Mutex::new(&mut next);
    std::thread::scope(|scope| {
        for _ in 0..if jobs > 1 { jobs } else { 0 } {
            let builder = std::thread::Builder::new().stack_size(STACK);
            // Where no more threads are to be had, those that run do the work.
            if builder.spawn_scoped(scope, || work(&source, jobs, &make, &shared)).is_ok() {
                shared.lock().threads += 1;
            }
        }
        if shared.lock().threads == 0 {
            let mut next = source.lock().unwrap_or_else(PoisonError::into_inner);
            while let Some(item) = next()
                && see(make(item)).is_continue()
            {}
            return;
        }
        for index in 0.. {
            let mut state = shared.lock();
            let result = loop {
                match state.waiting.remove(&index) {
                    Some(result) => break result,
                    None if state.end.is_some_and(|end| end <= index) => return,
                    None => state = shared.came.wait(state).unwrap_or_else(PoisonError::into_inner),
                }
            };
            state.next_to_see = index + 1;
            drop(state);
            shared.seen.notify_all();
            if see(result).is_break() {
                shared.lock().stopped = true;
                shared.seen.notify_all();
                return;
            }
        }
    });
}

/// One thread: takes the next item until there is none.
fn work<T, R>(
    source: &Mutex<&mut (dyn FnMut() -> Option<T> + Send)>,
    jobs: usize,
    make: &(impl Fn(T) -> R + Sync),
    shared: &Shared<R>,
) {
    loop {
        let mut next = source.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = shared.lock();
        while !state.stopped && state.next_to_make >= state.next_to_see + AHEAD * jobs {
            state = shared.seen.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let is_over = state.stopped || state.end.is_some();
        drop(state);
        let item = if is_over { None } else { next() };
        let mut state = shared.lock();
        let index = state.next_to_make;
        let Some(item) = item else {
            state.end.get_or_insert(index);
            drop(state);
            shared.came.notify_one();
            return;
        };
        state.next_to_make += 1;
        drop(state);
        drop(next);
        let result = make(item);
        let mut state = shared.lock();
        state.waiting.insert(index, result);
        let is_next = state.next_to_see == index;
        drop(state);
        if is_next {
            shared.came.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order() {
        for jobs in [1, 2, 7] {
            let items: Vec<usize> = (0..1000).collect();
            let mut seen = Vec::new();
            let slow_first = |&item: &usize| {
                if item % 100 == 0 {
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
                item
            };
            for_each(&items, jobs, slow_first, |item| {
                seen.push(item);
                ControlFlow::Continue(())
            });
            assert_eq!(seen, items);
        }
    }

    #[test]
    fn breaking_ends_it() {
        let items: Vec<usize> = (0..10_000).collect();
        let mut seen = 0;
        let stop = |_| {
            seen += 1;
            if seen == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        for_each(&items, 3, |&item| item, stop);
        assert_eq!(seen, 5);
    }

    #[test]
    fn a_stream_is_taken_as_it_is_needed() {
        let taken = std::sync::atomic::AtomicUsize::new(0);
        for jobs in [1, 2, 5] {
            taken.store(0, std::sync::atomic::Ordering::SeqCst);
            let mut source = (0..10_000).inspect(|_| {
                taken.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            });
            let mut seen = Vec::new();
            stream(
                || source.next(),
                jobs,
                |item: usize| item * 2,
                |item| {
                    seen.push(item);
                    let ahead = taken.load(std::sync::atomic::Ordering::SeqCst) - seen.len();
                    assert!(ahead <= (AHEAD + 1) * jobs, "{ahead} ahead of {jobs} jobs");
                    ControlFlow::Continue(())
                },
            );
            assert!(seen.iter().copied().eq((0..10_000).map(|item| item * 2)));
        }
    }
}
