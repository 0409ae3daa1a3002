//! Texts drawn at random from the words of the language: none upsets the check, and none that passes it
//! does more than end its own call.

use crate::world::{finish, snapshot, start};
use cordboard_flow::{FlowCommand, FlowEngine, check};
use cordboard_model::config::FlowLimits;
use cordboard_model::time::Time;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "call", ":", ".", "play", "(", ")", "{", "}", "'a'", "1", "=", "local", "x", "y", "function", "end",
    "return", "if", "then", "while", "true", "do", "pcall", "error", ",", "..", "+", "[", "]", "nil",
    "string", "rep", "setmetatable", "for", "in", "pairs", "<close>", "<const>", "goto", "::", "a",
    "[[", "]]", "--", "\n", "é", "\"", "'", "...", "#", "data", "menu", "_ENV", "_G", "table", "sort",
    "not", "0x", "1e", "\\", "~=", "%", "repeat", "until", ";", "log", "__index", "math", "random",
];

#[test]
fn random_texts_end_only_their_own_call() {
    let mut random = ChaCha8Rng::from_seed([11; 32]);
    let (mut passed, mut refused) = (0, 0);
    for _ in 0..6_000 {
        let mut pick = |n: usize| (random.next_u32() as usize) % n;
        let source: Vec<&str> = (0..1 + pick(9)).map(|_| WORDS[pick(WORDS.len())]).collect();
        let source = source.join(if pick(4) == 0 { "" } else { " " });
        if check(&source, "soup.lua").is_err() {
            refused += 1;
            continue;
        }
        passed += 1;
        let limits = FlowLimits { instructions: 20_000, verbs: 50, ..FlowLimits::default() };
        let mut engine = FlowEngine::new([1; 32]);
        let snapshot = snapshot(limits, &[("main", &source)]);
        engine.handle_command(FlowCommand::Configure(&snapshot), Time::ZERO).unwrap();
        start(&mut engine, 1);
        finish(&mut engine, 1);
        assert_eq!(engine.len(), 0, "{source}");
    }
    assert!(passed > 100 && refused > 1_000, "{passed} passed, {refused} refused: the draw shows nothing");
}
