//! The pipeline over bytes as they arrive from the store.

#![expect(
    async_fn_in_trait,
    reason = "a Worker has one thread; nothing here is ever sent to another"
)]

use crate::ports::{ChunkError, Chunks};
use crate::service::header::HeaderReader;
use crate::service::memory::Full;
use thumbnail_pipeline::decode::Progress;
use thumbnail_pipeline::{ImageInfo, Limits, PipelineError, Rendered, Renderer, Variant, plan};

/// Why there is no image.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RenderError {
    /// The file is at fault.
    #[error(transparent)]
    Picture(#[from] PipelineError),
    /// The file did not arrive.
    #[error(transparent)]
    Transfer(#[from] ChunkError),
    /// It takes more memory than is left in the instance.
    #[error(transparent)]
    Full(#[from] Full),
}

/// Makes thumbnails of a file that arrives in chunks.
pub trait Render {
    /// Renders every variant; `reserve` is told the most bytes that are held, before they are.
    async fn render(
        &self,
        body: impl Chunks,
        variants: &[Variant],
        limits: &Limits,
        reserve: impl Fn(u64) -> Result<(), Full>,
    ) -> Result<Rendered, RenderError>;
}

/// Reads the header, and gives the last chunk with how much of it was needed.
async fn read_header(
    body: &mut impl Chunks,
    header: &mut HeaderReader,
    reserve: &impl Fn(u64) -> Result<(), Full>,
) -> Result<(ImageInfo, Vec<u8>, usize), RenderError> {
    loop {
        let chunk = body.next().await?;
        let ended = chunk.is_none();
        let chunk = chunk.unwrap_or_default();
        let mut used = 0;
        loop {
            // The buffer moves when it grows.
            let held = 2 * header.held.len() + header.missing() + chunk.len();
            reserve(held as u64)?;
            let part = header.missing().min(chunk.len() - used);
            header.push(&chunk[used..used + part]);
            used += part;
            if let Some(info) = header.probe(ended)? {
                return Ok((info, chunk, used));
            }
            if used == chunk.len() {
                break;
            }
        }
    }
}

/// The real pipeline: probe → plan → render; stops reading once the image is complete.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pipeline;

impl Render for Pipeline {
    async fn render(
        &self,
        mut body: impl Chunks,
        variants: &[Variant],
        limits: &Limits,
        reserve: impl Fn(u64) -> Result<(), Full>,
    ) -> Result<Rendered, RenderError> {
        // A TIFF's directory may be the last thing in it, and is looked for in all of it.
        let max_len = usize::try_from(limits.max_bytes).unwrap_or(usize::MAX);
        let mut header = HeaderReader::without_metadata(max_len, Variant::page_of(variants));
        let (info, chunk, used) = read_header(&mut body, &mut header, &reserve).await?;
        let plan = plan(&info, variants, limits)?;
        drop(info);
        reserve(plan.peak_bytes.saturating_add(chunk.len() as u64))?;
        let mut renderer = Renderer::new(plan)?;
        let mut progress = renderer.feed(&header.held)?;
        drop(header);
        if progress == Progress::NeedMore {
            progress = renderer.feed(&chunk[used..])?;
        }
        drop(chunk);
        while progress == Progress::NeedMore {
            let Some(chunk) = body.next().await? else {
                break;
            };
            progress = renderer.feed(&chunk)?;
        }
        Ok(renderer.finish()?)
    }
}
