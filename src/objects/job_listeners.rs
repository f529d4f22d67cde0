//! Those who listen to a job: sockets, which outlive the sleep of its object, and waiting requests.
//!
//! Nobody is waited for. What a socket has not read yet lies with the platform; it is bounded by the
//! changes that a job can have, and every socket is closed at the job's end.

use futures_channel::oneshot::Receiver;
use thumbnail_core::api::events::{Listener, PING, PONG, Telling};
use thumbnail_core::job::Record;
use thumbnail_core::ports::Listeners;
use thumbnail_core::service::waiters::Waiters;
use worker::{Result, State, WebSocket, WebSocketPair, WebSocketRequestResponsePair};

use crate::platform::close;

/// The listeners of one job.
pub struct JobListeners {
    state: State,
    waiters: Waiters,
    max: usize,
}

impl JobListeners {
    /// Those of the object with this state; `max` of them at a time.
    pub fn new(state: State, max: u32) -> Result<Self> {
        // Answered by the platform, without waking the object.
        state.set_websocket_auto_response(&WebSocketRequestResponsePair::new(PING, PONG)?);
        Ok(Self {
            state,
            waiters: Waiters::default(),
            max: max as usize,
        })
    }

    /// Whether no more may listen.
    pub fn are_full(&self) -> bool {
        self.state.get_websockets().len() + self.waiters.count() >= self.max
    }

    /// Waits for the job's end from now on.
    pub fn wait(&self) -> Receiver<Record> {
        self.waiters.wait()
    }

    /// Takes a listener; returns its end of the socket.
    pub fn accept(&self, listener: &Listener) -> Result<WebSocket> {
        let WebSocketPair { client, server } = WebSocketPair::new()?;
        self.state.accept_web_socket(&server);
        server.serialize_attachment(serde_json::to_string(listener)?)?;
        Ok(client)
    }
}

impl Listeners for JobListeners {
    fn tell(&self, record: &Record) {
        self.waiters.tell(record);
        for socket in self.state.get_websockets() {
            if tell(&socket, record).is_err() {
                // It is closed already, or its client has to begin anew.
                close(&socket, 1011, "the connection was lost");
            }
        }
    }
}

fn tell(socket: &WebSocket, record: &Record) -> Result<()> {
    let attachment: String = socket.deserialize_attachment()?.unwrap_or_default();
    let mut listener: Listener = serde_json::from_str(&attachment)?;
    let telling = listener.tell(record);
    if let Telling::Change(text) | Telling::Last(text) = &telling {
        socket.send_with_str(text)?;
        socket.serialize_attachment(serde_json::to_string(&listener)?)?;
    }
    if matches!(telling, Telling::Last(_) | Telling::Over) {
        close(socket, 1000, "the job has ended");
    }
    Ok(())
}
