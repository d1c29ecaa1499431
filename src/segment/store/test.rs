//! Each test as SQL that is true or false and never null.

use super::super::expr::{Op, Value, What};
use super::condition::Writer;
use crate::types::Period;
use jiff::{SignedDuration, civil::Date, tz::TimeZone};

/// Orders that did not come to nothing.
const STANDING: &str = "p.status NOT IN ('cancelled', 'returned')";

impl Writer<'_> {
    pub(super) fn leaf(&mut self, what: &What) -> String {
        match what {
            What::Compare(left, op, right) => self.compare(left, *op, right),
            What::In(value, items) => {
                let absent = value.may_be_absent();
                let value = self.value(value);
                let items: Vec<String> = items.iter().map(|item| self.value(item)).collect();
                two_valued(absent, format!("{value} IN ({})", items.join(", ")))
            }
            What::Between(value, low, high) => {
                let absent = [value, low, high].into_iter().any(Value::may_be_absent);
                let (value, low, high) = (self.value(value), self.value(low), self.value(high));
                two_valued(absent, format!("{value} BETWEEN {low} AND {high}"))
            }
            What::Like(value, pattern) => {
                let value = self.value(value);
                let pattern = self.bind(pattern);
                two_valued(true, self.context.dialect.like(&value, pattern))
            }
            What::Absent(value) => format!("({} IS NULL)", self.value(value)),
            What::Flag(sql) => {
                self.reads(sql);
                format!("COALESCE({sql} <> 0, false)")
            }
            What::Consent { topic, state } => {
                let topic = self.bind(topic);
                there_is(&format!(
                    "FROM consent_state s WHERE s.customer_id = c.id AND s.topic = {topic} AND s.state = '{state}'"
                ))
            }
            What::Suppressed => {
                let now = self.bind(self.context.now);
                there_is(&format!(
                    "FROM suppression s WHERE s.address = c.email AND s.lifted_at IS NULL AND (s.until IS NULL OR s.until > {now})"
                ))
            }
            What::Reacted { clicked, campaign, window } => {
                // a person who clicked has opened, whether or not the pixel was fetched
                let kinds = if *clicked { "e.kind = 'click'" } else { "e.kind IN ('open', 'click')" };
                let during = self.during("e.at", *window);
                let campaign = self.campaign("e.campaign_id", campaign);
                let human = self.human();
                there_is(&format!(
                    "FROM event e WHERE e.customer_id = c.id AND {kinds} AND {during} AND {campaign} AND {human}"
                ))
            }
            What::Received { campaign, window } => {
                let during = self.during("m.sent_at", *window);
                let campaign = self.campaign("m.campaign_id", campaign);
                there_is(&format!(
                    "FROM message m WHERE m.customer_id = c.id AND {during} AND {campaign} AND m.state IN ('accepted', 'complained')"
                ))
            }
            What::Answered { survey, answer } => {
                let survey = self.bind(survey);
                let now = self.bind(self.context.now);
                let answer = answer.as_ref().map(|answer| format!(" AND a.answer = {}", self.bind(answer)));
                there_is(&format!(
                    "FROM survey_answer a WHERE a.customer_id = c.id AND a.survey = {survey} AND a.at <= {now}{}",
                    answer.unwrap_or_default()
                ))
            }
            What::Bought { column, value, window } => {
                let during = self.during("p.at", *window);
                let value = self.bind(value);
                there_is(&format!(
                    "FROM purchase p JOIN order_item i ON i.event_id = p.event_id WHERE p.customer_id = c.id AND {STANDING} AND {during} AND i.{column} = {value}"
                ))
            }
            What::RewardUnused(reward) => {
                let lots = self.usable(reward);
                there_is(&format!("{lots} AND l.active > 0 AND l.spent = 0"))
            }
            What::Birthday(days) => self.birthday(*days),
            // Writer::test writes the segment itself in its place
            What::Segment(_) => "false".to_owned(),
        }
    }

    fn compare(&mut self, left: &Value, op: Op, right: &Value) -> String {
        match (left, right) {
            (Value::Count { kind, window }, Value::Number(n)) => {
                if let Some(any) = asks_for_any(op, *n) {
                    return self.any(any, kind, *window);
                }
            }
            (Value::Number(n), Value::Count { kind, window }) => {
                if let Some(any) = asks_for_any(op.turned(), *n) {
                    return self.any(any, kind, *window);
                }
            }
            _ => {}
        }
        let (a, b) = (self.value(left), self.value(right));
        let test = format!("{a} {} {b}", op.sql());
        let absent: Vec<&String> =
            [(left, &a), (right, &b)].into_iter().filter(|(v, _)| v.may_be_absent()).map(|(_, sql)| sql).collect();
        // beside IS NOT NULL a comparison with a column can use its index, inside COALESCE it cannot
        if !absent.is_empty() && absent.iter().all(|sql| is_column(sql)) {
            let present: Vec<String> = absent.iter().map(|sql| format!("{sql} IS NOT NULL")).collect();
            return format!("({} AND {test})", present.join(" AND "));
        }
        two_valued(!absent.is_empty(), test)
    }

    /// Whether there is any such event, or none: found at the first, where a count reads all.
    fn any(&mut self, any: bool, kind: &str, window: Option<Period>) -> String {
        let events = self.events(kind, window);
        if any { there_is(&events) } else { format!("(NOT {})", there_is(&events)) }
    }

    /// `FROM … WHERE …`: the customer's events of a kind, or orders. Orders are `p`, all else is `e`.
    pub(super) fn events(&mut self, kind: &str, window: Option<Period>) -> String {
        if kind == "order" {
            let during = self.during("p.at", window);
            return format!("FROM purchase p WHERE p.customer_id = c.id AND {STANDING} AND {during}");
        }
        let name = self.bind(kind);
        let during = self.during("e.at", window);
        let human = if matches!(kind, "open" | "click") { format!(" AND {}", self.human()) } else { String::new() };
        format!("FROM event e WHERE e.customer_id = c.id AND e.kind = {name} AND {during}{human}")
    }

    /// `FROM … WHERE …`: the customer's open grants of a reward, `l`, whose time is not over; debts among them.
    pub(super) fn usable(&mut self, reward: &str) -> String {
        let reward = self.bind(reward);
        let now = self.bind(self.context.now);
        format!(
            "FROM reward_lot l WHERE l.customer_id = c.id AND l.reward = {reward} AND (l.pending <> 0 OR l.active <> 0) \
             AND (l.expires_at IS NULL OR l.expires_at > {now} OR l.active < 0)"
        )
    }

    pub(super) fn during(&mut self, column: &str, window: Option<Period>) -> String {
        let now = self.context.now;
        let until = self.bind(now);
        match window {
            None => format!("{column} <= {until}"),
            Some(window) => {
                let from = self.bind(window.before(now, self.context.zone));
                format!("{column} <= {until} AND {column} > {from}")
            }
        }
    }

    fn campaign(&mut self, column: &str, name: &str) -> String {
        let name = self.bind(name);
        format!("{column} = (SELECT id FROM campaign WHERE name = {name})")
    }

    /// An open or click of a person. Machines' are evidence, and no interest.
    fn human(&mut self) -> String {
        self.bind("class");
        format!("COALESCE({} = 'human', false)", self.context.dialect.json_text("e.data"))
    }

    fn birthday(&mut self, days: i64) -> String {
        let today = self.context.now.to_zoned(TimeZone::clone(self.context.zone)).date();
        let last = today.saturating_add(SignedDuration::from_hours(24 * days));
        let month_and_day = |date: Date| format!("{:02}-{:02}", date.month(), date.day());
        let (from, to) = (month_and_day(today), month_and_day(last));
        let over_new_year = last.year() > today.year();
        // who was born on 29 February has the 28th in other years
        let leaps = [today.year(), last.year()]
            .into_iter()
            .any(|year| Date::new(year, 2, 28).is_ok_and(|day| !day.in_leap_year() && today <= day && day <= last));
        let day = "substr(c.birthday, 6, 5)";
        let (from, to) = (self.bind(from), self.bind(to));
        let joined = if over_new_year { "OR" } else { "AND" };
        let leap = if leaps { format!(" OR {day} = '02-29'") } else { String::new() };
        format!("(c.birthday IS NOT NULL AND (({day} >= {from} {joined} {day} <= {to}){leap}))")
    }
}

/// True: at least one; false: none; nothing: it asks for another number.
fn asks_for_any(op: Op, n: f64) -> Option<bool> {
    match op {
        Op::GtEq if n > 0.0 && n <= 1.0 => Some(true),
        Op::Gt if (0.0..1.0).contains(&n) => Some(true),
        Op::NotEq if n == 0.0 => Some(true),
        Op::Lt if n > 0.0 && n <= 1.0 => Some(false),
        Op::LtEq if (0.0..1.0).contains(&n) => Some(false),
        Op::Eq if n == 0.0 => Some(false),
        _ => None,
    }
}

/// Whether there is a row. Not `EXISTS`: PostgreSQL would read the whole table into a hash for each slice of customers,
/// where a lookup by customer takes microseconds.
fn there_is(rows: &str) -> String {
    format!("((SELECT 1 {rows} LIMIT 1) IS NOT NULL)")
}

fn two_valued(absent: bool, test: String) -> String {
    if absent { format!("COALESCE({test}, false)") } else { format!("({test})") }
}

fn is_column(sql: &str) -> bool {
    let name = sql.strip_prefix("c.").or_else(|| sql.strip_prefix("r."));
    name.is_some_and(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
}
