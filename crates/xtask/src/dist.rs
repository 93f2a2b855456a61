//! Programs for people: released builds in `target/dist`, what they hash to, and the index that Rollops installs from.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use crate::command::{output, succeed};
use crate::workspace::Workspace;

/// What is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// `flagstaff`, the server and its command line.
    Server,
    /// `rollops-plugin-flagsmith`.
    Plugin,
}

impl Part {
    const fn package(self) -> &'static str {
        match self {
            Self::Server => "flagstaff",
            Self::Plugin => "flagstaff-rollops-plugin",
        }
    }

    const fn program(self) -> &'static str {
        match self {
            Self::Server => "flagstaff",
            Self::Plugin => "rollops-plugin-flagsmith",
        }
    }

    /// The plugin is started at each step of a rollout, and its whole file is hashed each time: it is made small.
    const fn profile(self) -> &'static str {
        match self {
            Self::Server => "release",
            Self::Plugin => "small",
        }
    }
}

/// Larger than this, the plugin is not the small program it has to be.
const PLUGIN_LIMIT: u64 = 6 * 1024 * 1024;

/// What was asked for.
pub(crate) struct Options {
    /// All of them when none is named.
    pub(crate) parts: Vec<Part>,
    /// Where the files will be downloaded from; the folder itself when nothing is said.
    pub(crate) url: Option<String>,
}

/// A built file.
struct Artifact {
    part: Part,
    path: PathBuf,
    sha256: String,
    size: u64,
}

/// Builds, hashes, and writes `checksums.txt` and `plugins.json`.
pub(crate) fn make(workspace: &Workspace, options: &Options) -> Result<()> {
    let target = Target::of_this_machine()?;
    let version = format!("v{}", env!("CARGO_PKG_VERSION"));
    let folder = workspace.target.join("dist");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let parts = match &options.parts[..] {
        [] => &[Part::Plugin, Part::Server],
        named => named,
    };
    let mut artifacts = Vec::new();
    for part in parts {
        let built = build(workspace, &target, *part)?;
        let name = format!(
            "{}_{version}_{}_{}",
            part.program(),
            target.os,
            target.architecture
        );
        artifacts.push(Artifact::keep(*part, &built, folder.join(name))?);
    }
    let here = format!("file://{}", folder.display());
    let url = options.url.as_deref().unwrap_or(&here);
    write(&folder.join("checksums.txt"), &checksums(&artifacts))?;
    if let Some(plugin) = artifacts.iter().find(|each| each.part == Part::Plugin) {
        let index = index(plugin, &target, &version, url);
        write(&folder.join("plugins.json"), &format!("{index:#}\n"))?;
    }
    for artifact in &artifacts {
        println!("{}  {} bytes", artifact.path.display(), artifact.size);
        println!("  sha256 {}", artifact.sha256);
    }
    Ok(())
}

/// The machine that is built on and for.
struct Target {
    triple: String,
    /// As Rollops names them.
    os: &'static str,
    architecture: &'static str,
}

impl Target {
    fn of_this_machine() -> Result<Self> {
        let said = output(std::process::Command::new("rustc").arg("-vV"))?;
        let host = said.lines().find_map(|line| line.strip_prefix("host: "));
        Self::parse(host.context("rustc does not say what it runs on")?)
    }

    fn parse(triple: &str) -> Result<Self> {
        let architecture = match triple.split('-').next() {
            Some("x86_64") => "amd64",
            Some("aarch64") => "arm64",
            _ => bail!("nobody distributes for {triple}"),
        };
        let os = if triple.contains("-linux-") {
            "linux"
        } else if triple.contains("-apple-") {
            "darwin"
        } else {
            bail!("nobody distributes for {triple}");
        };
        Ok(Self {
            triple: triple.to_owned(),
            os,
            architecture,
        })
    }
}

/// Builds a program that needs nothing of the machine it runs on, where the target can do that.
fn build(workspace: &Workspace, target: &Target, part: Part) -> Result<PathBuf> {
    let mut command = workspace.cargo(&["build", "--locked", "--profile", part.profile()]);
    command.args(["--package", part.package(), "--bin", part.program()]);
    // Named, so that the flags are not those of build scripts and macros too: these cannot be static.
    command.args(["--target", &target.triple]);
    if target.os == "linux" {
        command.env("RUSTFLAGS", "-C target-feature=+crt-static");
    }
    succeed(&mut command)?;
    let folder = workspace.target.join(&target.triple).join(part.profile());
    Ok(folder.join(part.program()))
}

impl Artifact {
    fn keep(part: Part, built: &Path, path: PathBuf) -> Result<Self> {
        fs::copy(built, &path).with_context(|| format!("cannot copy {}", built.display()))?;
        let bytes = fs::read(&path)?;
        let size = bytes.len() as u64;
        if part == Part::Plugin && size >= PLUGIN_LIMIT {
            bail!(
                "{}: {size} bytes, and the limit is {PLUGIN_LIMIT}",
                path.display()
            );
        }
        Ok(Self {
            part,
            path,
            sha256: hex(&Sha256::digest(&bytes)),
            size,
        })
    }

    fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As `sha256sum --check` reads it.
fn checksums(artifacts: &[Artifact]) -> String {
    let line = |artifact: &Artifact| format!("{}  {}\n", artifact.sha256, artifact.name());
    artifacts.iter().map(line).collect()
}

/// The index of plugins that `rollops plugin install` reads.
fn index(plugin: &Artifact, target: &Target, version: &str, url: &str) -> Json {
    let artifact = json!({
        "os": target.os,
        "arch": target.architecture,
        "url": format!("{}/{}", url.trim_end_matches('/'), plugin.name()),
        "sha256": plugin.sha256,
    });
    json!({
        "plugins": [{
            "name": "flagstaff/flagsmith",
            "description": "Drives feature flags kept by Flagsmith or flagstaff with the steps of a rollout",
            "homepage": url,
            "capabilities": ["featureflag"],
            "latest": version,
            "versions": { version: { "artifacts": [artifact] } },
        }],
    })
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact() -> Artifact {
        Artifact {
            part: Part::Plugin,
            path: "/dist/rollops-plugin-flagsmith_v1.2.3_linux_amd64".into(),
            sha256: "ab".repeat(32),
            size: 5,
        }
    }

    #[test]
    fn rol_16_the_index_has_the_shape_that_rollops_reads() {
        let target = Target::parse("x86_64-unknown-linux-gnu").unwrap();

        let index = index(&artifact(), &target, "v1.2.3", "https://example.com/dl/");

        let plugin = &index["plugins"][0];
        assert_eq!(plugin["latest"], "v1.2.3");
        assert_eq!(plugin["capabilities"], json!(["featureflag"]));
        let expected = json!({
            "os": "linux",
            "arch": "amd64",
            "url": "https://example.com/dl/rollops-plugin-flagsmith_v1.2.3_linux_amd64",
            "sha256": "ab".repeat(32),
        });
        assert_eq!(plugin["versions"]["v1.2.3"]["artifacts"], json!([expected]));
    }

    #[test]
    fn rol_16_checksums_are_lines_that_sha256sum_checks() {
        let text = checksums(&[artifact()]);

        let name = "rollops-plugin-flagsmith_v1.2.3_linux_amd64";
        assert_eq!(text, format!("{}  {name}\n", "ab".repeat(32)));
    }

    #[test]
    fn targets_are_named_as_rollops_names_them() {
        let of = |triple| Target::parse(triple).map(|target| (target.os, target.architecture));

        assert_eq!(of("aarch64-apple-darwin").unwrap(), ("darwin", "arm64"));
        assert_eq!(
            of("aarch64-unknown-linux-musl").unwrap(),
            ("linux", "arm64")
        );
        assert!(of("x86_64-pc-windows-msvc").is_err());
    }

    #[test]
    fn rol_16_a_plugin_that_is_too_large_is_not_distributed() {
        let folder = std::env::temp_dir().join(format!("dist-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let built = folder.join("built");
        fs::write(&built, vec![0; 6 * 1024 * 1024]).unwrap();

        let kept = Artifact::keep(Part::Plugin, &built, folder.join("kept"));

        let problem = kept.err().unwrap().to_string();
        fs::remove_dir_all(&folder).unwrap();
        assert!(problem.contains("the limit is"), "{problem}");
    }
}
