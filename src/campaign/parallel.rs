//! Work for processors, spread over all that there are: a signature costs as much as the rest of a mail several times over.
//! Called by [`compose`](super::compose).

/// Fewer than this are not worth a thread.
const FEWEST: usize = 8;

/// `act` on each of `work`, in any number of threads; the answers are in the order of the work.
pub(super) fn map<T: Send, U: Send>(work: Vec<T>, act: impl Fn(T) -> U + Sync) -> Vec<U> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let each = work.len().div_ceil(threads).max(FEWEST);
    if work.len() <= each {
        return work.into_iter().map(act).collect();
    }
    let mut rest = work;
    let mut parts = Vec::with_capacity(threads);
    while rest.len() > each {
        let after = rest.split_off(each);
        parts.push(std::mem::replace(&mut rest, after));
    }
    parts.push(rest);
    let act = &act;
    std::thread::scope(|scope| {
        let part = |part: Vec<T>| scope.spawn(move || part.into_iter().map(act).collect::<Vec<U>>());
        let running: Vec<_> = parts.into_iter().map(part).collect();
        let done = running.into_iter().map(|one| one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        done.flatten().collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_done_once_and_in_its_order() {
        for n in [0, 1, FEWEST, FEWEST + 1, 100, 1_001] {
            let done = map((0..n).collect(), |i| i * 2);
            assert_eq!(done, (0..n).map(|i| i * 2).collect::<Vec<_>>());
        }
    }
}
