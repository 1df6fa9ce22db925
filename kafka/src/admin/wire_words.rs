//! Enumerations that travel as one byte and have a word of Kafka's for each value.

/// A word that names none of the values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no {what}")]
pub struct UnknownWord {
    /// What was looked for, `ACL operation`.
    pub what: &'static str,
    /// The word as it was given.
    pub word: String,
}

/// As people write them: case and underscores do not matter (`transactionalId` is `TRANSACTIONAL_ID`).
pub(super) fn same_word(one: &str, other: &str) -> bool {
    let letters = |text: &str| {
        text.chars()
            .filter(|letter| *letter != '_')
            .map(|letter| letter.to_ascii_uppercase())
            .collect::<String>()
    };
    letters(one) == letters(other)
}

/// Defines such an enumeration. Values that a newer broker sends are kept, in `Other`.
macro_rules! wire_words {
    (
        $(#[$about:meta])*
        $name:ident, $what:literal:
        $($(#[$note:meta])* $value:ident = $code:literal $word:literal),* $(,)?
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$note])* $value,)*
            /// Newer than this build; holds the number on the wire.
            Other(i8),
        }

        impl $name {
            /// Every value that has a word.
            pub const ALL: &'static [Self] = &[$(Self::$value),*];

            pub(crate) fn from_wire(code: i8) -> Self {
                match code {
                    $($code => Self::$value,)*
                    other => Self::Other(other),
                }
            }

            pub(crate) fn to_wire(self) -> i8 {
                match self {
                    $(Self::$value => $code,)*
                    Self::Other(code) => code,
                }
            }
        }

        /// Kafka's word.
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $(Self::$value => f.write_str($word),)*
                    Self::Other(code) => write!(f, "UNKNOWN({code})"),
                }
            }
        }

        /// Reads Kafka's word; case and underscores do not matter.
        impl std::str::FromStr for $name {
            type Err = $crate::admin::wire_words::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|value| $crate::admin::wire_words::same_word(&value.to_string(), word))
                    .ok_or_else(|| $crate::admin::wire_words::UnknownWord {
                        what: $what,
                        word: word.to_owned(),
                    })
            }
        }
    };
}
pub(super) use wire_words;
