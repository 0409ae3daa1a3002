//! What somebody shows to be who he says he is: a password, and a second factor where he has one.
//!
//! Invariants: a password is looked at only after its try was counted; a code is taken once; who does not know the password
//! learns neither who exists nor who has a second factor.

use super::people::said_password;
use super::session::Signed;
use super::{hash, terms, totp};
use crate::problem::Problem;
use crate::state::State;
use crate::switch::{Refusal, Switch};
use crate::vault::NewPassword;
use axum::http::StatusCode;
use cordboard_model::access::UserRecord;
use cordboard_model::config::Secret;
use cordboard_model::id::{Name, TenantId};
use cordboard_model::signin::{KeptPassword, SignInFault, SignInRules};
use cordboard_model::time::Wall;
use std::net::IpAddr;
use std::time::Instant;

/// A day, milliseconds.
const DAY_MS: i64 = 86_400_000;

/// What is said of a second factor.
#[derive(Clone, Debug, Default)]
pub(super) struct Second {
    /// A code of now.
    pub(super) code: Option<String>,
    /// One of those that open once.
    pub(super) recovery: Option<String>,
}

/// Somebody who tries to be somebody.
pub(super) struct Try<'a> {
    pub(super) state: &'a State,
    /// The name as it was said, whether anybody has it or not.
    pub(super) who: (TenantId, String),
    pub(super) rules: SignInRules,
    pub(super) address: Option<IpAddr>,
}

impl Try<'_> {
    fn switch(&self) -> &dyn Switch {
        &*self.state.switch
    }

    /// It was wrong. It counts for the name and for the address.
    pub(super) fn wrong(&self, code: Option<&'static str>) -> Problem {
        let (now, rules) = (self.switch().moment(), &self.rules);
        let fault = self.state.doors.tries(|tries| tries.wrong(&self.who, rules, now));
        self.counts();
        let wrong = fault == SignInFault::Wrong;
        let mut problem = Problem::from(fault);
        problem.code = code.filter(|_| wrong).or(problem.code);
        problem
    }

    fn counts(&self) {
        if let Some(address) = self.address {
            self.state.brake.failed(address, Instant::now());
        }
    }

    /// Whose password this is.
    pub(super) async fn password(&self, password: Secret) -> Result<UserRecord, Problem> {
        let now = self.switch().moment();
        let begun = self.state.doors.tries(|tries| tries.begin(&self.who, &self.rules, now));
        begun.inspect_err(|_| self.counts())?;
        let (tenant, name) = &self.who;
        let looked = async {
            let found = match Name::new(name) {
                Ok(name) => self.switch().user(*tenant, name).await?,
                Err(_) => None,
            };
            let known = found.as_ref().map(|user| user.password.hash.clone());
            Ok::<_, Refusal>((self.switch().is_password(password, known).await?, found))
        };
        match looked.await {
            Ok((true, Some(user))) if !user.disabled => Ok(user),
            Ok(_) => Err(self.wrong(None)),
            Err(why) => {
                // nothing was looked at: that says nothing of him
                self.state.doors.tries(|tries| tries.unknown(&self.who));
                Err(why.into())
            }
        }
    }

    /// His second factor, if he has one: as it is to be kept.
    pub(super) fn second(&self, user: &mut UserRecord, said: &Second) -> Result<(), Problem> {
        let Some(totp) = user.totp.as_mut().filter(|totp| totp.confirmed) else {
            return Ok(());
        };
        match (&said.code, &said.recovery) {
            (Some(code), _) => {
                let step = totp::check(&totp.secret, code, totp.step, self.switch().moment());
                totp.step = step.ok_or_else(|| self.wrong(Some("wrong_code")))?;
            }
            (None, Some(recovery)) => {
                let used = hash(&plain(recovery));
                let count = totp.recovery.len();
                totp.recovery.retain(|known| *known != used);
                if totp.recovery.len() == count {
                    return Err(self.wrong(Some("wrong_code")));
                }
            }
            (None, None) => {
                self.state.doors.tries(|tries| tries.unknown(&self.who));
                let detail =
                    "he has a second factor: give its code, or a recovery code, with name and password";
                let mut problem = Problem::new(StatusCode::UNAUTHORIZED, "a code is needed", detail);
                problem.code = Some("code_needed");
                return Err(problem);
            }
        }
        Ok(())
    }

    /// A password that takes the place of his.
    pub(super) async fn set(&self, user: &mut UserRecord, new: Secret) -> Result<(), Problem> {
        let history = usize::from(self.rules.history);
        let before = &user.password;
        let former: Vec<_> =
            std::iter::once(before.hash.clone()).chain(before.former.iter().cloned()).collect();
        let used: Vec<_> = former.iter().take(history + 1).cloned().collect();
        let new = NewPassword { tenant: user.tenant, user: user.name.clone(), password: new, former: used };
        let hash = self.switch().new_password(new).await?;
        let former = former.into_iter().take(history).collect();
        user.password = KeptPassword { hash, set: self.switch().moment(), by_other: false, former };
        Ok(())
    }

    /// His password still is as it was looked at.
    pub(super) async fn again(&self, looked: &UserRecord) -> Result<UserRecord, Problem> {
        let now = self.switch().user(looked.tenant, looked.name.clone()).await?;
        now.filter(|user| user.password == looked.password && !user.disabled)
            .ok_or_else(|| Problem::from(SignInFault::Busy))
    }
}

/// Recovery codes are typed by people: letters of either size, and dashes or none.
pub(super) fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether a password is still good.
pub(super) fn is_good(user: &UserRecord, rules: &SignInRules, now: Wall) -> Result<(), SignInFault> {
    if user.password.by_other && rules.change_first {
        return Err(SignInFault::MustChange);
    }
    let old = now.0 - user.password.set.0 >= i64::from(rules.age) * DAY_MS;
    if rules.age > 0 && old { Err(SignInFault::Expired) } else { Ok(()) }
}

/// What a person shows of himself once more before he changes how he signs in.
pub(super) async fn shows<'a>(
    state: &'a State,
    signed: &Signed,
    password: String,
) -> Result<(Try<'a>, UserRecord), Problem> {
    let tenant = signed.caller.tenant;
    let (_, rules) = terms(&*state.switch, tenant)?;
    let asks = Try { state, who: (tenant, signed.person.name.to_string()), rules, address: None };
    let looked = asks.password(said_password("password", password)?).await?;
    state.doors.tries(|tries| tries.right(&asks.who));
    Ok((asks, looked))
}
