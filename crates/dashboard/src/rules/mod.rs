//! The rules of a segment on pages: the editor that works without script, and trees to be read.
//!
//! **How the editor works.** The form holds the whole tree, each field named by its place
//! (`rules.0.rules.1.conditions.2.value`), and each button says what to do with which part
//! (`action=add-condition:0.1`). The server reads the form into a draft, changes the draft and answers with the form
//! of the changed one. Nothing is stored before it says so. A script can only make this smoother.

pub(crate) mod check;
pub(crate) mod draft;
pub(crate) mod edit;
pub(crate) mod editor;
pub(crate) mod fields;
pub(crate) mod operators;
pub(crate) mod tree;
