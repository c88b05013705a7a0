//! Writes the list of catalogue files, so that adding a model is adding a file under `voices/`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let voices =
        Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("voices");
    let mut files: Vec<PathBuf> = fs::read_dir(&voices)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();

    let mut list = String::from("&[\n");
    for path in &files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let _ = writeln!(list, "    ({name:?}, include_str!({path:?})),");
    }
    list.push_str("]\n");
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("catalogue.rs"), list)?;

    #[allow(clippy::print_stdout, reason = "the way to talk to cargo")]
    {
        println!("cargo::rerun-if-changed=voices");
        println!("cargo::rerun-if-changed=build.rs");
    }
    Ok(())
}
