//! Haru Garden: 2,000 customers and two years of orders, with the truth about each of them planted in numbers that are
//! known beforehand ([`counts`]).

use super::person::{Loyalty, Mailbox, Permission, Person, Pictures, Truth};
use super::random::Random;
use super::{Lang, names, orders};
use crate::catcher::{Reply, Verdict};
use crate::types::{Email, Timestamp};
use jiff::SignedDuration;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// How many of what there are, exactly. The groups from `WITHOUT_ADDRESS` to `UNSUBSCRIBE` do not overlap.
pub mod counts {
    /// Customers.
    pub const CUSTOMERS: usize = 2_000;
    /// Bought in a shop and left no address.
    pub const WITHOUT_ADDRESS: usize = 40;
    /// Have the address of another customer.
    pub const SHARE_ADDRESS: usize = 30;
    /// Consent, and their mailbox does not exist (5xx).
    pub const UNKNOWN_MAILBOX: usize = 36;
    /// Consent, and their mailbox is full at the first try (4xx).
    pub const FULL_ONCE: usize = 20;
    /// Never consented to the newsletter; 홍길동 is one of them.
    pub const NEVER: usize = 52;
    /// Consented and took it back.
    pub const WITHDRAWN: usize = 20;
    /// Asked by mail, and not confirmed.
    pub const PENDING: usize = 10;
    /// A scanner follows every link of their mail.
    pub const SCANNERS: usize = 60;
    /// Unsubscribe at the next newsletter.
    pub const UNSUBSCRIBE: usize = 24;
    /// Pictures come through Apple's proxy.
    pub const APPLE: usize = 300;
    /// Pictures come through Google's proxy.
    pub const GOOGLE: usize = 400;
    /// Loyalty: true, latent, spurious, none.
    pub const LOYALTY: [usize; 4] = [300, 400, 500, 800];
    /// Addresses that a newsletter to all who consent is queued for.
    pub const MAILED: usize = CUSTOMERS - WITHOUT_ADDRESS - SHARE_ADDRESS - NEVER - WITHDRAWN - PENDING;
    /// Of those, how many a server takes in the end: 1,812.
    pub const REACHED: usize = MAILED - UNKNOWN_MAILBOX;
    /// Days of history.
    pub const DAYS: i64 = 730;
}

/// The shop.
#[derive(Clone, Debug)]
pub struct Shop {
    /// Its language.
    pub lang: Lang,
    /// When its history ends.
    pub now: Timestamp,
    /// Its customers, by number.
    pub people: Vec<Person>,
    by_address: HashMap<String, usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Group {
    Plain,
    WithoutAddress,
    SharesAddress,
    UnknownMailbox,
    FullOnce,
    Never,
    Withdrawn,
    Pending,
    Scanner,
    Unsubscribes,
}

impl Shop {
    /// The shop as it stands at `now`: the same people whenever that is, their orders on the same days before it.
    pub fn generate(lang: Lang, now: Timestamp) -> Shop {
        let groups = groups();
        let loyalties = loyalties();
        let pictures = pictures(&groups);
        let mut people: Vec<Person> = (0..counts::CUSTOMERS)
            .map(|number| person(lang, now, number, groups[number], loyalties[number], pictures[number]))
            .collect();
        share_addresses(&mut people, &groups);
        number_orders(&mut people);
        let mut by_address = HashMap::new();
        for person in &people {
            if let (Some(address), None) = (&person.address, person.truth.shares_address_with) {
                by_address.insert(address.to_string(), person.number);
            }
        }
        Shop { lang, now, people, by_address }
    }

    /// Who reads the mail of an address, in its one spelling: of two who share it, the one who had it first.
    pub fn by_address(&self, address: &str) -> Option<&Person> {
        self.people.get(*self.by_address.get(address)?)
    }

    /// For the scene of the answer: a true regular whom every letter reaches.
    pub fn regular(&self) -> &Person {
        &self.people[0]
    }

    /// For the scene of the one who got nothing: 홍길동, who never consented.
    pub fn left_out(&self) -> &Person {
        &self.people[1]
    }

    /// For the scene of the scanner: one whose office opens every mail first.
    pub fn scanned(&self) -> &Person {
        &self.people[2]
    }

    /// What the mailboxes of these people answer, for the catcher.
    pub fn mailboxes(&self) -> Mailboxes {
        let known = self.by_address.iter().map(|(address, at)| (address.clone(), self.people[*at].truth.mailbox));
        Mailboxes { known: known.collect(), full: Mutex::default() }
    }
}

/// The mailboxes of the shop's people, as servers answer for them. An address that is nobody's is taken.
pub struct Mailboxes {
    known: HashMap<String, Mailbox>,
    full: Mutex<HashSet<String>>,
}

impl Verdict for Mailboxes {
    fn on(&self, address: &Email) -> Option<Reply> {
        match self.known.get(address.as_str())? {
            Mailbox::Works => None,
            Mailbox::Unknown => Some(Reply::new(550, "5.1.1", "there is no such mailbox")),
            Mailbox::FullOnce => {
                let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
                let first = full.insert(address.to_string());
                first.then(|| Reply::new(452, "4.2.2", "the mailbox is full"))
            }
        }
    }
}

/// Who belongs to which group: 김민지 to none, 홍길동 never consented, the third is scanned, the others by a shuffle.
fn groups() -> Vec<Group> {
    let mut groups = vec![Group::Plain; counts::CUSTOMERS];
    groups[1] = Group::Never;
    groups[2] = Group::Scanner;
    let mut rest: Vec<usize> = (3..counts::CUSTOMERS).collect();
    Random::of("groups", 0).shuffle(&mut rest);
    let sizes = [
        (Group::WithoutAddress, counts::WITHOUT_ADDRESS),
        (Group::SharesAddress, counts::SHARE_ADDRESS),
        (Group::UnknownMailbox, counts::UNKNOWN_MAILBOX),
        (Group::FullOnce, counts::FULL_ONCE),
        (Group::Never, counts::NEVER - 1),
        (Group::Withdrawn, counts::WITHDRAWN),
        (Group::Pending, counts::PENDING),
        (Group::Scanner, counts::SCANNERS - 1),
        (Group::Unsubscribes, counts::UNSUBSCRIBE),
    ];
    let mut next = rest.into_iter();
    for (group, size) in sizes {
        next.by_ref().take(size).for_each(|number| groups[number] = group);
    }
    groups
}

fn loyalties() -> Vec<Loyalty> {
    let kinds = [Loyalty::True, Loyalty::Latent, Loyalty::Spurious, Loyalty::None];
    let mut all: Vec<Loyalty> =
        kinds.into_iter().zip(counts::LOYALTY).flat_map(|(kind, size)| std::iter::repeat_n(kind, size)).collect();
    Random::of("loyalty", 0).shuffle(&mut all[1..]);
    all
}

fn pictures(groups: &[Group]) -> Vec<Pictures> {
    let mut all = vec![Pictures::Own; groups.len()];
    let mut others: Vec<usize> = (1..groups.len()).filter(|number| groups[*number] != Group::Scanner).collect();
    Random::of("pictures", 0).shuffle(&mut others);
    let (apple, rest) = others.split_at(counts::APPLE);
    apple.iter().for_each(|number| all[*number] = Pictures::Apple);
    rest[..counts::GOOGLE].iter().for_each(|number| all[*number] = Pictures::Google);
    all
}

fn person(lang: Lang, now: Timestamp, number: usize, group: Group, loyalty: Loyalty, pictures: Pictures) -> Person {
    let mut random = Random::of("person", number as u64);
    let name = names::name(lang, number, &mut random);
    let typed = names::address(&name, number, group == Group::Scanner, &mut random);
    let typed_address = (group != Group::WithoutAddress).then_some(typed);
    let address = typed_address.as_deref().and_then(|typed| typed.parse::<Email>().ok());
    let mut truth = truth(loyalty, group, pictures, &mut random);
    if number == 0 {
        // the regular of the scenes stays
        truth.dropout = 0;
    }
    let cities = lang.pick(
        ["서울", "부산", "대구", "인천", "광주", "대전", "수원", "제주"],
        ["Portland", "Boston", "Austin", "Denver", "Chicago", "Seattle", "Tucson", "Albany"],
    );
    let city = *random.pick(&cities);
    let source = *random.pick(&["web", "web", "store", "market"]);
    let birthday = random.per_mille(600).then(|| {
        let (year, month, day) = (random.between(1950, 2004), random.between(1, 12), random.between(1, 28));
        jiff::civil::Date::constant(year as i16, month as i8, day as i8)
    });
    // six in ten came within the two years, the others had been there before
    let first = if number > 2 && random.per_mille(600) { random.below(counts::DAYS as u64) as i64 } else { 0 };
    let start = midnight(now) - SignedDuration::from_hours(24 * counts::DAYS);
    let before = if first == 0 { random.below(700) as i64 } else { 0 };
    let joined = start + SignedDuration::from_hours(24 * (first - before));
    let orders = orders::history(lang, &mut truth, &mut random, (start, first, counts::DAYS), now);
    let newsletter = match group {
        Group::WithoutAddress | Group::Never => Permission::Never,
        Group::Withdrawn => Permission::Withdrawn,
        Group::Pending => Permission::Pending,
        _ => Permission::Granted,
    };
    let offers = match newsletter {
        Permission::Granted if random.per_mille(650) || number == 0 => Permission::Granted,
        Permission::Withdrawn => Permission::Withdrawn,
        _ => Permission::Never,
    };
    // Hangul and Han names stand without a space
    let spaced = !name.last.starts_with(|c: char| ('가'..='힣').contains(&c));
    let written = if spaced { format!("{} {}", name.first, name.last) } else { format!("{}{}", name.last, name.first) };
    let shown = [written.as_str(), typed_address.as_deref().unwrap_or_default()].concat();
    let from_app = !fits_excel(lang, &shown);
    Person {
        number,
        external_id: format!("HG-{:05}", number + 1),
        name: written,
        first_name: name.first.to_owned(),
        last_name: name.last.to_owned(),
        typed_address,
        address,
        locale: name.locale,
        timezone: name.timezone,
        city,
        source,
        birthday,
        joined,
        from_app,
        newsletter,
        offers,
        truth,
        orders,
    }
}

fn truth(loyalty: Loyalty, group: Group, pictures: Pictures, random: &mut Random) -> Truth {
    // purchases per day in millionths, dropout, discount, opening in thousandths, answer 0..=10
    let (buying, dropout, price, opening, attitude) = match loyalty {
        Loyalty::True => ((12_000, 40_000), 8, (50, 250), (600, 900), (9, 10)),
        Loyalty::Latent => ((1_000, 4_000), 40, (100, 400), (400, 700), (8, 10)),
        Loyalty::Spurious => ((10_000, 30_000), 50, (750, 950), (150, 350), (2, 6)),
        Loyalty::None => ((500, 6_000), 150, (200, 800), (50, 250), (0, 7)),
    };
    let mut of = |(low, high): (u64, u64)| random.between(low, high);
    Truth {
        loyalty,
        buying: of(buying),
        dropout,
        alive: true,
        price_sensitivity: of(price),
        engagement: of(opening),
        attitude: of(attitude) as u8,
        mailbox: match group {
            Group::UnknownMailbox => Mailbox::Unknown,
            Group::FullOnce => Mailbox::FullOnce,
            _ => Mailbox::Works,
        },
        scanner: group == Group::Scanner,
        pictures,
        unsubscribes: group == Group::Unsubscribes,
        shares_address_with: None,
    }
}

/// Whether the shop's Excel can hold the text: in Korea what CP949 has, elsewhere that and accents.
fn fits_excel(lang: Lang, text: &str) -> bool {
    let text: String = text.chars().filter(|c| lang == Lang::Ko || *c >= '\u{250}').collect();
    !encoding_rs::EUC_KR.encode(&text).2
}

/// Each of the group takes the address of a plain customer who had it first.
fn share_addresses(people: &mut [Person], groups: &[Group]) {
    let owners: Vec<usize> = (3..people.len()).filter(|number| groups[*number] == Group::Plain).collect();
    let sharers = (0..people.len()).filter(|number| groups[*number] == Group::SharesAddress);
    for (sharer, owner) in sharers.zip(owners.into_iter().step_by(7)) {
        people[sharer].typed_address = people[owner].typed_address.clone();
        people[sharer].address = people[owner].address.clone();
        people[sharer].truth.shares_address_with = Some(owner);
        // a household reads with one pair of eyes
        people[sharer].truth.engagement = people[owner].truth.engagement;
    }
}

/// In the order of time, as a shop counts.
fn number_orders(people: &mut [Person]) {
    let mut all: Vec<(Timestamp, usize, usize)> = Vec::new();
    for person in people.iter() {
        all.extend(person.orders.iter().enumerate().map(|(at, order)| (order.at, person.number, at)));
    }
    all.sort_unstable();
    for (n, (_, person, at)) in all.into_iter().enumerate() {
        people[person].orders[at].id = format!("H{:06}", n + 1);
    }
}

/// The last midnight in Seoul, where the shop is; Korea has no summer time.
fn midnight(now: Timestamp) -> Timestamp {
    let offset = 9 * 3_600;
    let day = (now.as_second() + offset).div_euclid(86_400);
    Timestamp::from_second(day * 86_400 - offset).unwrap_or(now)
}
