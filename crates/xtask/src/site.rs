//! The documentation as a site, made by mdBook.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::cargo_program::CargoProgram;
use crate::command::succeed;
use crate::workspace::Workspace;

/// Without the parts that serve the site and build it again at every change.
pub(crate) const MDBOOK: CargoProgram = CargoProgram {
    name: "mdbook",
    version: "0.5.4",
    features: &["--no-default-features", "--features", "search"],
};

/// Pages that repeat others, or are shown at whatever address was asked for.
const LEFT_OUT: [&str; 3] = ["print.html", "404.html", "toc.html"];

/// Builds `target/book` from `docs`; gives its folder.
pub(crate) fn build(workspace: &Workspace, mdbook: &Path) -> Result<PathBuf> {
    let book = workspace.target.join("book");
    succeed(
        Command::new(mdbook)
            .current_dir(&workspace.root)
            .args(["build", "--dest-dir"])
            .arg(&book),
    )?;
    println!("{}", book.join("index.html").display());
    Ok(book)
}

/// What the pages lead to that is not there, and what they would load from elsewhere.
pub(crate) fn broken_links(book: &Path) -> Result<Vec<String>> {
    let mut pages = BTreeMap::new();
    collect(book, book, &mut pages)?;
    ensure!(pages.len() > 10, "{} holds no site", book.display());
    let mut broken = Vec::new();
    for (page, text) in &pages {
        if LEFT_OUT.iter().any(|name| Path::new(page).ends_with(name)) {
            continue;
        }
        for source in attributes(text, "src").filter(|source| source.contains("://")) {
            broken.push(format!("{page} loads {source}"));
        }
        for link in attributes(text, "href").chain(attributes(text, "src")) {
            let link = link.replace("&amp;", "&");
            if !link.contains("://")
                && !link.starts_with("mailto:")
                && !leads(book, &pages, page, &link)
            {
                broken.push(format!("{page} leads to {link}, which is not there"));
            }
        }
    }
    Ok(broken)
}

/// True when file and heading of a link are there.
fn leads(book: &Path, pages: &BTreeMap<String, String>, page: &str, link: &str) -> bool {
    let (path, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = if path.is_empty() {
        page.to_owned()
    } else {
        let folder = Path::new(page).parent().unwrap_or(Path::new(""));
        normal(&folder.join(path))
    };
    match pages.get(&target) {
        Some(text) => heading.is_empty() || anchors(text).contains(heading),
        None => book.join(&target).is_file(),
    }
}

/// The path without `.` and `..`.
fn normal(path: &Path) -> String {
    let mut parts = Vec::new();
    for part in path.iter().filter_map(|part| part.to_str()) {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn anchors(text: &str) -> BTreeSet<&str> {
    attributes(text, "id").collect()
}

/// The values of an attribute, wherever it stands; mdBook writes all of them in double quotes.
fn attributes<'a>(text: &'a str, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let start = format!(" {name}=\"");
    let places: Vec<usize> = text
        .match_indices(&start)
        .map(|(at, _)| at + start.len())
        .collect();
    places
        .into_iter()
        .filter_map(|at| text.get(at..)?.split('"').next())
}

/// The text of every page, by its path below the site.
fn collect(book: &Path, folder: &Path, pages: &mut BTreeMap<String, String>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(book, &path, pages)?;
        } else if path.extension().is_some_and(|end| end == "html") {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            pages.insert(normal(path.strip_prefix(book)?), text);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(pages: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pages = pages.iter();
        pages
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect()
    }

    #[test]
    fn a_link_leads_to_a_page_and_to_one_of_its_headings() {
        let pages = site(&[
            ("guides/a.html", ""),
            ("operate/b.html", r#"<h2 id="how-to"><a href="x">"#),
        ]);
        let leads = |link| leads(Path::new("/nowhere"), &pages, "guides/a.html", link);

        assert!(leads("../operate/b.html") && leads("../operate/b.html#how-to") && leads("a.html"));
        assert!(leads("") && !leads("#how-to"));
        assert!(!leads("../operate/b.html#why") && !leads("b.html"));
    }

    #[test]
    fn attributes_are_found_wherever_they_stand() {
        let text =
            r#"<a class="x" href="one"><img src="two" alt="three"><a href="four" id="five">"#;

        assert_eq!(
            attributes(text, "href").collect::<Vec<_>>(),
            ["one", "four"]
        );
        assert_eq!(attributes(text, "id").collect::<Vec<_>>(), ["five"]);
    }
}
