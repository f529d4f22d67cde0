//! What can be called: one row per operation.

use utoipa::openapi::RefOr;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, Parameter};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::response::Response;

use super::{answers, parameters};
use crate::api::problem::ProblemKind as Kind;
use crate::api::route::Method;

/// What an operation is about; viewers show those of one tag together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// Images in, thumbnails out.
    Thumbnails,
    /// What becomes of an upload.
    Jobs,
    /// The same as it happens.
    LiveStatus,
    /// The service itself.
    Service,
}

impl Tag {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 4] = [
        Self::Thumbnails,
        Self::Jobs,
        Self::LiveStatus,
        Self::Service,
    ];

    /// The name that is shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Thumbnails => "Thumbnails",
            Self::Jobs => "Jobs",
            Self::LiveStatus => "Live status",
            Self::Service => "Service",
        }
    }

    /// A sentence about it.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Thumbnails => "Upload an image, get its thumbnail, make another size",
            Self::Jobs => "See what became of an upload, cancel it, retry it",
            Self::LiveStatus => "The document of a job at each change",
            Self::Service => "Its health, its pages, and what problems mean",
        }
    }
}

/// One method at one path.
pub struct Operation {
    /// The method.
    pub method: Method,
    /// The path, with names in braces.
    pub path: &'static str,
    id: &'static str,
    tag: Tag,
    /// What it does, in one sentence.
    pub summary: &'static str,
    parameters: fn() -> Vec<Parameter>,
    body: Option<fn() -> RequestBody>,
    answers: fn() -> Vec<(u16, Response)>,
    /// What can go wrong. A fault of the service itself and of its storage can everywhere.
    problems: &'static [Kind],
}

impl Operation {
    /// The method as requests have it.
    pub const fn method_name(&self) -> &'static str {
        match self.method {
            Method::Post => "POST",
            Method::Delete => "DELETE",
            _ => "GET",
        }
    }

    pub(super) fn http_method(&self) -> HttpMethod {
        match self.method {
            Method::Post => HttpMethod::Post,
            Method::Delete => HttpMethod::Delete,
            _ => HttpMethod::Get,
        }
    }

    pub(super) fn describe(&self) -> OperationBuilder {
        let mut operation = OperationBuilder::new()
            .operation_id(Some(self.id))
            .tag(self.tag.name())
            .summary(Some(self.summary))
            .parameters(Some((self.parameters)()))
            .request_body(self.body.map(|body| body()));
        let everywhere = [Kind::Internal, Kind::Unavailable];
        let problems = self.problems.iter().copied().chain(everywhere);
        let respelled = self.path.contains('{').then(answers::respelled);
        for (status, response) in respelled
            .into_iter()
            .chain((self.answers)())
            .chain(answers::problems(problems))
        {
            operation = operation.response(status.to_string(), RefOr::T(response));
        }
        operation
    }
}

/// Everything that can be called.
pub const OPERATIONS: &[Operation] = &[
    Operation {
        method: Method::Post,
        path: "/thumbnails",
        id: "upload",
        tag: Tag::Thumbnails,
        summary: "Uploads an image: a form with a file, the bytes of the image, or JSON with its address",
        parameters: parameters::options,
        body: Some(parameters::upload),
        answers: answers::uploaded,
        problems: &[
            Kind::EmptyUpload,
            Kind::MissingFile,
            Kind::MalformedForm,
            Kind::MalformedJson,
            Kind::BrokenUpload,
            Kind::FetchRefused,
            Kind::FetchFailed,
            Kind::NotAnImage,
            Kind::InvalidOption,
            Kind::InvalidIdempotencyKey,
            Kind::IdempotencyKeyInUse,
            Kind::IdempotencyKeyReused,
            Kind::UploadTooLarge,
            Kind::TooManyFiles,
            Kind::UnsupportedMediaType,
            Kind::UnsupportedEncoding,
            Kind::UnsupportedImage,
            Kind::ImageTooLarge,
            Kind::ThumbnailTooLarge,
        ],
    },
    Operation {
        method: Method::Get,
        path: "/thumbnails",
        id: "list",
        tag: Tag::Jobs,
        summary: "Lists the documents of jobs, newest first",
        parameters: parameters::list,
        body: None,
        answers: answers::listing,
        problems: &[Kind::InvalidOption, Kind::ListingOff],
    },
    Operation {
        method: Method::Get,
        path: "/thumbnails/{id}",
        id: "status",
        tag: Tag::Jobs,
        summary: "Returns the document of a job, in any state",
        parameters: parameters::status,
        body: None,
        answers: answers::status,
        problems: &[
            Kind::InvalidOption,
            Kind::NotFound,
            Kind::PreconditionFailed,
        ],
    },
    Operation {
        method: Method::Get,
        path: "/thumbnails/{id}/events",
        id: "events",
        tag: Tag::LiveStatus,
        summary: "Sends the document of a job at each change, over Server-Sent Events or a WebSocket",
        parameters: parameters::events,
        body: None,
        answers: answers::events,
        problems: &[Kind::NotFound, Kind::NotAcceptable],
    },
    Operation {
        method: Method::Get,
        path: "/events",
        id: "eventsOfJobs",
        tag: Tag::LiveStatus,
        summary: "Sends the documents of several jobs at each change, over one connection",
        parameters: parameters::events_of_jobs,
        body: None,
        answers: answers::events,
        problems: &[Kind::InvalidOption, Kind::NotFound, Kind::NotAcceptable],
    },
    Operation {
        method: Method::Post,
        path: "/thumbnails/{id}",
        id: "extend",
        tag: Tag::Thumbnails,
        summary: "Makes another size of an image whose job is done; 422 says why it cannot be made",
        parameters: parameters::extend,
        body: Some(parameters::extend_body),
        answers: answers::extended,
        problems: &[
            Kind::InvalidOption,
            Kind::BrokenUpload,
            Kind::MalformedForm,
            Kind::MalformedJson,
            Kind::UnsupportedMediaType,
            Kind::UnsupportedEncoding,
            Kind::UploadTooLarge,
            Kind::DamagedImage,
            Kind::TruncatedImage,
            Kind::ImageTooLarge,
            Kind::ThumbnailTooLarge,
            Kind::Poison,
            Kind::SourceMissing,
            Kind::NotFound,
            Kind::NotReady,
            Kind::NotDone,
            Kind::TooManyThumbnails,
            Kind::VariantsOff,
            Kind::BadSignature,
            Kind::Gone,
        ],
    },
    Operation {
        method: Method::Delete,
        path: "/thumbnails/{id}",
        id: "delete",
        tag: Tag::Jobs,
        summary: "Cancels a job that has not ended, or deletes what was made of one that has",
        parameters: parameters::delete,
        body: None,
        answers: answers::deleted,
        problems: &[Kind::NotFound, Kind::Gone, Kind::PreconditionFailed],
    },
    Operation {
        method: Method::Post,
        path: "/thumbnails/{id}/retry",
        id: "retry",
        tag: Tag::Jobs,
        summary: "Retries a failed job while its source is kept; 422 says why it failed again, if the client waited",
        parameters: parameters::rerun,
        body: None,
        answers: answers::rerun,
        problems: &[
            Kind::DamagedImage,
            Kind::TruncatedImage,
            Kind::ImageTooLarge,
            Kind::ThumbnailTooLarge,
            Kind::Poison,
            Kind::SourceMissing,
            Kind::NotFound,
            Kind::NotFailed,
            Kind::TooEarly,
            Kind::UsedUp,
            Kind::Gone,
        ],
    },
    Operation {
        method: Method::Post,
        path: "/thumbnails/{id}/webhook/retry",
        id: "retryWebhook",
        tag: Tag::Jobs,
        summary: "Sends a job's webhook what it has not taken, or its last event again",
        parameters: parameters::job,
        body: None,
        answers: answers::accepted,
        problems: &[
            Kind::NotFound,
            Kind::NothingToTell,
            Kind::TooEarly,
            Kind::UsedUp,
        ],
    },
    Operation {
        method: Method::Get,
        path: "/thumbnails/{id}.{extension}",
        id: "thumbnail",
        tag: Tag::Thumbnails,
        summary: "Returns the thumbnail",
        parameters: parameters::thumbnail,
        body: None,
        answers: answers::image,
        problems: answers::ABSENT,
    },
    Operation {
        method: Method::Get,
        path: "/thumbnails/{id}_{name}.{extension}",
        id: "namedThumbnail",
        tag: Tag::Thumbnails,
        summary: "Returns one of several thumbnails, by the name of its size",
        parameters: parameters::named_thumbnail,
        body: None,
        answers: answers::image,
        problems: answers::ABSENT,
    },
    Operation {
        method: Method::Get,
        path: "/thumbnails/{id}_{name}",
        id: "negotiatedThumbnail",
        tag: Tag::Thumbnails,
        summary: "Returns the thumbnail in the format that `Accept` likes best",
        parameters: parameters::negotiated_thumbnail,
        body: None,
        answers: answers::image,
        problems: answers::ABSENT,
    },
    Operation {
        method: Method::Get,
        path: "/thumbnail/{file}",
        id: "oldThumbnail",
        tag: Tag::Thumbnails,
        summary: "Redirects to /thumbnails/{file}: the path in the documentation of an older service",
        parameters: parameters::file,
        body: None,
        answers: answers::moved,
        problems: &[Kind::NotFound],
    },
    Operation {
        method: Method::Get,
        path: "/problems/{slug}",
        id: "problem",
        tag: Tag::Service,
        summary: "Explains a problem and what to do about it",
        parameters: parameters::slug,
        body: None,
        answers: answers::page,
        problems: &[Kind::NotFound],
    },
    Operation {
        method: Method::Get,
        path: "/",
        id: "page",
        tag: Tag::Service,
        summary: "Shows a page that uploads images and follows them live",
        parameters: parameters::page,
        body: None,
        answers: answers::html,
        problems: &[Kind::PreconditionFailed],
    },
    Operation {
        method: Method::Get,
        path: "/healthz",
        id: "health",
        tag: Tag::Service,
        summary: "Answers while the service runs",
        parameters: Vec::new,
        body: None,
        answers: answers::health,
        problems: &[],
    },
    Operation {
        method: Method::Get,
        path: "/readyz",
        id: "ready",
        tag: Tag::Service,
        summary: "Says whether each binding of the service answers",
        parameters: Vec::new,
        body: None,
        answers: answers::ready,
        problems: &[],
    },
];
