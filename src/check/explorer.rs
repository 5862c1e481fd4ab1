//! Who explores: this process, or several together.

use crate::explore::{Exploration, Lost, Options, Peers, Progress, explore, explore_together};
use semel_models::cluster::Cluster;

/// What explores a model.
#[derive(Default)]
pub(crate) struct Explorer<'p> {
    peers: Option<&'p mut dyn Peers>,
}

impl<'p> Explorer<'p> {
    /// This process, together with `peers` where there are any.
    pub(crate) fn new(peers: Option<&'p mut dyn Peers>) -> Explorer<'p> {
        Explorer { peers }
    }

    pub(super) fn explore<'a>(
        &mut self,
        cluster: &'a Cluster,
        options: &Options,
        watch: &mut dyn FnMut(&Progress),
    ) -> Result<Exploration<'a, Cluster>, Lost> {
        match &mut self.peers {
            Some(peers) => explore_together(cluster, options, &mut **peers, watch),
            None => Ok(explore(cluster, options, watch)),
        }
    }
}
