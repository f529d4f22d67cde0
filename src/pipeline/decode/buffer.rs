//! Buffers whose size a file decides: allocated fallibly, because a failed allocation kills the isolate.

use crate::{LimitError, PipelineError};

/// The allocator refused: what the image takes is not known here, so the error names the buffer.
fn out_of_memory(bytes: usize) -> PipelineError {
    LimitError::Allocation {
        bytes: bytes as u64,
    }
    .into()
}

/// An empty buffer with room for `len` bytes.
pub(super) fn try_reserved(len: usize) -> Result<Vec<u8>, PipelineError> {
    let mut buffer = Vec::new();
    buffer
        .try_reserve_exact(len)
        .map_err(|_| out_of_memory(len))?;
    Ok(buffer)
}

/// A buffer of `len` bytes of `value`.
pub(super) fn try_filled(len: usize, value: u8) -> Result<Vec<u8>, PipelineError> {
    let mut buffer = try_reserved(len)?;
    buffer.resize(len, value);
    Ok(buffer)
}

/// Appends bytes that have arrived, whose total is not known in advance.
pub(super) fn try_append(buffer: &mut Vec<u8>, bytes: &[u8]) -> Result<(), PipelineError> {
    buffer
        .try_reserve(bytes.len())
        .map_err(|_| out_of_memory(buffer.len().saturating_add(bytes.len())))?;
    buffer.extend_from_slice(bytes);
    Ok(())
}
