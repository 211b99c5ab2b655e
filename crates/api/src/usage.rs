//! Usage: what an account sent and received, by billing cycles and by days.

use axum::extract::State;
use gateway::api_key::Scope;
use gateway::usage::DAYS;
use gateway::{Fields, Gateway};

use crate::auth::UserCaller;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::page::{self, Rule};
use crate::query::Query;
use crate::reference::{Doc, integer};
use crate::routes::Routes;
use crate::shape;

pub(crate) fn routes(routes: Routes) -> Routes {
    let current = Doc::user("getUsage", "Show the usage of the current billing cycle")
        .gives::<shape::BillingUsage>(200, "fetched current billing usage");
    let history = Doc::user(
        "listUsage",
        "List billing cycles that are over, the latest first",
    )
    .query("skip", "Items to pass over.", integer(0, None))
    .query(
        "limit",
        "Items to show at most; all of them if negative; otherwise 12.",
        integer(-1, None),
    )
    .lists::<shape::BillingUsage>(200, "fetched 1 billing usage record");
    let by_day = Doc::user(
        "listDailyUsage",
        "List days up to today, the earliest first",
    )
    .note("Days are those of the account's time zone; also days without messages are listed.")
    .query(
        "days",
        "So many days; otherwise 30.",
        integer(1, Some(DAYS)),
    )
    .lists::<shape::DailyUsage>(200, "fetched 30 days");
    routes
        .tag("Usage", Scope::Read)
        .get("/v1/billing/usage", show, current)
        .get("/v1/billing/usage-history", list, history)
        .get("/v1/usage/daily", daily, by_day)
}

async fn show(State(gateway): State<Gateway>, UserCaller(caller): UserCaller) -> Answer {
    let usage = gateway.usage(&caller).await?;
    Ok(envelope::ok("fetched current billing usage", &usage))
}

async fn daily(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    query: Query,
) -> Answer {
    let mut wrong = Fields::default();
    let days = page::days(&query, 30, DAYS, &mut wrong);
    wrong
        .check()
        .map_err(|wrong| Error::Invalid("validation errors while fetching daily usage", wrong))?;
    let days = gateway.usage_by_day(&caller, days).await?;
    Ok(envelope::fetched(&days, "day"))
}

async fn list(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    query: Query,
) -> Answer {
    const RULE: Rule = Rule {
        default: 12,
        longest: 100,
    };
    let mut wrong = Fields::default();
    let page = page::read_with(&query, &RULE, usize::MAX, &mut wrong);
    wrong
        .check()
        .map_err(|wrong| Error::Invalid("validation errors while fetching usage history", wrong))?;
    let history = gateway.usage_history(&caller, page).await?;
    Ok(envelope::fetched(&history, "billing usage record"))
}
