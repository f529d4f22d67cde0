//! The moment at which a client hangs up, which a stream on its way to it is not told otherwise.
//!
//! In production the whole request ends then. A local runtime lets it go on, and whoever it listens
//! to would keep a listener that nobody hears.

use futures_channel::oneshot::{Receiver, channel};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use worker::Request;
use worker::js_sys::Function;
use worker::web_sys::AbortSignal;

const ABORT: &str = "abort";

/// Tells when the client of a request hangs up. Needs the flag `enable_request_signal`.
pub struct Disconnect {
    signal: AbortSignal,
    on_abort: Closure<dyn FnMut()>,
    receiver: Receiver<()>,
}

impl Disconnect {
    /// Of a request's client, from now on.
    pub fn of(request: &Request) -> Self {
        let (sender, receiver) = channel();
        let mut sender = Some(sender);
        // Dropping the sender is what the receiver waits for.
        let on_abort: Closure<dyn FnMut()> = Closure::new(move || drop(sender.take()));
        let signal = request.inner().signal();
        let _ = signal.add_event_listener_with_callback(ABORT, function(&on_abort));
        Self {
            signal,
            on_abort,
            receiver,
        }
    }

    /// Waits for it.
    pub async fn happens(&mut self) {
        let _ = (&mut self.receiver).await;
    }
}

impl Drop for Disconnect {
    fn drop(&mut self) {
        let function = function(&self.on_abort);
        let _ = self
            .signal
            .remove_event_listener_with_callback(ABORT, function);
    }
}

fn function(closure: &Closure<dyn FnMut()>) -> &Function {
    closure.as_ref().unchecked_ref()
}
