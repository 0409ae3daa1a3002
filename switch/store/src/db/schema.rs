//! The schema's steps, each applied once and whole.

use super::error::StoreError;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Row};
use std::path::Path;

/// One step: its number, its name, its statements.
struct Step {
    number: u32,
    name: &'static str,
    sql: &'static str,
}

/// All steps in order. A step that has shipped is never changed: a correction is a new one.
const STEPS: &[Step] = &[
    Step { number: 1, name: "records", sql: include_str!("../../migrations/0001-records.sql") },
    Step { number: 2, name: "figures", sql: include_str!("../../migrations/0002-figures.sql") },
    Step { number: 3, name: "searches", sql: include_str!("../../migrations/0003-searches.sql") },
    Step { number: 6, name: "access", sql: include_str!("../../migrations/0006-access.sql") },
    Step { number: 8, name: "chats", sql: include_str!("../../migrations/0008-chats.sql") },
    Step { number: 9, name: "once", sql: include_str!("../../migrations/0009-once.sql") },
    Step { number: 10, name: "answers", sql: include_str!("../../migrations/0010-answers.sql") },
    Step { number: 11, name: "campaigns", sql: include_str!("../../migrations/0011-campaigns.sql") },
];

/// The schema this version writes.
pub(crate) const KNOWN: u32 = STEPS[STEPS.len() - 1].number;

/// Brings the database to the known schema. Every missing step and the note of it are one
/// transaction: all of them apply, or none. Where none is missing nothing is written: a switch must start
/// while another process holds the database.
pub(crate) async fn migrate(db: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    // Before the first step there is no such table.
    let known = sqlx::query("SELECT max(version) FROM schema_version").fetch_one(&mut *db).await;
    if known.is_ok_and(|row| row.try_get::<u32, _>(0).is_ok_and(|found| found == KNOWN)) {
        return Ok(());
    }
    let mut tx = db.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS schema_version (
             version INTEGER NOT NULL PRIMARY KEY,
             name TEXT NOT NULL,
             applied INTEGER NOT NULL
         ) STRICT",
    )
    .execute(&mut *tx)
    .await?;
    let last = sqlx::query("SELECT version, name FROM schema_version ORDER BY version DESC LIMIT 1")
        .fetch_optional(&mut *tx)
        .await?;
    let found = match last {
        None => 0,
        Some(row) => {
            let found: u32 = row.try_get(0)?;
            if found > KNOWN {
                return Err(StoreError::NewerSchema {
                    path: path.to_owned(),
                    found,
                    name: row.try_get(1)?,
                    known: KNOWN,
                });
            }
            found
        }
    };
    for step in STEPS.iter().filter(|step| step.number > found) {
        let failed = |e: sqlx::Error| StoreError::Migration {
            number: step.number,
            name: step.name.into(),
            why: e.to_string(),
        };
        sqlx::raw_sql(step.sql).execute(&mut *tx).await.map_err(failed)?;
        sqlx::query("INSERT INTO schema_version VALUES (?, ?, unixepoch() * 1000)")
            .bind(step.number)
            .bind(step.name)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
    }
    tx.commit().await?;
    Ok(())
}
