//! Tasks that are polled one step at a time, in an order that somebody else chooses.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::keys::JobId;

/// Who runs a task: what dies with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A caller of its own: a request, a consumer, a sweep.
    Caller,
    /// An invocation in the origin's instance: what kills one may kill all.
    Origin,
    /// The object of a job; all its tasks share its memory.
    Object(JobId),
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Task {
    id: usize,
    actor: Actor,
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    ready: Arc<Flag>,
}

/// The tasks that have not ended.
#[derive(Default)]
pub struct Executor {
    tasks: RefCell<Vec<Task>>,
    next_id: Cell<usize>,
    running: Cell<Option<(usize, Actor)>>,
}

impl Executor {
    /// Adds a task.
    pub fn spawn(&self, actor: Actor, future: impl Future<Output = ()> + 'static) {
        let id = self.next_id.replace(self.next_id.get() + 1);
        self.tasks.borrow_mut().push(Task {
            id,
            actor,
            future: Some(Box::pin(future)),
            ready: Arc::new(Flag(AtomicBool::new(true))),
        });
    }

    /// The task that is being polled, and its actor.
    pub fn running(&self) -> Option<(usize, Actor)> {
        self.running.get()
    }

    /// How many tasks could do something.
    pub fn ready(&self) -> usize {
        let tasks = self.tasks.borrow();
        tasks.iter().filter(|task| is_ready(task)).count()
    }

    /// How many tasks there are.
    pub fn len(&self) -> usize {
        self.tasks.borrow().len()
    }

    /// Whether there is no task.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Polls the `nth` of the tasks that are ready.
    pub fn poll(&self, nth: usize) {
        let picked = {
            let mut tasks = self.tasks.borrow_mut();
            let task = tasks.iter_mut().filter(|task| is_ready(task)).nth(nth);
            task.and_then(|task| {
                task.ready.0.store(false, Ordering::Relaxed);
                let future = task.future.take()?;
                Some((task.id, task.actor, future, task.ready.clone()))
            })
        };
        let Some((id, actor, mut future, ready)) = picked else {
            return;
        };
        self.running.set(Some((id, actor)));
        let waker = Waker::from(ready);
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        self.running.set(None);
        let mut tasks = self.tasks.borrow_mut();
        match (polled, tasks.iter().position(|task| task.id == id)) {
            (Poll::Pending, Some(at)) => tasks[at].future = Some(future),
            (Poll::Ready(()), Some(at)) => {
                tasks.remove(at);
            }
            (_, None) => {}
        }
    }

    /// Drops a task where it stands.
    pub fn kill(&self, id: usize) {
        self.kill_if(|task| task.id == id);
    }

    /// Drops every task of an actor where it stands.
    pub fn kill_all(&self, actor: Actor) {
        self.kill_if(|task| task.actor == actor);
    }

    /// Drops every task.
    pub fn clear(&self) {
        self.kill_if(|_| true);
    }

    fn kill_if(&self, dies: impl Fn(&Task) -> bool) {
        // Dropped when nothing is borrowed any more: what a task leaves behind may wake others.
        let dead: Vec<Task> = {
            let mut tasks = self.tasks.borrow_mut();
            let (dead, alive) = tasks.drain(..).partition(dies);
            *tasks = alive;
            dead
        };
        drop(dead);
    }
}

fn is_ready(task: &Task) -> bool {
    task.ready.0.load(Ordering::Relaxed)
}

/// Lets others run once.
pub async fn pause() {
    let mut paused = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Where one task waits for what another one brings.
pub struct Slot<T>(Rc<RefCell<Inside<T>>>);

/// The end that brings it; dropping it unused tells that nothing will come.
pub struct Filler<T>(Rc<RefCell<Inside<T>>>);

struct Inside<T> {
    value: Option<T>,
    closed: bool,
    waker: Option<Waker>,
}

impl<T> Slot<T> {
    /// Both ends.
    pub fn new() -> (Filler<T>, Self) {
        let inside = Rc::new(RefCell::new(Inside {
            value: None,
            closed: false,
            waker: None,
        }));
        (Filler(inside.clone()), Self(inside))
    }

    /// What was brought, or `None` if nothing will be.
    pub async fn take(self) -> Option<T> {
        std::future::poll_fn(|context| {
            let mut inside = self.0.borrow_mut();
            if inside.closed {
                return Poll::Ready(inside.value.take());
            }
            inside.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}

impl<T> Filler<T> {
    /// Brings it.
    pub fn fill(self, value: T) {
        self.0.borrow_mut().value = Some(value);
    }
}

impl<T> Drop for Filler<T> {
    fn drop(&mut self) {
        let waker = {
            let mut inside = self.0.borrow_mut();
            inside.closed = true;
            inside.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
