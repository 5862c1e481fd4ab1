//! Kinds of messages: a table each, with a name to print and a summary.

macro_rules! kinds {
    ($(#[$doc:meta])* $kind:ident: $($variant:ident = $name:literal, $text:literal;)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $kind { $(#[doc = $text] $variant,)* }

        impl $kind {
            /// Every kind, in the order in which they are documented.
            pub const ALL: &'static [$kind] = &[$($kind::$variant,)*];

            /// The kind as printed.
            pub fn name(self) -> &'static str {
                match self { $($kind::$variant => concat!("semel::design::", $name),)* }
            }

            /// What the kind means, in one line.
            pub fn summary(self) -> &'static str {
                match self { $($kind::$variant => $text,)* }
            }
        }

        impl std::fmt::Display for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

pub(super) use kinds;
