//! What many tests do: a phone that registers and waits, a caller, a look at a record.

use cordboard_tests::Fail;
use cordboard_tests::config::PASSWORD;
use cordboard_tests::fail::{Outcome, ensure, fail};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sipp::{Message, Setup, Sipp};
use cordboard_tests::sound::{self, Tongue, Voice};
use serde_json::Value;
use std::path::Path;

pub use cordboard_tests::process::SOON;
/// Tone of callers, Hz.
pub const CALLER: f64 = 440.0;
/// Tone of agents, Hz.
pub const AGENT: f64 = 660.0;

/// An account's phone: SIPp for its signalling, the harness for its audio.
pub struct Phone {
    /// Its signalling.
    pub sipp: Sipp,
    /// Its audio.
    pub voice: Voice,
}

/// Where account 1000 + n has its phone.
pub fn setup<'a>(name: &'a str, user: &'a str, port: u16) -> Setup<'a> {
    Setup { name, user, port, password: PASSWORD, rtp: 41_000 + (port - 5_000) * 2, ..Setup::default() }
}

impl Phone {
    /// Registers `user` at `port` and waits for a call with this scenario, saying `hertz`.
    pub fn registered(
        dir: &Path,
        user: &str,
        port: u16,
        scenario: &Scenario,
        hertz: f64,
    ) -> Result<Self, Fail> {
        let name = format!("phone-{port}");
        let setup = setup(&name, user, port);
        Sipp::register(dir, &setup, 600)?;
        let voice = Voice::new("127.0.0.1", setup.rtp, hertz)?;
        Ok(Self { sipp: Sipp::listen(dir, scenario, &setup)?, voice })
    }

    /// Calls `number` by the trunk, saying `hertz`.
    pub fn by_trunk(dir: &Path, number: &str, scenario: &Scenario, hertz: f64) -> Result<Self, Fail> {
        Self::by_trunk_in(dir, number, scenario, hertz, sound::MU_LAW)
    }

    /// The same in another codec, which must be the scenario's.
    pub fn by_trunk_in(
        dir: &Path,
        number: &str,
        scenario: &Scenario,
        hertz: f64,
        tongue: Tongue,
    ) -> Result<Self, Fail> {
        let setup = Setup { name: "caller", ip: "127.0.0.2", port: 5090, user: number, ..Setup::default() };
        let voice = Voice::with("127.0.0.2", setup.rtp, hertz, tongue)?;
        Ok(Self { sipp: Sipp::start(dir, scenario, &setup)?, voice })
    }

    /// `count` callers at once by the trunk, from one port, all saying `hertz`.
    pub fn crowd(
        dir: &Path,
        port: u16,
        number: &str,
        scenario: &Scenario,
        count: u32,
        hertz: f64,
    ) -> Result<Self, Fail> {
        let name = format!("crowd-{port}");
        let rtp = 41_000 + (port - 5_000) * 2;
        let place = Setup { name: &name, ip: "127.0.0.2", port, user: number, rtp, ..Setup::default() };
        let voice = Voice::new("127.0.0.2", rtp, hertz)?;
        let setup = Setup { calls: count, rate: 200, ..place };
        Ok(Self { sipp: Sipp::start(dir, scenario, &setup)?, voice })
    }

    /// Takes `count` calls at a port that is registered, all saying `hertz`.
    pub fn listening(
        dir: &Path,
        port: u16,
        scenario: &Scenario,
        count: u32,
        hertz: f64,
    ) -> Result<Self, Fail> {
        let name = format!("phones-{port}");
        let setup = Setup { calls: count, ..setup(&name, "phone", port) };
        let voice = Voice::new("127.0.0.1", setup.rtp, hertz)?;
        Ok(Self { sipp: Sipp::listen(dir, scenario, &setup)?, voice })
    }

    /// Registers all of `users` at one port, which takes one call for each, all saying `hertz`.
    pub fn many_registered(
        dir: &Path,
        users: &[String],
        port: u16,
        scenario: &Scenario,
        hertz: f64,
    ) -> Result<Self, Fail> {
        let name = format!("phones-{port}");
        for user in users {
            Sipp::register(dir, &setup(&name, user, port), 600)?;
        }
        Self::listening(dir, port, scenario, u32::try_from(users.len())?, hertz)
    }

    /// `user` at `port` calls `number`, saying `hertz`.
    pub fn calls(
        dir: &Path,
        user: &str,
        port: u16,
        number: &str,
        scenario: &Scenario,
        hertz: f64,
    ) -> Result<Self, Fail> {
        let name = format!("phone-{port}");
        let setup = Setup { caller: user, user: number, ..setup(&name, user, port) };
        let voice = Voice::new("127.0.0.1", setup.rtp, hertz)?;
        Ok(Self { sipp: Sipp::start(dir, scenario, &setup)?, voice })
    }

    /// Is told to go on once it has rung.
    pub fn answers_now(&mut self) -> Outcome {
        self.sipp.wait_sent("SIP/2.0 180", 1)?;
        self.sipp.go_on()
    }

    /// Is told to go on once its call is up, and ends as its scenario says.
    pub fn hangs_up(&mut self) -> Outcome {
        self.sipp.wait_up()?;
        self.gives_up()
    }

    /// Is told to go on, and ends as its scenario says.
    pub fn gives_up(&mut self) -> Outcome {
        self.sipp.go_on()?;
        self.ended()
    }

    /// Ends as its scenario says.
    pub fn ended(&mut self) -> Outcome {
        self.sipp.wait_success(SOON)
    }

    /// Speaks to where the switch's session description wants it.
    pub fn speaks(&mut self) -> Outcome {
        let media = self.sipp.wait_media()?;
        self.voice.speak_to(media);
        Ok(())
    }
}

impl Phone {
    /// Speaks to wherever the switch's session descriptions of all its calls want it.
    pub fn all_speak(&self) {
        for media in self.sipp.messages().iter().filter(|m| !m.sent).filter_map(Message::media) {
            self.voice.speak_to(media);
        }
    }
}

/// A phone that rings, answers when told, and ends either way.
pub fn answers_when_told() -> Scenario {
    Scenario::called(MU_LAW).says(180, "Ringing").waits_for_word().answers().ends()
}

/// A phone that calls without being asked who it is, and ends either way.
pub fn calls() -> Scenario {
    Scenario::caller(MU_LAW).invites().is_answered().ends()
}

/// Both speak, and each hears the other.
pub fn hear_each_other(caller: &mut Phone, called: &mut Phone) -> Outcome {
    caller.speaks()?;
    called.speaks()?;
    caller.voice.hears("the caller", AGENT, SOON)?;
    called.voice.hears("the called party", CALLER, SOON)
}

/// Fails unless a record's field has this value; `field` is a path with dots.
pub fn field(cdr: &Value, field: &str, wanted: impl Into<Value>) -> Outcome {
    let wanted = wanted.into();
    let found = at(cdr, field);
    ensure(*found == wanted, || format!("{field} is {found}, not {wanted}, in {cdr}"))
}

/// The value at a path with dots, or null.
pub fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    let step = |value: &'a Value, key: &str| match key.parse::<usize>() {
        Ok(index) => &value[index],
        Err(_) => &value[key],
    };
    path.split('.').fold(value, step)
}

/// Fails unless these times of a record exist and follow each other.
pub fn in_order(cdr: &Value, fields: &[&str]) -> Outcome {
    let times: Vec<Option<u64>> = fields.iter().map(|field| at(cdr, field).as_u64()).collect();
    if times.iter().all(Option::is_some) && times.is_sorted() {
        return Ok(());
    }
    fail(format!("{fields:?} are {times:?} in {cdr}"))
}
