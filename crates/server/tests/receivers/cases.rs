//! What every receiver takes and refuses, by either way to know the server.

use serde_json::json;

use crate::example::Example;
use crate::program::Program;
use crate::request::{
    DIGEST_OF_7, FOREIGN, KEY, NEXT, Request, claims, hs512_token, id, unsigned_token,
};

/// Seconds that are too many, on either side of now.
const STALE: i64 = 15 * 60;

/// Events with this number and higher ones are never taken.
const BAD: u32 = 100;

/// By the headers of Standard Webhooks.
pub async fn standard(example: &Example) {
    let program = example.start("standard", &[KEY, NEXT]).await;
    let good = |event| Request::of(event).signed(&[KEY], event, 0);
    let bad = Request::of(BAD);
    let by = |keys: &[&str], seconds| bad.clone().signed(keys, BAD, seconds);
    let almost = good(BAD);

    program.expect("signed", &good(1), 200, "taken").await;
    program
        .expect("the same again", &good(1), 200, "known")
        .await;
    refuses(
        &program,
        vec![
            ("no signature", bad.clone()),
            ("a token alone", bad.clone().bearer(KEY, &claims(0))),
            ("another key", by(&[FOREIGN], 0)),
            ("a changed body", almost.clone().changed()),
            ("an old request", by(&[KEY], -STALE)),
            ("a request from the future", by(&[KEY], STALE)),
            ("another id", almost.clone().with("webhook-id", id(BAD + 1))),
            (
                "another time",
                almost
                    .clone()
                    .with("webhook-timestamp", claims(1)["iat"].to_string()),
            ),
            ("no time", almost.clone().with("webhook-timestamp", "now")),
            (
                "without its signature",
                almost.clone().without("webhook-signature"),
            ),
            ("without its id", almost.clone().without("webhook-id")),
            (
                "without its time",
                almost.clone().without("webhook-timestamp"),
            ),
            (
                "an empty signature",
                almost.clone().with("webhook-signature", "v1,"),
            ),
            ("a signature of another kind", other_kind(&almost)),
        ],
    )
    .await;
    let rotating = Request::of(2).signed(&[FOREIGN, KEY], 2, 0);
    program
        .expect("signed by two keys", &rotating, 200, "taken")
        .await;
    let next = Request::of(3).signed(&[NEXT], 3, 0);
    program
        .expect("signed by the next key", &next, 200, "taken")
        .await;
    let skewed = Request::of(4).signed(&[KEY], 4, -200);
    program
        .expect("a clock that goes a bit wrong", &skewed, 200, "taken")
        .await;
    ends_well(program, &[1, 2, 3, 4]).await;
}

/// By the token.
pub async fn jwt(example: &Example) {
    let program = example.start("jwt", &[KEY, NEXT]).await;
    let good = |event| Request::of(event).bearer(KEY, &claims(0));
    let bad = Request::of(BAD);
    let by = |key, claims: serde_json::Value| bad.clone().bearer(key, &claims);
    let raw = |value: String| bad.clone().with("authorization", value);
    let other = |name: &str, value: serde_json::Value| {
        let mut claims = claims(0);
        claims[name] = value;
        claims
    };
    let endless = {
        let mut claims = claims(0);
        claims.as_object_mut().unwrap().remove("exp");
        claims
    };

    program.expect("signed", &good(1), 200, "taken").await;
    program
        .expect("the same again", &good(1), 200, "known")
        .await;
    refuses(
        &program,
        vec![
            ("no token", bad.clone()),
            ("signatures alone", bad.clone().signed(&[KEY], BAD, 0)),
            ("another key", by(FOREIGN, claims(0))),
            ("the rest of a key", by(&NEXT[6..], claims(0))),
            ("an old token", by(KEY, claims(-STALE))),
            ("a token from the future", by(KEY, claims(STALE))),
            (
                "another issuer",
                by(KEY, other("iss", json!("somebody else"))),
            ),
            ("a token without an end", by(KEY, endless)),
            (
                "the digest of another body",
                by(KEY, other("body", json!(DIGEST_OF_7))),
            ),
            (
                "nobody's token",
                raw(format!("Bearer {}", unsigned_token(&claims(0)))),
            ),
            (
                "another algorithm",
                raw(format!("Bearer {}", hs512_token(KEY, &claims(0)))),
            ),
            (
                "another scheme",
                raw(format!("Basic {}", crate::request::token(KEY, &claims(0)))),
            ),
            ("no JWT", raw("Bearer a.b.c".to_owned())),
            ("an empty one", raw("Bearer ".to_owned())),
        ],
    )
    .await;
    let next = Request::of(2).bearer(NEXT, &claims(0));
    program
        .expect("signed by the next key", &next, 200, "taken")
        .await;
    let digest = Request::of(7).bearer(KEY, &other("body", json!(DIGEST_OF_7)));
    program
        .expect(
            "a changed body of a digest",
            &digest.clone().changed(),
            401,
            "",
        )
        .await;
    program
        .expect("a token with the body's digest", &digest, 200, "taken")
        .await;
    ends_well(program, &[1, 2, 7]).await;
}

async fn refuses(program: &Program, requests: Vec<(&str, Request)>) {
    for (what, request) in requests {
        program.expect(what, &request, 401, "").await;
    }
}

/// The events that were worked on are exactly these, in order.
async fn ends_well(mut program: Program, events: &[u32]) {
    for event in events {
        let line = program.line().await;
        assert_eq!(line, format!("message.phone.received {}", id(*event)));
    }
    assert_eq!(program.lines_until_killed().await, Vec::<String>::new());
}

/// As if it were the asymmetric signature that Standard Webhooks also knows.
fn other_kind(signed: &Request) -> Request {
    let mut request = signed.clone();
    for (name, value) in &mut request.headers {
        if *name == "webhook-signature" {
            *value = value.replacen("v1,", "v1a,", 1);
        }
    }
    request
}
