//! The suite: behaviour through the public door. One binary, a module for each behaviour.

#![allow(clippy::type_complexity, reason = "a table of cases reads best as one")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api;
mod architecture;
mod backup;
mod catcher;
mod check;
mod commands;
mod control;
mod crash;
mod customer;
mod database;
mod delivery;
mod demo;
mod demo_people;
mod demo_shop;
mod dkim;
mod docker;
mod docs;
mod doctor;
mod fake_dns;
mod import;
mod journey;
mod permission;
mod relationship;
mod render;
mod replay;
mod reward;
mod rewarded;
mod segment;
mod states;
mod support;
mod tenfold;
mod track;
mod tutorial;
mod web;
mod world;
