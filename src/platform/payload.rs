//! What a response carries beside text.

use futures_util::stream::LocalBoxStream;
use worker::{Response, WebSocket};

use super::R2Body;

/// A body that is not text.
pub enum Payload {
    /// An object out of R2.
    Object(R2Body),
    /// Bytes as they come.
    Stream(LocalBoxStream<'static, worker::Result<Vec<u8>>>),
    /// A WebSocket's other end.
    Socket(WebSocket),
}

impl Payload {
    /// The response with this body.
    pub fn into_response(self) -> worker::Result<Response> {
        match self {
            Self::Object(object) => Response::from_body(object.into_response_body()?),
            Self::Stream(stream) => Response::from_stream(stream),
            Self::Socket(socket) => Response::from_websocket(socket),
        }
    }
}
