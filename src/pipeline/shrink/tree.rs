//! Shrinks one plane for all thumbnails that share it.

use super::share::TreePlan;
use super::step::Step;
use super::{BoxRow, BoxShrink, ScatteredShrink};
use crate::decode::{ColorTable, Samples};

/// The first shrink of a plane, and the larger boxes that are made of its boxes.
///
/// `give` gets the averages of each row that is complete, and the node that it is of.
#[derive(Debug)]
pub struct Tree {
    first: First,
    branches: Vec<Branch>,
}

#[derive(Debug)]
enum First {
    InOrder(BoxShrink),
    Scattered(ScatteredShrink),
    /// Every row was given out.
    Done,
}

#[derive(Debug)]
struct Branch {
    node: usize,
    step: Step,
    branches: Vec<Branch>,
}

impl Tree {
    /// What `plan` says, for a plane of so many channels.
    pub fn new(plan: &TreePlan, channels: usize, is_scattered: bool) -> Self {
        let first = match plan.nodes.first() {
            None => First::Done,
            Some(node) if is_scattered => {
                First::Scattered(ScatteredShrink::new(channels, node.bins, plan.wanted(0)))
            }
            Some(node) => First::InOrder(BoxShrink::new(channels, node.bins, plan.wanted(0))),
        };
        Self {
            first,
            branches: branches(plan, 0, channels),
        }
    }

    /// Takes row `y` of the plane.
    pub fn row(&mut self, y: u32, samples: Samples<'_>, mut give: impl FnMut(usize, &[f32])) {
        let branches = &mut self.branches;
        match &mut self.first {
            First::InOrder(shrink) => shrink.row(y, samples, |row| {
                pass(0, branches, row, &mut give);
            }),
            First::Scattered(shrink) => shrink.pixels(y, 0, 1, samples),
            First::Done => {}
        }
    }

    /// The same with a row of indices of colors.
    pub fn indices(
        &mut self,
        y: u32,
        indices: &[u8],
        table: &ColorTable,
        mut give: impl FnMut(usize, &[f32]),
    ) {
        let branches = &mut self.branches;
        match &mut self.first {
            First::InOrder(shrink) => shrink.indices(y, indices, table, |row| {
                pass(0, branches, row, &mut give);
            }),
            First::Scattered(shrink) => shrink.indices(y, indices, table),
            First::Done => {}
        }
    }

    /// Takes the pixels of row `y` in the columns `x0`, `x0 + dx`, ….
    pub fn pixels(&mut self, y: u32, x0: u32, dx: u32, samples: Samples<'_>) {
        if let First::Scattered(shrink) = &mut self.first {
            shrink.pixels(y, x0, dx, samples);
        }
    }

    /// Forgets all pixels so far: they are as if they had been transparent.
    pub fn clear(&mut self) {
        if let First::Scattered(shrink) = &mut self.first {
            shrink.clear();
        }
    }

    /// Gives out one more of the rows that were held back; false when there are none.
    pub fn finish_row(&mut self, mut give: impl FnMut(usize, &[f32])) -> bool {
        let branches = &mut self.branches;
        let mut take = |row: BoxRow<'_>| pass(0, branches, row, &mut give);
        let more = match &mut self.first {
            First::InOrder(shrink) => {
                shrink.finish(take);
                false
            }
            First::Scattered(shrink) => shrink.next_row(&mut take),
            First::Done => return false,
        };
        if !more {
            self.first = First::Done;
        }
        more
    }
}

fn branches(plan: &TreePlan, parent: usize, channels: usize) -> Vec<Branch> {
    let children = plan.children(parent).filter_map(|index| {
        let node = plan.nodes.get(index)?;
        let is_averaged = plan.wanted(index).averages;
        Some(Branch {
            node: index,
            step: Step::new(channels, node.bins, node.times, is_averaged),
            branches: branches(plan, index, channels),
        })
    });
    children.collect()
}

/// Gives out a row of a node, and lets those that are made of it have it.
fn pass(
    node: usize,
    branches: &mut [Branch],
    row: BoxRow<'_>,
    give: &mut impl FnMut(usize, &[f32]),
) {
    if !row.averages.is_empty() {
        give(node, row.averages);
    }
    for branch in branches {
        let Branch {
            node,
            step,
            branches,
        } = branch;
        step.take(row, |row| pass(*node, branches, row, give));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resize::Axis;
    use crate::shrink::{Bins, Wanted, share};

    const WIDTH: u32 = 211;
    const HEIGHT: u32 = 173;

    fn axis(samples: u32, start: f64, length: f64, factor: u32) -> Axis {
        Axis {
            samples,
            start,
            length,
            out: 5,
            factor,
            grid: None,
        }
    }

    /// Of the whole and of parts, with factors that share much, little and nothing.
    fn axes() -> Vec<(Axis, Axis)> {
        let of = |(start, length), (x, y)| {
            let across = axis(WIDTH, start, length, x);
            (across, axis(HEIGHT, 0.0, HEIGHT.into(), y))
        };
        vec![
            of((0.0, 211.0), (4, 6)),
            of((103.5, 60.0), (5, 7)),
            of((0.0, 211.0), (8, 3)),
            of((20.0, 100.0), (17, 12)),
            of((20.0, 190.0), (40, 40)),
            of((0.0, 211.0), (17, 12)),
        ]
    }

    fn samples(channels: u8) -> Vec<Vec<u16>> {
        let mut seed = 7_u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            u16::try_from(seed >> 16).expect("16 bits")
        };
        let row = |_| {
            (0..WIDTH * u32::from(channels))
                .map(|_| next())
                .collect::<Vec<u16>>()
        };
        (0..HEIGHT).map(row).collect()
    }

    /// The averages of a node that are made right from the samples.
    fn direct(channels: u8, bins: (Bins, Bins), rows: &[Vec<u16>]) -> Vec<Vec<f32>> {
        let mut shrink = BoxShrink::new(channels.into(), bins, Wanted::AVERAGES);
        let mut out = Vec::new();
        let mut give = |row: BoxRow<'_>| out.push(row.averages.to_vec());
        for (y, row) in (0..).zip(rows) {
            // A decoder may leave out rows, even all of a box.
            if !(60..90).contains(&y) {
                shrink.row(y, Samples::U16(row), &mut give);
            }
        }
        shrink.finish(give);
        out
    }

    #[test]
    fn boxes_of_boxes_are_those_of_the_samples() {
        for channels in 1..=4 {
            let rows = samples(channels);
            let mut axes = axes();
            let plans = share(&mut axes, channels.into(), false);
            let [plan] = plans.as_slice() else {
                panic!("one tree for all")
            };
            assert!(plan.nodes.iter().any(|node| node.parent > 0), "{plan:?}");
            let mut tree = Tree::new(plan, channels.into(), false);
            let mut got = vec![Vec::new(); plan.nodes.len()];
            for (y, row) in (0..).zip(&rows) {
                if !(60..90).contains(&y) {
                    let give = |node: usize, row: &[f32]| got[node].push(row.to_vec());
                    tree.row(y, Samples::U16(row), give);
                }
            }
            while tree.finish_row(|node, row| got[node].push(row.to_vec())) {}
            for (node, got) in plan.nodes.iter().zip(got) {
                if !node.readers.is_empty() {
                    assert_eq!(got, direct(channels, node.bins, &rows), "{node:?}");
                }
            }
        }
    }

    #[test]
    fn everybody_reads_boxes_that_are_no_larger_than_their_own() {
        let own = axes();
        for is_scattered in [false, true] {
            let mut shared = axes();
            let plans = share(&mut shared, 3, is_scattered);
            for (reader, (x, y)) in shared.iter().enumerate() {
                let nodes = plans.iter().flat_map(|plan| &plan.nodes);
                let read: Vec<_> = nodes
                    .filter(|node| node.readers.contains(&reader))
                    .collect();
                let [node] = read.as_slice() else {
                    panic!("{reader} reads {read:?}")
                };
                for (axis, own, bins) in [
                    (x, own[reader].0, node.bins.0),
                    (y, own[reader].1, node.bins.1),
                ] {
                    assert!(axis.factor <= own.factor && 2 * axis.factor > own.factor);
                    assert_eq!(axis.factor, bins.factor);
                    let part = axis.bins();
                    assert!(bins.first <= part.first && part.end <= bins.end);
                    assert_eq!((part.first - bins.first) % bins.factor, 0);
                }
            }
        }
    }

    #[test]
    fn a_single_thumbnail_has_boxes_of_its_own() {
        for own in axes() {
            let mut shared = [own];
            let plans = share(&mut shared, 3, false);
            assert_eq!(plans[0].nodes.len(), 1);
            assert_eq!(plans[0].nodes[0].bins, (own.0.bins(), own.1.bins()));
            assert_eq!(shared[0].0.bins(), own.0.bins());
        }
    }

    #[test]
    fn pixels_in_any_order_share_boxes_where_that_saves_memory() {
        let whole = |x, y| {
            (
                axis(WIDTH, 0.0, WIDTH.into(), x),
                axis(HEIGHT, 0.0, HEIGHT.into(), y),
            )
        };
        let count = |mut axes: [(Axis, Axis); 2]| share(&mut axes, 3, true).len();
        assert_eq!(count([whole(4, 4), whole(8, 8)]), 1);
        assert_eq!(count([whole(1, 40), whole(40, 1)]), 2);
    }
}
