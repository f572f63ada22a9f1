//! `whimbrel cluster cancel`: ends moves; slots that have not changed hands stay where they are.

use serde_json::json;

use super::print;
use super::report::MoveReport;
use super::survey::Access;

/// Ends the move of this name, or all.
pub fn run(access: &Access, is_json: bool, name: Option<&str>) -> Result<(), String> {
    let survey = access.survey()?;
    let going: Vec<&MoveReport> = survey.moves.iter().filter(|report| !report.is_over()).collect();
    let ending = chosen(&going, name)?;
    for report in &ending {
        let source = survey.nodes.iter().find(|node| node.id == report.source_node);
        let source =
            source.ok_or_else(|| format!("the source of move {} is not among the nodes", report.name))?;
        access.ask(&source.address, &["CLUSTER", "CANCELSLOTMIGRATIONS", &report.name])?;
    }
    if is_json {
        let names: Vec<&str> = ending.iter().map(|report| report.name.as_str()).collect();
        return print(&format!("{}\n", json!({ "cancelled": names })));
    }
    let lines = ending.iter().map(|report| format!("Cancelled {}\n", report.name));
    print(&if ending.is_empty() { "No moves go on.\n".to_owned() } else { lines.collect::<String>() })
}

/// The moves that are meant.
fn chosen<'m>(going: &[&'m MoveReport], name: Option<&str>) -> Result<Vec<&'m MoveReport>, String> {
    let Some(name) = name else { return Ok(going.to_vec()) };
    let found: Vec<&MoveReport> = going.iter().copied().filter(|report| report.is_called(name)).collect();
    match found.len() {
        1 => Ok(found),
        0 => Err(format!(
            "no move goes on whose name begins with `{name}`.\n    `whimbrel cluster status` shows them."
        )),
        count => Err(format!("`{name}` is {count} moves.\n    Give more of the name of one of them.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_one_move() {
        let moves = ["abc", "abd"].map(|name| MoveReport { name: name.to_owned(), ..MoveReport::default() });
        let going: Vec<&MoveReport> = moves.iter().collect();
        assert_eq!(chosen(&going, Some("abd")).unwrap()[0].name, "abd");
        assert_eq!(chosen(&going, None).unwrap().len(), 2);
        assert!(chosen(&going, Some("ab")).unwrap_err().contains("2 moves"));
        assert!(chosen(&going, Some("x")).unwrap_err().contains("no move"));
    }
}
