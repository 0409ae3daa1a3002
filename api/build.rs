//! Makes sure that there is a folder of pages to compile in, so that the switch builds without Node.

use std::path::Path;

fn main() {
    let dist = Path::new("web/dist");
    println!("cargo:rerun-if-changed=web/dist");
    if !dist.join("index.html").exists() {
        let page =
            "<!doctype html><title>Cordboard</title><p>The pages were not built. Run <code>make web</code>.";
        let made = std::fs::create_dir_all(dist).and_then(|()| std::fs::write(dist.join("index.html"), page));
        if let Err(why) = made {
            println!("cargo:warning=cannot write web/dist/index.html: {why}");
        }
    }
}
