//! The demo: [`play()`] shows the promises, scene by scene, on the real stages of a workspace in a temporary place.
//!
//! Its world is a shop with two years of history, the people who read its mail, and the words that tell of it. All
//! of it is made from one seed by integer arithmetic, so it is the same on every machine; and since the truth about each
//! person is planted, what Dangol concludes can be held against it.
//!
//! ```
//! use dangol::engine::demo::{Lang, Shop, files};
//! let now = "2027-03-02T00:00:00Z".parse().unwrap();
//! let shop = Shop::generate(Lang::Ko, now);
//! assert_eq!(shop.people.len(), 2_000);
//! let dir = tempfile::tempdir().unwrap();
//! let written = files::write(dir.path(), &shop).unwrap();
//! assert!(written.customers.exists());
//! ```

pub mod files;
mod goods;
pub mod letter;
mod names;
mod orders;
pub mod people;
pub mod person;
mod play;
mod random;
mod scenes;
mod shop;
mod stage;
mod summary;
mod till;
mod traffic;
pub mod words;
mod worker;
mod world;

pub use goods::{PRODUCTS, Product};
pub use orders::{Effect, Purchase, purchases_after};
pub use person::Person;
pub use play::{Play, play};
pub use shop::{Mailboxes, Shop, counts};
pub use stage::Stage;
pub use summary::{Played, Summary};

use crate::types::Currency;

/// The language of the demo, and with it the shop's country.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lang {
    /// Korean people, won, a CP949 file.
    Ko,
    /// English names, dollars, a UTF-8 file with a byte order mark.
    En,
}

impl Lang {
    /// `ko` or `en`.
    pub fn code(self) -> &'static str {
        self.pick("ko", "en")
    }

    /// What the shop sells in.
    pub fn currency(self) -> Currency {
        self.pick(Currency::KRW, Currency::USD)
    }

    /// One of two.
    pub(crate) fn pick<T>(self, ko: T, en: T) -> T {
        match self {
            Lang::Ko => ko,
            Lang::En => en,
        }
    }
}
