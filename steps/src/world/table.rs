//! Tables and doc strings of steps.

use cucumber::gherkin::Step;
use mycelium_fixtures::planner::{PlanDraft, TaskDraft};

use super::WorldError;

/// A table with a heading.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    heading: &'a [String],
    rows: &'a [Vec<String>],
}

/// The doc string of a step.
pub(crate) fn doc_string(step: &Step) -> Result<&str, WorldError> {
    let text = step.docstring.as_deref();
    let text = text.ok_or_else(|| WorldError::Argument("the step takes a doc string (\"\"\")".to_owned()))?;
    // The parser keeps the line end behind the opening quotes.
    Ok(text.strip_prefix('\n').unwrap_or(text))
}

impl<'a> Table<'a> {
    /// The table of a step, whose columns are among the allowed ones and hold the required ones.
    pub(crate) fn of(step: &'a Step, required: &[&str], optional: &[&str]) -> Result<Self, WorldError> {
        let argument = |text: String| Err(WorldError::Argument(text));
        let columns = || [required, optional].concat().join(" | ");
        let Some((heading, rows)) = step.table.as_ref().and_then(|table| table.rows.split_first()) else {
            return argument(format!("the step takes a table with the columns {}", columns()));
        };
        if let Some(unknown) =
            heading.iter().find(|c| !required.contains(&c.as_str()) && !optional.contains(&c.as_str()))
        {
            return argument(format!("the table has no column {unknown:?}; it has {}", columns()));
        }
        if let Some(missing) = required.iter().find(|name| !heading.iter().any(|c| c == *name)) {
            return argument(format!("the table lacks the column {missing:?}"));
        }
        Ok(Self { heading, rows })
    }

    /// Its rows.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'a>> {
        let heading = self.heading;
        self.rows.iter().map(move |cells| Row { heading, cells })
    }
}

/// A row of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    heading: &'a [String],
    cells: &'a [String],
}

impl<'a> Row<'a> {
    /// The cell of a column; empty where the table has no such column.
    pub(crate) fn text(&self, column: &str) -> &'a str {
        let at = self.heading.iter().position(|c| c == column);
        at.and_then(|at| self.cells.get(at)).map_or("", String::as_str)
    }

    /// The cell as a list, separated by commas.
    pub(crate) fn list(&self, column: &str) -> Vec<String> {
        let parts = self.text(column).split(',').map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }
}

/// The plan that a table describes, a row a task.
pub(crate) fn plan(step: &Step) -> Result<PlanDraft, WorldError> {
    let optional = ["writes", "reads", "dependencies", "write locks", "read locks", "verify", "spec"];
    let table = Table::of(step, &["id", "name"], &optional)?;
    let task = |row: Row<'_>| TaskDraft {
        id: row.text("id").to_owned(),
        name: row.text("name").to_owned(),
        description: String::new(),
        dependencies: row.list("dependencies"),
        read_locks: row.list("read locks"),
        write_locks: row.list("write locks"),
        reads: row.list("reads"),
        writes: row.list("writes"),
        verify: Some(row.text("verify").to_owned()).filter(|verify| !verify.is_empty()),
        spec: Some(row.text("spec"))
            .filter(|s| !s.is_empty())
            .map_or_else(|| format!("Do {}.", row.text("name")), str::to_owned),
    };
    Ok(PlanDraft(table.rows().map(task).collect()))
}

#[cfg(test)]
mod tests {
    use cucumber::gherkin::{GherkinEnv, Step};

    use super::*;

    fn step(table: &str) -> Step {
        let text = format!("Feature: f\n  Scenario: s\n    Given the plan:\n{table}");
        let feature = cucumber::gherkin::Feature::parse(text, GherkinEnv::default()).unwrap();
        feature.scenarios[0].steps[0].clone()
    }

    #[test]
    fn a_row_is_a_task_and_a_cell_a_list() {
        let step = step(
            "      | id | name | writes | write locks |\n      | 1 | a b | x, y/** | repo |\n      | 2 | c | | |\n",
        );
        let tasks = plan(&step).unwrap().0;
        assert_eq!(tasks[0].writes, ["x", "y/**"]);
        assert_eq!(tasks[0].write_locks, ["repo"]);
        assert_eq!(tasks[0].spec, "Do a b.");
        assert_eq!((tasks[1].id.as_str(), tasks[1].writes.len()), ("2", 0));
    }

    #[test]
    fn an_unknown_a_missing_column_and_a_missing_table_are_errors() {
        let says = |table: &str| plan(&step(table)).unwrap_err().to_string();
        assert!(says("      | id | name | wrties |\n      | 1 | a | x |\n").contains("no column \"wrties\""));
        assert!(says("      | id |\n      | 1 |\n").contains("lacks the column \"name\""));
        assert!(says("").contains("takes a table with the columns id | name"));
    }
}
