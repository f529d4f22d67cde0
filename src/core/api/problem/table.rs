//! Every problem: one row each. The enum, the pages, the description in `OpenAPI` and `src/docs/errors.md` are made of them.
//!
//! The order is that of the documentation.

use super::kind::problems;

problems! {
    EmptyUpload {
        slug: "empty-upload",
        status: 400,
        title: "The upload is empty",
        when: "The upload has no bytes.",
        advice: "Send the bytes of an image.",
    }
    MissingFile {
        slug: "missing-file",
        status: 400,
        title: "The form has no file",
        when: "The form has no file.",
        advice: "Put the image into a field named `image` or `file`, with a file name.",
    }
    MalformedForm {
        slug: "malformed-form",
        status: 400,
        title: "The form is malformed",
        when: "The form breaks the rules of multipart.",
        advice: "Let your HTTP library build the multipart body; do not set its Content-Type by hand.",
    }
    MalformedJson {
        slug: "malformed-json",
        status: 400,
        title: "The JSON is malformed",
        when: "The JSON is no object, or has more than 64 KiB.",
        advice: "Send an object such as {\"source_url\": \"https://example.com/cat.jpg\", \"width\": 200}.",
    }
    FetchRefused {
        slug: "fetch-refused",
        status: 422,
        title: "There is no image at the address",
        when: "There is no image at `source_url`.",
        advice: "Open the address in a private window of your browser: it must show the image itself.",
    }
    FetchFailed {
        slug: "fetch-failed",
        status: 502,
        title: "The image could not be fetched",
        when: "The server of `source_url` does not answer as it should.",
        advice: "Send the request again later.",
    }
    BrokenUpload {
        slug: "broken-upload",
        status: 400,
        title: "The upload broke off",
        when: "The body broke off, or took longer than 10 minutes.",
        advice: "Send the request again.",
    }
    NotAnImage {
        slug: "not-an-image",
        status: 400,
        title: "The file is not an image",
        when: "The bytes are no image in a known format.",
        advice: "Send JPEG, PNG, GIF, WebP, BMP or TIFF. The format is told by the bytes, not by the name.",
    }
    DamagedImage {
        slug: "damaged-image",
        status: 422,
        title: "The image is damaged",
        when: "The image breaks the rules of its format.",
        advice: "Open and save it with an image editor, then send it again.",
    }
    TruncatedImage {
        slug: "truncated-image",
        status: 422,
        title: "The image ends early",
        when: "The image ends early.",
        advice: "Send the whole file.",
    }
    UnsupportedImage {
        slug: "unsupported-image",
        status: 415,
        title: "The image format is not supported",
        when: "A format or a feature that is not decoded: HEIC, AVIF, JPEG XL, SVG, …",
        advice: "Convert the image to JPEG, PNG or WebP and send that.",
    }
    UnsupportedMediaType {
        slug: "unsupported-media-type",
        status: 415,
        title: "The body is neither a form nor an image",
        when: "The body is neither a form nor an image.",
        advice: "Send multipart/form-data, or the bytes of an image as image/* or application/octet-stream.",
    }
    UnsupportedEncoding {
        slug: "unsupported-encoding",
        status: 415,
        title: "The body is compressed",
        when: "The body has a `Content-Encoding`.",
        advice: "Send it without Content-Encoding: images are compressed already.",
    }
    UploadTooLarge {
        slug: "upload-too-large",
        status: 413,
        title: "The upload is too large",
        when: "More bytes than `MAX_UPLOAD_BYTES`.",
        advice: "Send a smaller file; the detail says the limit.",
    }
    TooManyFiles {
        slug: "too-many-files",
        status: 413,
        title: "The form has too many files",
        when: "The form has more files than `MAX_FILES`.",
        advice: "Send them in several requests; the detail says the limit.",
    }
    ImageTooLarge {
        slug: "image-too-large",
        status: 422,
        title: "The image is too large to decode",
        when: "More pixels than allowed, or too much memory or work to decode them.",
        advice: "Send an image with fewer pixels; the detail has the numbers.",
    }
    ThumbnailTooLarge {
        slug: "thumbnail-too-large",
        status: 422,
        title: "The thumbnail is too large to make",
        when: "The thumbnail's file would be longer than allowed, or take too much memory.",
        advice: "Ask for fewer pixels, or for another format or quality; the detail has the numbers.",
    }
    InvalidOption {
        slug: "invalid-option",
        status: 400,
        title: "An option is not valid",
        when: "An option does not exist, comes twice, or has a value that it cannot have.",
        advice: "Correct the option that `errors` names.",
    }
    InvalidIdempotencyKey {
        slug: "invalid-idempotency-key",
        status: 400,
        title: "The Idempotency-Key is not valid",
        when: "The `Idempotency-Key` is empty, too long, or not printable.",
        advice: "Send a new UUID in double quotes for each upload that you mean.",
    }
    IdempotencyKeyReused {
        slug: "idempotency-key-reused",
        status: 422,
        title: "The Idempotency-Key was used for another upload",
        when: "The `Idempotency-Key` was already used for another upload.",
        advice: "Send another upload with a key of its own.",
    }
    IdempotencyKeyInUse {
        slug: "idempotency-key-in-use",
        status: 409,
        title: "An upload with this Idempotency-Key is on its way",
        when: "An upload with the same `Idempotency-Key` is still running.",
        advice: "Send the request again after the seconds in Retry-After.",
    }
    ListingOff {
        slug: "listing-off",
        status: 403,
        title: "Listing is switched off",
        when: "The service does not list jobs: `LISTING` is 0.",
        advice: "Keep the URLs that uploads answer with, or ask whoever runs the service to set LISTING.",
    }
    NotFound {
        slug: "not-found",
        status: 404,
        title: "There is nothing here",
        when: "No such job, thumbnail or page.",
        advice: "Use the URL that the upload answered with.",
    }
    MethodNotAllowed {
        slug: "method-not-allowed",
        status: 405,
        title: "The method is not allowed here",
        when: "The URL does not take the method; `Allow` lists those that it takes.",
        advice: "Use one of the methods in the Allow header.",
    }
    NotAcceptable {
        slug: "not-acceptable",
        status: 406,
        title: "Nothing acceptable is here",
        when: "None of the available types is one that `Accept` accepts.",
        advice: "Accept one of the forms that the detail names.",
    }
    NotReady {
        slug: "not-ready",
        status: 409,
        title: "The thumbnail is not ready",
        when: "The thumbnail does not exist yet, or the job cannot make another one yet.",
        advice: "Ask again after the seconds in Retry-After.",
    }
    PreconditionFailed {
        slug: "precondition-failed",
        status: 412,
        title: "What is there is not what the request goes by",
        when: "The thumbnail or the job does not match `If-Match` or `If-Unmodified-Since`.",
        advice: "Read it again without If-Match and If-Unmodified-Since.",
    }
    RangeNotSatisfiable {
        slug: "range-not-satisfiable",
        status: 416,
        title: "The thumbnail has no such bytes",
        when: "The range begins after the last byte; `Content-Range` has the length.",
        advice: "Content-Range has its length: ask for bytes before that.",
    }
    NotFailed {
        slug: "not-failed",
        status: 409,
        title: "The job has not failed",
        when: "Only a failed job can be tried again.",
        advice: "Read its status: it is done, or still at work.",
    }
    NothingToTell {
        slug: "nothing-to-tell",
        status: 409,
        title: "There is nothing to tell a webhook",
        when: "The job has no webhook, or nothing has happened yet.",
        advice: "Upload with the option `webhook`; its receiver is notified when the job has ended.",
    }
    TooEarly {
        slug: "too-early",
        status: 429,
        title: "It is too early to try that again",
        when: "The job was retried or notified too recently; `Retry-After` says when it can be again.",
        advice: "Wait as many seconds as `Retry-After` says; the pause grows each time.",
    }
    UsedUp {
        slug: "used-up",
        status: 409,
        title: "The job was tried again as often as it may be",
        when: "The job was retried or notified as often as it may be; the detail says how often.",
        advice: "Upload the image again if something about it has changed.",
    }
    NotDone {
        slug: "not-done",
        status: 409,
        title: "The job is not done",
        when: "The job has failed, so no other size can be made.",
        advice: "Upload the image again.",
    }
    TooManyThumbnails {
        slug: "too-many-thumbnails",
        status: 409,
        title: "The job has too many thumbnails",
        when: "The job has 64 thumbnails.",
        advice: "Upload the image again, with the sizes that you need.",
    }
    VariantsOff {
        slug: "variants-off",
        status: 403,
        title: "No more thumbnails are made of a job that is done",
        when: "`VARIANTS_LATER` is `off`.",
        advice: "Ask for all sizes with the upload, or set VARIANTS_LATER to allow it.",
    }
    BadSignature {
        slug: "bad-signature",
        status: 403,
        title: "The signature is not valid",
        when: "The request is not signed, or was changed after it was signed.",
        advice: "Sign the job's id and the whole query, and send the query as it was signed.",
    }
    Gone {
        slug: "gone",
        status: 410,
        title: "The thumbnail is gone",
        when: "The thumbnail was deleted, canceled or has expired, or the upload is no longer stored.",
        advice: "Upload the image again.",
    }
    Poison {
        slug: "poison",
        status: 422,
        title: "The image could not be processed",
        when: "No attempt at the image ever came back.",
        advice: "The image stopped every attempt at it. Open and save it with an image editor, then send it again.",
    }
    DeadLetter {
        slug: "dead-letter",
        status: 422,
        title: "The job could not be delivered",
        when: "The queue gave up on the job's message.",
        advice: "Upload the image again.",
    }
    PlatformFault {
        slug: "platform-fault",
        status: 422,
        title: "The platform failed too often",
        when: "The platform failed at each attempt.",
        advice: "Upload the image again later.",
    }
    NeverProcessed {
        slug: "never-processed",
        status: 422,
        title: "The job was never picked up",
        when: "No consumer took the job.",
        advice: "Check that the origin Worker is deployed, then upload the image again.",
    }
    SourceMissing {
        slug: "source-missing",
        status: 422,
        title: "The uploaded file is missing",
        when: "The uploaded bytes are no longer stored.",
        advice: "Upload the image again.",
    }
    Unavailable {
        slug: "unavailable",
        status: 503,
        title: "The service is temporarily unavailable",
        when: "Storage did not answer, the queue is overloaded, or more uploads arrive at once than there is memory for.",
        advice: "Send the request again after the seconds in Retry-After.",
    }
    Internal {
        slug: "internal",
        status: 500,
        title: "The service has a fault",
        when: "A fault of the service.",
        advice: "Report it, with the request's time and URL.",
    }
}
