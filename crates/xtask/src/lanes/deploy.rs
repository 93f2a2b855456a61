//! The files under `deploy/`, by linters and schemas: Dockerfile, Compose, Kubernetes, Helm chart, Prometheus.
//!
//! No container engine and no cluster is needed, and none is tried. What the files name of our own (settings, metrics,
//! paths, commands) is looked at by the tests of the binary.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{Lane, Run};
use crate::command::{output, succeed, works};
use crate::python;
use crate::summary::Report;
use crate::workspace::Workspace;

pub(super) const LANE: Lane = Lane {
    name: "deploy",
    about: "Dockerfile, Compose, Kubernetes, Helm chart and Prometheus files by their linters",
    run,
};

/// Reads every expression of the dashboard and of the alerts.
const EXPRESSIONS: &str = r#"
import json, sys, yaml, promql_parser
panels = json.load(open(sys.argv[1]))["panels"]
found = [target["expr"].replace("$instance", ".*") for panel in panels for target in panel["targets"]]
for group in yaml.safe_load(open(sys.argv[2]))["groups"]:
    found += [rule["expr"] for rule in group["rules"]]
for expression in found:
    promql_parser.parse(expression)
assert len(found) > 10
"#;

/// Says where Helm's engine is, when it was built before from `crates/xtask/helm`.
const HELM: &str = "FLAGSTAFF_HELM";

/// Values that the chart refuses, and with which words.
const REFUSED: [(&str, &str); 4] = [
    ("replica: 2", "replica"),
    ("replicas: 2", "more than one needs Postgres"),
    ("settings: {listen: x}", "invalid propertyName 'listen'"),
    ("ingress: {enabled: true}", "an ingress needs a host"),
];

fn run(run: &mut Run<'_>) -> Result<Report> {
    let python = match python::environment(run.workspace, run.machine, "deploy")? {
        Ok(python) => python,
        Err(missing) => return Ok(Report::skipped(missing)),
    };
    let tools = python
        .parent()
        .context("a Python stands in a folder")?
        .to_owned();
    let tool = |name: &str| {
        let mut command = Command::new(tools.join(name));
        command.current_dir(&run.workspace.root);
        command
    };
    succeed(tool("hadolint").arg("deploy/Dockerfile"))?;
    let schema = ["--builtin-schema", "vendor.compose-spec"];
    let compose = files(run.workspace, "deploy/compose")?;
    succeed(tool("check-jsonschema").args(schema).args(compose))?;
    let objects = files(run.workspace, "deploy/kubernetes")?;
    succeed(tool("kubernetes-validate").arg("--strict").args(objects))?;
    let expressions = ["dashboard.json", "alerts.yaml"];
    let expressions = expressions.map(|name| format!("deploy/observability/{name}"));
    succeed(tool("python").args(["-c", EXPRESSIONS]).args(expressions))?;
    let mut report = Report::default();
    match helm(run.workspace)? {
        Ok(helm) => chart(run.workspace, &helm, &tools)?,
        Err(reason) => report.left_out.push(reason),
    }
    Ok(report)
}

/// Renders the chart for each case, and holds what comes out against the schemas of Kubernetes.
fn chart(workspace: &Workspace, helm: &Path, tools: &Path) -> Result<()> {
    let chart = "deploy/helm/flagstaff";
    let cases = files(workspace, "deploy/helm/cases")?;
    let rendered = workspace.target.join("deploy");
    fs::create_dir_all(&rendered).with_context(|| format!("cannot make {}", rendered.display()))?;
    let engine = |task: &str| {
        let mut command = Command::new(helm);
        command.current_dir(&workspace.root).args([task, chart]);
        command
    };
    for case in &cases {
        let text = output(engine("render").arg(case))?;
        // Kubernetes itself does not know the objects of Prometheus' operator.
        let known = text.split("\n---\n");
        let known = known.filter(|object| !object.contains("\nkind: ServiceMonitor"));
        let known: Vec<_> = known.collect();
        let name = case.file_name().unwrap_or(OsStr::new("case.yaml"));
        let file = rendered.join(name);
        fs::write(&file, known.join("\n---\n"))?;
        let mut validate = Command::new(tools.join("kubernetes-validate"));
        succeed(validate.arg("--strict").arg(file))?;
    }
    for (values, refusal) in REFUSED {
        let file = rendered.join("refused.yaml");
        fs::write(&file, values)?;
        match output(engine("render").arg(file)) {
            Ok(_) => bail!("the chart takes `{values}`"),
            Err(error) if format!("{error:#}").contains(refusal) => {}
            Err(error) => return Err(error),
        }
    }
    succeed(engine("every").args(&cases))
}

/// Helm's own engine, built from its modules; or why it cannot be had.
fn helm(workspace: &Workspace) -> Result<Result<PathBuf, String>> {
    if let Some(named) = std::env::var_os(HELM) {
        return Ok(Ok(named.into()));
    }
    let because = |problem: &str| format!("Helm chart: {problem}; {HELM} may name one");
    if !works(Command::new("go").arg("version")) {
        return Ok(Err(because("no Go to build Helm's engine with")));
    }
    let built = workspace.target.join("tools/flagstaff-helm");
    // Five hundred packages: a minute and a half of CPU time once, and nothing from then on.
    let mut build = Command::new("go");
    build
        .current_dir(workspace.root.join("crates/xtask/helm"))
        .args(["build", "-o"])
        .arg(&built)
        .arg(".");
    Ok(match output(&mut build) {
        Ok(_) => Ok(built),
        Err(error) => {
            let said = format!("{error:#}");
            let refusal = said.lines().find(|line| line.contains("403 Forbidden"));
            let Some(refusal) = refusal else {
                return Err(error);
            };
            Err(because(&format!(
                "a module is not given out: {}",
                refusal.trim()
            )))
        }
    })
}

/// The YAML files of a folder, sorted.
fn files(workspace: &Workspace, folder: &str) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(workspace.root.join(folder))
        .with_context(|| format!("cannot list {folder}"))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "yaml") {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}
