//! What is wrong with a value, in the sentences of the Flagsmith API.

use super::words;
use flagstaff_service::{PasswordProblem, Problem, RolloutFault};
use std::borrow::Cow;

/// The original's sentences for a problem; at least one.
pub(crate) fn problem_text(problem: &Problem) -> Vec<Cow<'static, str>> {
    let text: Cow<'static, str> = match problem {
        Problem::Required => words::REQUIRED.into(),
        Problem::Blank => words::BLANK.into(),
        Problem::TooLong { limit } => words::too_long(*limit).into(),
        Problem::Nul => words::NUL.into(),
        Problem::OutOfRange { min, max } => {
            format!("Ensure this value is between {min} and {max}.").into()
        }
        Problem::UnknownId(id) => words::no_such_row(id).into(),
        Problem::NotMatching(pattern) => {
            format!("The name does not match the project's pattern: {pattern}").into()
        }
        Problem::WrongType {
            feature,
            value,
            wrong,
        } => {
            let word = wrong.0.name();
            format!("Values of the feature \"{feature}\" are of type {word}: \"{value}\" {wrong}.").into()
        }
        Problem::NotAPattern => "Enter a valid regular expression.".into(),
        Problem::InvalidEmail => "Enter a valid email address.".into(),
        Problem::WrongPassword => "Invalid password.".into(),
        Problem::PasswordsDiffer => "The two password fields didn't match.".into(),
        Problem::MemberAlready => "This person is a member of the organisation already.".into(),
        Problem::InvitedAlready => "This person is invited already.".into(),
        Problem::LastAdmin => "The organisation needs an admin.".into(),
        Problem::TooMany { limit } => words::too_many(*limit).into(),
        Problem::UnknownPermission(word) => words::no_such_row(word).into(),
        Problem::NotFirstMember => "Only the first member can be a superuser.".into(),
        Problem::EmailTaken => "Email already exists. Please log in.".into(),
        Problem::WeakPassword(problems) => {
            return problems.iter().map(|each| password_text(*each)).collect();
        }
        Problem::PercentagesExceed => "Invalid percentage allocation".into(),
        Problem::ReservedVariantKey => "\"control\" is a reserved variant key.".into(),
        Problem::DuplicateVariantKey => {
            "Multivariate option with this key already exists for the feature.".into()
        }
        Problem::ForeignOption(id) => words::no_such_row(id).into(),
        Problem::InFile {
            feature,
            field,
            problem,
        } => {
            let place = |text: Cow<'static, str>| format!("Feature \"{feature}\", {field}: {text}").into();
            return problem_text(problem).into_iter().map(place).collect();
        }
        Problem::OwnerNeeded => {
            "This project requires at least one owner for each feature.".into()
        }
        Problem::NotAServerKey => {
            "A server-side key begins with \"ser.\" and has up to 100 visible ASCII characters."
                .into()
        }
        Problem::NoRoles => "RBAC is not installed, cannot create non-admin key".into(),
        Problem::NoRules => words::EMPTY_LIST.into(),
        Problem::RulesTooDeep { limit } => {
            format!("Rules must not be nested more than {limit} levels deep.").into()
        }
        Problem::ConditionsExceed { count, limit } => format!(
            "The segment has {count} conditions, which exceeds the maximum condition count of {limit}."
        )
        .into(),
        Problem::RulesExceed { count, limit } => {
            format!("The segment has {count} rules, which exceeds the maximum rule count of {limit}.")
                .into()
        }
        Problem::UnknownOperator(word) => words::no_choice(word).into(),
        Problem::SegmentOfAnotherFeature(feature) => format!(
            "Can only create segment override(using this segment) for feature {feature}"
        )
        .into(),
        Problem::Fixed => "This field cannot be changed.".into(),
        Problem::OverridesExceed => {
            "The environment has reached the maximum allowed segments overrides limit.".into()
        }
        Problem::SomeIdsUnknown => "Some of the provided ids were not found.".into(),
        Problem::SeveralFeatures => {
            "All feature segments must belong to the same feature & environment.".into()
        }
        Problem::FeatureOfAnotherProject(_) => "Feature does not exist in project".into(),
        Problem::TwoOwners => "An override is for a segment or for an identity, not for both.".into(),
        Problem::IdentityElsewhere => "Identity does not exist in environment.".into(),
        Problem::LinkElsewhere => "Feature Segment does not belong to environment.".into(),
        Problem::UnknownIdentifier => "Invalid identifier".into(),
        Problem::NotMultivariate => "Feature is not multivariate.".into(),
        Problem::UnknownVariant => "Variant not found.".into(),
        Problem::VariantsIncomplete => "Must include all feature's variants.".into(),
        Problem::WeightsExceed => "Total weight must not exceed 100.".into(),
        Problem::DuplicatePriority(priority) => format!("Duplicate priority: {priority}.").into(),
        Problem::ClientTraitsNotAllowed => words::CLIENT_TRAITS.into(),
        Problem::TraitsNotStored => "Organisation is not authorised to store traits.".into(),
        Problem::TraitsExceed { limit } => {
            format!("An identity may have no more than {limit} traits.").into()
        }
        Problem::Rollout(
            fault @ (RolloutFault::Plan(_)
            | RolloutFault::Percentage(_)
            | RolloutFault::BelowPresent { .. }),
        ) => words::sentence(&fault.to_string()).into(),
        Problem::Guard(fault) => format!("This field {fault}.").into(),
        Problem::Rollout(fault) => format!("This field {fault}.").into(),
        Problem::TraitNotInteger => "Trait is not an integer.".into(),
    };
    vec![text]
}

fn password_text(problem: PasswordProblem) -> Cow<'static, str> {
    match problem {
        PasswordProblem::TooShort => {
            "This password is too short. It must contain at least 8 characters."
        }
        PasswordProblem::TooCommon => "This password is too common.",
        PasswordProblem::EntirelyNumeric => "This password is entirely numeric.",
        PasswordProblem::TooLong => {
            "This password is too long. It must contain at most 128 characters."
        }
    }
    .into()
}
