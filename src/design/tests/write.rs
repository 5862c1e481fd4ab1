//! Designs written from pipelines.
