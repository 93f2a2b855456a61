//! One evaluation by the crate `flagsmith-flag-engine`, of a context that is read already.

use std::error::Error;
use std::hint::black_box;

use flagsmith_flag_engine::engine::get_evaluation_result;
use flagsmith_flag_engine::engine_eval::EngineEvaluationContext;

fn main() -> Result<(), Box<dyn Error>> {
    let report = measure::run(
        |text| Ok(serde_json::from_slice::<EngineEvaluationContext>(text)?),
        |context| {
            black_box(get_evaluation_result(context));
        },
        |context| serde_json::to_value(get_evaluation_result(context)).unwrap_or_default(),
    )?;
    println!("{report}");
    Ok(())
}
