//! Wires the loops: what runs, in which order, on which clock.

pub mod demo;
