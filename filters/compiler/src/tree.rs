//! The shape of a program: where a call number is looked for.
//!
//! The program is a tree over call numbers. Its leaves are runs of numbers with one decision: an answer, or the cases
//! of one call one after another. Start-up pays for every instruction, because the kernel translates the program when
//! it is loaded, and for depth, because it then runs the program once per call number. So the plan is the one with the
//! fewest instructions and among these the flattest.

use crate::Action;
use crate::program::{
    AND, ARGUMENTS, Decision, Instruction, JUMP, JUMP_IF_EQUAL, JUMP_IF_GREATER_OR_EQUAL, Test, answer,
    jump_if, load,
};

/// The longest stretch of instructions that jumps to shared answers at its end: a comparison reaches 255 further.
const LONGEST_STRETCH: usize = 240;

/// Where a comparison goes.
#[derive(Clone, Copy)]
enum Target {
    /// So many instructions further.
    Skip(usize),
    /// To an answer at the end of the stretch.
    Answer(Action),
}

/// An instruction whose jumps may still lead to answers that have no place yet.
#[derive(Clone, Copy)]
enum Draft {
    Done(Instruction),
    Compare { code: u16, k: u32, yes: Target, no: Target },
}

/// Finds the run that holds the number in the accumulator. Every way ends with an answer, so nothing falls through.
pub(crate) fn tree(runs: &[(u32, Decision)]) -> Vec<Instruction> {
    let draft = Plan::of(runs).draft(0, runs.len());
    if draft.len() <= LONGEST_STRETCH {
        return close(&draft);
    }
    let (left, right) = runs.split_at(runs.len() / 2);
    let (pivot, left, right) = (right[0].0, tree(left), tree(right));
    // Only an unconditional jump reaches further than 255 instructions.
    let mut code = vec![
        jump_if(JUMP_IF_GREATER_OR_EQUAL, pivot, 0, 1),
        Instruction { code: JUMP, jt: 0, jf: 0, k: left.len() as u32 },
    ];
    code.extend(left);
    code.extend(right);
    code
}

/// Gives a stretch the answers that it jumps to, each once.
fn close(draft: &[Draft]) -> Vec<Instruction> {
    let mut answers: Vec<Action> = Vec::new();
    let mut place = |action| {
        let known = answers.iter().position(|answer| *answer == action);
        draft.len()
            + known.unwrap_or_else(|| {
                answers.push(action);
                answers.len() - 1
            })
    };
    let mut code: Vec<Instruction> = Vec::with_capacity(draft.len());
    for (at, instruction) in draft.iter().enumerate() {
        let mut distance = |target| match target {
            Target::Skip(distance) => short(distance),
            Target::Answer(action) => short(place(action) - at - 1),
        };
        code.push(match *instruction {
            Draft::Done(instruction) => instruction,
            Draft::Compare { code, k, yes, no } => jump_if(code, k, distance(yes), distance(no)),
        });
    }
    code.extend(answers.into_iter().map(answer));
    code
}

fn short(distance: usize) -> u8 {
    u8::try_from(distance).expect("a stretch is short enough for every comparison")
}

/// How a number is looked for among neighbouring runs.
#[derive(Clone, Copy)]
enum Shape {
    /// There is one run.
    Leaf,
    /// A comparison parts them before this run.
    Halves(usize),
    /// Single numbers are picked out, one comparison each; this is the answer for the others.
    Islands(Action),
}

/// What a shape costs: its comparisons, then how many of them are on the longest way. The leaves cost the same in all.
type Cost = (usize, usize);

/// More of them in a row would save instructions, and take longer on every call.
const MOST_ISLANDS: usize = 4;

/// The best shape for every stretch of runs.
struct Plan<'a> {
    runs: &'a [(u32, Decision)],
    /// By the first run and the one after the last.
    best: Vec<Vec<(Cost, Shape)>>,
}

impl<'a> Plan<'a> {
    fn of(runs: &'a [(u32, Decision)]) -> Self {
        let size = runs.len() + 1;
        let mut plan = Plan { runs, best: vec![vec![((0, 0), Shape::Leaf); size]; size] };
        for length in 2..size {
            for first in 0..size - length {
                plan.best[first][first + length] = plan.choose(first, first + length);
            }
        }
        plan
    }

    /// The best for a stretch whose parts are known.
    fn choose(&self, first: usize, end: usize) -> (Cost, Shape) {
        let halves = (first + 1..end).map(|middle| {
            let ((left, left_depth), (right, right_depth)) =
                (self.best[first][middle].0, self.best[middle][end].0);
            ((left + right + 1, left_depth.max(right_depth) + 1), Shape::Halves(middle))
        });
        let islands = self.runs[first..end].iter().take(2).filter_map(|(_, decision)| {
            let count = self.islands(first, end, decision)?;
            Some(((count, count), Shape::Islands(decision.otherwise)))
        });
        halves.chain(islands).min_by_key(|(cost, _)| *cost).expect("a stretch of two runs has halves")
    }

    /// How many runs of the stretch are not of the surrounding decision, if each is one number.
    fn islands(&self, first: usize, end: usize, sea: &Decision) -> Option<usize> {
        let mut islands = (first..end).filter(|run| self.runs[*run].1 != *sea);
        let count = islands.clone().take(MOST_ISLANDS + 1).count();
        let fits =
            sea.cases.is_empty() && count <= MOST_ISLANDS && islands.all(|run| self.is_one_number(run));
        fits.then_some(count)
    }

    /// The last run has no end.
    fn is_one_number(&self, run: usize) -> bool {
        self.runs.get(run + 1).is_some_and(|next| next.0 == self.runs[run].0 + 1)
    }

    fn draft(&self, first: usize, end: usize) -> Vec<Draft> {
        match self.best[first][end].1 {
            Shape::Leaf => leaf(&self.runs[first].1),
            Shape::Halves(middle) => self.halves(first, middle, end),
            Shape::Islands(sea) => self.picked(first, end, sea),
        }
    }

    fn halves(&self, first: usize, middle: usize, end: usize) -> Vec<Draft> {
        let mut code = Vec::new();
        let no = self.branch(first, middle, &mut code);
        let yes = self.branch(middle, end, &mut code);
        code.insert(0, Draft::Compare { code: JUMP_IF_GREATER_OR_EQUAL, k: self.runs[middle].0, yes, no });
        code
    }

    fn picked(&self, first: usize, end: usize, sea: Action) -> Vec<Draft> {
        let sea_decision = Decision::always(sea);
        let islands: Vec<usize> = (first..end).filter(|run| self.runs[*run].1 != sea_decision).collect();
        let mut leaves = Vec::new();
        let mut code: Vec<Draft> = Vec::new();
        for (behind, &run) in (0..islands.len()).rev().zip(&islands) {
            let yes = match self.branch(run, run + 1, &mut leaves) {
                Target::Skip(distance) => Target::Skip(behind + distance),
                target => target,
            };
            let no = if behind == 0 { Target::Answer(sea) } else { Target::Skip(0) };
            code.push(Draft::Compare { code: JUMP_IF_EQUAL, k: self.runs[run].0, yes, no });
        }
        code.extend(leaves);
        code
    }

    /// Where a comparison leads: a single answer needs no code of its own.
    fn branch(&self, first: usize, end: usize, code: &mut Vec<Draft>) -> Target {
        let decision = &self.runs[first].1;
        if end == first + 1 && decision.cases.is_empty() {
            return Target::Answer(decision.otherwise);
        }
        let target = Target::Skip(code.len());
        code.extend(self.draft(first, end));
        target
    }
}

/// The cases of a call, and the answer when none holds.
fn leaf(decision: &Decision) -> Vec<Draft> {
    let cases: Vec<_> = decision.cases.iter().map(|case| (case.tests.as_slice(), case.action)).collect();
    let mut code = alternatives(&cases);
    code.push(Draft::Done(answer(decision.otherwise)));
    code
}

/// One case after another, those with the same first test together. When none holds, it goes on behind the last.
fn alternatives(cases: &[(&[Test], Action)]) -> Vec<Draft> {
    let mut code = Vec::new();
    // The argument that the accumulator holds, if it is sure to be whole.
    let mut held = None;
    for group in cases.chunk_by(|one, other| one.0.first() == other.0.first()) {
        let Some(test) = group[0].0.first() else {
            code.push(Draft::Done(answer(group[0].1)));
            return code;
        };
        if held != Some(offset(test)) {
            code.push(Draft::Done(load(offset(test))));
        }
        if test.mask != u32::MAX {
            code.push(Draft::Done(Instruction { code: AND, jt: 0, jf: 0, k: test.mask }));
        }
        let further: Vec<_> = group.iter().map(|(tests, action)| (&tests[1..], *action)).collect();
        let (yes, inner) = match further[0] {
            ([], action) => (Target::Answer(action), Vec::new()),
            _ => (Target::Skip(0), alternatives(&further)),
        };
        held = (inner.is_empty() && test.mask == u32::MAX).then(|| offset(test));
        code.push(Draft::Compare { code: JUMP_IF_EQUAL, k: test.value, yes, no: Target::Skip(inner.len()) });
        code.extend(inner);
    }
    code
}

fn offset(test: &Test) -> u32 {
    ARGUMENTS + 8 * test.argument as u32 + if test.high { 4 } else { 0 }
}
