//! A person's own second factor: begun with his password, taken into use by a code, and taken away with both.

use super::proof::{Try, plain, shows};
use super::session::{Signed, Whose, his};
use super::{hash, terms, totp};
use crate::asked::{Said, Says};
use crate::audit::Audit;
use crate::catalog::{Routes, person};
use crate::problem::Problem;
use crate::routes::Answer;
use crate::state::State;
use crate::switch::{Refusal, Switch};
use axum::Json;
use axum::extract::State as Use;
use axum::http::StatusCode;
use cordboard_model::access::{AccessWrite, TotpRecord, UserRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Recovery codes of a person.
const RECOVERY: usize = 10;

pub(super) fn routes() -> Routes {
    Routes::v1()
        .post(
            "/session/totp",
            enrol,
            person("enrolTotp", "Begins a second factor: its secret, shown once")
                .takes::<OwnPasswordShown>(r#"{"password": "correct-horse-7"}"#)
                .gives::<BegunTotp>()
                .refuses(&[409, 429]),
        )
        .post(
            "/session/totp/confirm",
            confirm,
            person("confirmTotp", "Takes the second factor into use; gives recovery codes, shown once")
                .takes::<TotpCode>(r#"{"code": "123456"}"#)
                .gives::<RecoveryCodes>()
                .refuses(&[409, 429]),
        )
        .delete(
            "/session/totp",
            no_totp,
            person("removeOwnTotp", "Takes one's own second factor away")
                .takes::<PasswordAndCode>(r#"{"password": "correct-horse-7", "code": "123456"}"#)
                .gives::<Whose>()
                .refuses(&[409, 429]),
        )
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OwnPasswordShown {
    password: String,
}

impl Says for OwnPasswordShown {
    const FIELD: &'static str = "password";
    const EXPECTED: &'static str = r#"expected {"password": "..."}"#;
}

/// A second factor that is being begun.
#[derive(JsonSchema, Serialize)]
struct BegunTotp {
    /// Shown here and nowhere else.
    secret: String,
    /// The same, as authenticator programs read it.
    otpauth: String,
}

fn confirmed(user: &UserRecord) -> bool {
    user.totp.as_ref().is_some_and(|totp| totp.confirmed)
}

fn conflict(code: &'static str, detail: &str) -> Problem {
    let mut problem = Problem::new(StatusCode::CONFLICT, "not possible in the present state", detail);
    problem.code = Some(code);
    problem
}

async fn enrol(
    Use(state): Use<State>,
    signed: Signed,
    audit: Audit,
    Said(said): Said<OwnPasswordShown>,
) -> Answer<BegunTotp> {
    let (asks, looked) = shows(&state, &signed, said.password).await?;
    let _one = state.doors.one().await;
    let mut user = asks.again(&looked).await?;
    if confirmed(&user) {
        return Err(conflict("has_totp", "there is a second factor already: remove it first"));
    }
    let mut secret = [0; totp::SECRET];
    state.switch.random(&mut secret)?;
    user.totp = Some(TotpRecord { secret: secret.to_vec(), confirmed: false, step: 0, recovery: Vec::new() });
    state.switch.keep(vec![AccessWrite::User(Box::new(user.clone()))]).await?;
    audit.change(format!("users/{}/totp", user.name), None::<&()>, Some(&"begun"));
    let issuer = format!("Cordboard {}", user.tenant);
    let otpauth = totp::uri(&issuer, user.name.as_str(), &secret);
    Ok(Json(BegunTotp { secret: totp::base32(&secret), otpauth }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TotpCode {
    code: String,
}

impl Says for TotpCode {
    const FIELD: &'static str = "code";
    const EXPECTED: &'static str = r#"expected {"code": "123456"}"#;
}

/// Each opens once in place of a code.
#[derive(JsonSchema, Serialize)]
struct RecoveryCodes {
    /// Shown here and nowhere else.
    recovery: Vec<String>,
}

fn recovery_codes(switch: &dyn Switch) -> Result<Vec<String>, Problem> {
    let code = |_| {
        let mut bytes = [0; 10];
        switch.random(&mut bytes)?;
        let text = totp::base32(&bytes).to_ascii_lowercase();
        let fours = text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>();
        Ok(fours.join("-"))
    };
    (0..RECOVERY).map(code).collect::<Result<_, Refusal>>().map_err(Problem::from)
}

async fn confirm(
    Use(state): Use<State>,
    signed: Signed,
    audit: Audit,
    Said(said): Said<TotpCode>,
) -> Answer<RecoveryCodes> {
    let switch = &*state.switch;
    let (_, rules) = terms(switch, signed.caller.tenant)?;
    let who = (signed.caller.tenant, signed.person.name.to_string());
    let asks = Try { state: &state, who, rules, address: None };
    let _one = state.doors.one().await;
    let (mut user, mut session) = his(&state, &signed).await?;
    let Some(totp) = user.totp.as_mut().filter(|totp| !totp.confirmed) else {
        return Err(conflict(
            "no_totp",
            "there is none that waits for a code: POST /api/v1/session/totp begins one",
        ));
    };
    let now = switch.moment();
    state.doors.tries(|tries| tries.begin(&asks.who, &asks.rules, now))?;
    let step = totp::check(&totp.secret, &said.code, totp.step, now);
    let step = step.ok_or_else(|| asks.wrong(Some("wrong_code")))?;
    state.doors.tries(|tries| tries.right(&asks.who));
    let recovery = recovery_codes(switch)?;
    (totp.confirmed, totp.step) = (true, step);
    totp.recovery = recovery.iter().map(|code| hash(&plain(code))).collect();
    session.enrolling = false;
    let writes =
        vec![AccessWrite::User(Box::new(user.clone())), AccessWrite::Session(Box::new(session.clone()))];
    switch.keep(writes).await?;
    state.doors.with(switch, |known| known.put_session(session)).await?;
    audit.change(format!("users/{}/totp", user.name), Some(&"begun"), Some(&"in use"));
    Ok(Json(RecoveryCodes { recovery }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PasswordAndCode {
    password: String,
    code: String,
}

impl Says for PasswordAndCode {
    const FIELD: &'static str = "code";
    const EXPECTED: &'static str = r#"expected {"password": "...", "code": "123456"}"#;
}

async fn no_totp(
    Use(state): Use<State>,
    signed: Signed,
    audit: Audit,
    Said(said): Said<PasswordAndCode>,
) -> Answer<Whose> {
    let switch = &*state.switch;
    if terms(switch, signed.caller.tenant)?.0.totp_required {
        return Err(conflict(
            "totp_required",
            "everybody who administrates this tenant needs a second factor",
        ));
    }
    let (asks, looked) = shows(&state, &signed, said.password).await?;
    let _one = state.doors.one().await;
    let mut user = asks.again(&looked).await?;
    let Some(totp) = user.totp.take().filter(|totp| totp.confirmed) else {
        return Err(conflict("no_totp", "there is no second factor"));
    };
    let now = switch.moment();
    state.doors.tries(|tries| tries.begin(&asks.who, &asks.rules, now))?;
    if totp::check(&totp.secret, &said.code, totp.step, now).is_none() {
        return Err(asks.wrong(Some("wrong_code")));
    }
    state.doors.tries(|tries| tries.right(&asks.who));
    switch.keep(vec![AccessWrite::User(Box::new(user.clone()))]).await?;
    audit.change(format!("users/{}/totp", user.name), Some(&"in use"), None::<&()>);
    Ok(Json(Whose { user: user.name }))
}
