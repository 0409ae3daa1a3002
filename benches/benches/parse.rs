//! Reading one SIP message from its bytes.

use cordboard_benches::messages;
use cordboard_sip::wire::parse_datagram;
use criterion::{Criterion, Throughput};
use std::hint::black_box;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("parse");
    let all = [
        ("INVITE with SDP", messages::invite()),
        ("REGISTER with digest", messages::register()),
        ("200", messages::ok()),
    ];
    for (name, bytes) in all {
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |b| b.iter(|| parse_datagram(black_box(&bytes))));
        if let Ok(message) = parse_datagram(&bytes) {
            group.bench_function(format!("print {name}"), |b| b.iter(|| black_box(&message).to_bytes()));
        }
    }
    group.finish();
    criterion.final_summary();
}
