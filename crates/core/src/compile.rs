//! From a segment's rules as written to rules that are quick to evaluate.

use crate::operator::{PatternBudget, PatternCost, Test};
use crate::property::{Path, Property};
use crate::{Condition, Rule, RuleKind};
use std::collections::HashMap;
use std::sync::Arc;

/// Rules nested deeper never match: neither compiling nor evaluating may run out of stack.
pub(crate) const DEPTH_LIMIT: usize = 64;

/// What compiling a segment found that a person should know. The other conditions work all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileWarning {
    /// The condition is never true.
    #[error("unknown operator `{operator}`")]
    UnknownOperator {
        /// As written.
        operator: Arc<str>,
    },
    /// The condition is never true.
    #[error("operator `{operator}` without property")]
    MissingProperty {
        /// As written.
        operator: Arc<str>,
    },
    /// Only an attribute with exactly this name is compared; the path itself is never set.
    #[error("path `{property}` is not one that can be read")]
    UnreadablePath {
        /// As written.
        property: Arc<str>,
    },
    /// The condition is never true.
    #[error("invalid pattern `{pattern}`: {problem}")]
    InvalidPattern {
        /// As written.
        pattern: Arc<str>,
        /// What the regex parser says.
        problem: String,
    },
    /// The condition is never true.
    #[error("pattern `{pattern}` takes more than 2 MiB when compiled")]
    PatternTooLarge {
        /// As written.
        pattern: Arc<str>,
    },
    /// The condition is never true.
    #[error(
        "pattern `{pattern}` is left out: the patterns of the environment take more than 16 MiB"
    )]
    PatternBudgetSpent {
        /// As written.
        pattern: Arc<str>,
    },
    /// The segment never matches.
    #[error("rules are nested more than {limit} levels deep")]
    TooDeep {
        /// The deepest nesting allowed.
        limit: usize,
    },
}

/// The rules of a segment, parsed.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct CompiledRules {
    /// All must hold; without any, nobody matches.
    pub(crate) rules: Box<[CompiledRule]>,
    /// Names of the features whose flags are read, each once.
    pub(crate) reads: Vec<Arc<str>>,
    /// Names of the attributes that conditions ask for, each once.
    pub(crate) attributes: Vec<Arc<str>>,
    /// How many conditions there are.
    pub(crate) conditions: usize,
    /// What the patterns took out of the budget.
    pub(crate) pattern_cost: PatternCost,
    /// Some condition is a percentage.
    pub(crate) splits: bool,
    /// Some condition is a percentage of all identities.
    pub(crate) splits_identities: bool,
    /// A pattern was left out for want of budget: compiled with more room, it would be there.
    pub(crate) starved: bool,
}

/// A group of conditions and further groups.
#[derive(Debug, PartialEq)]
pub(crate) struct CompiledRule {
    pub(crate) kind: RuleKind,
    pub(crate) conditions: Box<[CompiledCondition]>,
    pub(crate) rules: Box<[CompiledRule]>,
}

/// A condition, parsed; what was written is kept for traces.
#[derive(Debug, PartialEq)]
pub(crate) struct CompiledCondition {
    pub(crate) property: Property,
    /// Which of the segment's attributes the property names; none where it is what identities are hashed by.
    pub(crate) attribute: Option<usize>,
    /// Which of the segment's conditions it is.
    pub(crate) number: usize,
    pub(crate) test: Test,
    pub(crate) source: Condition,
}

/// Compiles the rules of a segment.
pub(crate) fn compile(
    rules: &[Rule],
    budget: &mut PatternBudget,
) -> (CompiledRules, Vec<CompileWarning>) {
    let mut compiler = Compiler {
        budget,
        compiled: CompiledRules::default(),
        attributes: HashMap::new(),
        warnings: Vec::new(),
    };
    if !is_shallow(rules) {
        let limit = DEPTH_LIMIT;
        return (compiler.compiled, vec![CompileWarning::TooDeep { limit }]);
    }
    let before = compiler.budget.left();
    compiler.compiled.rules = compiler.rules(rules);
    compiler.compiled.pattern_cost = compiler.budget.spent_since(before);
    (compiler.compiled, compiler.warnings)
}

/// True where nesting stays within the limit; measured level by level, whatever the depth.
fn is_shallow(rules: &[Rule]) -> bool {
    let mut level: Vec<&Rule> = rules.iter().collect();
    for _ in 0..DEPTH_LIMIT {
        if level.is_empty() {
            return true;
        }
        level = level.iter().flat_map(|rule| &rule.rules).collect();
    }
    level.is_empty()
}

struct Compiler<'b> {
    budget: &'b mut PatternBudget,
    compiled: CompiledRules,
    /// Where each of the attributes stands among those compiled.
    attributes: HashMap<Arc<str>, usize>,
    warnings: Vec<CompileWarning>,
}

impl Compiler<'_> {
    fn rules(&mut self, rules: &[Rule]) -> Box<[CompiledRule]> {
        rules.iter().map(|rule| self.rule(rule)).collect()
    }

    fn rule(&mut self, rule: &Rule) -> CompiledRule {
        CompiledRule {
            kind: rule.kind,
            conditions: rule
                .conditions
                .iter()
                .map(|condition| self.condition(condition))
                .collect(),
            rules: self.rules(&rule.rules),
        }
    }

    fn condition(&mut self, condition: &Condition) -> CompiledCondition {
        let property = self.property(condition);
        let test = match &property {
            Some(_) => self.test(condition),
            None => Test::Never,
        };
        let property = property.unwrap_or(Property::HashKey);
        let splits = matches!(test, Test::PercentageSplit(_));
        self.compiled.splits |= splits;
        self.compiled.splits_identities |= splits && property.is_identity();
        let number = self.compiled.conditions;
        self.compiled.conditions += 1;
        CompiledCondition {
            attribute: property.attribute().map(|name| self.attribute(name)),
            number,
            property,
            test,
            source: condition.clone(),
        }
    }

    fn attribute(&mut self, name: &Arc<str>) -> usize {
        if let Some(known) = self.attributes.get(name) {
            return *known;
        }
        let attribute = self.compiled.attributes.len();
        self.compiled.attributes.push(Arc::clone(name));
        self.attributes.insert(Arc::clone(name), attribute);
        attribute
    }

    fn property(&mut self, condition: &Condition) -> Option<Property> {
        let is_split = condition.operator == "PERCENTAGE_SPLIT";
        let Some(text) = condition.property.as_deref() else {
            if is_split {
                return Some(Property::HashKey);
            }
            let operator = condition.operator.as_str().into();
            self.warnings
                .push(CompileWarning::MissingProperty { operator });
            return None;
        };
        if is_split && text.is_empty() {
            return Some(Property::HashKey);
        }
        let property = Property::parse(text);
        if let Property::Path { text, path } = &property {
            match path {
                Path::Other => self.warnings.push(CompileWarning::UnreadablePath {
                    property: Arc::clone(text),
                }),
                Path::Flag(name, _) if !self.compiled.reads.contains(name) => {
                    self.compiled.reads.push(Arc::clone(name));
                }
                Path::Flag(..)
                | Path::Feature(..)
                | Path::Identifier
                | Path::IdentityKey
                | Path::Attribute(_)
                | Path::EnvironmentKey
                | Path::EnvironmentName => {}
            }
        }
        Some(property)
    }

    fn test(&mut self, condition: &Condition) -> Test {
        let value = condition.value.as_deref();
        match Test::compile(&condition.operator, value, self.budget) {
            Ok(test) => test,
            Err(warning) => {
                if matches!(warning, CompileWarning::PatternBudgetSpent { .. }) {
                    self.compiled.starved = true;
                }
                self.warnings.push(warning);
                Test::Never
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CompileWarning, DEPTH_LIMIT, compile};
    use crate::Rule;
    use crate::operator::{PatternBudget, Test};
    use crate::testing::{all, condition};

    fn nested(depth: usize) -> Rule {
        let mut rule = all(vec![condition("IS_SET", "x", "")]);
        for _ in 1..depth {
            rule = Rule {
                rules: vec![rule],
                ..all(Vec::new())
            };
        }
        rule
    }

    #[test]
    fn a_segment_nested_too_deeply_has_no_rules_and_is_reported() {
        let (deep, warnings) = compile(&[nested(DEPTH_LIMIT + 1)], &mut PatternBudget::new());

        assert!(deep.rules.is_empty());
        assert_eq!(warnings, [CompileWarning::TooDeep { limit: 64 }]);
    }

    #[test]
    fn the_deepest_allowed_nesting_is_compiled() {
        let (deep, warnings) = compile(&[nested(DEPTH_LIMIT)], &mut PatternBudget::new());

        assert_eq!(deep.rules.len(), 1);
        assert_eq!(warnings, []);
    }

    #[test]
    fn what_can_never_be_true_is_reported() {
        let mut without_property = condition("EQUAL", "", "x");
        without_property.property = None;
        let rule = all(vec![
            condition("LIKE", "x", ""),
            without_property,
            condition("EQUAL", "$.segments.s.name", "s"),
            condition("REGEX", "x", "("),
        ]);

        let (compiled, warnings) = compile(&[rule], &mut PatternBudget::new());

        let texts: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        assert_eq!(texts[0], "unknown operator `LIKE`");
        assert_eq!(texts[1], "operator `EQUAL` without property");
        assert_eq!(
            texts[2],
            "path `$.segments.s.name` is not one that can be read"
        );
        assert!(
            texts[3].starts_with("invalid pattern `(`: "),
            "{}",
            texts[3]
        );
        let never = |index: usize| compiled.rules[0].conditions[index].test == Test::Never;
        assert!(never(0) && never(1) && never(3));
    }

    #[test]
    fn flags_that_are_read_are_listed_once() {
        let rule = all(vec![
            condition("EQUAL", "$.flags.a.enabled", "true"),
            condition("EQUAL", "$.flags['a'].value", "x"),
            condition("EQUAL", "$.flags.b.value", "x"),
        ]);

        let (compiled, _) = compile(&[rule], &mut PatternBudget::new());

        assert_eq!(compiled.reads, ["a".into(), "b".into()]);
    }
}
