//! The first start: makes the owner's account and shows its key, this once.
//! Later starts find an account and say nothing.

use anyhow::Result;
use gateway::Gateway;
use gateway::account::{NewUser, User};

use crate::screen;

/// Nobody gets mail there; it only names the account.
const OWNER: &str = "owner@httpsms.local";

/// Makes the owner's account if there is no account at all.
pub async fn owner(gateway: &Gateway) -> Result<Option<User>> {
    if !gateway.users().await?.is_empty() {
        return Ok(None);
    }
    let owner = NewUser {
        email: OWNER.to_owned(),
        ..NewUser::default()
    };
    match gateway.add_user(owner).await {
        Ok(user) => Ok(Some(user)),
        // Another server on the same database was a moment faster.
        Err(gateway::Error::Invalid(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Shows the account and what to do with it.
pub fn show(user: &User, url: &str) {
    screen::line(format_args!(
        "\
Welcome to httpsms! This is the first start, so there is an account for you now:

  address   {url}
  account   {email}
  API key   {key}
  set up    {url}/#/setup?key={key}

Open the last line in a browser to choose your e-mail address and password. The
key is shown only now. Keep it; if it gets lost, this makes a new one
(with --data-dir and --database-url as the server has them):

  httpsms user rotate-key --email {email}

Try it:

  curl -H 'x-api-key: {key}' {url}/v1/users/me
",
        email = user.email,
        key = user.api_key,
    ));
}
