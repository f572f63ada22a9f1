//! What is wanted of the map for hand-overs, each by one compare-and-swap that is tried until it is so.
//!
//! A transaction that timed out may be executed at any later time, and none of these does harm then. An heir that its source
//! does not want any more is withdrawn when it is seen; one that was withdrawn is never named again; and what was given
//! away, or dropped, stays so.

use std::rc::Rc;

use whimbrel_engine::topology::HeirId;

use super::{Process, Question};
use crate::env::Env;
use crate::event::Input;
use crate::mutation::Mutation;
use crate::store::{Ask, Heir, Purpose, Swap, Told, View};

/// What is wanted of the map.
#[derive(Clone, Debug)]
pub enum Wish {
    /// That it names an heir.
    Appoint(Heir),
    /// That an heir owns its slots; a core has said so.
    Commit { core: usize },
    /// That it names an heir no more.
    Withdraw,
}

/// Something that is wanted of the map.
#[derive(Clone, Debug)]
pub struct Want {
    wish: Wish,
    /// Whether the store was asked, and has not answered.
    is_asked: bool,
}

impl Process {
    /// Wants something, in place of what was wanted of the same heir.
    pub(super) fn want(&mut self, id: HeirId, wish: Wish, env: &mut Env) {
        let is_asked = self.wants.get(&id).is_some_and(|want| want.is_asked);
        self.wants.insert(id, Want { wish, is_asked });
        if !is_asked {
            self.try_want(id, self.view.clone(), false, env);
        }
    }

    /// Tries what waits for another heir to go.
    pub(super) fn try_waiting(&mut self, env: &mut Env) {
        let waiting: Vec<HeirId> =
            self.wants.iter().filter(|(_, want)| !want.is_asked).map(|(id, _)| *id).collect();
        for id in waiting {
            self.try_want(id, self.view.clone(), false, env);
        }
    }

    /// What the store said; nothing if it said nothing in time.
    pub(super) fn want_told(&mut self, id: HeirId, told: Option<Told>, env: &mut Env) {
        let Some(want) = self.wants.get(&id) else { return };
        match told {
            Some(Told::Read(view) | Told::Swapped(view) | Told::Unswapped(view)) => {
                self.learn(view.clone(), env);
                self.wants.get_mut(&id).expect("it was just seen").is_asked = false;
                self.try_want(id, view, true, env);
            }
            Some(told) => unreachable!("what is wanted of the map is never answered by {told:?}"),
            None => {
                env.totals.unknown += 1;
                if let Wish::Commit { core } = want.wish
                    && env.has(Mutation::TakesWordBack)
                {
                    env.tell_core(core, self.life, Input::TakeBack(id));
                }
                self.ask_for(id, Ask::Read, env);
            }
        }
    }

    fn ask_for(&mut self, id: HeirId, ask: Ask, env: &mut Env) {
        if let Some(want) = self.wants.get_mut(&id) {
            want.is_asked = true;
        }
        self.ask(Question::Want(id), ask, env);
    }

    /// Asks for what is wanted by this view of the map, unless it is so, or can never be. `is_fresh`: nothing is newer than
    /// the view that was there when it was wanted.
    fn try_want(&mut self, id: HeirId, view: View, is_fresh: bool, env: &mut Env) {
        let Some(want) = self.wants.get(&id) else { return };
        let named = view.map.heirs.get(&id);
        let (map, purpose, registrations) = match (&want.wish, named) {
            (Wish::Appoint(heir), Some(_)) => {
                let core = heir.source;
                return self.appointed(core, id, Ok(view), env);
            }
            (Wish::Appoint(heir), None) => {
                let registrations = vec![
                    (self.index, Some(heir.source_incarnation)),
                    (env.scenario.process_of(heir.target), Some(heir.target_incarnation)),
                ];
                let is_same = |(process, created): &(usize, Option<u64>)| {
                    view.registrations.get(process).copied() == *created
                };
                let refused = match () {
                    () if !view.map.owns_all(heir.source, &heir.slots) => {
                        Some("the slots have changed hands")
                    }
                    () if !is_same(&registrations[0]) => Some("the source's registration has run out"),
                    () if !is_same(&registrations[1]) => Some("the target's process is not what it was"),
                    () => None,
                };
                if let Some(reason) = refused {
                    let core = heir.source;
                    return match is_fresh {
                        true => self.appointed(core, id, Err(reason.to_owned()), env),
                        false => self.ask_for(id, Ask::Read, env),
                    };
                }
                if heir.slots.iter().any(|slot| view.map.heir_of(*slot).is_some()) {
                    // It will be withdrawn, or the slots become its own.
                    return;
                }
                (view.map.with_heir(id, heir.clone()), Purpose::Appoint(id), registrations)
            }
            (Wish::Commit { .. }, Some(heir)) => {
                (view.map.with(&heir.slots, heir.target), Purpose::Commit(id), Vec::new())
            }
            (Wish::Withdraw, Some(_)) => (view.map.without_heir(id), Purpose::Withdraw(id), Vec::new()),
            (Wish::Commit { .. } | Wish::Withdraw, None) if is_fresh => {
                self.wants.remove(&id);
                return;
            }
            (Wish::Commit { .. } | Wish::Withdraw, None) => return self.ask_for(id, Ask::Read, env),
        };
        let expected = view.revision;
        let slots = named.map(|heir| heir.slots.clone()).unwrap_or_default();
        env.tell(&slots, || format!("process {} asks for {purpose:?} at {expected}", self.index));
        self.ask_for(id, Ask::Swap(Swap { expected, registrations, map, purpose }), env);
    }

    fn appointed(&mut self, core: usize, heir: HeirId, view: Result<View, String>, env: &mut Env) {
        self.wants.remove(&heir);
        let map = view.map(|view| Rc::clone(&view.map));
        env.tell_core(core, self.life, Input::Appointed { heir, map });
    }
}
