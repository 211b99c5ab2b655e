//! What the hosted service sells. This server sells nothing: nobody has a subscription here, and the
//! answers say so in the words of the contract (API, §2.12).

use gateway::Fields;
use gateway::api_key::Scope;
use serde_json::json;

use crate::auth::UserCaller;
use crate::body::JsonBody;
use crate::check::{self, Params};
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::json::Members;
use crate::reference::{Doc, text};
use crate::routes::Routes;
use crate::shape;

const INVALID_INVOICE: &str = "validation errors while generating payment invoice";
const INVALID_EVENT: &str = "validation errors while storing lemonsqueezy event";

pub(crate) fn routes(routes: Routes) -> Routes {
    const NOTHING: &str = "This server bills nobody, so there is never one.";
    routes
        .tag("Account", Scope::Admin)
        .get(
            "/v1/users/subscription-update-url",
            none,
            Doc::user(
                "getSubscriptionUpdateUrl",
                "Where to change the subscription",
            )
            .note(NOTHING)
            .finds(),
        )
        .delete(
            "/v1/users/subscription",
            none,
            Doc::user("cancelSubscription", "Cancel the subscription")
                .note(NOTHING)
                .finds(),
        )
        .get(
            "/v1/users/subscription/payments",
            payments,
            Doc::user("listSubscriptionPayments", "Payments of the subscription")
                .note(NOTHING)
                .does("fetched subscription invoices billing usage"),
        )
        .post(
            "/v1/users/subscription/invoices/{id}",
            invoice,
            Doc::user("createSubscriptionInvoice", "The invoice of a payment")
                .note(NOTHING)
                .path("id", "A payment.", text())
                .takes::<shape::Invoice>(json!({
                    "name": "Ann", "address": "1 Main Street", "city": "Tallinn",
                    "country": "EE", "zip_code": "10111",
                })),
        )
        .post(
            "/lemonsqueezy/event",
            event,
            Doc::public("receiveSubscriptionEvent", "Tell of a subscription")
                .note("No signature is valid here.")
                .checks(),
        )
}

async fn none(UserCaller(_): UserCaller) -> Answer {
    Err(Error::NotFound(
        "the account has no subscription".to_owned(),
    ))
}

async fn payments(UserCaller(_): UserCaller) -> Answer {
    Ok(envelope::ok(
        "fetched subscription invoices billing usage",
        &(),
    ))
}

async fn invoice(UserCaller(_): UserCaller, Params(_): Params<String>, body: JsonBody) -> Answer {
    let mut wrong = wrong_address(&body.members()?)?;
    if wrong.is_empty() {
        let text = "failed to validate the subscription payment invoice ID";
        wrong.add("subscriptionInvoiceID", text);
    }
    Err(Error::Invalid(INVALID_INVOICE, wrong))
}

/// What is wrong with whom an invoice is for.
fn wrong_address(body: &Members<'_>) -> Result<Fields, Error> {
    let mut wrong = Fields::default();
    for (name, most) in [("name", 100), ("address", 200), ("city", 100)] {
        check::filled(&mut wrong, name, &body.text_or_empty(name)?, most);
    }
    check::at_most(&mut wrong, "state", &body.text_or_empty("state")?, 100);
    let country = body.text_or_empty("country")?;
    check::required(&mut wrong, "country", country.is_empty());
    if country.len() != 2 {
        wrong.add("country", "The country field must be length of 2");
    }
    check::filled(&mut wrong, "zip_code", &body.text_or_empty("zip_code")?, 20);
    check::at_most(&mut wrong, "notes", &body.text_or_empty("notes")?, 1000);
    Ok(wrong)
}

async fn event() -> Answer {
    let wrong = Fields::one("body", "The signature is not valid");
    Err(Error::Invalid(INVALID_EVENT, wrong))
}
