//! What was found: a table for the reader now, and one in a file for the next.
//! The file has a section for each machine and day; what is measured again replaces what stood there.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::args::{Args, Engine};
use crate::figure::{Figure, Unit, median, others};
use crate::machine;
use crate::scenario::Scenario;

const INTRODUCTION: &str = "\
# Measured

Made by `make bench`. Clients, receivers, the server and its database share one machine. The server is
the release build, on fresh data in the folder for temporary files, with its default settings. A figure
is the median of its runs, with the smallest and the largest beside it. CPU is counted from `/proc`, for
the server and its database together unless it says otherwise. *Others* is what programs that had
nothing to do with the measurement took of the machine in the worst of the runs: where it is not small,
figures are worse than they would be. A `+` behind a revision says that not everything was committed.
`ceiling` puts the server beside a model engine that only stores and delivers, in turn: on a machine that is
quicker at one hour than at another, what the server does of that says more than a rate.
";

const HEADER: &str = "\
| figure | database | goal | reached | smallest to largest | runs | others | revision |
|---|---|---|---|---|---|---|---|
";

/// Collects figures.
pub struct Report {
    file: Option<PathBuf>,
    section: String,
    revision: String,
    rows: Vec<Row>,
    failures: Vec<String>,
}

/// One figure of a scenario on a database, of all runs.
struct Row {
    scenario: Scenario,
    engine: Engine,
    figure: Figure,
    values: Vec<f64>,
    others: f64,
}

impl Report {
    /// Nothing yet.
    pub fn new(args: &Args) -> Result<Self> {
        let (date, revision) = machine::date_and_revision()?;
        Ok(Self {
            file: (!args.dry).then(|| args.results.clone()),
            section: format!("## {}, {date}", machine::description()?),
            revision,
            rows: Vec::new(),
            failures: Vec::new(),
        })
    }

    /// Adds what a run found. How much others used belongs to each of its figures.
    pub fn add(&mut self, scenario: Scenario, engine: Engine, figures: Vec<Figure>) {
        let others = others(&figures);
        for figure in figures {
            if figure.unit == Unit::Percent {
                continue;
            }
            let same = |row: &&mut Row| {
                row.scenario == scenario && row.engine == engine && row.figure.what == figure.what
            };
            if let Some(row) = self.rows.iter_mut().find(same) {
                row.values.push(figure.value);
                row.others = row.others.max(others);
            } else {
                self.rows.push(Row {
                    scenario,
                    engine,
                    values: vec![figure.value],
                    figure,
                    others,
                });
            }
        }
    }

    /// A run did not come to its end.
    pub fn fail(&mut self, scenario: Scenario, engine: Engine, error: &anyhow::Error) {
        let failure = format!("{scenario} on {engine}: {error:#}");
        eprintln!("{failure}");
        self.failures.push(failure);
    }

    /// Shows a scenario's figures on a database.
    pub fn print(&self, scenario: Scenario, engine: Engine) {
        println!("\n{scenario} on {engine}");
        let rows = self.rows.iter();
        for row in rows.filter(|row| row.scenario == scenario && row.engine == engine) {
            let goal = row.figure.goal.map(|goal| goal.text(row.figure.unit));
            println!(
                "  {:<60} {:>10}  {:<24} {:<13} others {:.0} %",
                row.figure.what,
                row.reached(),
                row.range(),
                goal.unwrap_or_default(),
                row.others
            );
        }
    }

    /// Writes the file; an error when something failed.
    pub fn finish(&self) -> Result<()> {
        if let Some(file) = self.file.as_ref().filter(|_| !self.rows.is_empty()) {
            let old = std::fs::read_to_string(file).unwrap_or_default();
            std::fs::write(file, self.merged(&old))
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        if !self.failures.is_empty() {
            bail!("{} runs failed", self.failures.len());
        }
        Ok(())
    }

    /// The file with this section's new rows in the place of the old ones, newest section first.
    fn merged(&self, old: &str) -> String {
        let sections = old.split("\n## ").skip(1);
        let sections: Vec<String> = sections.map(|section| format!("## {section}")).collect();
        let (mine, others): (Vec<_>, Vec<_>) = sections
            .iter()
            .partition(|section| section.lines().next() == Some(&self.section));
        let mut text = format!("{INTRODUCTION}\n{}\n\n{HEADER}", self.section);
        for row in self.table(mine.first().map_or("", |section| section)) {
            text.push_str(&row);
            text.push('\n');
        }
        for section in others {
            let _ = write!(text, "\n{}\n", section.trim_end());
        }
        text
    }

    /// All rows of the section: old ones where they stood, new ones in their place or at the end of
    /// their scenario.
    fn table(&self, old: &str) -> Vec<String> {
        let lines = old.lines().filter(|line| line.starts_with("| "));
        let mut lines: Vec<String> = lines.skip(1).map(str::to_owned).collect();
        for row in &self.rows {
            let line = row.line(&self.revision);
            let place = lines.iter().position(|old| start(old) == start(&line));
            match place {
                Some(place) => lines[place] = line,
                None => lines.push(line),
            }
        }
        lines.sort_by_key(|line| Scenario::order(line));
        lines
    }
}

/// The first two cells: what a row is about.
fn start(line: &str) -> Vec<&str> {
    line.split(" | ").take(2).collect()
}

impl Row {
    fn reached(&self) -> String {
        self.figure.unit.text(median(&self.values))
    }

    fn range(&self) -> String {
        if self.values.len() == 1 {
            return String::new();
        }
        let least = self.values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.values.iter().copied().fold(0.0, f64::max);
        let unit = self.figure.unit;
        format!("{} to {}", unit.text(least), unit.text(most))
    }

    fn line(&self, revision: &str) -> String {
        let goal = self.figure.goal;
        let verdict = match goal.map(|goal| goal.is_met(median(&self.values))) {
            Some(true) => " (met)",
            Some(false) => " (missed)",
            None => "",
        };
        format!(
            "| {}: {} | {} | {} | {}{verdict} | {} | {} | {:.0} % | {revision} |",
            self.scenario,
            self.figure.what,
            self.engine,
            goal.map(|goal| goal.text(self.figure.unit))
                .unwrap_or_default(),
            self.reached(),
            self.range(),
            self.values.len(),
            self.others,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Goal;

    fn report(rate: f64) -> Report {
        let mut report = Report {
            file: None,
            section: "## a machine, 2026-01-02".to_owned(),
            revision: "abc".to_owned(),
            rows: Vec::new(),
            failures: Vec::new(),
        };
        let figure = Figure::new("accepted", rate, Unit::PerSecond).goal(Goal::AtLeast(14_000.0));
        let others = Figure::new("others", 3.0, Unit::Percent);
        report.add(Scenario::Receive, Engine::Sqlite, vec![figure, others]);
        report
    }

    #[test]
    fn the_same_day_replaces_and_other_days_stay() {
        let first = report(10_000.0).merged("");
        let row =
            "| receive: accepted | SQLite | ≥ 14,000/s | 10,000/s (missed) |  | 1 | 3 % | abc |";
        assert!(first.contains(row), "{first}");
        let second = report(15_000.0).merged(&first);
        assert!(second.contains("15,000/s (met)") && !second.contains("10,000/s"));
        assert_eq!(second.matches("# Measured").count(), 1);

        let mut later = report(1.0);
        later.section = "## a machine, 2026-01-03".to_owned();
        let both = later.merged(&second);
        let days: Vec<_> = both
            .lines()
            .filter(|line| line.starts_with("## "))
            .collect();
        assert_eq!(
            days,
            ["## a machine, 2026-01-03", "## a machine, 2026-01-02"]
        );
        assert_eq!(later.merged(&both), both);
    }
}
