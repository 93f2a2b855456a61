//! A snapshot as it is served, with the forms of it that do not depend on the caller.

use flagstaff_core::Snapshot;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, RwLock};

/// Something rendered from a snapshot alone: a document's bytes, or fragments of answers.
///
/// The types live with their protocol, so that a new protocol leaves this crate untouched.
pub trait Form: Send + Sync + 'static {
    /// Renders it. Called once per snapshot.
    fn render(snapshot: &Snapshot) -> Self;
}

/// Where a form of one type is kept.
#[derive(Default)]
struct Place {
    form: OnceLock<Arc<dyn Any + Send + Sync>>,
    /// Held by whoever renders it off the async threads: thousands who want it at once take one thread, not one each.
    rendering: tokio::sync::Mutex<()>,
}

impl Place {
    /// The form, where it was rendered already.
    fn rendered<F: Send + Sync + 'static>(&self) -> Option<Arc<F>> {
        let form = self.form.get().map(Arc::clone)?;
        Arc::downcast(form).ok()
    }
}

type Cell = Arc<Place>;

/// One revision of an environment, shared by everybody who reads it.
pub struct Published {
    /// What evaluation and the faces read.
    pub snapshot: Arc<Snapshot>,
    forms: RwLock<HashMap<TypeId, Cell>>,
}

impl Published {
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        Self {
            snapshot: Arc::new(snapshot),
            forms: RwLock::new(HashMap::new()),
        }
    }

    /// The form of this snapshot, rendered on first use and kept as long as the snapshot.
    pub fn form<F: Form>(&self) -> Arc<F> {
        self.form_by(F::render)
    }

    /// The same for a form that needs more than the snapshot. Everybody has to render a type alike: the first one's
    /// is kept.
    pub fn form_by<F: Send + Sync + 'static>(&self, render: impl Fn(&Snapshot) -> F) -> Arc<F> {
        let any = Arc::clone(
            self.cell::<F>()
                .form
                .get_or_init(|| Arc::new(render(&self.snapshot))),
        );
        // The cell of a type holds only that type; rendering again is the sound way out all the same.
        any.downcast::<F>()
            .unwrap_or_else(|_| Arc::new(render(&self.snapshot)))
    }

    /// The same, rendered off the async threads when it is not there yet: for whole documents.
    pub async fn form_off_thread<F: Form>(self: &Arc<Self>) -> Arc<F> {
        self.form_off_thread_by(F::render).await
    }

    /// As [`Published::form_by`], off the async threads when it is not there yet.
    pub async fn form_off_thread_by<F: Send + Sync + 'static>(
        self: &Arc<Self>,
        render: impl Fn(&Snapshot) -> F + Clone + Send + 'static,
    ) -> Arc<F> {
        let cell = self.cell::<F>();
        if let Some(form) = cell.rendered::<F>() {
            return form;
        }
        let _rendering = cell.rendering.lock().await;
        if let Some(form) = cell.rendered::<F>() {
            return form;
        }
        let published = Arc::clone(self);
        let rendering = render.clone();
        match tokio::task::spawn_blocking(move || published.form_by(rendering)).await {
            Ok(form) => form,
            Err(_) => self.form_by(render),
        }
    }

    fn cell<F: 'static>(&self) -> Cell {
        let id = TypeId::of::<F>();
        if let Ok(forms) = self.forms.read()
            && let Some(cell) = forms.get(&id)
        {
            return Arc::clone(cell);
        }
        match self.forms.write() {
            Ok(mut forms) => Arc::clone(forms.entry(id).or_default()),
            // A panic while the map was held: render without keeping.
            Err(_) => Cell::default(),
        }
    }
}

impl std::fmt::Debug for Published {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Published")
            .field("environment", &self.snapshot.environment.id)
            .field("revision", &self.snapshot.revision)
            .finish_non_exhaustive()
    }
}
