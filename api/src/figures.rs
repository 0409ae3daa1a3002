//! Figures: reports, the wall, and the raw records that both are made of.

use crate::asked::own;
use crate::catalog::{Routes, key, oversee};
use crate::key::{Asking, Overseeing};
use crate::params::Params;
use crate::problem::Problem;
use crate::routes::{Answer, limit};
use crate::state::State;
use crate::switch::Refusal;
use axum::Json;
use axum::extract::{Path, State as Use};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use cordboard_model::calendar;
use cordboard_model::figures::{Figures, Report, ReportBy, ReportRow, ReportStep, WallView};
use cordboard_model::id::{AgentId, CallId, QueueId, TenantId};
use cordboard_model::record::{AgentInterval, LegRow, VisitRow};
use cordboard_model::time::Wall;
use schemars::JsonSchema;
use serde::Serialize;

/// A moment, or a day of the tenant's zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// The moment.
    At(Wall),
    /// The day, as `2026-03-29`.
    Day(String),
}

/// Which report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportAsked {
    /// What it has rows for.
    pub by: ReportBy,
    /// From when; today's beginning if none. Of a day: its first moment.
    pub from: Option<When>,
    /// Until when, not included; now if none. Of a day: its last moment.
    pub to: Option<When>,
    /// What it is cut into.
    pub interval: ReportStep,
}

/// Which raw records, newest first. Every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowsAsked {
    /// Begun at or after.
    pub from: Option<Wall>,
    /// Begun before.
    pub to: Option<Wall>,
    /// Of this call.
    pub call: Option<CallId>,
    /// Of this agent.
    pub agent: Option<AgentId>,
    /// Of this queue.
    pub queue: Option<QueueId>,
    /// Where the last page ended, as it said.
    pub before: Option<String>,
    /// Rows of a page, 1 to 1,000.
    pub limit: u32,
}

/// A page of raw records.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Rows<T> {
    /// The records.
    pub items: Vec<T>,
    /// Where the next page begins, if there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What `from` and `to` of a report are.
const WHEN: &str = "a time in whole milliseconds since 1970, a date with time and zone (2026-03-29T08:00:00+02:00) or a day (2026-03-29)";
/// What those of raw records are.
const MOMENT: &str = "a time in whole milliseconds since 1970";

pub(crate) fn routes() -> Routes {
    let read = "reports:read";
    Routes::v1()
        .get(
            "/reports/{by}",
            report,
            oversee("readReport", read, "A report, as JSON or as a table")
                .query(&["from", "to", "interval", "format"])
                .gives::<Report>()
                .gives_media(200, "text/csv")
                .refuses(&[422]),
        )
        .get("/wall", wall, oversee("readWall", read, "The figures of now").gives::<WallView>())
        .get(
            "/legs",
            legs,
            key("listLegs", read, "Legs of calls that are over, newest first")
                .query(&["from", "to", "call", "agent", "before", "limit"])
                .gives::<Rows<LegRow>>()
                .refuses(&[422]),
        )
        .get(
            "/queue-visits",
            visits,
            key("listVisits", read, "Queue visits of calls that are over, newest first")
                .query(ROWS)
                .gives::<Rows<VisitRow>>()
                .refuses(&[422]),
        )
        .get(
            "/agent-intervals",
            intervals,
            key("listIntervals", read, "Stretches of agents' work that are over, newest first")
                .query(ROWS)
                .gives::<Rows<AgentInterval>>()
                .refuses(&[422]),
        )
}

fn is_day(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

fn when(query: &Params, name: &str) -> Result<Option<When>, Problem> {
    let read = |text: &str| match text.parse() {
        Ok(ms) => Some(When::At(Wall(ms))),
        Err(_) if is_day(text) => Some(When::Day(text.to_owned())),
        // a plus in a query is a space to who has not escaped it
        Err(_) => calendar::read(&text.replace(' ', "+")).map(When::At),
    };
    let wrong = |text: &str| Problem::field(name, format!("{text:?} is not {WHEN}"));
    query.text(name).map(|text| read(text).ok_or_else(|| wrong(text))).transpose()
}

async fn report(
    Use(state): Use<State>,
    Overseeing(who): Overseeing,
    Path(by): Path<String>,
    query: Params,
) -> Result<Response, Problem> {
    let by = ReportBy::from_name(&by).ok_or_else(|| {
        Problem::not_found(format!("{by:?} is none of {}", ReportBy::ALL.map(ReportBy::as_str).join(", ")))
    })?;
    let query = query.only(&["from", "to", "interval", "format"])?;
    let step = |text: &str| {
        let known = ReportStep::ALL.map(ReportStep::as_str).join(", ");
        let wrong = || Problem::field("interval", format!("{text:?} is none of {known}"));
        ReportStep::from_name(text).ok_or_else(wrong)
    };
    let interval = query.text("interval").map(step).transpose()?.unwrap_or(ReportStep::Whole);
    let csv = match query.text("format") {
        None | Some("json") => false,
        Some("csv") => true,
        Some(other) => return Err(Problem::field("format", format!("{other:?} is neither json nor csv"))),
    };
    let asked = ReportAsked { by, from: when(&query, "from")?, to: when(&query, "to")?, interval };
    let report = state.switch.report(who.tenant(), asked).await?;
    let name = format!("attachment; filename=\"{}-{}.csv\"", by.as_str(), report.from.0);
    // a large one takes longer than other requests should wait
    let made = tokio::task::spawn_blocking(move || match csv {
        true => Ok(table(&report).into_bytes()),
        false => serde_json::to_vec(&report).map_err(|why| why.to_string()),
    });
    let made = made.await.unwrap_or_else(|why| Err(why.to_string())).map_err(Refusal::Internal)?;
    if !csv {
        return Ok(([(header::CONTENT_TYPE, "application/json")], made).into_response());
    }
    let head = [(header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned())];
    Ok((head, [(header::CONTENT_DISPOSITION, name)], made).into_response())
}

async fn wall(Use(state): Use<State>, Overseeing(who): Overseeing) -> Answer<WallView> {
    Ok(Json(state.switch.wall(who.tenant()).await?))
}

fn rows(query: Params, tenant: TenantId, known: &[&str]) -> Result<RowsAsked, Problem> {
    let query = query.only(known)?;
    let agent =
        |text: &str| AgentId::new(tenant, text).map_err(|why| Problem::field("agent", why.to_string()));
    let queue =
        |text: &str| QueueId::new(tenant, text).map_err(|why| Problem::field("queue", why.to_string()));
    let call = |text: &str| own(text, tenant).map_err(|_| Problem::field("call", "not the id of a call"));
    Ok(RowsAsked {
        from: query.number("from", MOMENT)?.map(Wall),
        to: query.number("to", MOMENT)?.map(Wall),
        call: query.text("call").map(call).transpose()?,
        agent: query.text("agent").map(agent).transpose()?,
        queue: query.text("queue").map(queue).transpose()?,
        before: query.text("before").map(str::to_owned),
        limit: limit(&query)?,
    })
}

const ROWS: &[&str] = &["from", "to", "call", "agent", "queue", "before", "limit"];

async fn legs(
    Use(state): Use<State>,
    Asking(who): Asking,
    query: Params,
) -> Result<impl IntoResponse, Problem> {
    let asked = rows(query, who.tenant, &["from", "to", "call", "agent", "before", "limit"])?;
    Ok(Json(state.switch.legs(who.tenant, asked).await?))
}

async fn visits(
    Use(state): Use<State>,
    Asking(who): Asking,
    query: Params,
) -> Result<impl IntoResponse, Problem> {
    Ok(Json(state.switch.visits(who.tenant, rows(query, who.tenant, ROWS)?).await?))
}

async fn intervals(
    Use(state): Use<State>,
    Asking(who): Asking,
    query: Params,
) -> Result<impl IntoResponse, Problem> {
    Ok(Json(state.switch.intervals(who.tenant, rows(query, who.tenant, ROWS)?).await?))
}

/// A report as a table (RFC 4180): a line of names, then the rows, each line ended by CR LF.
pub fn table(report: &Report) -> String {
    let mut text = String::new();
    let names = ["local", "from", "to", "name"].into_iter().chain(Figures::NAMES.iter().copied());
    line(&mut text, names.map(str::to_owned));
    for row in &report.rows {
        let ReportRow { from, to, local, name, figures } = row;
        let name = name.as_ref().map(|name| name.to_string()).unwrap_or_default();
        let first = [local.clone(), from.0.to_string(), to.0.to_string(), name];
        line(&mut text, first.into_iter().chain(figures.cells()));
    }
    text
}

fn line(text: &mut String, cells: impl Iterator<Item = String>) {
    for (at, value) in cells.enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&cell(&value));
    }
    text.push_str("\r\n");
}

/// A cell. Spreadsheets take a text that begins so for a formula and carry it out; an apostrophe before it says that it
/// is a text.
pub(crate) fn cell(value: &str) -> String {
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let is_number = value.parse::<f64>().is_ok_and(f64::is_finite) && !value.starts_with('+');
    let value = if formula && !is_number { format!("'{value}") } else { value.to_owned() };
    if value.contains([',', '"', '\r', '\n']) {
        return format!("\"{}\"", value.replace('"', "\"\""));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::id::Name;

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_no_formula_to_a_spreadsheet() {
        let cells = [
            ("sales", "sales"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("say \"yes\"", "\"say \"\"yes\"\"\""),
            ("two\r\nlines", "\"two\r\nlines\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("+4930", "'+4930"),
            ("-2+3", "'-2+3"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("-0.5", "-0.5"),
            ("0.3333", "0.3333"),
        ];
        for (value, wanted) in cells {
            assert_eq!(cell(value), wanted);
        }
    }

    #[test]
    fn a_table_has_a_cell_for_every_name_in_every_line() {
        let row = ReportRow {
            from: Wall(0),
            to: Wall(900_000),
            local: "1970-01-01T01:00:00+01:00".into(),
            name: Some(Name::new("+49").unwrap()),
            figures: Figures { offered: 3, ..Figures::default() },
        };
        let report = Report {
            tenant: TenantId::DEFAULT,
            by: ReportBy::Trunks,
            interval: ReportStep::Quarter,
            from: Wall(0),
            to: Wall(900_000),
            zone: "Europe/Berlin".into(),
            rows: vec![row],
            totals: Vec::new(),
        };
        let text = table(&report);
        let lines: Vec<Vec<&str>> =
            text.split_terminator("\r\n").map(|line| line.split(',').collect()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].len(), lines[1].len());
        assert_eq!(lines[1][..4], ["1970-01-01T01:00:00+01:00", "0", "900000", "'+49"]);
        let offered = lines[0].iter().position(|name| *name == "offered").unwrap();
        assert_eq!(lines[1][offered], "3");
    }
}
