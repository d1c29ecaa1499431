//! The shop's history as files, as they come out of its programs: customers from Excel (CP949 with Korean headings, or
//! UTF-8 with a byte order mark), those of the app, orders and consents from the till. A few rows are wrong on purpose.

use super::person::{Order, Permission, Person};
use super::{Lang, Shop};
use crate::types::number::grouped;
use crate::types::{Money, Timestamp};
use jiff::SignedDuration;
use jiff::tz::{Offset, TimeZone};
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};

/// Rows of `customers.csv` that cannot land.
pub const WRONG_CUSTOMERS: usize = 12;
/// Rows of `orders.csv` that cannot land.
pub const WRONG_ORDERS: usize = 4;

/// What the headings of the Korean `customers.csv` mean, as `--map theirs=ours`; the English file needs no such help.
pub const MAP_KO: &[(&str, &str)] = &[
    ("고객번호", "external_id"),
    ("성명", "name"),
    ("성", "last_name"),
    ("이름", "first_name"),
    ("이메일", "email"),
    ("생년월일", "birthday"),
    ("언어", "locale"),
    ("시간대", "timezone"),
    ("도시", "attr.city"),
    ("유입경로", "source"),
    ("가입일", "created_at"),
];

/// Where the files are.
#[derive(Clone, Debug)]
pub struct Files {
    /// Most customers.
    pub customers: PathBuf,
    /// Those whose names Excel's old encoding cannot hold.
    pub app_customers: PathBuf,
    /// Two years of orders.
    pub orders: PathBuf,
    /// Who agreed to what.
    pub consents: PathBuf,
}

/// Writes all four files into `dir`.
///
/// # Errors
/// When a file cannot be written.
pub fn write(dir: &Path, shop: &Shop) -> io::Result<Files> {
    let files = Files {
        customers: dir.join("customers.csv"),
        app_customers: dir.join("app-customers.csv"),
        orders: dir.join("orders.csv"),
        consents: dir.join("consents.csv"),
    };
    let text = customers(shop)?;
    let bytes = match shop.lang {
        Lang::Ko => cp949(&text)?,
        Lang::En => ["\u{feff}", &text].concat().into_bytes(),
    };
    std::fs::write(&files.customers, bytes)?;
    std::fs::write(&files.app_customers, app_customers(shop)?)?;
    let all = shop.people.iter().flat_map(|person| person.orders.iter().map(move |order| (person, order)));
    std::fs::write(&files.orders, orders(shop.lang, all, &wrong_orders(shop))?)?;
    std::fs::write(&files.consents, consents(shop)?)?;
    Ok(files)
}

/// Orders as a file of their own, such as those after a campaign.
///
/// # Errors
/// When the file cannot be written.
pub fn write_orders<'a>(
    file: &Path,
    lang: Lang,
    all: impl IntoIterator<Item = (&'a Person, &'a Order)>,
) -> io::Result<()> {
    std::fs::write(file, orders(lang, all, &[])?)
}

fn cp949(text: &str) -> io::Result<Vec<u8>> {
    match encoding_rs::EUC_KR.encode(text) {
        (bytes, _, false) => Ok(bytes.into_owned()),
        _ => Err(io::Error::other("a name of customers.csv cannot be written in CP949")),
    }
}

/// CSV as Excel writes it, with CRLF.
struct Csv(csv::Writer<Vec<u8>>);

impl Csv {
    fn new<'a>(headings: impl IntoIterator<Item = &'a str>) -> io::Result<Csv> {
        let mut csv = Csv(csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new()));
        csv.row(headings)?;
        Ok(csv)
    }
    fn row<T: AsRef<[u8]>>(&mut self, cells: impl IntoIterator<Item = T>) -> io::Result<()> {
        Ok(self.0.write_record(cells)?)
    }
    fn text(self) -> io::Result<String> {
        let bytes = self.0.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        String::from_utf8(bytes).map_err(io::Error::other)
    }
}

fn headings(lang: Lang) -> impl Iterator<Item = &'static str> {
    MAP_KO.iter().map(move |(ko, en)| lang.pick(*ko, en.trim_start_matches("attr.")))
}

fn customer(person: &Person) -> [String; 11] {
    let joined = person.joined.to_zoned(seoul()).date().to_string();
    [
        person.external_id.clone(),
        person.name.clone(),
        person.last_name.clone(),
        person.first_name.clone(),
        person.typed_address.clone().unwrap_or_default(),
        person.birthday.map(|date| date.to_string()).unwrap_or_default(),
        person.locale.to_owned(),
        person.timezone.to_owned(),
        person.city.to_owned(),
        person.source.to_owned(),
        joined,
    ]
}

fn customers(shop: &Shop) -> io::Result<String> {
    let mut csv = Csv::new(headings(shop.lang))?;
    let mut wrong = wrong_customers(shop.lang).into_iter();
    for person in shop.people.iter().filter(|person| !person.from_app) {
        csv.row(customer(person))?;
        if person.number % 150 == 100 {
            wrong.next().map_or(Ok(()), |row| csv.row(row))?;
        }
    }
    wrong.try_for_each(|row| csv.row(row))?;
    csv.text()
}

fn app_customers(shop: &Shop) -> io::Result<String> {
    let mut csv = Csv::new(headings(Lang::En))?;
    for person in shop.people.iter().filter(|person| person.from_app) {
        csv.row(customer(person))?;
    }
    csv.text()
}

fn wrong_customers(lang: Lang) -> Vec<[String; 11]> {
    let addresses = [
        "minji@@maru.example",
        "minji.maru.example",
        "kim minji@maru.example",
        "minji@maru",
        ".minji@maru.example",
        "minji..kim@maru.example",
        "minji@-maru.example",
        "minji@127.0.0.1",
        "minji@maru..example",
        "minji,kim@maru.example",
    ];
    let mut rows: Vec<[String; 11]> = Vec::new();
    let mut row = |id: &str, address: &str, birthday: &str| {
        let [name, last, first, city] =
            lang.pick(["김민지", "김", "민지", "서울"], ["Minji Kim", "Kim", "Minji", "Boston"]);
        let (locale, zone) = lang.pick(("ko", "Asia/Seoul"), ("en", "America/New_York"));
        let cells = [id, name, last, first, address, birthday, locale, zone, city, "web", "2025-04-01"];
        rows.push(cells.map(str::to_owned));
    };
    for (at, address) in addresses.iter().enumerate() {
        row(&format!("HG-9{at:04}"), address, "");
    }
    // a day that never was; and nobody at all
    row("HG-90010", "minji90010@maru.example", "1990-02-30");
    row("", "", "");
    debug_assert_eq!(rows.len(), WRONG_CUSTOMERS);
    rows
}

const ORDER_HEADINGS: [&str; 10] =
    ["order_id", "customer", "at", "amount", "currency", "margin", "discount", "status", "refunded", "items"];

fn orders<'a>(
    lang: Lang,
    all: impl IntoIterator<Item = (&'a Person, &'a Order)>,
    wrong: &[[String; 10]],
) -> io::Result<String> {
    let mut sorted: Vec<(&Person, &Order)> = all.into_iter().collect();
    sorted.sort_by_key(|(_, order)| (order.at, &order.id));
    let mut csv = Csv::new(ORDER_HEADINGS)?;
    let mut wrong = wrong.iter();
    for (at, (person, order)) in sorted.into_iter().enumerate() {
        if at % 1_000 == 500 {
            wrong.next().map_or(Ok(()), |row| csv.row(row))?;
        }
        csv.row(order_row(lang, person, order))?;
    }
    wrong.try_for_each(|row| csv.row(row))?;
    csv.text()
}

fn order_row(lang: Lang, person: &Person, order: &Order) -> [String; 10] {
    let major = |minor: i64| Money { minor, currency: lang.currency() }.major();
    let items: Vec<_> = order
        .items
        .iter()
        .map(|item| {
            let amount: serde_json::Value = serde_json::from_str(&major(item.amount)).unwrap_or_default();
            json!({
                "sku": item.product.sku, "name": item.product.name(lang), "category": item.product.category,
                "quantity": item.quantity, "amount": amount,
            })
        })
        .collect();
    [
        order.id.clone(),
        person.external_id.clone(),
        moment(lang, order.at),
        lang.pick(grouped(order.amount) + "원", major(order.amount)),
        lang.currency().code().to_owned(),
        major(order.margin),
        major(order.discount),
        order.status.to_owned(),
        major(order.refunded),
        serde_json::Value::from(items).to_string(),
    ]
}

fn wrong_orders(shop: &Shop) -> [[String; 10]; WRONG_ORDERS] {
    let currency = shop.lang.currency();
    let at = moment(shop.lang, shop.now - SignedDuration::from_hours(24 * 40));
    let row = |n: usize, customer: &str, at: &str, amount: &str| {
        [format!("W{n:06}").as_str(), customer, at, amount, currency.code(), "", "", "confirmed", "", ""]
            .map(str::to_owned)
    };
    [
        row(1, "HG-00001", &at, shop.lang.pick("12000.50", "12.345")),
        row(2, "HG-99999", &at, shop.lang.pick("12,000원", "12.00")),
        row(3, "HG-00001", &at, shop.lang.pick("열두 송이", "a dozen")),
        row(4, "HG-00001", "2026-13-45", shop.lang.pick("12,000원", "12.00")),
    ]
}

fn consents(shop: &Shop) -> io::Result<String> {
    let mut csv = Csv::new(["customer", "topic", "state", "at", "source", "basis", "text"])?;
    for person in &shop.people {
        let asked = person.joined + SignedDuration::from_mins(3);
        let later = midpoint(asked, shop.now);
        for (topic, basis, permission) in
            [("newsletter", "double-opt-in", person.newsletter), ("offers", "opt-in", person.offers)]
        {
            let states: &[(&str, Timestamp)] = match permission {
                Permission::Never => &[],
                Permission::Pending => &[("pending", asked)],
                Permission::Granted => &[("granted", asked)],
                Permission::Withdrawn => &[("granted", asked), ("withdrawn", later)],
            };
            for (state, at) in states {
                let at = at.to_string();
                csv.row([&person.external_id, topic, *state, &at, "signup form", basis, "signup-2"])?;
            }
        }
    }
    csv.text()
}

fn midpoint(from: Timestamp, to: Timestamp) -> Timestamp {
    Timestamp::from_second(i64::midpoint(from.as_second(), to.as_second())).unwrap_or(to)
}

/// As Excel in Korea shows a time, on the shop's clock: `2026. 3. 3. 오후 2:10`; elsewhere RFC 3339.
fn moment(lang: Lang, at: Timestamp) -> String {
    if lang == Lang::En {
        return at.to_string();
    }
    let local = at.to_zoned(seoul()).datetime();
    let (half, hour) = if local.hour() < 12 { ("오전", local.hour()) } else { ("오후", local.hour() - 12) };
    let hour = if hour == 0 { 12 } else { hour };
    format!("{}. {}. {}. {half} {hour}:{:02}", local.year(), local.month(), local.day(), local.minute())
}

/// The shop's zone; Korea has no summer time.
fn seoul() -> TimeZone {
    TimeZone::fixed(Offset::constant(9))
}
