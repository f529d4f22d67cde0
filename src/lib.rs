//! The edge-thumbnails Worker.
