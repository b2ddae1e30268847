//! How far imports are that run in this process. What is written becomes visible at once at the end: until then only this knows.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI32, AtomicU32, Ordering},
    },
};

use uuid::Uuid;
use xuezhu_proto::common::{ImportReport, import_report::Stage};

use crate::findings::small;

/// How far an import is.
#[derive(Debug, Default)]
pub struct Progress {
    stage: AtomicI32,
    done: AtomicU32,
    total: AtomicU32,
}

impl Progress {
    /// It begins a stage, of so many rows.
    pub fn begin(&self, stage: Stage, rows: usize) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(u32::try_from(rows).unwrap_or(u32::MAX), Ordering::Relaxed);
        self.stage.store(stage.into(), Ordering::Relaxed);
    }

    /// So many rows more are done with in this stage.
    pub fn add(&self, rows: usize) {
        self.done.fetch_add(u32::try_from(rows).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    /// Tells it in a report.
    pub fn tell(&self, report: &mut ImportReport) {
        let rows = |count: &AtomicU32| small(count.load(Ordering::Relaxed) as usize);
        report.stage = self.stage.load(Ordering::Relaxed);
        (report.rows_done, report.rows_total) = (rows(&self.done), rows(&self.total));
    }
}

/// Imports that run.
#[derive(Debug, Clone, Default)]
pub struct Running(Arc<Mutex<HashMap<Uuid, Arc<Progress>>>>);

/// An import that runs, until this is dropped.
#[derive(Debug)]
pub struct Run {
    running: Running,
    import: Uuid,
    /// How far it is.
    pub progress: Arc<Progress>,
}

impl Running {
    /// An import begins.
    pub fn begin(&self, import: Uuid) -> Run {
        let progress = Arc::new(Progress::default());
        progress.begin(Stage::Reading, 0);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(import, progress.clone());
        Run { running: self.clone(), import, progress }
    }

    /// How far an import is; none where it doesn't run here.
    pub fn of(&self, import: Uuid) -> Option<Arc<Progress>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&import).cloned()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.running.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.import);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_is_known_while_it_runs_and_how_far_it_is() {
        let running = Running::default();
        let import = Uuid::from_u128(1);
        let run = running.begin(import);
        run.progress.begin(Stage::Writing, 50);
        run.progress.add(20);
        run.progress.add(10);
        let mut report = ImportReport::default();
        running.of(import).expect("runs").tell(&mut report);
        assert_eq!((report.stage(), report.rows_done, report.rows_total), (Stage::Writing, 30, 50));
        drop(run);
        assert!(running.of(import).is_none());
    }
}
