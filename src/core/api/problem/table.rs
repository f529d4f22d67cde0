//! What each problem is called, says, and advises: the page of it, and a row of README.md.

use super::kind::ProblemKind;

impl ProblemKind {
    /// Slug, status, title, advice.
    pub(super) const fn row(self) -> (&'static str, u16, &'static str, &'static str) {
        match self {
            Self::EmptyUpload => (
                "empty-upload",
                400,
                "The upload is empty",
                "Send the bytes of a picture.",
            ),
            Self::MissingFile => (
                "missing-file",
                400,
                "The form has no file",
                "Put the picture into a field named `image` or `file`, with a file name.",
            ),
            Self::MalformedForm => (
                "malformed-form",
                400,
                "The form is malformed",
                "Let your HTTP library build the multipart body; do not set its Content-Type by hand.",
            ),
            Self::MalformedJson => (
                "malformed-json",
                400,
                "The JSON is malformed",
                "Send an object such as {\"source_url\": \"https://example.com/cat.jpg\", \"width\": 200}.",
            ),
            Self::FetchRefused => (
                "fetch-refused",
                422,
                "There is no picture at the address",
                "Open the address in a private window of your browser: it must show the picture itself.",
            ),
            Self::FetchFailed => (
                "fetch-failed",
                502,
                "The picture could not be fetched",
                "Send the request again later.",
            ),
            Self::BrokenUpload => (
                "broken-upload",
                400,
                "The upload broke off",
                "Send the request again.",
            ),
            Self::NotAnImage => (
                "not-an-image",
                400,
                "The file is not an image",
                "Send JPEG, PNG, GIF, WebP, BMP or TIFF. The format is told by the bytes, not by the name.",
            ),
            Self::DamagedImage => (
                "damaged-image",
                422,
                "The image is damaged",
                "Open and save it with a picture editor, then send it again.",
            ),
            Self::TruncatedImage => (
                "truncated-image",
                422,
                "The image ends early",
                "Send the whole file.",
            ),
            Self::UnsupportedImage => (
                "unsupported-image",
                415,
                "The image format is not supported",
                "Convert the picture to JPEG, PNG or WebP and send that.",
            ),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                415,
                "The body is neither a form nor an image",
                "Send multipart/form-data, or the bytes of a picture as image/* or application/octet-stream.",
            ),
            Self::UnsupportedEncoding => (
                "unsupported-encoding",
                415,
                "The body is compressed",
                "Send it without Content-Encoding: pictures are compressed already.",
            ),
            Self::UploadTooLarge => (
                "upload-too-large",
                413,
                "The upload is too large",
                "Send a smaller file; the detail says the limit.",
            ),
            Self::TooManyFiles => (
                "too-many-files",
                413,
                "The form has too many files",
                "Send them in several requests; the detail says the limit.",
            ),
            Self::ImageTooLarge => (
                "image-too-large",
                422,
                "The image is too large to decode",
                "Send a picture with fewer pixels; the detail has the numbers.",
            ),
            Self::ThumbnailTooLarge => (
                "thumbnail-too-large",
                422,
                "The thumbnail is too large to make",
                "Ask for fewer pixels, or for another format or quality; the detail has the numbers.",
            ),
            Self::InvalidOption => (
                "invalid-option",
                400,
                "An option is not valid",
                "Correct the option that `errors` names.",
            ),
            Self::InvalidIdempotencyKey => (
                "invalid-idempotency-key",
                400,
                "The Idempotency-Key is not valid",
                "Send a new UUID in double quotes for each upload that you mean.",
            ),
            Self::IdempotencyKeyReused => (
                "idempotency-key-reused",
                422,
                "The Idempotency-Key was used for another upload",
                "Send another upload with a key of its own.",
            ),
            Self::IdempotencyKeyInUse => (
                "idempotency-key-in-use",
                409,
                "An upload with this Idempotency-Key is on its way",
                "Send the request again after the seconds in Retry-After.",
            ),
            Self::ListingOff => (
                "listing-off",
                403,
                "Listing is switched off",
                "Keep the URLs that uploads answer with, or ask whoever runs the service to set LISTING.",
            ),
            Self::NotFound => (
                "not-found",
                404,
                "There is nothing here",
                "Use the URL that the upload answered with.",
            ),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                405,
                "The method is not allowed here",
                "Use one of the methods in the Allow header.",
            ),
            Self::NotAcceptable => (
                "not-acceptable",
                406,
                "Nothing acceptable is here",
                "Accept one of the forms that the detail names.",
            ),
            Self::NotReady => (
                "not-ready",
                409,
                "The thumbnail is not ready",
                "Ask again after the seconds in Retry-After.",
            ),
            Self::PreconditionFailed => (
                "precondition-failed",
                412,
                "What is there is not what the request goes by",
                "Read it again without If-Match and If-Unmodified-Since.",
            ),
            Self::RangeNotSatisfiable => (
                "range-not-satisfiable",
                416,
                "The thumbnail has no such bytes",
                "Content-Range has its length: ask for bytes before that.",
            ),
            Self::NotFailed => (
                "not-failed",
                409,
                "The job has not failed",
                "Read its status: it is done, or still at work.",
            ),
            Self::NothingToTell => (
                "nothing-to-tell",
                409,
                "There is nothing to tell a webhook",
                "Upload with the option `webhook`; its receiver is told when the job has ended.",
            ),
            Self::TooEarly => (
                "too-early",
                429,
                "It is too early to try that again",
                "Wait for as many seconds as `Retry-After` says; the pauses grow each time.",
            ),
            Self::UsedUp => (
                "used-up",
                409,
                "The job was tried again as often as it may be",
                "Upload the picture once more, if something has changed about it.",
            ),
            Self::NotDone => (
                "not-done",
                409,
                "The job is not done",
                "Upload the picture again.",
            ),
            Self::TooManyThumbnails => (
                "too-many-thumbnails",
                409,
                "The job has too many thumbnails",
                "Upload the picture again, with the sizes that you need.",
            ),
            Self::VariantsOff => (
                "variants-off",
                403,
                "No more thumbnails are made of a job that is done",
                "Ask for all sizes with the upload, or let VARIANTS_LATER allow it.",
            ),
            Self::BadSignature => (
                "bad-signature",
                403,
                "The signature is not valid",
                "Sign the job's id and the whole query, and send the query as it was signed.",
            ),
            Self::Gone => (
                "gone",
                410,
                "The thumbnail is gone",
                "Upload the picture again.",
            ),
            Self::Poison => (
                "poison",
                422,
                "The image could not be processed",
                "The picture stopped every attempt at it. Open and save it with a picture editor, then send it again.",
            ),
            Self::DeadLetter => (
                "dead-letter",
                422,
                "The job could not be delivered",
                "Upload the picture again.",
            ),
            Self::PlatformFault => (
                "platform-fault",
                422,
                "The platform failed too often",
                "Upload the picture again later.",
            ),
            Self::NeverProcessed => (
                "never-processed",
                422,
                "The job was never picked up",
                "Check that the origin Worker is deployed, then upload the picture again.",
            ),
            Self::SourceMissing => (
                "source-missing",
                422,
                "The uploaded file is missing",
                "Upload the picture again.",
            ),
            Self::Unavailable => (
                "unavailable",
                503,
                "The service is temporarily unavailable",
                "Send the request again after the seconds in Retry-After.",
            ),
            Self::Internal => (
                "internal",
                500,
                "The service has a fault",
                "Report it, with the request's time and URL.",
            ),
        }
    }
}
