//! The corpus of the fuzz targets, through the same functions, without libFuzzer.

#[cfg(test)]
mod replay {
    use std::path::Path;

    /// Gives every file of a target's corpus to it.
    fn replay(target: &str, least: usize, run: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        let mut files: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= least, "{} files", files.len());
        for file in files {
            let data = std::fs::read(&file).unwrap();
            let done = std::panic::catch_unwind(|| run(&data));
            assert!(done.is_ok(), "{}", file.display());
        }
    }

    #[test]
    fn the_wire_layer_takes_its_corpus() {
        replay("wire", 100, cordboard_fuzz::wire);
    }

    #[test]
    fn session_descriptions_take_their_corpus() {
        replay("sdp", 100, cordboard_fuzz::sdp);
    }

    #[test]
    fn the_shard_takes_its_corpus_and_keeps_nothing_of_it() {
        replay("shard", 9, cordboard_fuzz::shard);
    }
}
