//! An agent records the call that he is in.

use super::ask::{Answered, Ask, done};
use super::code::Code;
use crate::switch::{Command, Record};
use cordboard_model::verb::RecordAct;

async fn record(ask: &Ask, act: RecordAct, code: fn(&str) -> Code) -> Answered {
    let desk = ask.desk().await?;
    let call = desk.calls.first().ok_or_else(|| code(""))?.call.call;
    let by = format!("agent {}", ask.seat.workno());
    ask.command(Command::Record(Record { call, act, by, why: String::new() }), code).await?;
    done()
}

pub(crate) async fn begin(ask: Ask) -> Answered {
    record(&ask, RecordAct::Start, |_| Code::RECORD_START).await
}

pub(crate) async fn pause(ask: Ask) -> Answered {
    record(&ask, RecordAct::Pause, |_| Code::RECORD_PAUSE).await
}

pub(crate) async fn resume(ask: Ask) -> Answered {
    record(&ask, RecordAct::Resume, |_| Code::RECORD_RESUME).await
}

pub(crate) async fn stop(ask: Ask) -> Answered {
    record(&ask, RecordAct::Stop, |_| Code::RECORD_STOP).await
}
