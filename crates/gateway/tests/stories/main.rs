//! Stories of the product, told on both engines with the clock in hand.

mod courier;
mod heartbeats;
mod incoming;
mod keys;
mod life;
mod orders;
mod slots;
mod support;
