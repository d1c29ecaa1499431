//! The suite: behaviour through the public door. One binary, a module for each behaviour.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod backup;
mod catcher;
mod crash;
mod customer;
mod database;
mod delivery;
mod demo_people;
mod demo_shop;
mod import;
mod permission;
mod relationship;
mod render;
mod segment;
mod support;
mod track;
mod web;
mod world;
