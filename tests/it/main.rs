//! The suite: behaviour through the public door. One binary, a module for each behaviour.

mod support;

mod customer;
mod database;
mod import;
mod permission;
