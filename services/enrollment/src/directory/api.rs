//! gRPC in: sessions, schools, accounts.

use std::{pin::Pin, sync::Arc};

use futures_util::Stream;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use xuezhu_domain::region;
use xuezhu_proto::enrollment::{self as pb, account, directory_service_server::DirectoryService, session_service_server::SessionService};
use xuezhu_service::{
    Actor, Context, Error, FieldErrors, Permission, Place, Refusal, Role,
    clock::rfc3339,
    paging,
    runner::Call,
    sessions,
    sessions::{Over, Used},
    token::SESSION_SECONDS,
};
use xuezhu_store::Tx;

use super::{
    NewAccount, confirmation, factor,
    log_in::{self, Given, LogIn, Tried, wrong_password},
    rules,
    schools::api as schools,
    store,
    store::AccountRow,
};
use crate::Parts;

/// Longest name of a school or a person, in characters.
pub(super) const NAME_CHARACTERS: usize = 60;
/// Passwords that are made at once: each takes 19 MiB, and a core for a while.
pub(super) const HASHED_AT_ONCE: usize = 4;
static HASHING: Semaphore = Semaphore::const_new(HASHED_AT_ONCE);

/// Does something about the password of somebody who is let in, on a thread of its own, a few at a time.
async fn at_a_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let turn = HASHING.acquire().await.map_err(|error| Error::Internal(error.to_string()))?;
    // The turn goes with the work: whoever hangs up does not end it.
    let in_turn = move || {
        let _turn = turn;
        work()
    };
    tokio::task::spawn_blocking(in_turn).await.map_err(|error| Error::Internal(error.to_string()))
}

/// Refuses what can't be an account before it stands in the audit: it may be a number, or a password in the wrong box.
fn known_name(account: &str) -> Result<(), Error> {
    rules::check_account_name(account).map_err(|why| Refusal::field("account", why).into())
}

/// The session and directory services.
#[derive(Clone)]
pub struct DirectoryApi {
    /// What the use cases need.
    pub parts: Arc<Parts>,
    /// Ends what streams.
    pub stop: CancellationToken,
}

impl DirectoryApi {
    pub(super) fn session(&self, actor: &Actor) -> Result<(String, String), Error> {
        let (token, expires) = self.parts.gate.tokens().issue(actor, SESSION_SECONDS)?;
        Ok((token, rfc3339(expires * 1_000_000)))
    }

    pub(super) async fn hashed(password: String) -> Result<String, Error> {
        at_a_time(move || super::hash_password(&password)).await?
    }

    /// An account, if it is there, and whether it logged in from an address before.
    pub(super) async fn account(&self, account: &str, address: &str) -> Result<(Option<AccountRow>, bool), Error> {
        let mut tx = self.parts.runner.db().read().await?;
        let row = store::account(&mut tx, account).await?;
        let is_known = row.is_some() && store::is_known_from(&mut tx, account, address).await?;
        tx.rollback().await?;
        Ok((row, is_known))
    }

    /// Compares a password with that of an account, as slowly where there is none, and counts a wrong one, or a wrong code; who gave the right
    /// ones is let in, if the account is open.
    pub(super) async fn try_password(&self, ctx: &Context, tried: Tried<'_>, given: Given) -> Result<Actor, Error> {
        let clock = self.parts.runner.clock();
        let Tried { account, row, is_known, password, code } = tried;
        let trying = self.parts.log_ins.turn(account, &ctx.address, is_known, clock).await?;
        let hash = row.map(|row| row.password_hash.clone());
        let compare = move || {
            let fitted = if super::password_fits(&password, hash.as_deref()) { hash } else { None };
            (trying, fitted)
        };
        // The turn goes with the work: whoever hangs up does not end it.
        let (trying, fitted) = tokio::task::spawn_blocking(compare).await.map_err(|error| Error::Internal(error.to_string()))?;
        let settled = match fitted {
            None => LogIn::Wrong,
            Some(fitted) => {
                let asked = (self.parts.clone(), ctx.clone(), [account.to_owned(), fitted, code], given);
                let db = self.parts.runner.db();
                db.write(&asked, |tx, (parts, ctx, [account, fitted, code], given)| {
                    Box::pin(log_in::settle((&parts.runner, &parts.keyring, &parts.safeguards), ctx, tx, (account, fitted, code), *given))
                })
                .await?
            }
        };
        match settled {
            LogIn::Done(actor, beyond) => {
                trying.ended(false, clock);
                let over = beyond.into_iter().map(|opened_us| Over::One { account: actor.account.clone(), opened_us });
                let over: Vec<Over> = over.collect();
                if !over.is_empty() {
                    self.parts.gate.sessions().note(over);
                }
                Ok(actor)
            }
            LogIn::Wrong => Err(trying.ended(true, clock).unwrap_or_else(wrong_password).into()),
            LogIn::WrongCode => Err(trying.ended(true, clock).unwrap_or_else(factor::wrong_code).into()),
            // Neither right nor wrong: what was tried before is not forgotten.
            LogIn::Refused(refusal) => Err(refusal.into()),
        }
    }

    /// Refuses a new password that the account had lately.
    async fn not_used_lately(&self, row: &AccountRow, password: &str) -> Result<(), Error> {
        let mut tx = self.parts.runner.db().read().await?;
        let former = store::former(&mut tx, &row.account).await?;
        tx.rollback().await?;
        let password = password.to_owned();
        if at_a_time(move || former.iter().any(|hash| super::password_fits(&password, Some(hash)))).await? {
            return Err(rules::weak("新密码不能与最近5次用过的密码相同").into());
        }
        Ok(())
    }

    /// Whether a change of password was made already, under this request id, and only its answer was not heard.
    async fn already_changed(ctx: &Context, row: &AccountRow, new_password: &str) -> Result<bool, Error> {
        if ctx.request_id.is_empty() || row.password_request != ctx.request_id {
            return Ok(false);
        }
        let (hash, password) = (row.password_hash.clone(), new_password.to_owned());
        at_a_time(move || super::password_fits(&password, Some(&hash))).await
    }

    pub(super) fn one_time_password(ctx: &Context) -> String {
        let mut random = [0; rules::ONE_TIME_CHARACTERS];
        ctx.ids().fill(&mut random);
        rules::one_time_password(&random)
    }
}

#[tonic::async_trait]
impl SessionService for DirectoryApi {
    async fn create_session(&self, request: Request<pb::CreateSessionRequest>) -> Result<Response<pb::CreateSessionResponse>, Status> {
        let mut ctx = self.parts.gate.stranger(&request)?;
        let request = request.into_inner();
        let (row, is_known) = self.account(&request.account, &ctx.address).await?;
        // The audit names the account that was tried. What is none may be a number, or a password in the wrong box.
        if let Some(row) = &row {
            ctx.actor = row.actor(0)?;
            ctx.note_where(&row.organisation, &row.authority);
        }
        let tried = Tried { account: &request.account, row: row.as_ref(), is_known, password: request.password, code: request.code };
        let actor = match self.try_password(&ctx, tried, Given::ToLogIn).await {
            Ok(actor) => actor,
            Err(error) => return Err(self.parts.gate.refuse_log_in(&ctx, "CreateSession", error).await),
        };
        let (access_token, expire_time) = self.session(&actor)?;
        tracing::info!(account = actor.account, role = actor.role.as_str(), "session opened");
        Ok(Response::new(pb::CreateSessionResponse {
            access_token,
            expire_time,
            must_change_password: actor.must_change_password,
            must_set_second_factor: actor.must_set_factor,
            display_name: actor.display_name,
            role: actor.role.as_str().to_owned(),
            organisation: actor.organisation,
        }))
    }

    async fn change_password(&self, request: Request<pb::ChangePasswordRequest>) -> Result<Response<pb::ChangePasswordResponse>, Status> {
        const METHOD: &str = "ChangePassword";
        // The session may be over by the very change whose answer was not heard.
        let ctx = self.parts.gate.verify(&request, METHOD).await?;
        let request = request.into_inner();
        super::check_new_password(&ctx.actor.account, &request.old_password, &request.new_password)?;
        let row = self.account(&ctx.actor.account, "").await?.0.ok_or_else(sessions::over)?;
        if Self::already_changed(&ctx, &row, &request.new_password).await? {
            let tried = Tried { account: &row.account, row: Some(&row), is_known: true, password: request.new_password, code: String::new() };
            let actor = self.try_password(&ctx, tried, Given::ToHearAgain).await?;
            let (access_token, expire_time) = self.session(&actor)?;
            return Ok(Response::new(pb::ChangePasswordResponse { access_token, expire_time, must_change_password: false }));
        }
        if let Err(error) = self.parts.gate.sessions().check(&ctx.actor) {
            return Err(self.parts.gate.refuse(&ctx, METHOD, error).await);
        }
        let tried = Tried { account: &row.account, row: Some(&row), is_known: true, password: request.old_password, code: String::new() };
        if let Err(error) = self.try_password(&ctx, tried, Given::ToChange).await {
            return Err(self.parts.gate.refuse_log_in(&ctx, METHOD, error).await);
        }
        self.not_used_lately(&row, &request.new_password).await?;
        let hash = Self::hashed(request.new_password).await?;
        // The passwords are no part of what is remembered of the request; that it was made stands with the account.
        let call = Call::of_bytes(METHOD, row.account.clone(), &[]).secret();
        let mut unnamed = ctx.clone();
        unnamed.request_id.clear();
        let answer = self
            .parts
            .runner
            .mutate(&unnamed, call, &(self.clone(), hash, ctx.request_id), |ctx, tx, (api, hash, request_id)| {
                Box::pin(async move {
                    let actor = super::change_password(ctx, tx, &api.parts.safeguards, hash, request_id).await?;
                    let (access_token, expire_time) = api.session(&actor)?;
                    Ok(pb::ChangePasswordResponse { access_token, expire_time, must_change_password: false })
                })
            })
            .await?;
        super::sessions::refresh_now(&self.parts).await;
        Ok(answer)
    }

    async fn end_session(&self, request: Request<pb::EndSessionRequest>) -> Result<Response<pb::EndSessionResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "EndSession").await?;
        let call = Call::new("EndSession", ctx.actor.account.clone(), &request);
        let answer = self
            .parts
            .runner
            .mutate(&ctx, call, &(), |ctx, tx, ()| {
                Box::pin(async move {
                    super::end_session(ctx, tx).await?;
                    Ok(pb::EndSessionResponse {})
                })
            })
            .await?;
        super::sessions::refresh_now(&self.parts).await;
        Ok(answer)
    }

    async fn begin_second_factor(&self, request: Request<pb::BeginSecondFactorRequest>) -> Result<Response<pb::BeginSecondFactorResponse>, Status> {
        factor::api::begin(self, request).await
    }

    async fn confirm_second_factor(&self, request: Request<pb::ConfirmSecondFactorRequest>) -> Result<Response<pb::ConfirmSecondFactorResponse>, Status> {
        factor::api::confirm(self, request).await
    }

    async fn renew_recovery_codes(&self, request: Request<pb::RenewRecoveryCodesRequest>) -> Result<Response<pb::RenewRecoveryCodesResponse>, Status> {
        factor::api::renew(self, request).await
    }

    async fn get_second_factor(&self, request: Request<pb::GetSecondFactorRequest>) -> Result<Response<pb::GetSecondFactorResponse>, Status> {
        factor::api::get(self, request).await
    }

    type WatchSessionsStream = Pin<Box<dyn Stream<Item = Result<pb::WatchSessionsResponse, Status>> + Send>>;

    async fn watch_sessions(&self, request: Request<pb::WatchSessionsRequest>) -> Result<Response<Self::WatchSessionsStream>, Status> {
        let (ctx, _) = self.parts.gate.enter(request, "WatchSessions").await?;
        ctx.may(Permission::FollowSessions, &Place::Region(""))?;
        let (out, answers) = mpsc::channel(1);
        tokio::spawn(super::sessions::tell(self.parts.gate.sessions().clone(), self.parts.runner.clock().clone(), out, self.stop.clone()));
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn report_sessions(&self, request: Request<pb::ReportSessionsRequest>) -> Result<Response<pb::ReportSessionsResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "ReportSessions").await?;
        ctx.may(Permission::FollowSessions, &Place::Region(""))?;
        let used = request.used.into_iter().map(|used| Used { account: used.account, opened_us: used.opened_us });
        self.parts.gate.sessions().use_again(used);
        Ok(Response::new(pb::ReportSessionsResponse {}))
    }
}

#[tonic::async_trait]
impl DirectoryService for DirectoryApi {
    async fn create_school(&self, request: Request<pb::CreateSchoolRequest>) -> Result<Response<pb::CreateSchoolResponse>, Status> {
        schools::create(&self.parts, request).await
    }

    async fn get_school(&self, request: Request<pb::GetSchoolRequest>) -> Result<Response<pb::GetSchoolResponse>, Status> {
        schools::get(&self.parts, request).await
    }

    async fn list_schools(&self, request: Request<pb::ListSchoolsRequest>) -> Result<Response<pb::ListSchoolsResponse>, Status> {
        schools::list(&self.parts, request).await
    }

    async fn update_school(&self, request: Request<pb::UpdateSchoolRequest>) -> Result<Response<pb::UpdateSchoolResponse>, Status> {
        schools::update(&self.parts, request).await
    }

    async fn add_majors(&self, request: Request<pb::AddMajorsRequest>) -> Result<Response<pb::AddMajorsResponse>, Status> {
        schools::add_majors(&self.parts, request).await
    }

    async fn end_major(&self, request: Request<pb::EndMajorRequest>) -> Result<Response<pb::EndMajorResponse>, Status> {
        schools::end_major(&self.parts, request).await
    }

    async fn set_authority(&self, request: Request<pb::SetAuthorityRequest>) -> Result<Response<pb::SetAuthorityResponse>, Status> {
        schools::set_authority(&self.parts, request).await
    }

    async fn close_school(&self, request: Request<pb::CloseSchoolRequest>) -> Result<Response<pb::CloseSchoolResponse>, Status> {
        schools::close(&self.parts, request).await
    }

    async fn open_school(&self, request: Request<pb::OpenSchoolRequest>) -> Result<Response<pb::OpenSchoolResponse>, Status> {
        schools::open(&self.parts, request).await
    }

    async fn create_account(&self, request: Request<pb::CreateAccountRequest>) -> Result<Response<pb::CreateAccountResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "CreateAccount").await?;
        let password = Self::one_time_password(&ctx);
        let mut new = new_account(&request)?;
        new.password_hash = Self::hashed(password.clone()).await?;
        let call = Call::new("CreateAccount", new.account.clone(), &request).secret();
        self.parts
            .runner
            .mutate(&ctx, call, &(self.clone(), new, password), |ctx, tx, (api, new, password)| {
                Box::pin(async move {
                    super::create_account(ctx, tx, &api.parts.safeguards, new).await?;
                    Ok(pb::CreateAccountResponse { one_time_password: password.clone(), account: new.account.clone() })
                })
            })
            .await
    }

    async fn list_accounts(&self, request: Request<pb::ListAccountsRequest>) -> Result<Response<pb::ListAccountsResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "ListAccounts").await?;
        self.parts.runner.read(&ctx, "ListAccounts", &request, |ctx, tx, request| Box::pin(list_accounts(ctx, tx, request))).await
    }

    async fn reset_password(&self, request: Request<pb::ResetPasswordRequest>) -> Result<Response<pb::ResetPasswordResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "ResetPassword").await?;
        known_name(&request.account)?;
        let password = Self::one_time_password(&ctx);
        let hash = Self::hashed(password.clone()).await?;
        let call = Call::new("ResetPassword", request.account.clone(), &request).secret();
        let answer = self
            .parts
            .runner
            .mutate(&ctx, call, &(self.clone(), request.account.clone(), hash, password), |ctx, tx, (api, account, hash, password)| {
                Box::pin(async move {
                    super::reset_password(ctx, tx, &api.parts.safeguards, account, hash).await?;
                    Ok(pb::ResetPasswordResponse { one_time_password: password.clone() })
                })
            })
            .await?;
        self.parts.log_ins.forgive(&request.account);
        super::sessions::refresh_now(&self.parts).await;
        Ok(answer)
    }

    async fn reset_second_factor(&self, request: Request<pb::ResetSecondFactorRequest>) -> Result<Response<pb::ResetSecondFactorResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "ResetSecondFactor").await?;
        known_name(&request.account)?;
        let call = Call::new("ResetSecondFactor", request.account.clone(), &request);
        let answer = self
            .parts
            .runner
            .mutate(&ctx, call, &(self.clone(), request.account), |ctx, tx, (api, account)| {
                Box::pin(async move {
                    let row = factor::reset(ctx, tx, &api.parts.safeguards, account).await?;
                    Ok(pb::ResetSecondFactorResponse { account: Some(account_to_proto(row)) })
                })
            })
            .await?;
        super::sessions::refresh_now(&self.parts).await;
        Ok(answer)
    }

    async fn list_unconfirmed_accounts(
        &self,
        request: Request<pb::ListUnconfirmedAccountsRequest>,
    ) -> Result<Response<pb::ListUnconfirmedAccountsResponse>, Status> {
        confirmation::api::list(self, request).await
    }

    async fn confirm_accounts(&self, request: Request<pb::ConfirmAccountsRequest>) -> Result<Response<pb::ConfirmAccountsResponse>, Status> {
        confirmation::api::confirm(self, request).await
    }

    async fn disable_account(&self, request: Request<pb::DisableAccountRequest>) -> Result<Response<pb::DisableAccountResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "DisableAccount").await?;
        known_name(&request.account)?;
        let call = Call::new("DisableAccount", request.account.clone(), &request);
        let answer = self
            .parts
            .runner
            .mutate(&ctx, call, &request.account, |ctx, tx, account| {
                Box::pin(async move { Ok(pb::DisableAccountResponse { account: Some(account_to_proto(super::set_disabled(ctx, tx, account, true).await?)) }) })
            })
            .await?;
        super::sessions::refresh_now(&self.parts).await;
        Ok(answer)
    }

    async fn enable_account(&self, request: Request<pb::EnableAccountRequest>) -> Result<Response<pb::EnableAccountResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "EnableAccount").await?;
        known_name(&request.account)?;
        let call = Call::new("EnableAccount", request.account.clone(), &request);
        self.parts
            .runner
            .mutate(&ctx, call, &request.account, |ctx, tx, account| {
                Box::pin(async move { Ok(pb::EnableAccountResponse { account: Some(account_to_proto(super::set_disabled(ctx, tx, account, false).await?)) }) })
            })
            .await
    }

    async fn set_office(&self, request: Request<pb::SetOfficeRequest>) -> Result<Response<pb::SetOfficeResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "SetOffice").await?;
        let call = Call::new("SetOffice", request.region.clone(), &request);
        let mut errors = FieldErrors::default();
        let region = errors.parse::<xuezhu_domain::RegionCode>("region", &request.region);
        let telephone = rules::check_telephone(&request.telephone).map_err(|why| errors.add("telephone", why)).ok();
        errors.check()?;
        let (Some(region), Some(telephone)) = (region, telephone) else { return Err(Status::internal("unreachable")) };
        self.parts
            .runner
            .mutate(&ctx, call, &(region.to_string(), telephone), |ctx, tx, (region, telephone)| {
                Box::pin(async move { Ok(pb::SetOfficeResponse { contact: Some(super::offices::set(ctx, tx, region, telephone).await?) }) })
            })
            .await
    }

    async fn list_contacts(&self, request: Request<pb::ListContactsRequest>) -> Result<Response<pb::ListContactsResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "ListContacts").await?;
        self.parts
            .runner
            .read(&ctx, "ListContacts", &request.organisations, |ctx, tx, organisations| {
                Box::pin(async move { Ok(pb::ListContactsResponse { contacts: super::offices::contacts(ctx, tx, organisations).await? }) })
            })
            .await
    }

    async fn get_registry(&self, request: Request<pb::GetRegistryRequest>) -> Result<Response<pb::GetRegistryResponse>, Status> {
        self.parts.gate.enter(request, "GetRegistry").await?;
        Ok(Response::new(pb::GetRegistryResponse { registry: self.parts.registry.name().to_owned() }))
    }
}

async fn list_accounts(ctx: &Context, tx: &mut Tx, request: &pb::ListAccountsRequest) -> Result<pb::ListAccountsResponse, Error> {
    ctx.may(Permission::ManageDirectory, &Place::Region(&ctx.actor.organisation))?;
    let limit = paging::size(request.page_size)?;
    let query = paging::Query::of("ListAccounts", &pb::ListAccountsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
    let after: String = query.after(&request.page_token)?.unwrap_or_default();
    let filter = store::Filter {
        authority_prefix: region::prefix_or_all(&ctx.actor.organisation).to_owned(),
        organisation: request.organisation.clone(),
        pattern: super::schools::pattern(&request.query),
    };
    let rows = store::accounts_after(tx, &filter, &after, limit + 1).await?;
    let (rows, next_page_token) = page_of(rows, limit, |row| query.token(&row.account));
    let previous_page_token = match rows.first() {
        Some(first) => before_page(&store::accounts_before(tx, &filter, &first.account, limit + 1).await?, limit, query),
        None => String::new(),
    };
    let total_size = i32::try_from(store::count_accounts(tx, &filter).await?).unwrap_or(i32::MAX);
    Ok(pb::ListAccountsResponse { accounts: rows.into_iter().map(account_to_proto).collect(), next_page_token, previous_page_token, total_size })
}

/// The rows of a page of which one more was read, and where the next one begins.
pub(super) fn page_of<T>(mut rows: Vec<T>, limit: i64, token: impl Fn(&T) -> String) -> (Vec<T>, String) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(token).unwrap_or_default();
    (rows, next)
}

/// Where the page before begins: after the key that lies one more than a page before the first, if there is one, else at the beginning.
pub(super) fn before_page(before: &[String], limit: i64, query: paging::Query) -> String {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if before.is_empty() { String::new() } else { query.token(&before.get(limit).map_or("", String::as_str)) }
}

pub(super) fn account_to_proto(row: AccountRow) -> pb::Account {
    pb::Account {
        second_factor: row.factor.is_some(),
        unconfirmed_of: row.unconfirmed_of,
        school_name: row.school_name,
        role: account::Role::from_str_name(&row.role).unwrap_or_default().into(),
        doubt: if row.organisation.len() == 6 { region::doubt(&row.organisation).unwrap_or_default() } else { String::new() },
        account: row.account,
        display_name: row.display_name,
        organisation: row.organisation,
        disabled: row.disabled,
    }
}

/// The account that is asked for, or every field that is wrong.
pub(super) fn new_account(request: &pb::CreateAccountRequest) -> Result<NewAccount, Error> {
    let mut errors = FieldErrors::default();
    if let Err(why) = rules::check_account_name(&request.account) {
        errors.add("account", why);
    }
    let display_name = errors.text("display_name", &request.display_name, NAME_CHARACTERS).unwrap_or_default();
    let organisation = request.organisation.trim().to_owned();
    let role = Role::parse(request.role().as_str_name()).unwrap_or_else(|| {
        errors.add("role", "请选择角色");
        Role::MachineReader
    });
    check_organisation(&mut errors, role, &organisation);
    errors.check()?;
    Ok(NewAccount { account: request.account.clone(), display_name, role, organisation, password_hash: String::new(), unconfirmed_of: String::new() })
}

/// Of a school's people a school, else a region; whoever keeps, audits or reads everything may have none.
fn check_organisation(errors: &mut FieldErrors, role: Role, organisation: &str) {
    if role.is_of_school() {
        errors.parse::<xuezhu_domain::SchoolCode>("organisation", organisation);
    } else if !(organisation.is_empty() && matches!(role, Role::Administrator | Role::Auditor | Role::MachineReader)) {
        let region = errors.parse::<xuezhu_domain::RegionCode>("organisation", organisation);
        if region.is_some() && role == Role::Supervisor && !rules::is_supervised(organisation) {
            errors.add("organisation", "督导应填省或市的行政区划码（末两位为00）");
        }
    }
}
