//! Migrations: what was applied is written down with a checksum, and must not change afterwards.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::{Engine, Error, Result, Tx};

/// One step of the schema, in the words of either engine.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its name for all time, such as `0001_init`.
    pub name: &'static str,
    /// Statements for SQLite, separated by `;`.
    pub sqlite: &'static str,
    /// Statements for PostgreSQL, separated by `;`.
    pub postgres: &'static str,
}

/// Any number will do that nothing else on the server takes.
const LOCK: i64 = 0x6874_7470_736d_7301;

pub(crate) fn apply(tx: &mut Tx<'_>, migrations: &[Migration]) -> Result<()> {
    if tx.engine() == Engine::Postgres {
        // One node migrates, however long it takes; the others wait and find nothing to do.
        tx.script("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")?;
        tx.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])?;
    }
    tx.script(
        "CREATE TABLE IF NOT EXISTS migration (
             name TEXT PRIMARY KEY, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)",
    )?;
    let applied: Vec<(String, String)> =
        tx.all("SELECT name, checksum FROM migration ORDER BY name", &[])?;
    known(&applied, migrations)?;
    for migration in migrations {
        let text = text(tx.engine(), migration);
        match applied.iter().find(|(name, _)| name == migration.name) {
            None => apply_one(tx, migration.name, text)?,
            Some((_, sum)) if *sum == checksum(text) => {}
            Some(_) => {
                return Err(Error::Other(format!(
                    "migration {} has changed since it was applied to this database",
                    migration.name
                )));
            }
        }
    }
    Ok(())
}

/// An older program must not write to a newer database.
fn known(applied: &[(String, String)], migrations: &[Migration]) -> Result<()> {
    let stranger = applied
        .iter()
        .find(|(name, _)| !migrations.iter().any(|migration| migration.name == name));
    match stranger {
        None => Ok(()),
        Some((name, _)) => Err(Error::Other(format!(
            "the database is newer than this program: it does not know migration {name}"
        ))),
    }
}

fn apply_one(tx: &mut Tx<'_>, name: &str, text: &str) -> Result<()> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    tx.script(text)?;
    tx.execute(
        "INSERT INTO migration (name, checksum, applied_at) VALUES ($1, $2, $3)",
        &[&name, &checksum(text), &(now.as_micros() as i64)],
    )?;
    tracing::info!(name, "migration applied");
    Ok(())
}

fn text(engine: Engine, migration: &Migration) -> &'static str {
    match engine {
        Engine::Sqlite => migration.sqlite,
        Engine::Postgres => migration.postgres,
    }
}

/// FNV-1a: it finds an edit made by mistake, nobody has a reason to forge it.
fn checksum(text: &str) -> String {
    let sum = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{sum:016x}")
}

#[cfg(test)]
mod tests {
    use super::checksum;

    #[test]
    fn the_checksum_is_fnv_1a() {
        assert_eq!(checksum(""), "cbf29ce484222325");
        assert_eq!(checksum("foobar"), "85944171f73967e8");
    }
}
