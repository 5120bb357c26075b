//! Stages and what they start from.

use std::ops::Range;
use std::rc::Rc;

use dockeropt_syntax::Instruction;

use crate::facts::Facts;
use crate::state::State;
use crate::value::Value;

/// A FROM and what follows, up to the next FROM.
#[derive(Debug)]
pub struct Stage {
    /// The name given by AS.
    pub name: Option<String>,
    /// What it starts from.
    pub base: Base,
    /// The item of its FROM.
    pub item: usize,
    /// Its steps, the FROM first.
    pub steps: Range<usize>,
    /// The stages that copy from it or mount it; a stage may occur more than once.
    pub readers: Vec<usize>,
    /// The stages that start from it.
    pub children: Vec<usize>,
    /// Whether its layers are part of the image that a plain build makes.
    pub in_image: bool,
    /// The state at its end.
    pub end: Rc<State>,
}

/// What a stage starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// Nothing.
    Scratch,
    /// An earlier stage.
    Stage(usize),
    /// An image.
    Image {
        /// The reference; symbolic if a build argument decides it.
        reference: Value,
        /// The reference with the defaults of all build arguments, if they all have one.
        by_default: Option<String>,
        /// `--platform`, as written.
        platform: Option<String>,
    },
}

impl Stage {
    pub(crate) fn open(
        instruction: &Instruction<'_>,
        item: usize,
        globals: &State,
        before: &Facts<'_>,
    ) -> Self {
        let words = instruction.operation.words(&instruction.logical, globals.escape);
        let name = words.get(2).map(|word| word.text.to_ascii_lowercase());
        let written = words.first().map_or("", |word| word.text.as_str());
        let reference = globals.expand(written);
        let by_default = globals.expand_defaults(written);
        let named = |text: &str| before.last_named(text, before.stages.len());
        let base = match by_default.as_deref().and_then(named) {
            Some(parent) => Base::Stage(parent),
            None if reference.text() == Some("scratch") => Base::Scratch,
            None => {
                let platform = instruction.operation.flag("platform").map(str::to_owned);
                Base::Image { reference, by_default, platform }
            }
        };
        Self {
            name,
            base,
            item,
            steps: 0..0,
            readers: Vec::new(),
            children: Vec::new(),
            in_image: false,
            end: Rc::new(globals.clone()),
        }
    }
}
