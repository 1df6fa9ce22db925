//! Puts the templates, the Terraform modules and the Ansible roles into the binary.
//!
//! Only what is written by hand: hidden files, tests and what tools leave behind stay out.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Folders of the repository, and the table that each becomes.
const TREES: [(&str, &str); 3] = [
    ("templates", "TEMPLATES"),
    ("terraform", "TERRAFORM"),
    ("ansible", "ANSIBLE"),
];
/// What belongs to a tree but not to what is rendered from it.
const LEFT_OUT: [&str; 4] = ["tests", "molecule", "__pycache__", "README.md"];

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("..");
    let mut code = String::new();
    for (folder, table) in TREES {
        let folder = root.join(folder).canonicalize()?;
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut files = Vec::new();
        collect(&folder, "", &mut files)?;
        files.sort();
        let _ = writeln!(
            code,
            "/// Relative paths, sorted, and what stands in the files.\n\
             pub(crate) static {table}: &[(&str, &[u8])] = &["
        );
        for (name, path) in files {
            let _ = writeln!(
                code,
                "    ({name:?}, include_bytes!({:?})),",
                path.display().to_string()
            );
        }
        code.push_str("];\n");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("trees.rs"), code)
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || name.contains(".tfstate") || LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        let path = entry.path();
        let relative = format!("{prefix}{name}");
        if path.is_dir() {
            collect(&path, &format!("{relative}/"), files)?;
        } else {
            files.push((relative, path));
        }
    }
    Ok(())
}
