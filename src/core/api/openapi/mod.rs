//! The service's description in `OpenAPI` 3.1, made of the types that it answers with.
//!
//! `operations` lists what can be called, `parameters` what can be given, `answers` what comes back,
//! `examples` makes a job to show. The text is committed as `src/web/assets/openapi.json`; a test compares the two.

mod answers;
mod examples;
mod operations;
mod parameters;

use utoipa::ToSchema;
use utoipa::openapi::tag::{Tag as OpenApiTag, TagBuilder};
use utoipa::openapi::{Components, Info, License, OpenApi, Paths, RefOr, Schema, ServerBuilder};

use super::document::{LaterDocument, StatusDocument, ThumbnailDocument, TimingsDocument, Warning};
use super::problem::{FieldError, ProblemDocument};
use super::webhook::{DeliveryDocument, WebhookDocument};
use crate::job::{Source, State, Thumbnail};
use thumbnail_pipeline::{ImageFormat, OutputFormat};

pub use operations::{OPERATIONS, Operation, Tag};

/// The description as JSON text.
pub fn description() -> String {
    let mut info = Info::new("edge-thumbnails", env!("CARGO_PKG_VERSION"));
    let mut license = License::new("MIT");
    license.identifier = Some("MIT".into());
    info.license = Some(license);
    info.description = Some(
        "Images go up, thumbnails come back. An upload is answered at once with the document of its job; \
         a moment later the thumbnail is at `resized_image_url`."
            .into(),
    );
    let mut api = OpenApi::new(info, paths());
    api.servers = Some(vec![ServerBuilder::new().url("/").build()]);
    api.components = Some(components());
    api.tags = Some(Tag::ALL.map(described).into());
    let mut text = serde_json::to_string_pretty(&api).unwrap_or_default();
    text.push('\n');
    text
}

fn described(tag: Tag) -> OpenApiTag {
    TagBuilder::new()
        .name(tag.name())
        .description(Some(tag.description()))
        .build()
}

fn paths() -> Paths {
    let mut paths = Paths::new();
    for operation in OPERATIONS {
        paths.add_path_operation(
            operation.path,
            vec![operation.http_method()],
            operation.describe(),
        );
    }
    paths
}

fn components() -> Components {
    let mut components = Components::new();
    components.schemas.extend([
        component::<StatusDocument>(),
        component::<ThumbnailDocument>(),
        component::<TimingsDocument>(),
        component::<Warning>(),
        component::<LaterDocument>(),
        component::<Thumbnail>(),
        component::<Source>(),
        component::<State>(),
        component::<ImageFormat>(),
        component::<OutputFormat>(),
        component::<ProblemDocument>(),
        component::<FieldError>(),
        component::<WebhookDocument>(),
        component::<DeliveryDocument>(),
    ]);
    components
        .schemas
        .insert(answers::UPLOADED_FILES.into(), answers::uploaded_files());
    components
}

fn component<T: ToSchema>() -> (String, RefOr<Schema>) {
    (T::name().into(), T::schema())
}
