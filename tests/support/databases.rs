//! The databases that a test of the sink runs over.

/// Where a sink is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
}

impl Kind {
    /// How many cases are tried where SQLite tries this many: each costs PostgreSQL a schema.
    pub fn cases(self, sqlite: u32) -> u32 {
        match self {
            Kind::Sqlite => sqlite,
            #[cfg(feature = "postgres")]
            Kind::Postgres => sqlite / 3,
        }
    }
}

/// The PostgreSQL server to test with, unless none is named.
#[cfg(feature = "postgres")]
pub fn postgres() -> Option<String> {
    let url = std::env::var("SEMEL_POSTGRES_URL").ok();
    if url.is_none() {
        println!("skipped: SEMEL_POSTGRES_URL names no PostgreSQL server");
    }
    url
}

/// Each of these functions as a test over every database.
macro_rules! over_each_database {
    ($($claim:ident)*) => {
        mod sqlite {
            $(#[test] fn $claim() {
                super::$claim(crate::databases::Kind::Sqlite);
            })*
        }

        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[test] fn $claim() {
                if crate::databases::postgres().is_some() {
                    super::$claim(crate::databases::Kind::Postgres);
                }
            })*
        }
    };
}
pub(crate) use over_each_database;
