//! What both programs do alike: read a context, evaluate it again and again, say how long one evaluation took on this
//! core and what it allocated.

use std::alloc::{GlobalAlloc, Layout};
use std::error::Error;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use cpu_time::ThreadTime;
use mimalloc::MiMalloc;
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

/// The server's allocator, with a count of what is asked of it.
struct Counting;

// SAFETY: every call is passed on unchanged; counting touches no memory that was asked for.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        BYTES.fetch_add(layout.size() as u64, Relaxed);
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        BYTES.fetch_add(size.saturating_sub(layout.size()) as u64, Relaxed);
        unsafe { MiMalloc.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { MiMalloc.dealloc(pointer, layout) }
    }
}

/// Rounds; whoever reads them takes the median.
const ROUNDS: usize = 5;
/// CPU time that a round takes at least.
const ROUND: Duration = Duration::from_millis(150);

/// Runs the program `<name> CONTEXT.json [TIMES]`.
///
/// With TIMES it evaluates so often and says nothing, for tools that count instructions. Without, it prints one JSON
/// object: nanoseconds of one evaluation for each round, allocations and bytes of one evaluation, and `result`.
pub fn run<C>(
    read: impl FnOnce(&[u8]) -> Result<C, Box<dyn Error>>,
    mut evaluate: impl FnMut(&C),
    result: impl FnOnce(&C) -> Value,
) -> Result<String, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().ok_or("usage: CONTEXT.json [TIMES]")?;
    let context = read(&fs::read(path)?)?;
    if let Some(times) = arguments.get(1) {
        (0..times.parse::<u32>()?).for_each(|_| evaluate(&context));
        return Ok(String::new());
    }
    // Whatever is made once, such as the states of a pattern that runs, is made here.
    (0..100).for_each(|_| evaluate(&context));
    let before = (ALLOCATIONS.load(Relaxed), BYTES.load(Relaxed));
    evaluate(&context);
    let (allocations, bytes) = (
        ALLOCATIONS.load(Relaxed) - before.0,
        BYTES.load(Relaxed) - before.1,
    );
    let rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| round(&mut || evaluate(&context)))
        .collect();
    let report = json!({
        "nanoseconds": rounds,
        "allocations": allocations,
        "bytes": bytes,
        "result": result(&context),
    });
    Ok(report.to_string())
}

/// Nanoseconds of CPU time that one call takes.
fn round(call: &mut impl FnMut()) -> f64 {
    let start = ThreadTime::now();
    let mut calls = 0_u32;
    loop {
        // Asking for the time costs about as much as a small evaluation.
        (0..16).for_each(|_| call());
        calls += 16;
        let elapsed = start.elapsed();
        if elapsed >= ROUND {
            return elapsed.as_nanos() as f64 / f64::from(calls);
        }
    }
}
