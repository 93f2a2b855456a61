//! The smallest part of a context for which something still holds.

use serde_json::Value as Json;

/// Takes away members and items of a context, one by one, as long as `holds` stays true.
pub fn minimise(context: &Json, mut holds: impl FnMut(&Json) -> bool) -> Json {
    let mut smallest = context.clone();
    loop {
        let mut paths = Vec::new();
        removable(&smallest, &mut Vec::new(), &mut paths);
        let smaller = paths.iter().find_map(|path| {
            let mut candidate = smallest.clone();
            remove(&mut candidate, path);
            holds(&candidate).then_some(candidate)
        });
        match smaller {
            Some(smaller) => smallest = smaller,
            None => return smallest,
        }
    }
}

/// Members whose parts may go, rather than they themselves.
const KEPT: [&str; 7] = [
    "environment",
    "type",
    "name",
    "key",
    "operator",
    "property",
    "value",
];

fn removable(json: &Json, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let parts: Vec<(String, &Json)> = match json {
        Json::Object(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), member))
            .collect(),
        Json::Array(items) => items
            .iter()
            .enumerate()
            .map(|(position, item)| (position.to_string(), item))
            .collect(),
        _ => return,
    };
    for (name, part) in parts {
        if KEPT.contains(&name.as_str()) {
            continue;
        }
        path.push(name);
        // Larger parts first.
        found.push(path.clone());
        removable(part, path, found);
        path.pop();
    }
}

fn remove(json: &mut Json, path: &[String]) {
    let Some((name, parents)) = path.split_last() else {
        return;
    };
    let pointer: String = parents
        .iter()
        .map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1")))
        .collect();
    match json.pointer_mut(&pointer) {
        Some(Json::Object(members)) => {
            members.shift_remove(name);
        }
        Some(Json::Array(items)) => {
            items.remove(name.parse().unwrap());
        }
        _ => {}
    }
}
