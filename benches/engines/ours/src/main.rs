//! One evaluation by flagstaff's core: all flags and all segments, of rules that are compiled already.

use std::error::Error;
use std::hint::black_box;

use flagstaff_core::ReasonWords;
use flagstaff_wire::flagsmith::context::EvaluationContext;

fn main() -> Result<(), Box<dyn Error>> {
    let report = measure::run(
        |text| Ok(EvaluationContext::parse(text)?),
        |context| {
            let mut evaluator = context.rules().evaluator(&context.context());
            black_box(evaluator.flags());
            black_box(evaluator.matching_segments());
        },
        |context| {
            let mut text = Vec::new();
            context.write_result(ReasonWords::Engine11, &mut text);
            serde_json::from_slice(&text).unwrap_or_default()
        },
    )?;
    println!("{report}");
    Ok(())
}
