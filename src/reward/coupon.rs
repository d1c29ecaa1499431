//! Codes of coupons: from the pool, or made so that nobody guesses one.

use super::definition::{Codes, Reward};
use super::error::RewardError;
use super::store;
use crate::db::{Db, Tx};
use crate::types::Timestamp;
use std::collections::BTreeSet;

/// What a random place of a code can be: no 0 and O, no 1 and I, which are read for each other. 32 signs: five bits each.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// So often codes are made again that were there already.
const TRIES: usize = 8;
/// Codes a transaction.
const SLICE: usize = 500;
/// A longer line is no code.
const LONGEST: usize = 64;

/// What became of a file of codes.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Added {
    /// New in the pool.
    pub added: u64,
    /// Known already, or twice in the file.
    pub duplicates: Vec<String>,
    /// Lines that are no codes, with their numbers.
    pub refused: Vec<(u64, String)>,
}

/// `n` free codes, or as many as there are; none for a reward without codes. Codes that are not given away stay free.
pub(super) async fn take(
    tx: &mut Tx,
    reward: &Reward,
    n: usize,
    now: Timestamp,
) -> Result<Option<Vec<String>>, RewardError> {
    let Some(codes) = &reward.codes else { return Ok(None) };
    let most = i64::try_from(n).unwrap_or(i64::MAX);
    let mut free = store::free(tx, &reward.name, most).await?;
    if let Codes::Pattern(pattern) = codes {
        for _ in 0..TRIES {
            if free.len() >= n {
                break;
            }
            let mut made = BTreeSet::new();
            while made.len() < n - free.len() {
                made.insert(make(pattern)?);
            }
            let made: Vec<String> = made.into_iter().collect();
            free.extend(store::add(tx, &reward.name, &made, now.as_millisecond()).await?);
        }
    }
    // given away from the end: in their order
    free.reverse();
    Ok(Some(free))
}

/// A code to a pattern.
fn make(pattern: &str) -> Result<String, RewardError> {
    let mut bytes = [0_u8; LONGEST];
    getrandom::fill(&mut bytes).map_err(|e| RewardError::Grant {
        reward: pattern.to_owned(),
        why: format!("the system gives no random numbers: {e}"),
    })?;
    let mut random = bytes.iter().cycle();
    let sign = |c: char| match c {
        '#' => random.next().map_or('#', |byte| char::from(ALPHABET[usize::from(byte & 31)])),
        c => c,
    };
    Ok(pattern.chars().map(sign).collect())
}

/// Brings codes into the pool of a reward, one a line; in slices, and again where it was broken off.
///
/// # Errors
/// What the database says.
pub async fn add_codes(db: &Db, reward: &str, text: &str, now: Timestamp) -> Result<Added, RewardError> {
    let mut all = Added::default();
    let mut codes = Vec::new();
    let mut seen = BTreeSet::new();
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let code = line.trim();
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, ',' | ';' | '"' | '\'');
        if code.is_empty() {
            continue;
        }
        if code.len() > LONGEST || !code.chars().all(plain) {
            all.refused.push((number, code.chars().take(40).collect()));
        } else if seen.insert(code) {
            codes.push(code.to_owned());
        } else {
            all.duplicates.push(code.to_owned());
        }
    }
    for chunk in codes.chunks(SLICE) {
        let mut tx = db.begin().await?;
        let added: BTreeSet<String> =
            store::add(&mut tx, reward, chunk, now.as_millisecond()).await?.into_iter().collect();
        tx.commit().await?;
        all.added += added.len() as u64;
        all.duplicates.extend(chunk.iter().filter(|code| !added.contains(*code)).cloned());
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_shape_and_differ() {
        let made: BTreeSet<String> = (0..1_000).map(|_| make("HARU-########").unwrap()).collect();
        assert_eq!(made.len(), 1_000);
        for code in made {
            assert!(code.starts_with("HARU-") && code.len() == 13, "{code}");
            assert!(!code[5..].contains(['0', 'O', '1', 'I', '#']), "{code}");
        }
    }
}
