//! What the server refuses or cannot do: requests that make no sense, callers that are slow or many, and a
//! database that has no room or cannot be reached. Nothing is written then, and nobody else suffers.

mod excess;
mod full;
mod many;
mod raw;
mod requests;
pub mod slow;
mod unreachable;
