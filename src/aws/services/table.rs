//! Reads the generated table of services; its header says what the lines hold.

use super::{Access, Action, KeyInfo, ResourceType, ResourceUse, Service};

/// Reads the whole table. A line of another form is passed over: a test holds the embedded text to the format.
///
/// Keys and resource types are leaked, because actions refer to them: the table is read once and lives as long as the
/// process.
pub(super) fn parse(table: &'static str) -> Vec<Service> {
    table.split("\nservice ").skip(1).map(service).collect()
}

fn service(block: &'static str) -> Service {
    let (prefix, lines) = block.split_once('\n').unwrap_or((block, ""));
    let of_kind = |kind: &'static str| lines.lines().filter_map(move |line| line.strip_prefix(kind)?.strip_prefix(' '));
    let common = of_kind("common").next().unwrap_or_default();
    let keys: &[KeyInfo] = of_kind("key").filter_map(KeyInfo::read).collect::<Vec<_>>().leak();
    let types: &[ResourceType] = of_kind("type").filter_map(resource_type).collect::<Vec<_>>().leak();
    let actions = of_kind("action").filter_map(|line| action(prefix, common, types, line)).collect();
    Service { prefix, keys, resource_types: types, actions }
}

fn resource_type(line: &'static str) -> Option<ResourceType> {
    let (name, rest) = line.split_once(' ')?;
    let (arn_pattern, keys) = rest.split_once(' ').unwrap_or((rest, ""));
    Some(ResourceType::new(name, arn_pattern, keys))
}

fn action(
    service: &'static str,
    common: &'static str,
    types: &'static [ResourceType],
    line: &'static str,
) -> Option<Action> {
    let (name, rest) = line.split_once(' ')?;
    let (access, words) = rest.split_once(' ').unwrap_or((rest, ""));
    let resource_types = words.split(' ').take_while(|word| !word.is_empty() && !word.contains(':')).map(|word| {
        let (name, required) = word.strip_suffix('?').map_or((word, true), |name| (name, false));
        let resource_type = types.iter().find(|t| t.name == name)?;
        Some(ResourceUse { resource_type, required })
    });
    let access = match access {
        "R" => Access::Read,
        "W" => Access::Write,
        "L" => Access::List,
        "P" => Access::PermissionsManagement,
        "T" => Access::Tagging,
        _ => return None,
    };
    Some(Action { name, access, resource_types: resource_types.collect::<Option<_>>()?, service, words, common })
}
