//! `cordboard agent password`: sets passwords at the running switch.

use crate::asking::{Line, escaped};
use crate::cli::PasswordArgs;
use crate::config::Loaded;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::io::{BufRead, IsTerminal, Write};

/// A line of the standard input; a terminal does not show it.
///
/// # Errors
/// There is none, or it is empty.
pub fn typed() -> Result<String, String> {
    let stdin = std::io::stdin();
    let mut line = String::new();
    let read = if stdin.is_terminal() {
        eprint!("password: ");
        let _ = std::io::stderr().flush();
        let shown = tcgetattr(&stdin).ok();
        if let Some(mut hidden) = shown.clone() {
            hidden.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(&stdin, OptionalActions::Flush, &hidden);
        }
        let read = stdin.lock().read_line(&mut line);
        if let Some(shown) = shown {
            let _ = tcsetattr(&stdin, OptionalActions::Flush, &shown);
        }
        eprintln!();
        read
    } else {
        stdin.lock().read_line(&mut line)
    };
    read.map_err(|why| why.to_string())?;
    match line.trim_end_matches(['\r', '\n']) {
        "" => Err("the password is read from the standard input, and none came".to_owned()),
        typed => Ok(typed.to_owned()),
    }
}

/// Sets it for each of them.
///
/// # Errors
/// What the switch says of the first that is refused, or why it cannot be asked, in words.
pub fn set(args: &PasswordArgs, password: &str, loaded: &Loaded) -> Result<String, String> {
    let line = Line::new(args.ask.http, loaded)?;
    let body = serde_json::json!({ "password": password }).to_string();
    let mut done = String::new();
    for agent in &args.agents {
        let path = format!("/api/v1/agents/{}/password", escaped(agent));
        line.json("PUT", &path, &body).map_err(|why| format!("{done}agent {agent}: {why}"))?;
        done.push_str(&format!("agent {agent}: the password is set\n"));
    }
    Ok(done)
}
