//! The simulated phone against a small server that speaks the phone routes.
//! Every test has its own server on its own port; nothing waits for luck, only for conditions.

mod incoming;
mod outages;
mod outgoing;
mod polling;
mod running;
mod server;

/// The phone's numbers and its correspondent.
const A: &str = "+18005550199";
const B: &str = "+18005550101";
const C: &str = "+18005550100";

const RECEIVE: &str = "/v1/messages/receive";
const CALLS: &str = "/v1/messages/calls/missed";
const POLL: &str = "/v1/phones/notifications";
const BEAT: &str = "/v1/heartbeats";
const CLAIM: &str = "/v1/messages/outstanding";
