//! Backup, restore, copy, migrate: nobody is mailed twice, nobody who said no is mailed, and no file is lost.

mod copy;
mod files;
mod migrate;
mod replay;
mod shop;
