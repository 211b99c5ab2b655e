//! Embeds the built dashboard, if there is one: `dashboard/dist` as npm left it. Never runs npm.
//! Files ending in `.br` and `.gz` are the same file, compressed, and belong to the one without.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

const DIST: &str = "../../dashboard/dist";

#[expect(
    clippy::disallowed_methods,
    reason = "what cargo tells a build script is in its environment alone"
)]
fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed={DIST}");
    let dist = Path::new(DIST);
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let kept = Path::new(&out).join("dashboard");
    let mut table = String::from("&[\n");
    if dist.join("index.html").exists() {
        copy(dist, &kept)?;
        for file in files(&kept)? {
            write_entry(&mut table, &kept, &file)?;
        }
    }
    table.push(']');
    fs::write(Path::new(&out).join("dashboard.rs"), table)
}

/// So that npm may build again while the compiler still reads.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    copy_into(from, to)
}

fn copy_into(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_into(&entry.path(), &name)?;
        } else {
            fs::copy(entry.path(), name)?;
        }
    }
    Ok(())
}

/// Everything that has an address of its own, in one order on every machine.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            found.extend(files(&path)?);
        } else if !hidden && !is_compressed(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn is_compressed(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| end == "br" || end == "gz")
}

/// One `File { … }` of `src/dashboard.rs`.
fn write_entry(table: &mut String, kept: &Path, file: &Path) -> io::Result<()> {
    let name = file.strip_prefix(kept).map_err(io::Error::other)?;
    let path = format!("/{}", name.to_string_lossy().replace('\\', "/"));
    let mut hasher = DefaultHasher::new();
    fs::read(file)?.hash(&mut hasher);
    let tag = format!("\"{:016x}\"", hasher.finish());
    writeln!(
        table,
        "File {{ path: {path:?}, kind: {kind:?}, tag: {tag:?}, plain: {plain}, brotli: {brotli}, gzip: {gzip} }},",
        kind = kind(&path),
        plain = bytes(file),
        brotli = compressed(file, "br"),
        gzip = compressed(file, "gz"),
    )
    .map_err(io::Error::other)
}

fn bytes(file: &Path) -> String {
    format!("include_bytes!({:?})", file.display().to_string())
}

fn compressed(file: &Path, end: &str) -> String {
    let beside = PathBuf::from(format!("{}.{end}", file.display()));
    if beside.exists() {
        format!("Some({})", bytes(&beside))
    } else {
        "None".to_owned()
    }
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}
