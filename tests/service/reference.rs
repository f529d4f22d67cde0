//! The pages of src/docs and the code say the same.

use std::path::Path;

use thumbnail_core::reference::{BEGIN, END, calls, configuration, errors, options};

/// `BLESS=1 cargo test --test service reference` writes the tables anew, and fails for that.
#[test]
fn the_tables_of_the_pages_are_those_of_the_code() {
    let pages = [
        ("api", calls()),
        ("configuration", configuration()),
        ("errors", errors()),
        ("options", options()),
    ];
    let stale: Vec<_> = pages
        .into_iter()
        .filter(|(name, table)| is_stale(name, table))
        .map(|(name, _)| format!("src/docs/{name}.md"))
        .collect();
    assert!(
        stale.is_empty(),
        "out of date: {}. Run `BLESS=1 cargo test --test service reference` and look at what changed",
        stale.join(", ")
    );
}

fn is_stale(name: &str, table: &str) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/docs/{name}.md"));
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the table begins");
    let (_, after) = rest.split_once(END).expect("the table ends");
    let current = format!("{before}{BEGIN}\n\n{table}\n{END}{after}");
    if page == current {
        return false;
    }
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, current).unwrap();
    }
    true
}
