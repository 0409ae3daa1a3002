//! `call:conference{{agent = "1001"}, {user = "anna"}, {trunk = "carrier", number = "+4930123"}, timeout = 30, music = "waltz"}`:
//! rings all at once, and joins each who answers to the caller and to those who are there. Gives `"ended"` when all the others
//! have left, or `"limit"`, and a list of what became of each; `nil`, a cause and that list if nobody came.

use super::arg::{Arg, BadOption, Options, Table, at_most};
use super::{Plain, Reply, Request, dial, items};
use crate::verb::Asked;
use cordboard_model::conference::{Attended, Conference, ConferenceEnd};
use cordboard_model::dial::DIAL_WAYS_MAX;
use cordboard_model::id::TenantId;
use cordboard_model::verb::{Verb, VerbAnswer};

/// As written in a flow.
pub const NAME: &str = "conference";

const OPTIONS: &[&str] = &["timeout", "caller", "caller_name", "music", "talk", "without_caller"];
/// Longest time that can be asked for, seconds.
const TALK_MAX: f64 = 86_400.0;

/// Reads the arguments.
pub fn request(tenant: TenantId, args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 1)?;
    let Some(Arg::Table(table)) = args.first() else {
        return Err(BadOption::new(NAME, "takes one table"));
    };
    if table.list.is_empty() {
        return Err(BadOption::new(
            NAME,
            "has nobody to ring: write {{agent = \"1001\"}, {user = \"anna\"}}",
        ));
    }
    if table.list.len() > DIAL_WAYS_MAX {
        return Err(BadOption::new(NAME, format!("more than {DIAL_WAYS_MAX} parties")));
    }
    let all = Arg::Table(Table { list: Vec::new(), named: table.named.clone() });
    let options = Options::new(NAME, Some(&all), OPTIONS)?;
    let usual = dial::shown_and_time(&options, None)?;
    let way = |party: &Arg| dial::way(&Options::new(NAME, Some(party), &dial::OF_ONE)?, tenant, &usual);
    let ways = table.list.iter().map(way).collect::<Result<Vec<_>, _>>()?;
    let mut music = Vec::new();
    if let Some(arg) = options.raw("music") {
        items::read(NAME, tenant, arg, &mut music)?;
    }
    let conference = Conference {
        ways,
        music,
        talk_ms: options.millis("talk", 1.0, TALK_MAX)?,
        without_caller: options.flag("without_caller", false)?,
    };
    Ok((Verb::Conference(Box::new(conference)), Asked::Conference))
}

/// Reads the answer.
pub fn reply(answer: VerbAnswer) -> Reply {
    let VerbAnswer::Conferred { end, parties } = answer else {
        return Reply::Values(vec![Plain::Nil, Plain::text("internal_error")]);
    };
    let last = parties.last().map_or("not_found", |party| party.cause.as_str());
    let list = Plain::List(parties.iter().map(party).collect());
    Reply::Values(match end {
        ConferenceEnd::Nobody => vec![Plain::Nil, Plain::text(last), list],
        ConferenceEnd::Ended | ConferenceEnd::Limit => vec![Plain::text(end.as_str()), list],
    })
}

/// `{who = "anna", joined = true, seconds = 12.3, cause = "normal"}`.
fn party(party: &Attended) -> Plain {
    let mut fields = vec![
        ("who".to_owned(), Plain::text(party.who.clone())),
        ("joined".to_owned(), Plain::Bool(party.joined_ms.is_some())),
        ("cause".to_owned(), Plain::text(party.cause.as_str())),
    ];
    if let Some(ms) = party.joined_ms {
        fields.push(("seconds".to_owned(), Plain::Number(ms as f64 / 1_000.0)));
    }
    Plain::Record(fields)
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;
    use cordboard_model::cause::Cause;

    fn asked(args: &[Arg]) -> Result<Conference, String> {
        match request(TenantId::DEFAULT, args) {
            Ok((Verb::Conference(conference), Asked::Conference)) => Ok(*conference),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.0),
        }
    }

    fn agent(name: &str) -> Arg {
        table(&[("agent", text(name))], &[])
    }

    #[test]
    fn each_party_rings_for_its_own_time_or_that_of_all() {
        let own = table(&[("user", text("anna")), ("timeout", Arg::Int(5)), ("caller", text("+4940"))], &[]);
        let all = [
            ("timeout", Arg::Int(30)),
            ("music", text("waltz")),
            ("talk", Arg::Int(60)),
            ("without_caller", Arg::Bool(true)),
        ];
        let conference = asked(&[table(&all, &[agent("1001"), own])]).unwrap();
        let times: Vec<Option<u32>> = conference.ways.iter().map(|way| way.timeout_ms).collect();
        assert_eq!(times, [Some(30_000), Some(5_000)]);
        assert_eq!(conference.ways[1].number.as_deref(), Some("+4940"));
        assert_eq!((conference.music.len(), conference.talk_ms), (1, Some(60_000)));
        assert!(conference.without_caller);
        let plain = asked(&[table(&[], &[agent("1001")])]).unwrap();
        assert!(plain.music.is_empty() && plain.talk_ms.is_none() && !plain.without_caller);
    }

    #[test]
    fn wrong_parties_and_options_are_refused_before_anybody_is_rung() {
        assert_eq!(asked(&[]), Err("conference: takes one table".into()));
        assert!(asked(&[agent("1001")]).unwrap_err().starts_with("conference: has nobody to ring"));
        let many = table(&[], &vec![agent("1"); 17]);
        assert_eq!(asked(&[many]), Err("conference: more than 16 parties".into()));
        let queue = table(&[], &[table(&[("queue", text("sales"))], &[])]);
        assert!(asked(&[queue]).unwrap_err().starts_with("conference: unknown option 'queue'"));
        let misspelt = table(&[("musik", text("waltz"))], &[agent("1001")]);
        assert_eq!(
            asked(&[misspelt]),
            Err("conference: unknown option 'musik'; did you mean 'music'?".into())
        );
        let long = table(&[("talk", Arg::Int(0))], &[agent("1001")]);
        assert_eq!(asked(&[long]), Err("conference: option 'talk' must be 1 to 86400 seconds, not 0".into()));
    }

    #[test]
    fn the_flow_hears_how_it_ended_and_what_became_of_each() {
        let came = Attended { who: "anna".into(), joined_ms: Some(12_300), cause: Cause::Normal };
        let busy = Attended { who: "bert".into(), joined_ms: None, cause: Cause::Busy };
        let list = |fields: &[(&str, Plain)]| {
            Plain::Record(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
        };
        let anna = list(&[
            ("who", Plain::text("anna")),
            ("joined", Plain::Bool(true)),
            ("cause", Plain::text("normal")),
            ("seconds", Plain::Number(12.3)),
        ]);
        let bert = list(&[
            ("who", Plain::text("bert")),
            ("joined", Plain::Bool(false)),
            ("cause", Plain::text("busy")),
        ]);
        let answer = VerbAnswer::Conferred { end: ConferenceEnd::Ended, parties: vec![came, busy.clone()] };
        assert_eq!(
            reply(answer),
            Reply::Values(vec![Plain::text("ended"), Plain::List(vec![anna, bert.clone()])])
        );
        let nobody = VerbAnswer::Conferred { end: ConferenceEnd::Nobody, parties: vec![busy] };
        assert_eq!(
            reply(nobody),
            Reply::Values(vec![Plain::Nil, Plain::text("busy"), Plain::List(vec![bert])])
        );
    }
}
