//! `math.random` and `math.randomseed`, drawn from the seed of the engine and the number of the call.

use super::Host;
use super::args::Args;
use crate::vm::shared::Shared;
use mlua::{Lua, MultiValue, Result, Value};
use rand_core::RngCore;

/// Adds the functions to the table that the prelude gets.
pub(super) fn install(host: &Host<'_>) -> Result<()> {
    host.add("random", random)?;
    host.add("randomseed", |_, shared, seed: Value| {
        match seed {
            Value::Integer(n) => shared.reseed(n as u64),
            Value::Number(n) => shared.reseed(n.to_bits()),
            _ => {}
        }
        Ok(())
    })
}

fn random(lua: &Lua, shared: &Shared, args: MultiValue) -> Result<Value> {
    let count = args.len();
    let args = Args::new(lua, "random", args);
    let (low, high) = match count {
        0 => {
            let bits = shared.random(|random| random.next_u64());
            return Ok(Value::Number((bits >> 11) as f64 / (1u64 << 53) as f64));
        }
        1 => match args.int(1)? {
            0 => {
                return Ok(Value::Integer(shared.random(|random| random.next_u64()) as i64));
            }
            high => (1, high),
        },
        2 => (args.int(1)?, args.int(2)?),
        _ => {
            return Err(crate::vm::raised::runtime("wrong number of arguments to 'random'"));
        }
    };
    if low > high {
        return args.bad(count, "interval is empty");
    }
    let span = high.wrapping_sub(low) as u64;
    let drawn = shared.random(|random| below_or_at(random, span));
    Ok(Value::Integer(low.wrapping_add(drawn as i64)))
}

/// A number from 0 to `most`, each as likely as the other.
fn below_or_at(random: &mut impl RngCore, most: u64) -> u64 {
    let mask = u64::MAX.checked_shr(most.leading_zeros()).unwrap_or(0);
    loop {
        let drawn = random.next_u64() & mask;
        if drawn <= most {
            return drawn;
        }
    }
}
