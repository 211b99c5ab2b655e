//! `httpsms user`: accounts, straight in the database, so that no server need run.
//! A key is shown when it is made and never again.

use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use gateway::Gateway;
use gateway::account::{NewUser, User};
use gateway::attachment::Store;

use crate::cli::{Place, UserAdd, UserCommand, UserName};
use crate::config::{Config, Layer, Secret};
use crate::screen;

/// Opens the database, does what is asked, and closes it.
pub async fn run(place: Place, command: UserCommand) -> Result<()> {
    let settings = Layer {
        data_dir: place.data_dir,
        database_url: place.database_url,
        smtp_url: place.smtp_url,
        ..Layer::default()
    };
    let config = Config::resolve(settings, place.config.as_deref())?;
    let gateway = open(&config, None).await?;
    let done = match command {
        UserCommand::Add(user) => add(&gateway, user).await,
        UserCommand::List => list(&gateway).await,
        UserCommand::RotateKey(name) => rotate_key(&gateway, &name).await,
        UserCommand::Admin(name) => appoint(&gateway, &name).await,
    };
    gateway.close().await;
    done
}

/// Opens the database of a server, making what is missing. Files are in the data directory, unless
/// `files` says where.
pub async fn open(config: &Config, files: Option<Arc<dyn Store>>) -> Result<Gateway> {
    let settings = gateway::Settings {
        files,
        ..config.gateway()
    };
    Gateway::open(settings).await.map_err(|error| match error {
        gateway::Error::Files(error) => anyhow!(error).context(format!(
            "cannot use the data directory {}",
            config.data_dir.display()
        )),
        other => anyhow!(other).context("cannot open the database"),
    })
}

async fn add(gateway: &Gateway, user: UserAdd) -> Result<()> {
    let given = |secret: Option<Secret>| {
        let secret = secret.filter(|secret| !secret.is_blank())?;
        Some(secret.reveal().to_owned())
    };
    let new = NewUser {
        email: user.email,
        id: user.id,
        api_key: given(user.api_key),
        password: given(user.password),
        admin: user.admin,
    };
    show(&gateway.add_user(new).await.map_err(spell_out)?);
    Ok(())
}

async fn list(gateway: &Gateway) -> Result<()> {
    let users = gateway.users().await?;
    let widest = |of: fn(&User) -> &String| users.iter().map(|user| of(user).len()).max();
    let id = widest(|user| &user.id).unwrap_or(0);
    let email = widest(|user| &user.email).unwrap_or(0);
    for user in &users {
        screen::line(format_args!(
            "{:id$}  {:email$}  since {}",
            user.id,
            user.email,
            user.created_at.truncated_to_seconds()
        ));
    }
    Ok(())
}

async fn rotate_key(gateway: &Gateway, name: &UserName) -> Result<()> {
    let id = meant(gateway, name).await?;
    show(&gateway.rotate_key(&id).await?);
    Ok(())
}

async fn appoint(gateway: &Gateway, name: &UserName) -> Result<()> {
    let user = gateway.appoint(&meant(gateway, name).await?).await?;
    screen::line(format_args!("{} is an administrator", user.email));
    Ok(())
}

/// The id of the account with this name.
async fn meant(gateway: &Gateway, name: &UserName) -> Result<String> {
    let is_meant = |user: &User| {
        name.id.as_ref().is_some_and(|id| *id == user.id)
            || name
                .email
                .as_ref()
                .is_some_and(|email| user.email.eq_ignore_ascii_case(email.trim()))
    };
    let users = gateway.users().await?;
    let mut meant = users.iter().filter(|user| is_meant(user));
    let Some(user) = meant.next() else {
        bail!("there is no such account; `httpsms user list` shows all");
    };
    if meant.next().is_some() {
        bail!("several accounts have this e-mail address; name one with --id");
    }
    Ok(user.id.clone())
}

fn show(user: &User) {
    screen::line(format_args!("id       {}", user.id));
    screen::line(format_args!("api key  {}", user.api_key));
}

/// An error with what is wrong in each field, in one line.
fn spell_out(error: gateway::Error) -> anyhow::Error {
    let gateway::Error::Invalid(fields) = &error else {
        return error.into();
    };
    match words(fields) {
        Ok(words) => anyhow!(words),
        Err(_) => error.into(),
    }
}

fn words(fields: &gateway::Fields) -> Result<String> {
    let fields = serde_json::to_value(fields)?;
    let fields = fields.as_object().context("fields are named")?;
    let texts = fields.values().filter_map(|texts| texts.as_array());
    let texts = texts.flatten().filter_map(|text| text.as_str());
    Ok(texts.collect::<Vec<_>>().join("; "))
}
