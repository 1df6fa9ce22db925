//! What checks Terraform modules and roots: Terraform, providers, and checkov; built or installed once into the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::install::{move_into_place, virtual_environment};
use crate::error::{Error, Result};
use crate::process::{execute, is_installed, output};
use crate::project::{cache, root, say};

/// azurerm 5.2.0 by its commit: the module's path has no major version, so the Go module proxy knows no release of it.
const AZURERM_COMMIT: &str = "v1.44.1-0.20260824201233-fae580791926";
const AZURERM: &str = "5.2.0";
/// The package that the stand-in's schema comes from, and the version of the AWS provider that it was generated from.
const AWS_PACKAGE: &str = "@cdktf/provider-aws@21.22.1";
const AWS: &str = "6.25.0";

/// `terraform/` of the cache: `bin/`, `mirror/` with providers, `terraformrc` that points at it, `checkov/`.
fn home() -> Result<PathBuf> {
    let home = cache()?.join("terraform");
    let bin = home.join("bin");
    fs::create_dir_all(&bin).map_err(Error::file("creating", bin))?;
    Ok(home)
}

/// Terraform, told to take providers from the mirror of the cache alone; gives the mirror.
fn terraform() -> Result<PathBuf> {
    let home = home()?;
    require_terraform()?;
    require(
        "go",
        "install Go 1.25 or newer; it builds Terraform's providers",
    )?;
    let mirror = home.join("mirror");
    configuration(&home, &mirror)?;
    Ok(mirror)
}

fn require(program: &'static str, hint: &'static str) -> Result<()> {
    // Go has no --version, and says so: it starts, which is what is asked here
    if is_installed(program) {
        Ok(())
    } else {
        Err(Error::Missing { program, hint })
    }
}

fn require_terraform() -> Result<()> {
    const HINT: &str =
        "install Terraform 1.9 or newer (https://developer.hashicorp.com/terraform/install)";
    if !is_installed("terraform") {
        return Err(Error::Missing {
            program: "terraform",
            hint: HINT,
        });
    }
    let version = output(Command::new("terraform").args(["version", "-json"]))?;
    say(version
        .lines()
        .find(|line| line.contains("terraform_version"))
        .map_or("terraform", str::trim));
    Ok(())
}

/// Where Terraform looks for a provider in a mirror.
fn place(mirror: &Path, provider: &str, version: &str) -> Result<PathBuf> {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let place = mirror
        .join("registry.terraform.io/hashicorp")
        .join(provider)
        .join(version)
        .join(format!("{system}_{architecture}"));
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent).map_err(Error::file("creating", parent))?;
    }
    Ok(place)
}

/// A folder beside `place` that is filled before it gets that name.
fn unfinished(place: &Path) -> Result<PathBuf> {
    let folder = place.with_extension(format!("tmp-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(Error::file("creating", &folder))?;
    Ok(folder)
}

/// Terraform and Azure's real provider, from source: minutes once, and 225 MB.
pub(crate) fn azurerm() -> Result<()> {
    let (mirror, home) = (terraform()?, home()?);
    let place = place(&mirror, "azurerm", AZURERM)?;
    if place.is_dir() {
        return Ok(());
    }
    say("building the azurerm provider, which takes ten minutes and more");
    let bin = home.join("bin");
    execute(
        Command::new("go")
            .args(["install", "-buildvcs=false", "-p=2", "-ldflags", "-s -w"])
            .arg(format!(
                "github.com/hashicorp/terraform-provider-azurerm@{AZURERM_COMMIT}"
            ))
            .env("GOBIN", &bin)
            .env("CGO_ENABLED", "0")
            .env("GOFLAGS", ""),
    )?;
    let folder = unfinished(&place)?;
    let built = bin.join("terraform-provider-azurerm");
    let program = folder.join(format!("terraform-provider-azurerm_v{AZURERM}"));
    fs::rename(&built, &program).map_err(Error::file("moving", &built))?;
    move_into_place(&folder, &place)
}

/// Terraform and the schema-derived stand-in. That is small and follows the modules, so it is made anew each time; the package is
/// kept.
pub(crate) fn aws_stand_in() -> Result<()> {
    let (mirror, home) = (terraform()?, home()?);
    require(
        "npm",
        "install npm; it fetches the schema of the AWS provider",
    )?;
    let package = home.join(format!("aws-schema-{AWS}"));
    if !package.is_dir() {
        say("fetching the package that the AWS provider's schema is read from");
        let folder = unfinished(&package)?;
        execute(
            Command::new("npm")
                .args(["pack", "--silent", AWS_PACKAGE])
                .current_dir(&folder),
        )?;
        execute(
            Command::new("sh")
                .args(["-c", "tar xzf ./*.tgz && rm ./*.tgz"])
                .current_dir(&folder),
        )?;
        move_into_place(&folder, &package)?;
    }
    let source = root().join("e2e/terraform/stand-in");
    let place = place(&mirror, "aws", AWS)?;
    let folder = unfinished(&place)?;
    let go = |arguments: &[&str]| {
        let mut command = Command::new("go");
        command
            .args(arguments)
            .current_dir(&source)
            .env("GOFLAGS", "-buildvcs=false");
        command
    };
    let program = folder.join(format!("terraform-provider-aws_v{AWS}"));
    execute(go(&["build", "-p=2", "-o"]).arg(&program).arg("."))?;
    let extract = home.join("bin/extract");
    execute(go(&["build", "-o"]).arg(&extract).arg("./extract"))?;
    let schema = folder.join("schema.json");
    let file = fs::File::create(&schema).map_err(Error::file("creating", &schema))?;
    execute(
        Command::new(&extract)
            .arg(package.join("package"))
            .arg(root().join("terraform"))
            .stdout(file),
    )?;
    if place.is_dir() {
        fs::remove_dir_all(&place).map_err(Error::file("removing", &place))?;
    }
    move_into_place(&folder, &place)
}

/// Providers come from the mirror only: a test that reached the registry would test something else.
fn configuration(home: &Path, mirror: &Path) -> Result<()> {
    let path = home.join("terraformrc");
    let text = format!(
        "disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
        mirror.display()
    );
    fs::write(&path, text).map_err(Error::file("writing", path))
}

/// What judges policies, of Terraform and of ARM templates.
pub(crate) fn checkov() -> Result<()> {
    virtual_environment("terraform/checkov", "e2e/terraform/requirements.txt").map(drop)
}
