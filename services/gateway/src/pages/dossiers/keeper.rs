//! Who keeps a dossier. Every service tells its dossiers in the same words; which one is asked is decided here and nowhere else.

use tonic::Status;
use xuezhu_proto::{
    aid,
    common::{Dossier, DossierChain, DossierItem, DossierKind, dossier, dossier_item},
    enrollment,
};

use super::super::{Desk, session::User};
use crate::takeouts::Asked as TakeOut;

/// The service that keeps a dossier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// 学籍.
    Enrollment,
    /// 资助.
    Aid,
}

/// Asks the keeper: the same request by name, to the client that it has, and of the answer the same. Another service that keeps dossiers
/// is one more line here, and one more in each of the small tables below.
macro_rules! ask {
    ($desk:ident, $keeper:ident, $wrap:ident($($id:expr)?), $call:ident, $request:ident { $($field:ident: $value:expr),* $(,)? }, $answer:ident => $told:expr) => {
        match $keeper {
            Keeper::Enrollment => {
                let $answer = $desk.enrollment_dossiers().$call($desk.$wrap($($id,)? enrollment::$request { $($field: $value),* })).await?.into_inner();
                $told
            }
            Keeper::Aid => {
                let $answer = $desk.aid_dossiers().$call($desk.$wrap($($id,)? aid::$request { $($field: $value),* })).await?.into_inner();
                $told
            }
        }
    };
}

/// What is done with a dossier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// 审签, with the digest that was read.
    Sign(String),
    /// 退回, with the reason; all that wait where nothing is named.
    SendBack(String, Vec<String>),
    /// 不予通过, the same.
    Refuse(String, Vec<String>),
    /// 撤回.
    Recall(String),
    /// 备案, with a remark.
    Note(String),
    /// 移交经办, to an account.
    HandOver(String),
    /// 催办.
    Nudge,
}

/// Which dossiers are looked for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Of this school; empty for all.
    pub school: String,
    /// Of this kind; empty for all.
    pub kind: String,
    /// In this state.
    pub state: dossier::State,
    /// With somebody of this name.
    pub name: String,
    /// With this item.
    pub item: String,
    /// About this.
    pub about: String,
    /// Which page.
    pub at: i32,
}

/// A page of dossiers.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The dossiers.
    pub dossiers: Vec<Dossier>,
    /// How many there are on all pages.
    pub total: i32,
    /// The kinds that this service keeps.
    pub kinds: Vec<DossierKind>,
}

/// A chain as it is to be set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewChain {
    /// Word of the kind.
    pub kind: String,
    /// For whom.
    pub scope: String,
    /// First day.
    pub from_date: String,
    /// The desks.
    pub steps: String,
    /// Why.
    pub reason: String,
}

impl Keeper {
    /// Every keeper.
    pub const ALL: [Self; 2] = [Self::Enrollment, Self::Aid];

    /// As links name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Enrollment => "enrollment",
            Self::Aid => "aid",
        }
    }

    /// Whether it knows the accounts that something may be handed to; else one takes over.
    pub fn knows_accounts(self) -> bool {
        self == Self::Enrollment
    }

    /// Whether somebody decides for a department what it keeps.
    pub fn is_decided_by(self, user: &User, authority: &str) -> bool {
        match self {
            Self::Enrollment => user.decides_enrollment_for(authority),
            Self::Aid => user.decides_aid_for(authority),
        }
    }

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enrollment => "学籍",
            Self::Aid => "资助",
        }
    }

    /// From a link.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|keeper| keeper.word() == word)
    }

    /// The page of a dossier.
    pub fn link(self, dossier: &str) -> String {
        format!("/dossiers/{}/{dossier}", self.word())
    }

    /// Dossiers, newest first.
    pub async fn list(self, desk: &Desk, asked: Asked, rows: i32) -> Result<Found, Status> {
        let Asked { school, kind, state, name, item, about, at } = asked;
        let (state, page_size, page_number) = (state.into(), rows, at.max(1));
        let page_token = String::new();
        Ok(ask!(
            desk,
            self,
            request(),
            list_dossiers,
            ListDossiersRequest {
                school: school,
                kind: kind,
                state: state,
                name: name,
                item: item,
                about: about,
                page_size: page_size,
                page_token: page_token,
                page_number: page_number,
            },
            answer => Found { dossiers: answer.dossiers, total: answer.total_size, kinds: answer.kinds }
        ))
    }

    /// The call that takes a school's dossiers out.
    pub fn taken_out(self, school: String, purpose: String, kind: String, state: dossier::State, name: String) -> TakeOut {
        let state = state.into();
        match self {
            Self::Enrollment => TakeOut::EnrollmentDossiers(enrollment::TakeOutDossiersRequest { school, purpose, kind, state, name }),
            Self::Aid => TakeOut::AidDossiers(aid::TakeOutDossiersRequest { school, purpose, kind, state, name }),
        }
    }

    /// One dossier, with its desks and its history.
    pub async fn one(self, desk: &Desk, dossier: &str) -> Result<Dossier, Status> {
        let dossier = dossier.to_owned();
        Ok(ask!(desk, self, request(), get_dossier, GetDossierRequest { dossier: dossier }, answer => answer.dossier.unwrap_or_default()))
    }

    /// A page of a sheet, and how many lines there are on all: in this state, of this class where one is named.
    pub async fn sheet(
        self,
        desk: &Desk,
        dossier: &str,
        (state, class_name): (dossier_item::State, &str),
        rows: i32,
        at: i32,
    ) -> Result<(Vec<DossierItem>, i32), Status> {
        let (dossier, class_name, state, page_token) = (dossier.to_owned(), class_name.to_owned(), state.into(), String::new());
        Ok(ask!(
            desk,
            self,
            request(),
            list_dossier_items,
            ListDossierItemsRequest {
                dossier: dossier,
                state: state,
                class_name: class_name,
                page_size: rows,
                page_token: page_token,
                page_number: at.max(1),
            },
            answer => (answer.items, answer.total_size)
        ))
    }

    /// Does something with a dossier.
    pub async fn act(self, desk: &Desk, id: &str, dossier: String, deed: Deed) -> Result<(), Status> {
        match deed {
            Deed::Sign(digest) => ask!(desk, self, change(id), sign_dossier, SignDossierRequest { dossier: dossier, digest: digest }, answer => drop(answer)),
            Deed::SendBack(reason, items) => {
                ask!(desk, self, change(id), send_back_dossier, SendBackDossierRequest { dossier: dossier, reason: reason, items: items }, answer => drop(answer));
            }
            Deed::Refuse(reason, items) => {
                ask!(desk, self, change(id), refuse_dossier, RefuseDossierRequest { dossier: dossier, reason: reason, items: items }, answer => drop(answer));
            }
            Deed::Recall(reason) => {
                ask!(desk, self, change(id), recall_dossier, RecallDossierRequest { dossier: dossier, reason: reason }, answer => drop(answer));
            }
            Deed::Note(remark) => ask!(desk, self, change(id), note_dossier, NoteDossierRequest { dossier: dossier, remark: remark }, answer => drop(answer)),
            Deed::HandOver(account) => {
                ask!(desk, self, change(id), hand_over_dossier, HandOverDossierRequest { dossier: dossier, account: account }, answer => drop(answer));
            }
            Deed::Nudge => ask!(desk, self, change(id), nudge_dossier, NudgeDossierRequest { dossier: dossier }, answer => drop(answer)),
        }
        Ok(())
    }

    /// Chains that were set, and the kinds with what holds where nothing was.
    pub async fn chains(self, desk: &Desk) -> Result<(Vec<DossierChain>, Vec<DossierKind>), Status> {
        Ok(ask!(desk, self, request(), list_chains, ListChainsRequest {}, answer => (answer.chains, answer.kinds)))
    }

    /// Sets chains, all or none; returns how many.
    pub async fn set_chains(self, desk: &Desk, id: &str, chains: Vec<NewChain>) -> Result<usize, Status> {
        match self {
            Self::Enrollment => {
                let chain = |NewChain { kind, scope, from_date, steps, reason }| enrollment::SetChainRequest { kind, scope, from_date, steps, reason };
                let asked = enrollment::SetChainsRequest { chains: chains.into_iter().map(chain).collect() };
                Ok(desk.enrollment_dossiers().set_chains(desk.change(id, asked)).await?.into_inner().chains.len())
            }
            Self::Aid => {
                let chain = |NewChain { kind, scope, from_date, steps, reason }| aid::SetChainRequest { kind, scope, from_date, steps, reason };
                let asked = aid::SetChainsRequest { chains: chains.into_iter().map(chain).collect() };
                Ok(desk.aid_dossiers().set_chains(desk.change(id, asked)).await?.into_inner().chains.len())
            }
        }
    }
}
