//! `flagstaff evaluate`: contexts in, results out, one JSON object a line.

use crate::command::{EvaluateArgs, ReasonVersion};
use crate::failure::Failure;
use anyhow::Context as _;
use flagstaff_core::ReasonWords;
use flagstaff_wire::flagsmith::context::EvaluationContext;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

/// The most bytes a line may have: an environment of 10,000 segments has about a quarter of that.
const LINE_LIMIT: usize = 16 * 1024 * 1024;
/// Large enough that reading and writing cost little beside evaluating.
const BUFFER: usize = 256 * 1024;

/// Evaluates every line of the input, in order.
///
/// # Errors
/// When a line was bad (its result line says why), or input or output fail.
pub(crate) fn run(args: &EvaluateArgs) -> Result<(), Failure> {
    let input: Box<dyn Read> = if args.file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(&args.file)
            .with_context(|| format!("cannot open {}", args.file.display()))
            .map_err(Failure::Usage)?;
        Box::new(file)
    };
    let words = match args.reasons {
        ReasonVersion::Engine10 => ReasonWords::Engine10,
        ReasonVersion::Engine11 => ReasonWords::Engine11,
    };
    let evaluation = Evaluation {
        words,
        explain: args.explain,
    };
    let reader = BufReader::with_capacity(BUFFER, input);
    let writer = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    match evaluation.run(reader, writer) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::Reported),
        // Whoever reads the results has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::Failed(
            anyhow::Error::new(error).context("cannot read contexts or write results"),
        )),
    }
}

/// How lines are evaluated.
struct Evaluation {
    words: ReasonWords,
    explain: bool,
}

impl Evaluation {
    /// Writes one line for each line read; false when one of them was bad.
    fn run<R: Read>(&self, mut reader: BufReader<R>, mut writer: impl Write) -> io::Result<bool> {
        let mut line = Vec::new();
        let mut out = Vec::new();
        let mut are_all_good = true;
        loop {
            // Whoever waits for an answer before sending more gets it; a full buffer is not interrupted.
            if reader.buffer().is_empty() {
                writer.flush()?;
            }
            let Some(is_whole) = read_line(&mut reader, &mut line)? else {
                break;
            };
            out.clear();
            if let Err(problem) = self.evaluate(&line, is_whole, &mut out) {
                are_all_good = false;
                out.clear();
                let error = serde_json::json!({ "error": problem });
                out.extend_from_slice(error.to_string().as_bytes());
            }
            out.push(b'\n');
            writer.write_all(&out)?;
        }
        writer.flush()?;
        Ok(are_all_good)
    }

    fn evaluate(&self, line: &[u8], is_whole: bool, out: &mut Vec<u8>) -> Result<(), String> {
        if !is_whole {
            return Err(format!("the line has more than {LINE_LIMIT} bytes"));
        }
        if line.trim_ascii().is_empty() {
            return Err("the line is empty".to_owned());
        }
        let context = EvaluationContext::parse(line).map_err(|error| error.to_string())?;
        if self.explain {
            context.write_explained_result(self.words, out);
        } else {
            context.write_result(self.words, out);
        }
        Ok(())
    }
}

/// Reads up to the end of a line into `line`, which is emptied first; `None` at the end of the input.
///
/// Of a line over the limit, the rest is read but not kept, and the answer is false.
fn read_line<R: Read>(reader: &mut BufReader<R>, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    line.clear();
    let mut is_whole = true;
    let mut has_begun = false;
    loop {
        let available = match reader.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            return Ok(has_begun.then_some(is_whole));
        }
        has_begun = true;
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = &available[..end.unwrap_or(available.len())];
        if line.len() + part.len() > LINE_LIMIT {
            is_whole = false;
        } else if is_whole {
            line.extend_from_slice(part);
        }
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() {
            return Ok(Some(is_whole));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(input: &[u8]) -> (bool, Vec<String>) {
        let evaluation = Evaluation {
            words: ReasonWords::Engine10,
            explain: false,
        };
        let mut out = Vec::new();
        // A small buffer, so that lines are put together from several reads.
        let reader = BufReader::with_capacity(7, input);
        let are_all_good = evaluation.run(reader, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        (are_all_good, text.lines().map(str::to_owned).collect())
    }

    const CONTEXT: &str = r#"{"environment": {"key": "e", "name": "E"}, "features": {"f":
        {"key": "1", "name": "f", "enabled": true, "value": "x"}}}"#;

    #[test]
    fn every_line_gets_a_line_in_order() {
        let good = CONTEXT.replace('\n', " ");
        let input = format!("{good}\n\nnot json\r\n{good}");

        let (are_all_good, lines) = run(input.as_bytes());

        assert!(!are_all_good);
        assert_eq!(lines.len(), 4);
        assert!(lines[0].starts_with(r#"{"flags":{"f":{"name":"f","enabled":true,"value":"x""#));
        assert_eq!(lines[1], r#"{"error":"the line is empty"}"#);
        assert!(
            lines[2].starts_with(r#"{"error":"the document is not JSON"#),
            "{}",
            lines[2]
        );
        assert_eq!(lines[3], lines[0]);
    }

    #[test]
    fn no_input_is_no_mistake() {
        assert_eq!(run(b""), (true, Vec::new()));
    }

    #[test]
    fn a_line_over_the_limit_is_refused_and_the_next_one_read() {
        let good = CONTEXT.replace('\n', " ");
        let mut input = vec![b'x'; LINE_LIMIT + 1];
        input.push(b'\n');
        input.extend_from_slice(good.as_bytes());

        let (are_all_good, lines) = run(&input);

        assert!(!are_all_good);
        assert_eq!(
            lines[0],
            r#"{"error":"the line has more than 16777216 bytes"}"#
        );
        assert!(lines[1].starts_with(r#"{"flags""#));
    }
}
