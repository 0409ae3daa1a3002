//! People who administrate a tenant, as others administrate them.
//!
//! Invariants: one request at a time changes people, so that none undoes what another has done and a code is taken once; a tenant
//! that has an administrator keeps one; who is changed by another ends up with nothing open that he should no longer have.

use super::{Doors, may_give, terms, totp};
use crate::asked::{MaySay, Said, Says};
use crate::audit::Audit;
use crate::catalog::{Routes, key};
use crate::key::Asking;
use crate::list::{Came, flag, listed, word};
use crate::params::Params;
use crate::problem::Problem;
use crate::routes::{Answer, Page};
use crate::state::State;
use crate::switch::{Caller, Switch};
use crate::tag::{Meant, tagged, version};
use crate::vault::NewPassword;
use axum::Json;
use axum::extract::{Path, State as Use};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cordboard_model::access::{AccessWrite, Role, UserRecord, UserSession, scopes_of};
use cordboard_model::config::Secret;
use cordboard_model::id::{Name, TenantId};
use cordboard_model::signin::{KeptPassword, PASSWORD_MAX};
use cordboard_model::time::Wall;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Longest name shown to people, characters.
const DISPLAY_MAX: usize = 128;
/// Most people of a tenant.
const PEOPLE_MAX: usize = 10_000;

pub(super) fn routes() -> Routes {
    let (see, change) = ("users:read", "users:write");
    Routes::v1()
        .get(
            "/users",
            list,
            key("listUsers", see, "The people who administrate the tenant")
                .filters(&["role", "disabled", "after", "limit"])
                .gives::<Page<UserView>>(),
        )
        .post(
            "/users",
            make,
            key("createUser", change, "Adds a person who administrates the tenant")
                .takes::<NewUser>(r#"{"name": "li", "display": "Li Wei", "roles": ["supervisor"]}"#)
                .gives_as::<MadeUser>(201)
                .refuses(&[409]),
        )
        .get(
            "/users/{name}",
            read,
            key("readUser", see, "A person who administrates the tenant").gives::<UserView>(),
        )
        .put(
            "/users/{name}",
            put,
            key("changeUser", change, "Changes what is said of a person")
                .takes::<UserChanges>(r#"{"roles": ["supervisor", "auditor"]}"#)
                .gives::<UserView>()
                .refuses(&[409, 412]),
        )
        .delete(
            "/users/{name}",
            remove,
            key("removeUser", change, "Removes a person, and ends his sessions")
                .gives::<UserView>()
                .refuses(&[409, 412]),
        )
        .post(
            "/users/{name}/password",
            reset,
            key("resetUserPassword", change, "Sets a person's password, and ends his sessions")
                .may_take::<NewUserPassword>(r#"{"password": "correct-horse-7"}"#)
                .gives::<MadeUser>(),
        )
        .delete(
            "/users/{name}/totp",
            no_totp,
            key("removeUserTotp", change, "Takes a person's second factor away, and ends his sessions")
                .gives::<UserView>(),
        )
        .get(
            "/sessions",
            sessions,
            key("listSessions", "sessions:read", "Sessions of people that go on")
                .filters(&["user", "after", "limit"])
                .gives::<Page<PersonSession>>(),
        )
        .delete(
            "/sessions/{id}",
            end,
            key("endUserSession", "sessions:write", "Ends a session of a person").gives::<PersonSession>(),
        )
}

/// A person as others see him.
#[derive(Clone, JsonSchema, Serialize)]
pub(crate) struct UserView {
    name: Name,
    display: String,
    roles: BTreeSet<Role>,
    disabled: bool,
    /// He has shown a code of a second factor.
    totp: bool,
    made: Wall,
    by: String,
    password_set: Wall,
    signed_in: Option<Wall>,
}

impl From<&UserRecord> for UserView {
    fn from(user: &UserRecord) -> Self {
        Self {
            name: user.name.clone(),
            display: user.display.clone(),
            roles: user.roles.clone(),
            disabled: user.disabled,
            totp: user.totp.as_ref().is_some_and(|totp| totp.confirmed),
            made: user.made,
            by: user.by.clone(),
            password_set: user.password.set,
            signed_in: user.signed_in,
        }
    }
}

/// A session as people see it.
#[derive(JsonSchema, Serialize)]
pub(crate) struct PersonSession {
    id: Name,
    user: Name,
    since: Wall,
    until: Wall,
    used: Wall,
    address: String,
    agent: String,
}

impl PersonSession {
    /// What it is listed by.
    pub(super) fn came(&self) -> Came {
        Came(self.since, self.id.clone())
    }
}

impl From<&UserSession> for PersonSession {
    fn from(session: &UserSession) -> Self {
        Self {
            id: session.id.clone(),
            user: session.user.clone(),
            since: session.since,
            until: session.until,
            used: session.used,
            address: session.address.clone(),
            agent: session.agent.clone(),
        }
    }
}

/// What a person is found by.
pub(super) async fn person(switch: &dyn Switch, tenant: TenantId, name: &str) -> Result<UserRecord, Problem> {
    let nobody = || Problem::not_found("the tenant has nobody of this name");
    let name = Name::new(name).map_err(|_| nobody())?;
    switch.user(tenant, name).await?.ok_or_else(nobody)
}

/// A password that a request says.
pub(super) fn said_password(field: &str, text: String) -> Result<Secret, Problem> {
    match text.len() {
        1..=PASSWORD_MAX => Ok(Secret(text)),
        _ => Err(Problem::field(field, format!("1 to {PASSWORD_MAX} bytes"))),
    }
}

/// A password that no rules refuse: capitals, small letters, digits and others, and as long as is asked for.
fn made_password(switch: &dyn Switch, least: u8) -> Result<String, Problem> {
    let mut text = String::new();
    while text.len() < usize::from(least).max(24) {
        let mut bytes = [0; 14];
        switch.random(&mut bytes)?;
        let (letters, number) = bytes.split_at(10);
        let (first, second) = letters.split_at(5);
        let number = number.iter().fold(0_u32, |held, byte| (held << 8) | u32::from(*byte));
        let dash = if text.is_empty() { "" } else { "-" };
        let (first, second) = (totp::base32(first), totp::base32(second).to_ascii_lowercase());
        text.push_str(&format!("{dash}{first}-{second}-{number}"));
    }
    Ok(text)
}

/// A password for somebody, given or made, as it is kept; and the one that was made, to be shown once.
async fn first_password(
    switch: &dyn Switch,
    (tenant, user): (TenantId, &Name),
    given: Option<String>,
) -> Result<(KeptPassword, Option<String>), Problem> {
    let (_, rules) = terms(switch, tenant)?;
    let (password, shown) = match given {
        Some(given) => (said_password("password", given)?, None),
        None => {
            let made = made_password(switch, rules.length)?;
            (Secret(made.clone()), Some(made))
        }
    };
    let new = NewPassword { tenant, user: user.clone(), password, former: Vec::new() };
    let hash = switch.new_password(new).await?;
    Ok((KeptPassword { hash, set: switch.moment(), by_other: true, former: Vec::new() }, shown))
}

fn display(text: &str) -> Result<(), Problem> {
    match text.chars().count() <= DISPLAY_MAX && !text.chars().any(char::is_control) {
        true => Ok(()),
        false => {
            Err(Problem::field("display", format!("at most {DISPLAY_MAX} characters, no control characters")))
        }
    }
}

fn roles(words: &[String]) -> Result<BTreeSet<Role>, Problem> {
    let known = || Role::ALL.map(Role::as_str).join(", ");
    let role = |word: &String| {
        Role::of(word).ok_or_else(|| Problem::field("roles", format!("{word:?} is none of {}", known())))
    };
    let roles = words.iter().map(role).collect::<Result<BTreeSet<_>, _>>()?;
    match roles.is_empty() {
        true => Err(Problem::field("roles", format!("at least one of {}", known()))),
        false => Ok(roles),
    }
}

/// Who is the machine's operator is so in the operator's own tenant alone.
fn of_tenant(roles: &BTreeSet<Role>, tenant: TenantId) -> Result<(), Problem> {
    match roles.contains(&Role::Operator) && tenant != TenantId::DEFAULT {
        true => Err(Problem::field("roles", "the machine has operators in the operator's own tenant alone")),
        false => Ok(()),
    }
}

/// Refuses to leave a tenant without an administrator who may sign in, if it has one.
async fn keeps_one(
    switch: &dyn Switch,
    before: &UserRecord,
    after: Option<&UserRecord>,
) -> Result<(), Problem> {
    let is = |user: &UserRecord| !user.disabled && user.roles.contains(&Role::Administrator);
    if !is(before) || after.is_some_and(is) {
        return Ok(());
    }
    let others = switch.users(before.tenant).await?;
    if others.iter().any(|user| user.name != before.name && is(user)) {
        return Ok(());
    }
    let mut problem = Problem::new(
        StatusCode::CONFLICT,
        "not possible in the present state",
        "he is the last administrator of the tenant: make another one first",
    );
    problem.code = Some("last_administrator");
    Err(problem)
}

/// Who asks has all that this person has.
fn may_change(who: &Caller, user: &UserRecord) -> Result<(), Problem> {
    may_give(who, &scopes_of(&user.roles))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewUser {
    name: String,
    #[serde(default)]
    display: String,
    roles: Vec<String>,
    password: Option<String>,
}

impl Says for NewUser {
    const FIELD: &'static str = "name";
    const EXPECTED: &'static str = r#"expected {"name": "li", "roles": ["supervisor"]} and perhaps "display" and "password"; without one a password is made and shown once"#;
}

/// A person with the password that was made for him.
#[derive(JsonSchema, Serialize)]
struct MadeUser {
    #[serde(flatten)]
    view: UserView,
    /// Shown here and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

async fn make(
    Use(state): Use<State>,
    Asking(who): Asking,
    audit: Audit,
    Said(new): Said<NewUser>,
) -> Result<Response, Problem> {
    let switch = &*state.switch;
    let NewUser { name, display: shown, roles: words, password } = new;
    let name = Name::new(&name).map_err(|why| Problem::field("name", why.to_string()))?;
    display(&shown)?;
    let roles = roles(&words)?;
    of_tenant(&roles, who.tenant)?;
    may_give(&who, &scopes_of(&roles))?;
    let _one = state.doors.one().await;
    if switch.users(who.tenant).await?.len() >= PEOPLE_MAX {
        return Err(Problem::new(StatusCode::CONFLICT, "too many people", "remove some first"));
    }
    let (password, made) = first_password(switch, (who.tenant, &name), password).await?;
    let user = UserRecord {
        tenant: who.tenant,
        name,
        display: shown,
        roles,
        password,
        totp: None,
        disabled: false,
        made: switch.moment(),
        by: who.to_string(),
        signed_in: None,
    };
    switch.keep(vec![AccessWrite::NewUser(Box::new(user.clone()))]).await?;
    let view = UserView::from(&user);
    audit.change(format!("users/{}", user.name), None::<&UserView>, Some(&view));
    Ok((StatusCode::CREATED, Json(MadeUser { view, password: made })).into_response())
}

async fn list(Use(state): Use<State>, Asking(who): Asking, query: Params) -> Answer<Page<UserView>> {
    let role = word(&query, "role", &Role::ALL, Role::as_str)?;
    let disabled = flag(&query, "disabled")?;
    let mut users = state.switch.users(who.tenant).await?;
    users.retain(|user| {
        role.is_none_or(|role| user.roles.contains(&role)) && disabled.is_none_or(|is| user.disabled == is)
    });
    listed(&query, users.iter().map(UserView::from).collect(), |view| view.name.to_string())
}

/// The version of a person: when he signed in is not of it.
fn version_of(user: &UserRecord) -> String {
    let totp = user.totp.as_ref().is_some_and(|totp| totp.confirmed);
    version(&(&user.name, &user.display, &user.roles, user.disabled, totp, user.password.set))
}

async fn read(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let user = person(&*state.switch, who.tenant, &name).await?;
    Ok(tagged(&version_of(&user), UserView::from(&user)))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UserChanges {
    display: Option<String>,
    roles: Option<Vec<String>>,
    disabled: Option<bool>,
}

impl Says for UserChanges {
    const FIELD: &'static str = "roles";
    const EXPECTED: &'static str =
        r#"expected some of {"display": "Li Wei", "roles": ["supervisor"], "disabled": false}"#;
}

async fn put(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(name): Path<String>,
    audit: Audit,
    meant: Meant,
    Said(said): Said<UserChanges>,
) -> Result<Response, Problem> {
    let switch = &*state.switch;
    let _one = state.doors.one().await;
    let before = person(switch, who.tenant, &name).await?;
    may_change(&who, &before)?;
    meant.check(Some(&version_of(&before)))?;
    let mut user = before.clone();
    if let Some(text) = said.display {
        display(&text)?;
        user.display = text;
    }
    if let Some(words) = said.roles {
        user.roles = roles(&words)?;
        of_tenant(&user.roles, who.tenant)?;
        may_change(&who, &user)?;
    }
    user.disabled = said.disabled.unwrap_or(user.disabled);
    keeps_one(switch, &before, Some(&user)).await?;
    switch.keep(vec![AccessWrite::User(Box::new(user.clone()))]).await?;
    if user.disabled {
        state.doors.end_of(switch, &user, None).await?;
    } else if user.roles != before.roles {
        state.doors.is_now(switch, &user).await?;
    }
    let view = UserView::from(&user);
    audit.change(format!("users/{}", user.name), Some(&UserView::from(&before)), Some(&view));
    Ok(tagged(&version_of(&user), view))
}

async fn remove(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(name): Path<String>,
    audit: Audit,
    meant: Meant,
) -> Answer<UserView> {
    let switch = &*state.switch;
    let _one = state.doors.one().await;
    let user = person(switch, who.tenant, &name).await?;
    may_change(&who, &user)?;
    meant.check(Some(&version_of(&user)))?;
    keeps_one(switch, &user, None).await?;
    switch.keep(vec![AccessWrite::NoUser(user.tenant, user.name.clone())]).await?;
    state.doors.end_of(switch, &user, None).await?;
    let view = UserView::from(&user);
    audit.change(format!("users/{}", user.name), Some(&view), None::<&UserView>);
    Ok(Json(view))
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewUserPassword {
    password: Option<String>,
}

impl Says for NewUserPassword {
    const FIELD: &'static str = "password";
    const EXPECTED: &'static str =
        r#"expected nothing, and one is made and shown once, or {"password": "..."}"#;
}

async fn reset(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(name): Path<String>,
    audit: Audit,
    MaySay(said): MaySay<NewUserPassword>,
) -> Answer<MadeUser> {
    let switch = &*state.switch;
    let _one = state.doors.one().await;
    let before = person(switch, who.tenant, &name).await?;
    may_change(&who, &before)?;
    let (password, made) = first_password(switch, (who.tenant, &before.name), said.password).await?;
    let user = UserRecord { password, ..before.clone() };
    switch.keep(vec![AccessWrite::User(Box::new(user.clone()))]).await?;
    state.doors.end_of(switch, &user, None).await?;
    state.doors.forgive(user.tenant, &user.name);
    let view = UserView::from(&user);
    audit.change(format!("users/{}/password", user.name), Some(&UserView::from(&before)), Some(&view));
    Ok(Json(MadeUser { view, password: made }))
}

async fn no_totp(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(name): Path<String>,
    audit: Audit,
) -> Answer<UserView> {
    let switch = &*state.switch;
    let _one = state.doors.one().await;
    let before = person(switch, who.tenant, &name).await?;
    may_change(&who, &before)?;
    let user = UserRecord { totp: None, ..before.clone() };
    switch.keep(vec![AccessWrite::User(Box::new(user.clone()))]).await?;
    state.doors.end_of(switch, &user, None).await?;
    let view = UserView::from(&user);
    audit.change(format!("users/{}/totp", user.name), Some(&UserView::from(&before)), Some(&view));
    Ok(Json(view))
}

async fn sessions(Use(state): Use<State>, Asking(who): Asking, query: Params) -> Answer<Page<PersonSession>> {
    let sessions = state.doors.sessions(&*state.switch, who.tenant).await?;
    let wanted = |session: &&UserSession| query.text("user").is_none_or(|name| session.user.as_str() == name);
    let sessions = sessions.iter().filter(wanted).map(PersonSession::from).collect();
    listed(&query, sessions, PersonSession::came)
}

async fn end(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(id): Path<String>,
    audit: Audit,
) -> Answer<PersonSession> {
    let switch = &*state.switch;
    let known = state.doors.sessions(switch, who.tenant).await?;
    let session = known.into_iter().find(|session| session.id.as_str() == id);
    let session = session.ok_or_else(|| Problem::not_found("the tenant has no session of this id"))?;
    state.doors.end(switch, |other| other.hash == session.hash).await?;
    let view = PersonSession::from(&session);
    audit.change(format!("sessions/{id}"), Some(&view), None::<&PersonSession>);
    Ok(Json(view))
}

impl Doors {
    /// Ends the sessions of a person, but for this one.
    pub(super) async fn end_of(
        &self,
        switch: &dyn Switch,
        user: &UserRecord,
        but: Option<&Name>,
    ) -> Result<(), Problem> {
        let his = |session: &UserSession| {
            session.tenant == user.tenant && session.user == user.name && Some(&session.id) != but
        };
        self.end(switch, his).await?;
        Ok(())
    }

    /// A person has other roles from now on, in his sessions too.
    async fn is_now(&self, switch: &dyn Switch, user: &UserRecord) -> Result<(), Problem> {
        let changed = self.with(switch, |known| known.roles(user.tenant, &user.name, &user.roles)).await?;
        if !changed.is_empty() {
            let writes = changed.into_iter().map(|session| AccessWrite::Session(Box::new(session)));
            switch.keep(writes.collect()).await?;
        }
        Ok(())
    }

    /// The sessions of a tenant.
    pub(super) async fn sessions(
        &self,
        switch: &dyn Switch,
        tenant: TenantId,
    ) -> Result<Vec<UserSession>, Problem> {
        let (terms, _) = terms(switch, tenant)?;
        let now = switch.moment();
        Ok(self.with(switch, |known| known.sessions(tenant, &terms, now)).await?)
    }

    /// His tries count no longer.
    fn forgive(&self, tenant: TenantId, name: &Name) {
        self.tries(|tries| tries.right(&(tenant, name.to_string())));
    }
}
