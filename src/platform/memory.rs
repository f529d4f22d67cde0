//! How much memory this instance has used: linear memory never shrinks.

/// Bytes in a page of wasm memory.
#[cfg(target_arch = "wasm32")]
const PAGE_BYTES: u64 = 65_536;

/// The high-water mark of this instance's memory, in bytes.
#[cfg(target_arch = "wasm32")]
pub fn memory_high_water() -> Option<u64> {
    Some(core::arch::wasm32::memory_size(0) as u64 * PAGE_BYTES)
}

/// Not known outside wasm.
#[cfg(not(target_arch = "wasm32"))]
pub fn memory_high_water() -> Option<u64> {
    None
}
