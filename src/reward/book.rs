//! The lots that a transaction works on: loaded with their accounts held, moved in memory, saved at once. Whatever is
//! saved balances: lots, lines, balances and budgets are all made from the same lines.

use super::error::RewardError;
use super::lot::{self, Amounts, Line, Lot};
use super::store;
use crate::db::Tx;
use crate::types::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A customer and a reward.
pub(super) type Account = (i64, String);

/// The lots at hand, and the lines that were written on them.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// By id; new ones have negative ids until they are saved.
    pub lots: BTreeMap<i64, Lot>,
    lines: Vec<Line>,
    /// New orders' times of confirmation, of lots that are there already.
    confirm: Vec<(i64, Option<i64>)>,
    new: i64,
}

impl Book {
    /// Holds these accounts to the end of the transaction, and loads what in them can move by itself.
    pub async fn load(tx: &mut Tx, accounts: &BTreeSet<Account>) -> Result<Book, RewardError> {
        let accounts: Vec<Account> = accounts.iter().cloned().collect();
        store::hold(tx, &accounts).await?;
        let mut book = Book::default();
        book.add(store::open_lots(tx, &accounts).await?);
        Ok(book)
    }

    /// Takes in further lots, of accounts that are held.
    pub fn add(&mut self, lots: Vec<Lot>) {
        for lot in lots {
            self.lots.entry(lot.id).or_insert(lot);
        }
    }

    /// Opens a lot; gives its number until it is saved.
    pub fn open(&mut self, lot: Lot) -> i64 {
        self.new -= 1;
        self.lots.insert(self.new, Lot { id: self.new, ..lot });
        self.new
    }

    /// Moves a lot.
    pub fn write(&mut self, lot: i64, how: impl FnOnce(&mut Lot) -> Option<Line>) -> bool {
        let line = self.lots.get_mut(&lot).and_then(how);
        let moved = line.is_some();
        self.lines.extend(line);
        moved
    }

    /// Sets when a pending order counts as confirmed.
    pub fn confirm_at(&mut self, lot: i64, at: Option<i64>) {
        if let Some(lot) = self.lots.get_mut(&lot).filter(|lot| lot.confirm_at != at) {
            lot.confirm_at = at;
            if lot.id > 0 {
                self.confirm.push((lot.id, at));
            }
        }
    }

    fn of(&mut self, account: &Account) -> Vec<&mut Lot> {
        let ours = |lot: &&mut Lot| lot.customer == account.0 && lot.reward == account.1;
        self.lots.values_mut().filter(ours).collect()
    }

    /// Expires what in an account is due.
    pub fn expire(&mut self, account: &Account, now: i64) {
        let lines: Vec<Line> =
            self.of(account).into_iter().filter(|lot| lot.is_due(now)).filter_map(|lot| lot.expire()).collect();
        self.lines.extend(lines);
    }

    /// What an account can spend.
    pub fn active(&mut self, account: &Account) -> i64 {
        self.of(account).iter().map(|lot| lot.amounts.active).sum()
    }

    /// Spends of an account, what expires first, first; gives what it cost. The caller has seen that there is enough.
    pub fn spend(&mut self, account: &Account, points: i64, redemption: i64) -> i64 {
        let mut lots = self.of(account);
        lots.sort_by_key(|lot| lot.order());
        let (mut rest, mut cost, mut lines) = (points, 0_i64, Vec::new());
        for lot in lots {
            if let Some((n, line)) = lot.spend(rest, Some(redemption)) {
                rest -= n;
                cost = cost.saturating_add(n.saturating_mul(lot.unit));
                lines.push(line);
            }
        }
        self.lines.extend(lines);
        cost
    }

    /// Fills debts in all accounts that were written on.
    fn cover(&mut self) {
        let mut by: BTreeMap<Account, Vec<&mut Lot>> = BTreeMap::new();
        for lot in self.lots.values_mut().filter(|lot| lot.amounts.active != 0) {
            by.entry((lot.customer, lot.reward.clone())).or_default().push(lot);
        }
        let lines: Vec<Line> = by
            .values_mut()
            .filter(|lots| lots.iter().any(|lot| lot.amounts.active < 0))
            .flat_map(|lots| lot::cover(lots))
            .collect();
        self.lines.extend(lines);
    }

    /// Writes all of it; gives the ids of the lots that were opened, by the numbers that they had.
    pub async fn save(mut self, tx: &mut Tx, now: Timestamp) -> Result<BTreeMap<i64, i64>, RewardError> {
        self.cover();
        let ids = self.number(tx).await?;
        let mut lines: BTreeMap<i64, i64> = BTreeMap::new();
        let mut balances: BTreeMap<Account, Amounts> = BTreeMap::new();
        let mut budgets: BTreeMap<(String, String), i64> = BTreeMap::new();
        for line in &self.lines {
            let Some(lot) = self.lots.get(&line.lot) else { continue };
            *lines.entry(line.lot).or_default() += 1;
            balances.entry((lot.customer, lot.reward.clone())).or_default().add(&line.by);
            // what is granted was reserved before; here only what is given back
            if line.cost < 0 {
                *budgets.entry((lot.reward.clone(), lot.budget.clone())).or_default() -= line.cost;
            }
        }
        let opened: BTreeSet<i64> = ids.values().copied().collect();
        let (new, old): (Vec<&Lot>, Vec<&Lot>) =
            self.lots.values().filter(|lot| lines.contains_key(&lot.id)).partition(|lot| opened.contains(&lot.id));
        store::insert_lots(tx, &new, &lines).await?;
        if store::update_lots(tx, &old, &lines).await? != old.len() as u64 {
            return Err(RewardError::Contended);
        }
        store::set_confirm(tx, &self.confirm).await?;
        store::insert_lines(tx, &self.lines, &self.lots, now.as_millisecond()).await?;
        store::move_balances(tx, &balances).await?;
        for ((reward, period), cost) in budgets {
            store::give_back(tx, &reward, &period, cost).await?;
        }
        Ok(ids)
    }

    /// Gives the lots that were opened their ids.
    async fn number(&mut self, tx: &mut Tx) -> Result<BTreeMap<i64, i64>, RewardError> {
        let opened: Vec<i64> = self.lots.keys().copied().filter(|id| *id < 0).rev().collect();
        let given = if opened.is_empty() { Vec::new() } else { tx.next_ids("reward_lot", opened.len()).await? };
        let ids: BTreeMap<i64, i64> = opened.into_iter().zip(given).collect();
        for (before, id) in &ids {
            if let Some(lot) = self.lots.remove(before) {
                self.lots.insert(*id, Lot { id: *id, ..lot });
            }
        }
        for line in &mut self.lines {
            line.lot = ids.get(&line.lot).copied().unwrap_or(line.lot);
        }
        Ok(ids)
    }
}
