//! `local answer, why = call:http{url = "https://crm.example/callers", json = {number = call.from}}`: asks a server. Gives a
//! table with `status`, `ok` (2xx), and `json` or `text`; or `nil` and why there was no answer.
//!
//! What a server holds against us (a token) is named, not written: `headers = {Authorization = {secret = "crm"}}`. What a
//! caller keyed in in secret may stand in `json` and in no other place; it is in no line that anybody reads.

use super::arg::{Arg, BadOption, Options, at_most};
use super::json::{self, Written};
use super::{Asked, Plain, Reply, Request, items};
use cordboard_model::config::Secret;
use cordboard_model::fetch::{
    BODY_MAX, Fetch, FetchBody, FetchHeader, Fetched, HEADER_MAX, HEADERS_MAX, Method, RETRIES_MAX, URL_MAX,
};
use cordboard_model::id::{Name, TenantId};
use cordboard_model::verb::{First, Verb, VerbAnswer};

/// As written in a flow.
pub const NAME: &str = "http";

const OPTIONS: &[&str] = &["url", "method", "query", "headers", "json", "text", "timeout", "retries"];
/// Longest time if none is given, milliseconds.
const TIMEOUT_MS: u32 = 5_000;
/// Headers that HTTP itself needs, and nobody else sets.
const OURS: [&str; 6] =
    ["host", "content-length", "transfer-encoding", "connection", "content-type", "upgrade"];

/// Reads the arguments. With music the call waits, else nobody hears of it.
pub fn request(tenant: TenantId, args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 1)?;
    let (Some(Arg::Table(table)), mut music) = (args.first(), Vec::new()) else {
        return Ok((Verb::Http(Box::new(fetch(NAME, args.first().unwrap_or(&Arg::Nil))?)), Asked::Http));
    };
    let mut table = table.clone();
    if let Some(arg) = table.named.remove("music") {
        items::read(NAME, tenant, &arg, &mut music)?;
    }
    let fetch = Box::new(fetch(NAME, &Arg::Table(table))?);
    let verb = if music.is_empty() {
        Verb::Http(fetch)
    } else {
        Verb::First(First { key: false, ms: None, fetch: Some(fetch), music })
    };
    Ok((verb, Asked::Http))
}

/// Reads a question.
pub fn fetch(verb: &'static str, arg: &Arg) -> Result<Fetch, BadOption> {
    let options = Options::new(verb, Some(arg), OPTIONS)?;
    let body = body(&options)?;
    let method = match options.text("method")? {
        None if body.is_some() => Method::Post,
        None => Method::Get,
        Some(name) => Method::ALL.into_iter().find(|method| method.as_str() == name).ok_or_else(|| {
            let known = Method::ALL.map(Method::as_str).join(", ");
            options.wrong(format!("option 'method' is one of {known}, not {name:?}"))
        })?,
    };
    if body.is_some() && method == Method::Get {
        return Err(options.wrong("GET sends nothing: leave out 'json' and 'text', or use another 'method'"));
    }
    let retries = options.int("retries", 0..=i64::from(RETRIES_MAX))?.unwrap_or(0);
    Ok(Fetch {
        method,
        url: url(&options)?,
        headers: headers(&options)?,
        body,
        timeout_ms: options.millis("timeout", 0.1, 60.0)?.unwrap_or(TIMEOUT_MS),
        retries: u8::try_from(retries).unwrap_or(RETRIES_MAX),
    })
}

fn url(options: &Options<'_>) -> Result<String, BadOption> {
    let Some(url) = options.text("url")? else {
        return Err(options.wrong("option 'url' is missing"));
    };
    let mut url = url.to_owned();
    let plain = url.bytes().all(|byte| byte.is_ascii_graphic()) && !url.contains(['#', '@']);
    if !plain || !(url.starts_with("http://") || url.starts_with("https://")) {
        return Err(
            options.wrong("option 'url' must begin with http:// or https://, without spaces, # and @")
        );
    }
    match options.raw("query") {
        None => {}
        Some(Arg::Table(table)) if table.list.is_empty() => {
            for (name, value) in &table.named {
                let value = match value {
                    Arg::Text(text) => text.clone(),
                    Arg::Int(n) => n.to_string(),
                    Arg::Number(n) => n.to_string(),
                    Arg::Bool(is) => is.to_string(),
                    other => {
                        let got = other.type_name();
                        return Err(options.wrong(format!("query '{name}' must be a string, not a {got}")));
                    }
                };
                url.push(if url.contains('?') { '&' } else { '?' });
                encode(name, &mut url);
                url.push('=');
                encode(&value, &mut url);
            }
        }
        Some(_) => return Err(options.wrong("option 'query' must be a table of names and values")),
    }
    if url.len() > URL_MAX {
        return Err(options.wrong(format!("the URL has more than {URL_MAX} bytes")));
    }
    Ok(url)
}

/// RFC 3986 2.1: all but the unreserved characters as codes.
fn encode(text: &str, url: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
}

fn headers(options: &Options<'_>) -> Result<Vec<(String, FetchHeader)>, BadOption> {
    let Some(headers) = options.named("headers", HEADERS_MAX)? else {
        return Ok(Vec::new());
    };
    let read = |(name, value): (&String, &Arg)| {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            return Err(options.wrong(format!("{name:?} is not the name of a header")));
        }
        if OURS.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(options.wrong(format!("header '{name}' is not for a flow to set")));
        }
        let value = match value {
            Arg::Text(text) if text.len() > HEADER_MAX => {
                return Err(options.wrong(format!("header '{name}' has more than {HEADER_MAX} bytes")));
            }
            Arg::Text(text) if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) => {
                FetchHeader::Text(text.clone())
            }
            Arg::Text(_) => return Err(options.wrong(format!("header '{name}' has characters beyond ASCII"))),
            Arg::Int(n) => FetchHeader::Text(n.to_string()),
            Arg::Table(table) => FetchHeader::Secret(secret(options, name, table)?),
            other => {
                let got = other.type_name();
                return Err(options.wrong(format!("header '{name}' must be a string, not a {got}")));
            }
        };
        Ok((name.clone(), value))
    };
    headers.iter().map(read).collect()
}

fn secret(options: &Options<'_>, header: &str, table: &super::arg::Table) -> Result<Name, BadOption> {
    let one = table.list.is_empty() && table.named.len() == 1;
    match table.named.get("secret").filter(|_| one) {
        Some(Arg::Text(name)) => Name::new(name)
            .map_err(|error| options.wrong(format!("{name:?} is not the name of a secret: {error}"))),
        _ => Err(options.wrong(format!("header '{header}' must be a string or {{secret = \"name\"}}"))),
    }
}

fn body(options: &Options<'_>) -> Result<Option<FetchBody>, BadOption> {
    let body = match (options.raw("json"), options.text("text")?) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(options.wrong("give one of 'json' and 'text'")),
        (Some(value), None) => {
            let Written { text, shown } =
                json::write(value).map_err(|why| options.wrong(format!("option 'json': {why}")))?;
            FetchBody { kind: "application/json".into(), text: Secret(text), shown }
        }
        (None, Some(text)) => FetchBody {
            kind: "text/plain; charset=utf-8".into(),
            text: Secret(text.to_owned()),
            shown: text.to_owned(),
        },
    };
    if body.text.0.len() > BODY_MAX {
        return Err(options.wrong(format!("the body has more than {BODY_MAX} bytes")));
    }
    Ok(Some(body))
}

/// Reads the answer.
pub fn reply(answer: VerbAnswer) -> Reply {
    let (status, is_json, body) = match answer {
        VerbAnswer::Fetched(fetched) => match *fetched {
            Fetched::Answer { status, json, body } => (status, json, body),
            Fetched::Failed(why) => return Reply::Values(vec![Plain::Nil, Plain::text(why.as_str())]),
        },
        _ => return Reply::Values(vec![Plain::Nil, Plain::text("internal_error")]),
    };
    let mut fields = vec![
        ("status".to_owned(), Plain::Int(status.into())),
        ("ok".to_owned(), Plain::Bool((200..300).contains(&status))),
    ];
    match is_json.then(|| json::read(&body)).flatten() {
        Some(value) => fields.push(("json".to_owned(), value)),
        None => fields.push(("text".to_owned(), Plain::Text(body))),
    }
    Reply::Values(vec![Plain::Record(fields)])
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;

    fn asked(named: &[(&str, Arg)]) -> Result<Fetch, String> {
        match request(TenantId::DEFAULT, &[table(named, &[])]) {
            Ok((Verb::Http(fetch), _)) => Ok(*fetch),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.0),
        }
    }

    const URL: &str = "https://crm.example/a";

    #[test]
    fn a_question_without_a_body_is_a_get_and_one_with_a_body_a_post() {
        let get = asked(&[("url", text(URL))]).unwrap();
        assert_eq!((get.method, get.timeout_ms, get.retries, get.body), (Method::Get, 5_000, 0, None));
        let json = table(&[("n", Arg::Int(7))], &[]);
        let post = asked(&[("url", text(URL)), ("json", json)]).unwrap();
        let body = post.body.unwrap();
        assert_eq!((post.method, body.kind.as_str()), (Method::Post, "application/json"));
        assert_eq!((body.text.0.as_str(), body.shown.as_str()), (r#"{"n":7}"#, r#"{"n":7}"#));
        let put = asked(&[("url", text(URL)), ("text", text("x")), ("method", text("PUT"))]).unwrap();
        assert_eq!(put.method, Method::Put);
    }

    #[test]
    fn a_query_is_encoded_so_that_no_value_reaches_beyond_its_place() {
        let query = table(&[("q", text("a&b=c d/ü")), ("n", Arg::Int(3))], &[]);
        let url = asked(&[("url", text(URL)), ("query", query)]).unwrap().url;
        assert_eq!(url, "https://crm.example/a?n=3&q=a%26b%3Dc%20d%2F%C3%BC");
    }

    #[test]
    fn secrets_go_into_headers_by_name_and_into_json_without_being_shown() {
        let headers =
            table(&[("Authorization", table(&[("secret", text("crm"))], &[])), ("X-Number", text("1"))], &[]);
        let json = table(&[("pin", Arg::Secret("4711".into())), ("card", text("8"))], &[]);
        let fetch = asked(&[("url", text(URL)), ("headers", headers), ("json", json)]).unwrap();
        let secret = FetchHeader::Secret(Name::new("crm").unwrap());
        assert_eq!(fetch.headers[0], ("Authorization".into(), secret));
        let body = fetch.body.as_ref().unwrap();
        assert_eq!(body.text.0, r#"{"card":"8","pin":"4711"}"#);
        assert_eq!(body.shown, r#"{"card":"8","pin":"(secret)"}"#);
        assert!(!format!("{fetch:?}").contains("4711"), "{fetch:?}");
        assert!(!serde_json::to_string(&fetch).unwrap().contains("4711"));
    }

    #[test]
    fn hostile_arguments_are_refused_by_name() {
        let wrong = |named: &[(&str, Arg)]| {
            let all: Vec<(&str, Arg)> =
                [("url", text(URL))].into_iter().chain(named.iter().cloned()).collect();
            asked(&all).unwrap_err()
        };
        assert_eq!(asked(&[]).unwrap_err(), "http: option 'url' is missing");
        for url in
            ["ftp://x/", "https://x/ y", "https://a@b/", "https://x/#y", "//x", "https://x/\r\nHost: y"]
        {
            assert!(asked(&[("url", text(url))]).unwrap_err().contains("must begin with http://"), "{url}");
        }
        let header = |name: &str, value: Arg| wrong(&[("headers", table(&[(name, value)], &[]))]);
        assert_eq!(header("Host", text("x")), "http: header 'Host' is not for a flow to set");
        assert_eq!(header("a b", text("x")), "http: \"a b\" is not the name of a header");
        assert_eq!(header("a", text("x\r\nb: c")), "http: header 'a' has characters beyond ASCII");
        assert_eq!(header("a", Arg::Bool(true)), "http: header 'a' must be a string, not a boolean");
        assert_eq!(header("a", Arg::Secret("1".into())), "http: header 'a' must be a string, not a secret");
        assert_eq!(
            header("a", table(&[("secrte", text("x"))], &[])),
            "http: header 'a' must be a string or {secret = \"name\"}"
        );
        assert_eq!(
            wrong(&[("text", Arg::Secret("1".into()))]),
            "http: option 'text' must be a string, not a secret"
        );
        assert_eq!(
            wrong(&[("query", table(&[("pin", Arg::Secret("1".into()))], &[]))]),
            "http: query 'pin' must be a string, not a secret"
        );
        assert_eq!(
            wrong(&[("method", text("get"))]),
            "http: option 'method' is one of GET, POST, PUT, PATCH, DELETE, not \"get\""
        );
        assert!(wrong(&[("method", text("GET")), ("text", text("x"))]).contains("GET sends nothing"));
        assert_eq!(
            wrong(&[("retries", Arg::Int(9))]),
            "http: option 'retries' must be a whole number from 0 to 5, not 9"
        );
        assert!(wrong(&[("json", Arg::Other("function"))]).contains("a function has no place in JSON"));
        let long = text(&"x".repeat(4_096));
        let list = Arg::Table(super::super::arg::Table { list: vec![long; 17], named: Default::default() });
        assert_eq!(wrong(&[("json", list)]), "http: the body has more than 65536 bytes");
    }

    #[test]
    fn an_answer_is_a_table_and_a_failure_a_word() {
        let answer = |status, json, body: &str| {
            let fetched = Fetched::Answer { status, json, body: body.into() };
            match reply(VerbAnswer::Fetched(Box::new(fetched))) {
                Reply::Values(values) => values,
                other => panic!("{other:?}"),
            }
        };
        let field = |name: &str, value: Plain| (name.to_owned(), value);
        let list = Plain::List(vec![Plain::Int(1), Plain::Number(1.5), Plain::text("x")]);
        let json = Plain::Record(vec![field("a", list)]);
        assert_eq!(
            answer(200, true, r#"{"a":[1,1.5,"x"],"gone":null}"#),
            [Plain::Record(vec![
                field("status", Plain::Int(200)),
                field("ok", Plain::Bool(true)),
                field("json", json)
            ])]
        );
        let Plain::Record(fields) = &answer(404, true, "{")[0] else { panic!("no table") };
        assert_eq!(fields[1..], [field("ok", Plain::Bool(false)), field("text", Plain::text("{"))]);
        let failed = Fetched::Failed(cordboard_model::fetch::FetchError::Late);
        assert_eq!(
            reply(VerbAnswer::Fetched(Box::new(failed))),
            Reply::Values(vec![Plain::Nil, Plain::text("late")])
        );
    }
}
