//! Which designs can be played on real files.

use semel_models::pipeline::Pipeline;

/// What of a design the lab's files cannot hold; `None`: it can be played.
pub fn not_played(pipeline: &Pipeline) -> Option<&'static str> {
    if pipeline.producer.is_transactional() {
        return Some("source = \"transaction\"");
    }
    None
}
