//! Bodies, made one JSON whatever they were sent as.

use super::error::Failure;
use super::form;
use super::json_limits::{self, JsonLimits};
use crate::config::ApiConfig;
use axum::http::{HeaderMap, header};
use serde_json::{Map, Value as Json};

/// What was sent as a body, of whatever kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received<'a> {
    bytes: &'a [u8],
    declared: &'a str,
}

impl<'a> Received<'a> {
    /// A body with the type that the headers give it.
    pub(crate) fn new(headers: &'a HeaderMap, bytes: &'a [u8]) -> Self {
        let declared = headers.get(header::CONTENT_TYPE);
        let declared = declared.and_then(|value| value.to_str().ok());
        Self {
            bytes,
            declared: declared.unwrap_or_default(),
        }
    }

    /// As JSON; an empty body is an empty object, whatever its type.
    pub(crate) fn json(self, config: &ApiConfig) -> Result<Json, Failure> {
        let Self { bytes, declared } = self;
        if bytes.is_empty() {
            return Ok(Json::Object(Map::new()));
        }
        match self.media_type().to_ascii_lowercase().as_str() {
            "application/json" => parse_json(bytes, config),
            "application/x-www-form-urlencoded" => {
                let pairs = url::form_urlencoded::parse(bytes).into_owned();
                form::pairs_to_json(pairs, config)
            }
            "multipart/form-data" => form::pairs_to_json(form::multipart(declared, bytes)?, config),
            _ => Err(Failure::UnsupportedMediaType(declared.to_owned())),
        }
    }

    /// As fields and the file of a name. What is no form has no files.
    pub(crate) fn upload(self, config: &ApiConfig, name: &str) -> Result<Upload, Failure> {
        let (mut texts, mut file) = (Vec::new(), None);
        if !self
            .media_type()
            .eq_ignore_ascii_case("multipart/form-data")
        {
            let fields = self.json(config)?;
            return Ok(Upload { fields, file });
        }
        for part in form::parts(self.declared, self.bytes)? {
            if !part.is_file {
                texts.push(part.into_text());
            } else if part.name == name {
                file = Some(part.content.to_vec());
            }
        }
        let fields = form::pairs_to_json(texts, config)?;
        Ok(Upload { fields, file })
    }

    /// The bytes, where they are meant to be JSON and so few that they cannot hold too many values. Whoever reads them
    /// sees to it that they are not nested too deeply.
    pub(crate) fn json_text(self, config: &ApiConfig) -> Option<&'a [u8]> {
        let is_json = self.media_type().eq_ignore_ascii_case("application/json");
        (is_json && self.bytes.len() <= config.json_values).then_some(self.bytes)
    }

    fn media_type(self) -> &'a str {
        let declared = self.declared.split(';').next();
        declared.unwrap_or_default().trim()
    }
}

/// A body with a file.
#[derive(Debug)]
pub(crate) struct Upload {
    /// Everything but files.
    pub(crate) fields: Json,
    /// The file of the name that was asked for.
    pub(crate) file: Option<Vec<u8>>,
}

fn parse_json(bytes: &[u8], config: &ApiConfig) -> Result<Json, Failure> {
    let limits = JsonLimits {
        depth: config.json_depth,
        values: config.json_values,
    };
    json_limits::check(bytes, limits).map_err(|limit| not_json(&limit))?;
    serde_json::from_slice(bytes).map_err(|error| {
        let problem = if error.is_eof() {
            "the text ends too early"
        } else {
            "the text is not valid JSON"
        };
        let (line, column) = (error.line(), error.column());
        not_json(&format_args!("{problem}: line {line} column {column}"))
    })
}

fn not_json(problem: &dyn std::fmt::Display) -> Failure {
    Failure::Refused(format!("JSON parse error - {problem}").into())
}
