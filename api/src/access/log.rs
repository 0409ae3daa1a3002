//! The audit log in pages, and as a table for spreadsheets.

use crate::catalog::{Routes, key};
use crate::key::Asking;
use crate::params::Params;
use crate::problem::Problem;
use crate::routes::{Answer, Page, limit};
use crate::state::State;
use axum::Json;
use axum::extract::State as Use;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use cordboard_model::access::{AuditEntry, AuditFilter, Outcome};
use cordboard_model::time::Wall;

/// What `from` and `to` are.
const MOMENT: &str = "a time in whole milliseconds since 1970";

/// What can be asked for.
const ASKED: &[&str] = &["from", "to", "who", "action", "resource", "outcome", "source", "before", "limit"];

pub(super) fn routes() -> Routes {
    Routes::v1()
        .get(
            "/audit",
            read,
            key("listAudit", "audit:read", "What was changed, by whom and from where, newest first")
                .query(ASKED)
                .gives::<Page<AuditEntry>>(),
        )
        .get(
            "/audit.csv",
            table,
            key("downloadAudit", "audit:read", "The same as a table (RFC 4180)")
                .query(ASKED)
                .gives_media(200, "text/csv"),
        )
}

fn filter(query: Params) -> Result<AuditFilter, Problem> {
    let query = query.only(ASKED)?;
    let text = |name: &str| query.text(name).map(str::to_owned);
    let outcome = |word: &str| {
        Outcome::of(word)
            .ok_or_else(|| Problem::field("outcome", format!("{word:?} is none of done, refused, failed")))
    };
    let cursor = |text: &str| {
        let parts =
            text.split_once('.').and_then(|(at, id)| Some((Wall(at.parse().ok()?), id.parse().ok()?)));
        parts.ok_or_else(|| Problem::field("before", "not a cursor that an earlier page gave as `next`"))
    };
    Ok(AuditFilter {
        from: query.number("from", MOMENT)?.map(Wall),
        to: query.number("to", MOMENT)?.map(Wall),
        who: text("who"),
        action: text("action"),
        resource: text("resource"),
        outcome: query.text("outcome").map(outcome).transpose()?,
        source: text("source"),
        before: query.text("before").map(cursor).transpose()?,
        limit: limit(&query)?,
    })
}

async fn read(Use(state): Use<State>, Asking(who): Asking, query: Params) -> Answer<Page<AuditEntry>> {
    let filter = filter(query)?;
    let rows = filter.limit as usize;
    let items = state.switch.audit(who.tenant, filter).await?;
    let next = next(&items, rows);
    Ok(Json(Page { items, next }))
}

fn next(items: &[AuditEntry], rows: usize) -> Option<String> {
    items.last().filter(|_| items.len() == rows).map(|last| format!("{}.{}", last.at.0, last.id))
}

/// A cell (RFC 4180 2). One that a spreadsheet would take for a formula begins with an apostrophe.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

fn row(entry: &AuditEntry) -> String {
    let value =
        |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string).unwrap_or_default();
    let cells = [
        entry.id.to_string(),
        entry.at.0.to_string(),
        entry.who.clone(),
        entry.from.clone(),
        entry.action.clone(),
        entry.resource.clone(),
        entry.outcome.as_str().to_owned(),
        entry.status.to_string(),
        entry.code.clone().unwrap_or_default(),
        value(&entry.asked),
        value(&entry.before),
        value(&entry.after),
    ];
    cells.iter().map(|text| cell(text)).collect::<Vec<_>>().join(",") + "\r\n"
}

/// `GET /api/v1/audit.csv`: a page of it; `Link` says where the next one is (RFC 8288).
async fn table(Use(state): Use<State>, Asking(who): Asking, query: Params) -> Result<Response, Problem> {
    let filter = filter(query)?;
    let rows = filter.limit as usize;
    let items = state.switch.audit(who.tenant, filter).await?;
    let mut text = "id,at,who,from,action,resource,outcome,status,code,asked,before,after\r\n".to_owned();
    text.extend(items.iter().map(row));
    let mut response = ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response();
    if let Some(next) = next(&items, rows)
        && let Ok(link) = format!("</api/v1/audit.csv?before={next}>; rel=\"next\"").parse()
    {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn a_cell_is_one_cell_and_no_formula() {
        assert_eq!(cell("user li"), "user li");
        assert_eq!(cell("a,b"), "\"a,b\"");
        assert_eq!(cell("say \"hi\"\r\n"), "\"say \"\"hi\"\"\r\n\"");
        assert_eq!(cell("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(cell("@x,y"), "\"'@x,y\"");
    }
}
