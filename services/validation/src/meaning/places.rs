//! Places in the report, as checks name them, and the values that stand there.

use millrace_profile::checks::{Place, Step};
use serde_json::{Map, Value};

/// A value, and where it stands.
#[derive(Debug, Clone)]
pub struct Spot<'a> {
    /// The prompt, then names and indices.
    pub path: Vec<String>,
    /// The indices that `*` stood for.
    pub indices: Vec<usize>,
    /// What stands there; null is not a spot.
    pub value: &'a Value,
}

impl Spot<'_> {
    /// As a JSON pointer into the sections.
    pub fn pointer(&self) -> String {
        pointer(&self.path)
    }
}

/// Steps as a JSON pointer.
pub fn pointer(path: &[String]) -> String {
    path.iter().flat_map(|step| ["/", step.as_str()]).collect()
}

/// All that stands at a place. What is null or missing stands nowhere.
pub fn spots<'a>(sections: &'a Map<String, Value>, place: &Place) -> Vec<Spot<'a>> {
    let mut all = Vec::new();
    let mut steps = place.0.iter();
    if let Some(Step::Field(prompt)) = steps.next()
        && let Some(section) = sections.get(prompt)
    {
        let steps: Vec<&Step> = steps.collect();
        below(section, &steps, &mut vec![prompt.clone()], &mut Vec::new(), &mut all);
    }
    all
}

fn below<'a>(
    value: &'a Value,
    steps: &[&Step],
    path: &mut Vec<String>,
    indices: &mut Vec<usize>,
    all: &mut Vec<Spot<'a>>,
) {
    let Some((step, rest)) = steps.split_first() else {
        if !value.is_null() {
            all.push(Spot { path: path.clone(), indices: indices.clone(), value });
        }
        return;
    };
    match (step, value) {
        (Step::Field(name), Value::Object(fields)) => {
            if let Some(field) = fields.get(name) {
                path.push(name.clone());
                below(field, rest, path, indices, all);
                path.pop();
            }
        }
        (Step::Each, Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                path.push(index.to_string());
                indices.push(index);
                below(item, rest, path, indices, all);
                indices.pop();
                path.pop();
            }
        }
        _ => {}
    }
}

/// How many lists a place goes through.
pub fn lists(place: &Place) -> usize {
    place.0.iter().filter(|step| **step == Step::Each).count()
}

/// The value at a path.
pub fn at<'a>(sections: &'a Map<String, Value>, path: &[String]) -> Option<&'a Value> {
    let (prompt, rest) = path.split_first()?;
    rest.iter().try_fold(sections.get(prompt)?, |value, step| match value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        other => other.get(step),
    })
}

/// The same, to change it.
pub fn at_mut<'a>(sections: &'a mut Map<String, Value>, path: &[String]) -> Option<&'a mut Value> {
    let (prompt, rest) = path.split_first()?;
    rest.iter().try_fold(sections.get_mut(prompt)?, |value, step| match value {
        Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
        other => other.get_mut(step),
    })
}
