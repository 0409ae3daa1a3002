//! One bridged call through the whole shard, INVITE to the last record: what it costs the signalling thread
//! besides system calls. Calls come 200 a second in virtual time, and the transactions of those before stand.

use cordboard_benches::call::Exchange;
use criterion::Criterion;
use std::time::Duration;

/// Virtual 40 s, after which as many transactions end as begin.
const STEADY: u32 = 8_000;

/// Calls that are up beside the one that is measured, in the second reading.
const STANDING: u32 = 2_000;

fn main() -> Result<(), String> {
    let mut criterion = Criterion::default().configure_from_args();
    let mut broken = 0;
    let mut group = criterion.benchmark_group("call");
    for standing in [0, STANDING] {
        let mut exchange = Exchange::new()?;
        for _ in 0..standing {
            broken += u64::from(!exchange.stand());
        }
        for _ in 0..STEADY {
            exchange.call();
        }
        group.bench_function(format!("bridged, whole shard, {standing} calls up"), |b| {
            b.iter_custom(|count| {
                let mut spent = Duration::ZERO;
                for _ in 0..count {
                    let call = exchange.call();
                    broken += u64::from(!call.whole);
                    spent += call.shard;
                }
                spent
            });
        });
    }
    group.finish();
    criterion.final_summary();
    if broken > 0 {
        return Err(format!("{broken} calls were not bridged or left something: the times mean nothing"));
    }
    Ok(())
}
