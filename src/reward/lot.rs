//! The arithmetic of the ledger: a grant is a lot, and every movement of its points is a line that balances by itself.
//! Pure; [`book`](super::book) loads and saves.
//!
//! `granted = pending + active + spent + expired + reversed` holds for each line, so for each lot and each customer.
//! Nothing is negative but `active`: an order refunded after its points were spent leaves a debt, which the points that
//! become active next fill ([`cover`]).

/// The points of a lot, or how a line moves them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Amounts {
    /// All that was ever granted.
    pub granted: i64,
    /// Not usable yet: the mail is not accepted, the order not confirmed.
    pub pending: i64,
    /// Usable; negative: a debt.
    pub active: i64,
    /// Used.
    pub spent: i64,
    /// Too late.
    pub expired: i64,
    /// Taken back.
    pub reversed: i64,
}

impl Amounts {
    /// Whether the accounts add up to what was granted.
    pub fn balance(&self) -> bool {
        self.granted == self.pending + self.active + self.spent + self.expired + self.reversed
    }

    /// What was granted and not taken back.
    pub fn standing(&self) -> i64 {
        self.granted - self.reversed
    }

    pub(super) fn add(&mut self, by: &Amounts) {
        self.granted += by.granted;
        self.pending += by.pending;
        self.active += by.active;
        self.spent += by.spent;
        self.expired += by.expired;
        self.reversed += by.reversed;
    }
}

/// What a line does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Points come into being.
    Grant,
    /// Pending points become usable.
    Activate,
    /// Points are used.
    Spend,
    /// Points are too late.
    Expire,
    /// Points are taken back.
    Reverse,
    /// A debt is filled: points of one lot take the place of another's that were spent and then taken back.
    Cover,
}

const KINDS: [(&str, Kind); 6] = [
    ("grant", Kind::Grant),
    ("activate", Kind::Activate),
    ("spend", Kind::Spend),
    ("expire", Kind::Expire),
    ("reverse", Kind::Reverse),
    ("cover", Kind::Cover),
];

impl Kind {
    /// Its name in the database.
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
    /// The kind of a name.
    pub fn of(name: &str) -> Option<Kind> {
        KINDS.iter().find(|(n, _)| *n == name).map(|(_, kind)| *kind)
    }
}

/// A grant, and where its points stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lot {
    /// Negative until it is saved.
    pub id: i64,
    pub customer: i64,
    pub reward: String,
    pub rule: String,
    pub period: String,
    pub amounts: Amounts,
    /// How many lines it has, as it was loaded.
    pub moves: i64,
    /// What one point costs.
    pub unit: i64,
    /// The period of the budget.
    pub budget: String,
    /// Of orders: millionths.
    pub rate: Option<i64>,
    pub order: Option<i64>,
    pub message: Option<i64>,
    pub coupon: Option<String>,
    pub granted_at: i64,
    pub expires_at: Option<i64>,
    pub confirm_at: Option<i64>,
}

/// A line to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub lot: i64,
    pub kind: Kind,
    pub by: Amounts,
    pub cost: i64,
    pub redemption: Option<i64>,
}

impl Lot {
    fn line(&mut self, kind: Kind, by: Amounts) -> Line {
        debug_assert!(by.balance(), "a line balances: {by:?}");
        self.amounts.add(&by);
        // what is granted costs, what is taken back gives back; between the accounts nothing is paid
        let cost = (by.granted - by.reversed).saturating_mul(self.unit);
        Line { lot: self.id, kind, by, cost, redemption: None }
    }

    pub(super) fn grant(&mut self, points: i64, pending: bool) -> Line {
        let (p, a) = if pending { (points, 0) } else { (0, points) };
        self.line(Kind::Grant, Amounts { granted: points, pending: p, active: a, ..Amounts::default() })
    }

    /// All that is pending becomes usable.
    pub(super) fn activate(&mut self) -> Option<Line> {
        let n = self.amounts.pending;
        (n > 0).then(|| self.line(Kind::Activate, Amounts { pending: -n, active: n, ..Amounts::default() }))
    }

    /// Uses up to `most`; gives how many.
    pub(super) fn spend(&mut self, most: i64, redemption: Option<i64>) -> Option<(i64, Line)> {
        let n = self.amounts.active.min(most);
        (n > 0).then(|| {
            let line = self.line(Kind::Spend, Amounts { active: -n, spent: n, ..Amounts::default() });
            (n, Line { redemption, ..line })
        })
    }

    /// What remains is too late.
    pub(super) fn expire(&mut self) -> Option<Line> {
        let (p, a) = (self.amounts.pending, self.amounts.active.max(0));
        let by = Amounts { pending: -p, active: -a, expired: p + a, ..Amounts::default() };
        (p + a > 0).then(|| self.line(Kind::Expire, by))
    }

    /// Takes `n` back: of what is pending, then usable, then expired; what was spent already becomes a debt.
    pub(super) fn reverse(&mut self, n: i64) -> Option<Line> {
        let n = n.min(self.amounts.standing());
        let mut rest = n;
        let mut take = |from: i64| {
            let part = from.clamp(0, rest);
            rest -= part;
            part
        };
        let (p, a, x) = (take(self.amounts.pending), take(self.amounts.active), take(self.amounts.expired));
        let by = Amounts { pending: -p, active: -a - rest, expired: -x, reversed: n, ..Amounts::default() };
        (n > 0).then(|| self.line(Kind::Reverse, by))
    }

    /// Takes back what nobody has used yet.
    pub(super) fn reverse_unused(&mut self) -> Option<Line> {
        self.reverse(self.amounts.pending + self.amounts.active.max(0))
    }

    pub(super) fn is_due(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// What expires first is used first; then the older.
    pub(super) fn order(&self) -> (i64, i64, i64) {
        // lots that are not saved yet have negative ids that count down
        (self.expires_at.unwrap_or(i64::MAX), self.granted_at, self.id.unsigned_abs().cast_signed())
    }
}

/// Fills the debts of one customer's lots of one reward from their usable points.
pub(super) fn cover(lots: &mut [&mut Lot]) -> Vec<Line> {
    lots.sort_by_key(|lot| lot.order());
    let mut lines = Vec::new();
    for i in 0..lots.len() {
        for j in 0..lots.len() {
            let n = (-lots[i].amounts.active).min(lots[j].amounts.active);
            if n > 0 {
                lines.push(lots[i].line(Kind::Cover, Amounts { active: n, spent: -n, ..Amounts::default() }));
                lines.push(lots[j].line(Kind::Cover, Amounts { active: -n, spent: n, ..Amounts::default() }));
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lot(id: i64, amounts: Amounts) -> Lot {
        Lot {
            id,
            customer: 1,
            reward: "petals".into(),
            rule: "r".into(),
            period: id.to_string(),
            amounts,
            moves: 0,
            unit: 3,
            budget: "all".into(),
            rate: None,
            order: None,
            message: None,
            coupon: None,
            granted_at: id,
            expires_at: None,
            confirm_at: None,
        }
    }

    #[test]
    fn a_refund_takes_what_is_there_and_leaves_a_debt_for_the_rest() {
        let mut a = lot(1, Amounts::default());
        a.grant(100, true);
        assert_eq!(a.activate().map(|line| line.cost), Some(0));
        assert_eq!(a.spend(80, None).map(|(n, _)| n), Some(80));
        let back = a.reverse(50).unwrap();
        assert_eq!((a.amounts.active, a.amounts.spent, a.amounts.reversed, back.cost), (-30, 80, 50, -150));
        assert!(a.amounts.balance());

        let mut b = lot(2, Amounts::default());
        b.grant(40, false);
        let lines = cover(&mut [&mut a, &mut b]);
        assert_eq!(lines.len(), 2);
        assert_eq!((a.amounts.active, a.amounts.spent, b.amounts.active, b.amounts.spent), (0, 50, 10, 30));
        assert!(a.amounts.balance() && b.amounts.balance());
    }

    #[test]
    fn nothing_is_taken_back_twice() {
        let mut a = lot(1, Amounts::default());
        a.grant(100, true);
        assert!(a.reverse(70).is_some());
        assert_eq!(a.reverse(70).map(|line| line.by.reversed), Some(30));
        assert_eq!(a.reverse(70), None);
        assert_eq!(a.activate(), None);
    }

    #[test]
    fn what_has_expired_is_taken_back_without_a_debt() {
        let mut a = lot(1, Amounts::default());
        a.grant(100, false);
        assert!(a.expire().is_some() && a.expire().is_none());
        a.reverse(60);
        assert_eq!((a.amounts.expired, a.amounts.reversed, a.amounts.active), (40, 60, 0));
    }
}
