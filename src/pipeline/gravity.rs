//! Which part of an image stays where not all of it fits.

use std::fmt;
use std::str::FromStr;

use super::options::OptionsError;

/// What to keep of an image that is cropped, or where to put one that is padded.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Gravity {
    /// The middle.
    #[default]
    Center,
    /// The middle of the upper edge.
    North,
    /// The upper right corner.
    Northeast,
    /// The middle of the right edge.
    East,
    /// The lower right corner.
    Southeast,
    /// The middle of the lower edge.
    South,
    /// The lower left corner.
    Southwest,
    /// The middle of the left edge.
    West,
    /// The upper left corner.
    Northwest,
    /// A point of the image as shown, which comes as near to the middle as the image reaches.
    Focus {
        /// From the left edge (0) to the right one (1).
        x: f64,
        /// From the upper edge (0) to the lower one (1).
        y: f64,
    },
    /// The part with the most detail, by the entropy of its brightness.
    Entropy,
    /// The part that draws the eye: edges, saturated colors, skin.
    Attention,
}

/// The names of all that have one, in the order that messages list them.
const NAMES: [(&str, Gravity); 11] = [
    ("center", Gravity::Center),
    ("north", Gravity::North),
    ("northeast", Gravity::Northeast),
    ("east", Gravity::East),
    ("southeast", Gravity::Southeast),
    ("south", Gravity::South),
    ("southwest", Gravity::Southwest),
    ("west", Gravity::West),
    ("northwest", Gravity::Northwest),
    ("entropy", Gravity::Entropy),
    ("attention", Gravity::Attention),
];

impl Gravity {
    /// Where the kept part begins on one axis, as a share of what is left over: 0, ½ or 1.
    ///
    /// The parts that are found by looking at pixels answer with the middle, which is their fallback.
    const fn shares(self) -> (f64, f64) {
        match self {
            Self::Center | Self::Entropy | Self::Attention | Self::Focus { .. } => (0.5, 0.5),
            Self::North => (0.5, 0.0),
            Self::Northeast => (1.0, 0.0),
            Self::East => (1.0, 0.5),
            Self::Southeast => (1.0, 1.0),
            Self::South => (0.5, 1.0),
            Self::Southwest => (0.0, 1.0),
            Self::West => (0.0, 0.5),
            Self::Northwest => (0.0, 0.0),
        }
    }

    /// The upper left corner of a part of `part` that is kept of `whole`.
    pub fn crop_offset(self, whole: (f64, f64), part: (f64, f64)) -> (f64, f64) {
        let room = ((whole.0 - part.0).max(0.0), (whole.1 - part.1).max(0.0));
        if let Self::Focus { x, y } = self {
            return (
                (x * whole.0 - part.0 / 2.0).clamp(0.0, room.0),
                (y * whole.1 - part.1 / 2.0).clamp(0.0, room.1),
            );
        }
        let (x, y) = self.shares();
        (room.0 * x, room.1 * y)
    }

    /// The upper left corner of an image of `inner` that is put on a canvas of `outer`.
    ///
    /// A focus point does not move an image of which everything is kept.
    pub fn pad_offset(self, outer: (u32, u32), inner: (u32, u32)) -> (u32, u32) {
        let (x, y) = self.shares();
        let place = |outer: u32, inner: u32, share: f64| {
            let room = outer.saturating_sub(inner);
            if share >= 1.0 {
                room
            } else if share > 0.0 {
                room / 2
            } else {
                0
            }
        };
        (place(outer.0, inner.0, x), place(outer.1, inner.1, y))
    }

    /// Whether the part is found by looking at the pixels.
    pub const fn looks_at_pixels(self) -> bool {
        matches!(self, Self::Entropy | Self::Attention)
    }
}

impl FromStr for Gravity {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.to_ascii_lowercase();
        // British spelling is taken too.
        let name = if name == "centre" { "center" } else { &name };
        if let Some((_, gravity)) = NAMES.iter().find(|(known, _)| *known == name) {
            return Ok(*gravity);
        }
        let point = name.split_once(',').and_then(|(x, y)| {
            let share = |text: &str| {
                let value = text.trim().parse::<f64>().ok()?;
                (0.0..=1.0).contains(&value).then_some(value)
            };
            Some(Self::Focus {
                x: share(x)?,
                y: share(y)?,
            })
        });
        point.ok_or_else(|| OptionsError::Gravity { given: text.into() })
    }
}

impl fmt::Display for Gravity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Focus { x, y } = self {
            return write!(f, "{x},{y}");
        }
        let name = NAMES.iter().find(|(_, gravity)| gravity == self);
        f.write_str(name.map_or("center", |(name, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_points_survive_a_round_trip() {
        for (name, gravity) in NAMES {
            assert_eq!(name.parse::<Gravity>().as_ref(), Ok(&gravity));
            assert_eq!(gravity.to_string(), name);
        }
        let point = Gravity::Focus { x: 0.3, y: 1.0 };
        assert_eq!("0.3, 1".parse::<Gravity>(), Ok(point));
        assert_eq!(point.to_string().parse::<Gravity>(), Ok(point));
        assert_eq!("Centre".parse::<Gravity>(), Ok(Gravity::Center));
        for wrong in ["", "up", "0.3", "0.3,1.1", "-0.1,0", "nan,0", "0,0,0"] {
            assert!(wrong.parse::<Gravity>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_focus_point_comes_as_near_to_the_middle_as_it_can() {
        let focus = Gravity::Focus { x: 0.5, y: 0.9 };
        assert_eq!(
            focus.crop_offset((100.0, 200.0), (100.0, 100.0)),
            (0.0, 100.0)
        );
        let focus = Gravity::Focus { x: 0.0, y: 0.4 };
        assert_eq!(
            focus.crop_offset((100.0, 200.0), (100.0, 100.0)),
            (0.0, 30.0)
        );
    }
}
