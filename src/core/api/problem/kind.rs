//! What a row of the table of problems is, and the macro that makes the enum of them.

use super::ProblemKind;

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemRow {
    /// The last part of the problem's `type`.
    pub slug: &'static str,
    /// The HTTP status, unless the situation has another.
    pub status: u16,
    /// A short sentence for people.
    pub title: &'static str,
    /// When it happens, in one sentence.
    pub when: &'static str,
    /// What the client can do.
    pub advice: &'static str,
}

/// Makes the enum of problems from their rows: a row without one of its parts does not compile.
macro_rules! problems {
    ($($kind:ident { slug: $slug:literal, status: $status:literal, title: $title:literal, when: $when:literal, advice: $advice:literal, })+) => {
        /// A kind of problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum ProblemKind {
            $(#[doc = $when] $kind,)+
        }

        impl ProblemKind {
            /// Every kind, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// Its row of the table.
            pub const fn row(self) -> super::kind::ProblemRow {
                match self {
                    $(Self::$kind => super::kind::ProblemRow {
                        slug: $slug,
                        status: $status,
                        title: $title,
                        when: $when,
                        advice: $advice,
                    },)+
                }
            }
        }
    };
}

pub(super) use problems;

impl ProblemKind {
    /// The last part of the problem's `type`.
    pub const fn slug(self) -> &'static str {
        self.row().slug
    }

    /// The kind with this slug.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.slug() == slug)
    }

    /// The HTTP status.
    pub const fn status(self) -> u16 {
        self.row().status
    }

    /// A short sentence for people.
    pub const fn title(self) -> &'static str {
        self.row().title
    }

    /// What the client can do.
    pub const fn advice(self) -> &'static str {
        self.row().advice
    }
}
