//! What a server that speaks Prometheus' HTTP API answers to an instant query.

use serde::Deserialize;
use serde_json::Value as Json;

/// Characters of a text of theirs that are handed on.
const TEXT_LIMIT: usize = 200;
/// Warnings that are handed on.
const WARNING_LIMIT: usize = 5;

/// One number, or none.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Reading {
    /// The number; `None` where nothing matched, and where it is no number. It may be infinite.
    pub(crate) value: Option<f64>,
    /// What the server says against its own answer: parts of it may be missing.
    pub(crate) warnings: Vec<String>,
}

/// Why there is no reading.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AnswerProblem {
    /// It is not what this API answers.
    #[error("the answer is none of Prometheus ({0})")]
    NotPrometheus(&'static str),
    /// The query is wrong, or takes too long.
    #[error("the query is refused ({kind}): {text}")]
    Refused { kind: String, text: String },
    /// A guard watches one number.
    #[error(
        "the query answers {0} series instead of one: sum them up, or name the labels of one of them"
    )]
    SeveralSeries(usize),
    /// Something else than a number.
    #[error("the query answers a {0} instead of a number")]
    NotANumber(String),
}

#[derive(Deserialize)]
struct Envelope {
    status: String,
    data: Option<Data>,
    #[serde(rename = "errorType")]
    kind: Option<String>,
    error: Option<String>,
    #[serde(default)]
    warnings: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    kind: String,
    result: Json,
}

impl Reading {
    /// Reads an answer.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, AnswerProblem> {
        let envelope: Envelope = serde_json::from_slice(body)
            .map_err(|_| AnswerProblem::NotPrometheus("it is other JSON, or none"))?;
        if envelope.status != "success" {
            return Err(AnswerProblem::Refused {
                kind: shortened(&envelope.kind.unwrap_or_else(|| "unknown".to_owned())),
                text: shortened(&envelope.error.unwrap_or_default()),
            });
        }
        let data = envelope
            .data
            .ok_or(AnswerProblem::NotPrometheus("it has no data"))?;
        let warnings = envelope.warnings.unwrap_or_default();
        Ok(Self {
            value: number(&data)?,
            warnings: warnings
                .iter()
                .take(WARNING_LIMIT)
                .map(|text| shortened(text))
                .collect(),
        })
    }
}

fn number(data: &Data) -> Result<Option<f64>, AnswerProblem> {
    match (&*data.kind, &data.result) {
        ("scalar", sample) => sample_value(sample),
        ("vector", Json::Array(series)) => match &series[..] {
            [] => Ok(None),
            [one] => match one.get("value") {
                Some(sample) => sample_value(sample),
                None => Err(AnswerProblem::NotANumber("histogram".to_owned())),
            },
            several => Err(AnswerProblem::SeveralSeries(several.len())),
        },
        ("vector", _) => Err(AnswerProblem::NotPrometheus("its vector is no list")),
        (other, _) => Err(AnswerProblem::NotANumber(shortened(other))),
    }
}

/// A sample is a time and a number written as text: JSON has no word for what is infinite or no number.
fn sample_value(sample: &Json) -> Result<Option<f64>, AnswerProblem> {
    const NO_SAMPLE: AnswerProblem = AnswerProblem::NotPrometheus("a sample is no time and number");
    let text = sample.get(1).and_then(Json::as_str).ok_or(NO_SAMPLE)?;
    let number: f64 = text.parse().map_err(|_| NO_SAMPLE)?;
    Ok((!number.is_nan()).then_some(number))
}

/// The first line, and not too much of it.
fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars()
        .filter(|c| !c.is_control())
        .take(TEXT_LIMIT)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(data: &str) -> Result<Option<f64>, AnswerProblem> {
        let body = format!(r#"{{"status":"success","data":{data}}}"#);
        Reading::parse(body.as_bytes()).map(|reading| reading.value)
    }

    fn vector(series: &str) -> Result<Option<f64>, AnswerProblem> {
        value(&format!(r#"{{"resultType":"vector","result":[{series}]}}"#))
    }

    #[test]
    fn a_scalar_and_a_vector_of_one_series_are_numbers() {
        let scalar = value(r#"{"resultType":"scalar","result":[1435781451.781,"0.25"]}"#);
        let one = vector(r#"{"metric":{"job":"shop"},"value":[1435781451.781,"1e-3"]}"#);

        assert_eq!(scalar, Ok(Some(0.25)));
        assert_eq!(one, Ok(Some(0.001)));
    }

    #[test]
    fn nothing_that_matched_and_what_is_no_number_are_no_measurement() {
        assert_eq!(vector(""), Ok(None));
        assert_eq!(vector(r#"{"metric":{},"value":[1,"NaN"]}"#), Ok(None));
        assert_eq!(
            value(r#"{"resultType":"scalar","result":[1,"NaN"]}"#),
            Ok(None)
        );
    }

    #[test]
    fn infinite_numbers_are_read() {
        let of = |text: &str| vector(&format!(r#"{{"metric":{{}},"value":[1,"{text}"]}}"#));

        assert_eq!(of("+Inf"), Ok(Some(f64::INFINITY)));
        assert_eq!(of("-Inf"), Ok(Some(f64::NEG_INFINITY)));
    }

    #[test]
    fn what_is_not_one_number_is_refused_by_name() {
        let series = r#"{"metric":{},"value":[1,"1"]}"#;

        assert_eq!(
            vector(&format!("{series},{series}")),
            Err(AnswerProblem::SeveralSeries(2))
        );
        assert_eq!(
            value(r#"{"resultType":"matrix","result":[]}"#),
            Err(AnswerProblem::NotANumber("matrix".to_owned()))
        );
        assert_eq!(
            value(r#"{"resultType":"string","result":[1,"x"]}"#),
            Err(AnswerProblem::NotANumber("string".to_owned()))
        );
        assert_eq!(
            vector(r#"{"metric":{},"histogram":[1,{}]}"#),
            Err(AnswerProblem::NotANumber("histogram".to_owned()))
        );
    }

    #[test]
    fn other_answers_are_none_of_prometheus() {
        let check = |body: &str| match Reading::parse(body.as_bytes()) {
            Err(AnswerProblem::NotPrometheus(_)) => {}
            other => panic!("{body}: {other:?}"),
        };

        check("");
        check("<html>hello</html>");
        check(r#"{"ok":true}"#);
        check(r#"{"status":"success"}"#);
        check(r#"{"status":"success","data":{"resultType":"vector","result":{}}}"#);
        check(r#"{"status":"success","data":{"resultType":"scalar","result":[1,0.5]}}"#);
        check(r#"{"status":"success","data":{"resultType":"scalar","result":[1,"many"]}}"#);
        check(r#"{"status":"success","data":{"resultType":"scalar","result":[]}}"#);
    }

    #[test]
    fn a_refused_query_is_told_in_one_short_line() {
        let long = "parse error ".repeat(100);
        let body =
            format!(r#"{{"status":"error","errorType":"bad_data","error":"{long}\nsecond line"}}"#);

        let problem = Reading::parse(body.as_bytes()).unwrap_err();

        let AnswerProblem::Refused { kind, text } = problem else {
            panic!("{problem:?}");
        };
        assert_eq!(kind, "bad_data");
        assert_eq!(text.chars().count(), TEXT_LIMIT);
        assert!(!text.contains('\n'));
    }

    #[test]
    fn warnings_come_with_the_number() {
        let body = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"2"]},
            "warnings":["a store is away","","","","","sixth"]}"#;

        let reading = Reading::parse(body.as_bytes()).unwrap();

        assert_eq!(reading.value, Some(2.0));
        assert_eq!(reading.warnings.len(), WARNING_LIMIT);
        assert_eq!(reading.warnings[0], "a store is away");
    }
}
