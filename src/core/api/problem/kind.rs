//! Which problems there are.

/// A kind of problem: a slug for machines, a title for people, a status, what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The upload has no bytes.
    EmptyUpload,
    /// A form without a file.
    MissingFile,
    /// The form breaks the rules of multipart.
    MalformedForm,
    /// The body is no JSON object.
    MalformedJson,
    /// The body broke off.
    BrokenUpload,
    /// There is no picture at the address that the upload names.
    FetchRefused,
    /// Whoever has the picture that the upload names does not answer.
    FetchFailed,
    /// The bytes are no picture in a known format.
    NotAnImage,
    /// The picture's bytes break the rules of its format.
    DamagedImage,
    /// The picture ends early.
    TruncatedImage,
    /// A picture in a format, or with a feature, that is not decoded.
    UnsupportedImage,
    /// A body that is neither a form nor a picture.
    UnsupportedMediaType,
    /// A body that is compressed.
    UnsupportedEncoding,
    /// More bytes than allowed.
    UploadTooLarge,
    /// More files in one form than allowed.
    TooManyFiles,
    /// More pixels, or more work, than allowed.
    ImageTooLarge,
    /// A thumbnail with a longer file, or more memory to make it, than allowed.
    ThumbnailTooLarge,
    /// An option that does not exist or does not fit.
    InvalidOption,
    /// The `Idempotency-Key` is none.
    InvalidIdempotencyKey,
    /// The `Idempotency-Key` came with another upload before.
    IdempotencyKeyReused,
    /// An upload with the `Idempotency-Key` is still on its way.
    IdempotencyKeyInUse,
    /// Nobody may list jobs.
    ListingOff,
    /// No such job, thumbnail or page.
    NotFound,
    /// The route exists, the method does not.
    MethodNotAllowed,
    /// The answer exists in none of the forms that the request accepts.
    NotAcceptable,
    /// The thumbnail is not there yet.
    NotReady,
    /// The thumbnail is not the one that the client goes by.
    PreconditionFailed,
    /// The thumbnail does not have the bytes that are asked for.
    RangeNotSatisfiable,
    /// Only a failed job can be tried again.
    NotFailed,
    /// The job has nothing to tell a webhook.
    NothingToTell,
    /// A job is tried or told again too soon after the last time.
    TooEarly,
    /// A job was tried or told again as often as it may be.
    UsedUp,
    /// More thumbnails can be had of a job that is done only.
    NotDone,
    /// A job has as many thumbnails as it may have.
    TooManyThumbnails,
    /// The service makes no more thumbnails of a job that is done.
    VariantsOff,
    /// The signature does not belong to the request.
    BadSignature,
    /// The thumbnail was deleted, called off or expired.
    Gone,
    /// Attempts at the picture never came back.
    Poison,
    /// The queue gave the message up.
    DeadLetter,
    /// The platform failed too often.
    PlatformFault,
    /// No consumer took the job.
    NeverProcessed,
    /// The uploaded bytes are gone.
    SourceMissing,
    /// A binding failed or is overloaded.
    Unavailable,
    /// A fault of ours.
    Internal,
}

impl ProblemKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 44] = [
        Self::EmptyUpload,
        Self::MissingFile,
        Self::MalformedForm,
        Self::MalformedJson,
        Self::BrokenUpload,
        Self::FetchRefused,
        Self::FetchFailed,
        Self::NotAnImage,
        Self::DamagedImage,
        Self::TruncatedImage,
        Self::UnsupportedImage,
        Self::UnsupportedMediaType,
        Self::UnsupportedEncoding,
        Self::UploadTooLarge,
        Self::TooManyFiles,
        Self::ImageTooLarge,
        Self::ThumbnailTooLarge,
        Self::InvalidOption,
        Self::InvalidIdempotencyKey,
        Self::IdempotencyKeyReused,
        Self::IdempotencyKeyInUse,
        Self::ListingOff,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::NotReady,
        Self::PreconditionFailed,
        Self::RangeNotSatisfiable,
        Self::NotFailed,
        Self::NothingToTell,
        Self::TooEarly,
        Self::UsedUp,
        Self::NotDone,
        Self::TooManyThumbnails,
        Self::VariantsOff,
        Self::BadSignature,
        Self::Gone,
        Self::Poison,
        Self::DeadLetter,
        Self::PlatformFault,
        Self::NeverProcessed,
        Self::SourceMissing,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The last part of the problem's `type`.
    pub const fn slug(self) -> &'static str {
        self.row().0
    }

    /// The kind with this slug.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.slug() == slug)
    }

    /// The HTTP status.
    pub const fn status(self) -> u16 {
        self.row().1
    }

    /// A short sentence for people.
    pub const fn title(self) -> &'static str {
        self.row().2
    }

    /// What to do about it.
    pub const fn advice(self) -> &'static str {
        self.row().3
    }
}
