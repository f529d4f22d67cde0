//! How long bindings took during one request, as far as the clock shows it.

use std::cell::RefCell;
use std::rc::Rc;

use thumbnail_core::api::trace::BindingTime;
use thumbnail_core::ports::Clock;

use super::WorkerClock;

/// What the adapters of one request share. Clones are the same one.
#[derive(Clone, Default)]
pub struct Timings {
    times: Rc<RefCell<Vec<BindingTime>>>,
}

impl Timings {
    /// Waits for a binding's answer and adds the time to that of the binding.
    ///
    /// The clock moves at I/O only, so this is the wait and nothing of the code around it.
    pub async fn measure<T>(&self, name: &'static str, io: impl Future<Output = T>) -> T {
        let begun = WorkerClock.now();
        let answer = io.await;
        self.add(name, WorkerClock.now().millis_since(begun));
        answer
    }

    /// What was measured so far.
    pub fn all(&self) -> Vec<BindingTime> {
        self.times.borrow().clone()
    }

    fn add(&self, name: &'static str, millis: u64) {
        let mut times = self.times.borrow_mut();
        if let Some(time) = times.iter_mut().find(|time| time.name == name) {
            time.calls += 1;
            time.millis += millis;
            return;
        }
        let calls = 1;
        times.push(BindingTime {
            name,
            calls,
            millis,
        });
    }
}
