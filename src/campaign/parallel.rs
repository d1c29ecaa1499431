//! Work for processors, spread over all that there are: a signature costs as much as the rest of a mail several times over.
//! Called by [`compose`](super::compose).

use std::sync::Arc;
use tokio::task::{JoinError, spawn_blocking};

/// Fewer than this are not worth a thread.
const FEWEST: usize = 8;

/// `act` on each of `work`, in any number of the runtime's threads for such work, which stay for the next; the answers
/// are in the order of the work.
///
/// # Errors
/// When the runtime ends meanwhile.
pub(super) async fn map<T, U>(work: Vec<T>, act: impl Fn(T) -> U + Send + Sync + 'static) -> Result<Vec<U>, JoinError>
where
    T: Send + 'static,
    U: Send + 'static,
{
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let each = work.len().div_ceil(threads).max(FEWEST);
    let act = Arc::new(act);
    let mut rest = work;
    let mut parts = Vec::with_capacity(threads);
    while !rest.is_empty() {
        let after = rest.split_off(each.min(rest.len()));
        let (part, act) = (std::mem::replace(&mut rest, after), act.clone());
        parts.push(spawn_blocking(move || part.into_iter().map(|one| act(one)).collect::<Vec<U>>()));
    }
    let mut done = Vec::new();
    for part in parts {
        done.extend(part.await?);
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_is_done_once_and_in_its_order() {
        for n in [0, 1, FEWEST, FEWEST + 1, 100, 1_001] {
            let done = map((0..n).collect(), |i| i * 2).await.unwrap();
            assert_eq!(done, (0..n).map(|i| i * 2).collect::<Vec<_>>());
        }
    }
}
