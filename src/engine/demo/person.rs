//! One customer of the demo: what the shop knows, and what is planted.

use super::goods::Product;
use crate::types::{Email, Timestamp};
use jiff::civil::Date;

/// A customer.
#[derive(Clone, Debug)]
pub struct Person {
    /// 0..2,000.
    pub number: usize,
    /// The shop's own number, `HG-00001`.
    pub external_id: String,
    /// As people write it: `김민지`, `Emma Hart`.
    pub name: String,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// As it was typed into the shop's form, if it was.
    pub typed_address: Option<String>,
    /// The same in its one spelling.
    pub address: Option<Email>,
    /// A language tag.
    pub locale: &'static str,
    /// An IANA zone.
    pub timezone: &'static str,
    /// Where they live.
    pub city: &'static str,
    /// Where they came from: `web`, `store`, `market`.
    pub source: &'static str,
    /// Date of birth, when they told.
    pub birthday: Option<Date>,
    /// When they became a customer of the shop.
    pub joined: Timestamp,
    /// In the second file, from the shop's app, since Excel's encoding cannot hold the name or address.
    pub from_app: bool,
    /// Permission for the newsletter.
    pub newsletter: Permission,
    /// Permission for offers.
    pub offers: Permission,
    /// What is true of them, and nobody is told.
    pub truth: Truth,
    /// Two years of buying, oldest first.
    pub orders: Vec<Order>,
}

impl Person {
    /// Whether a newsletter to all who consent reaches them, at the first try or a later one; of two who share an address,
    /// the one who had it first.
    pub fn can_be_reached(&self) -> bool {
        self.address.is_some()
            && self.truth.shares_address_with.is_none()
            && self.newsletter == Permission::Granted
            && self.truth.mailbox != Mailbox::Unknown
    }
}

/// What the consent file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Never asked, or never answered.
    Never,
    /// Asked by mail, and not confirmed.
    Pending,
    /// Given.
    Granted,
    /// Given, and taken back.
    Withdrawn,
}

/// Dick and Basu's four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Loyalty {
    /// Buys often, and likes it.
    True,
    /// Likes it, and buys seldom.
    Latent,
    /// Buys often, for the discount.
    Spurious,
    /// Neither.
    None,
}

/// What the mailbox's server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mailbox {
    /// Takes everything.
    Works,
    /// `550 5.1.1`, always.
    Unknown,
    /// `452 4.2.2` at the first try.
    FullOnce,
}

/// Who fetches the pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pictures {
    /// The reader's own program.
    Own,
    /// Apple's proxy, soon after delivery, read or not.
    Apple,
    /// Google's proxy, when the reader opens.
    Google,
}

/// The planted facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// Which of the four.
    pub loyalty: Loyalty,
    /// Purchases per day, in millionths, while they are customers at all.
    pub buying: u64,
    /// Chance to leave for good after a purchase, in thousandths.
    pub dropout: u64,
    /// Whether they are still customers now.
    pub alive: bool,
    /// Share of purchases made on discount, in thousandths.
    pub price_sensitivity: u64,
    /// Chance to open a mail, in thousandths; the other steps follow from it.
    pub engagement: u64,
    /// What they would answer, 0 to 10.
    pub attitude: u8,
    /// Of their address.
    pub mailbox: Mailbox,
    /// A scanner reads their mail first, and follows every link.
    pub scanner: bool,
    /// Who fetches pictures.
    pub pictures: Pictures,
    /// Unsubscribes at the next newsletter.
    pub unsubscribes: bool,
    /// The number of the person whose address this one shares.
    pub shares_address_with: Option<usize>,
}

/// One order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The shop's own number.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Paid, in minor units.
    pub amount: i64,
    /// What was left of it after the goods, in minor units.
    pub margin: i64,
    /// Taken off the price, in minor units.
    pub discount: i64,
    /// `paid`, `shipped`, `delivered`, `confirmed`, `cancelled`, `returned`.
    pub status: &'static str,
    /// Given back, in minor units.
    pub refunded: i64,
    /// What.
    pub items: Vec<Item>,
}

/// A line of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Which article.
    pub product: &'static Product,
    /// How many.
    pub quantity: i64,
    /// For all of them, in minor units.
    pub amount: i64,
}
