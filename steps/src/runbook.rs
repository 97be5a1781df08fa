//! `docs/runbook.md` as the steps follow it: one entry a symptom, with its commands and paths.

/// The page as it is committed.
const PAGE: &str = include_str!("../../docs/runbook.md");
/// The first line of its table.
const HEAD: &str = "| symptom | look | artifacts | mend |";
/// What a code span that is a command begins with.
const COMMAND: &str = "mycelium ";

/// One symptom, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) symptom: String,
    /// Commands that only look.
    pub(crate) look: Vec<String>,
    /// Paths of artifacts and of files in the repository.
    pub(crate) paths: Vec<String>,
    /// Commands that mend, in their order.
    pub(crate) mend: Vec<String>,
}

/// The entry of a symptom; or the symptoms that there are.
pub(crate) fn entry(symptom: &str) -> Result<Entry, String> {
    let entries = entries(PAGE)?;
    entries.iter().find(|entry| entry.symptom == symptom).cloned().ok_or_else(|| {
        let known: Vec<String> = entries.iter().map(|entry| format!("{:?}", entry.symptom)).collect();
        format!("the runbook has no symptom {symptom:?}; it has {}", known.join(", "))
    })
}

/// Every entry of a page.
fn entries(page: &str) -> Result<Vec<Entry>, String> {
    let rows = page.lines().skip_while(|line| *line != HEAD).skip(2);
    let entries: Vec<Entry> =
        rows.take_while(|line| line.starts_with('|')).map(row).collect::<Result<_, _>>()?;
    if entries.is_empty() {
        Err(format!("the runbook has no table that begins with {HEAD:?}"))
    } else {
        Ok(entries)
    }
}

fn row(line: &str) -> Result<Entry, String> {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [symptom, look, artifacts, mend] = cells.as_slice() else {
        return Err(format!("this row of the runbook does not have four cells: {line}"));
    };
    // In the table a code span is a command or else a path.
    let (look, _) = split(look);
    let (_, mut paths) = split(artifacts);
    let (mend, files) = split(mend);
    paths.extend(files);
    Ok(Entry { symptom: (*symptom).to_owned(), look, paths, mend })
}

/// The commands of a cell, and its paths.
fn split(cell: &str) -> (Vec<String>, Vec<String>) {
    spans(cell).partition(|span| span.starts_with(COMMAND))
}

/// The code spans of a text.
fn spans(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split('`').skip(1).step_by(2).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEATURE: &str = include_str!("../../features/tier2/G2.13-runbook-is-true.feature");

    #[test]
    fn every_symptom_is_brought_about_looked_at_and_mended_by_a_scenario() {
        for entry in entries(PAGE).unwrap() {
            let at = format!("the runbook says at \"{}\"", entry.symptom);
            let mut steps = vec![format!("I look as {at}"), format!("every path that {at} is there")];
            steps.push(format!("every command that {at} has answered"));
            if !entry.mend.is_empty() {
                steps.push(format!("I mend as {at}"));
            }
            for step in steps {
                assert!(FEATURE.contains(&step), "no scenario says: {step}");
            }
            assert!(!entry.look.is_empty() && !entry.paths.is_empty(), "{entry:?}");
        }
    }

    #[test]
    fn every_command_of_the_page_is_one_that_a_scenario_runs() {
        let entries = entries(PAGE).unwrap();
        let run: Vec<&String> =
            entries.iter().flat_map(|entry| entry.look.iter().chain(&entry.mend)).collect();
        let others: Vec<String> =
            spans(PAGE).filter(|span| span.starts_with(COMMAND) && !run.contains(&span)).collect();
        assert_eq!(others, Vec::<String>::new());
        assert!(!PAGE.contains("```") && !PAGE.contains("~~~"), "nobody runs a block of code");
    }

    #[test]
    fn a_row_is_read_into_commands_and_paths() {
        let page = format!(
            "# Page\n\n{HEAD}\n| - | - | - | - |\n| it fails | `mycelium status`, then `mycelium logs` | `state.json` (all) \
             | edit `.mycelium/config.yaml`, then `mycelium run` |\n\nafter it\n"
        );
        let expected = Entry {
            symptom: "it fails".to_owned(),
            look: vec!["mycelium status".to_owned(), "mycelium logs".to_owned()],
            paths: vec!["state.json".to_owned(), ".mycelium/config.yaml".to_owned()],
            mend: vec!["mycelium run".to_owned()],
        };
        assert_eq!(entries(&page).unwrap(), [expected]);
        assert!(entries("# Page\n").is_err());
        assert!(entries(&format!("{HEAD}\n|-|\n| three | cells | alone |\n")).is_err());
        assert!(entry("nobody has it").unwrap_err().contains("\"it was interrupted or killed\""));
    }
}
