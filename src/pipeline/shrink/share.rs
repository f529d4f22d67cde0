//! Decides which boxes a plane is shrunk to, so that thumbnails share what they can.

use super::{Bins, BoxShrink, ScatteredShrink, Step, Wanted};
use crate::resize::Axis;

/// How a plane is shrunk for some thumbnails: boxes, and larger ones made of them.
#[derive(Debug, Clone, PartialEq)]
pub struct TreePlan {
    /// The first one's boxes are made of samples, those of each other one of an earlier one's.
    pub nodes: Vec<Node>,
}

/// Boxes that some thumbnails are resampled from.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The boxes of both axes.
    pub bins: (Bins, Bins),
    /// Which node they are made of.
    pub parent: usize,
    /// How many boxes of that one become one, on each axis.
    pub times: (u32, u32),
    /// The thumbnails that are resampled from here, by their places in the plan.
    pub readers: Vec<usize>,
}

/// The samples of both axes that any thumbnail needs: from the first to one past the last.
type Grid = ((u32, u32), (u32, u32));

/// Plans the boxes of one plane for thumbnails that `axes` describe, and sets their factors and grids.
///
/// They share one first shrink. Where pixels come in any order, all of its boxes are held at once:
/// each thumbnail has its own there, if that takes less memory.
pub fn share(axes: &mut [(Axis, Axis)], channels: u64, is_scattered: bool) -> Vec<TreePlan> {
    let all: Vec<usize> = (0..axes.len()).collect();
    let mut shared = axes.to_vec();
    let together = vec![TreePlan::new(&mut shared, &all)];
    if is_scattered {
        let mut own = axes.to_vec();
        let apart = all.iter().map(|one| TreePlan::new(&mut own, &[*one]));
        let apart: Vec<_> = apart.collect();
        let bytes = |trees: &[TreePlan]| -> u64 {
            let each = trees.iter().map(|tree| tree.bytes(channels, true));
            each.sum()
        };
        if bytes(&apart) < bytes(&together) {
            axes.copy_from_slice(&own);
            return apart;
        }
    }
    axes.copy_from_slice(&shared);
    together
}

impl TreePlan {
    /// The boxes for the thumbnails `members`.
    ///
    /// The first boxes are the largest that suit all of them; a thumbnail that could do with larger
    /// ones gets the largest multiple, which leaves its resampling more samples than boxes of its own.
    fn new(axes: &mut [(Axis, Axis)], members: &[usize]) -> Self {
        let of = |axes: &[(Axis, Axis)]| -> Vec<(Axis, Axis)> {
            let members = members.iter().filter_map(|member| axes.get(*member));
            members.copied().collect()
        };
        let first = (
            least(of(axes).iter().map(|(x, _)| x.factor)),
            least(of(axes).iter().map(|(_, y)| y.factor)),
        );
        for member in members {
            if let Some((x, y)) = axes.get_mut(*member) {
                x.factor -= x.factor % first.0;
                y.factor -= y.factor % first.1;
            }
        }
        let grid = (
            union(of(axes).iter().map(|(x, _)| x.bins())),
            union(of(axes).iter().map(|(_, y)| y.bins())),
        );
        let mut plan = Self {
            nodes: vec![Node::of(grid, first)],
        };
        for member in members {
            if let Some((x, y)) = axes.get_mut(*member) {
                (x.grid, y.grid) = (Some(grid.0), Some(grid.1));
                plan.read(*member, grid, (x.factor, y.factor));
            }
        }
        plan.link();
        plan
    }

    /// Adds a reader of the boxes of these factors.
    fn read(&mut self, reader: usize, grid: Grid, factors: (u32, u32)) {
        let node = Node::of(grid, factors);
        let at = self.nodes.iter().position(|other| other.bins == node.bins);
        let at = at.unwrap_or_else(|| {
            self.nodes.push(node);
            self.nodes.len() - 1
        });
        if let Some(node) = self.nodes.get_mut(at) {
            node.readers.push(reader);
        }
    }

    /// Lets each node be made of the largest boxes that fit it.
    fn link(&mut self) {
        self.nodes.sort_by_key(Node::samples);
        for index in 1..self.nodes.len() {
            let (before, rest) = self.nodes.split_at_mut(index);
            let Some(node) = rest.first_mut() else { return };
            let found = before
                .iter()
                .rposition(|parent| node.times(parent).is_some());
            node.parent = found.unwrap_or(0);
            let times = before
                .get(node.parent)
                .and_then(|parent| node.times(parent));
            node.times = times.unwrap_or((1, 1));
        }
    }

    /// What is wanted of a node.
    pub fn wanted(&self, index: usize) -> Wanted {
        Wanted {
            averages: self
                .nodes
                .get(index)
                .is_some_and(|node| !node.readers.is_empty()),
            sums: self.children(index).next().is_some(),
        }
    }

    /// The nodes that are made of another.
    pub fn children(&self, parent: usize) -> impl Iterator<Item = usize> {
        let nodes = self.nodes.iter().enumerate().skip(1);
        nodes.filter_map(move |(index, node)| (node.parent == parent).then_some(index))
    }

    /// The bytes that the shrink of a plane holds.
    pub fn bytes(&self, channels: u64, is_scattered: bool) -> u64 {
        let nodes = self.nodes.iter().enumerate();
        let bytes = nodes.map(|(index, node)| {
            let (x, y) = node.bins;
            match index {
                0 if is_scattered => ScatteredShrink::bytes(channels, x, y),
                0 => BoxShrink::bytes(channels, x, self.wanted(0)),
                _ => Step::bytes(channels, x, self.wanted(index)),
            }
        });
        bytes.sum()
    }
}

impl Node {
    fn of(grid: Grid, factors: (u32, u32)) -> Self {
        let ((left, right), (top, bottom)) = grid;
        Self {
            bins: (
                Bins::new(left, right, factors.0),
                Bins::new(top, bottom, factors.1),
            ),
            parent: 0,
            times: (1, 1),
            readers: Vec::new(),
        }
    }

    /// Samples in a box.
    fn samples(&self) -> u64 {
        u64::from(self.bins.0.factor) * u64::from(self.bins.1.factor)
    }

    /// How many boxes of `parent` become one of these, if they do.
    fn times(&self, parent: &Self) -> Option<(u32, u32)> {
        let on = |from: Bins, to: Bins| {
            let whole = to.factor.is_multiple_of(from.factor);
            whole.then_some(to.factor / from.factor)
        };
        let x = on(parent.bins.0, self.bins.0)?;
        let y = on(parent.bins.1, self.bins.1)?;
        Some((x, y))
    }
}

fn least(factors: impl Iterator<Item = u32>) -> u32 {
    factors.min().unwrap_or(1).max(1)
}

/// From the first sample to one past the last.
fn union(bins: impl Iterator<Item = Bins>) -> (u32, u32) {
    let start = (u32::MAX, 0);
    bins.fold(start, |(first, end), bins| {
        (first.min(bins.first), end.max(bins.end))
    })
}
