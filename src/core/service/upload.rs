//! An upload with its options: a form, or a picture as it is.

use crate::api::form::{Form, Part};
use crate::api::params::Asked;
use crate::api::{Params, Problem, ProblemKind};
use crate::config::Config;
use crate::job::NewJob;
use crate::job::record::ANONYMOUS;
use crate::keys::{JobId, source_key};
use crate::ports::{Chunks, ObjectStore};
use crate::service::accept::{Stored, store_source};
use crate::timestamp::Timestamp;

/// What takes one upload.
pub struct Uploader<'a, O> {
    /// Where sources go.
    pub objects: &'a O,
    /// What is allowed.
    pub config: &'a Config,
    /// The job that it will be.
    pub id: JobId,
    /// The time.
    pub now: Timestamp,
}

impl<O: ObjectStore> Uploader<'_, O> {
    /// Takes a body that is a picture; its options stand in the query.
    pub async fn picture(
        &self,
        chunks: &mut impl Chunks,
        params: &Params,
    ) -> Result<NewJob, Problem> {
        let asked = self.parse(params)?;
        let variants = Some(asked.variants.as_slice());
        let limits = &self.config.limits;
        let stored = store_source(self.objects, self.id, None, chunks, variants, limits).await?;
        Ok(self.job(stored, asked))
    }

    /// Takes a form; options stand in the query and in fields before and after the file.
    pub async fn form(&self, mut form: Form, mut params: Params) -> Result<NewJob, Problem> {
        let mut stored = None;
        let read = self.read(&mut form, &mut params, &mut stored).await;
        if read.is_err() && stored.is_some() {
            // If this fails too, the sweep deletes it.
            let _ = self.objects.delete(&source_key(self.id)).await;
        }
        let asked = read?;
        let nothing = || Problem::new(ProblemKind::MissingFile, "the form has no file");
        Ok(self.job(stored.ok_or_else(nothing)?, asked))
    }

    async fn read(
        &self,
        form: &mut Form,
        params: &mut Params,
        stored: &mut Option<Stored>,
    ) -> Result<Asked, Problem> {
        let limits = &self.config.limits;
        while let Some(part) = form.next_part().await? {
            match part {
                Part::Field { name, value } => params.add(&name, &value)?,
                Part::File(_) if stored.is_some() => {
                    let detail = "the form has more than one file; send one in each upload";
                    return Err(Problem::new(ProblemKind::MalformedForm, detail));
                }
                Part::File(mut file) => {
                    // What is wrong by now stays wrong, whatever follows.
                    self.parse(params)?;
                    let name = file.filename().map(str::to_owned);
                    let name = name.as_deref();
                    let (id, objects) = (self.id, self.objects);
                    *stored =
                        Some(store_source(objects, id, name, file.as_mut(), None, limits).await?);
                }
            }
        }
        let asked = self.parse(params)?;
        if let Some(stored) = stored {
            stored.check(&asked.variants, limits)?;
        }
        Ok(asked)
    }

    fn parse(&self, params: &Params) -> Result<Asked, Problem> {
        params.parse(self.config.max_expires_secs)
    }

    fn job(&self, stored: Stored, asked: Asked) -> NewJob {
        let default = self.config.default_expires_secs;
        let lives_secs = asked.expires_in_secs.unwrap_or(default);
        NewJob {
            id: self.id,
            owner: ANONYMOUS.into(),
            source: stored.source,
            variants: asked.variants,
            expires_at: Some(self.now.plus_secs(lives_secs)),
        }
    }
}
