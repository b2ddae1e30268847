//! gRPC in: files of schools and of accounts, and the one-time passwords of those who came so.

use std::{sync::Arc, time::Duration};

use futures_util::future::try_join_all;
use tokio::time::Instant;
use tonic::{Request, Response, Status, Streaming};
use xuezhu_intake::{
    Kind, Piece, Pieces,
    archive::{self, Wanted},
    receive::Commit,
};
use xuezhu_proto::enrollment::{
    self as pb, account, directory_file_service_server::DirectoryFileService, import_accounts_request, import_schools_request,
    make_passwords_response::Password,
};
use xuezhu_service::{Context, paging, refusal, runner::Call};

use super::{Accounts, Schools, passwords};
use crate::{
    Parts,
    directory::{
        api::{DirectoryApi, HASHED_AT_ONCE},
        store::NewPassword,
    },
};

/// How long passwords are made in one call: over HTTP an answer is waited for five seconds, and one that nobody hears is lost.
const A_WHILE: Duration = Duration::from_secs(2);

/// The service of files.
#[derive(Debug, Clone)]
pub struct DirectoryFileApi(pub Arc<Parts>);

impl DirectoryFileApi {
    fn schools(&self, ctx: &Context) -> Schools {
        Schools { parts: self.0.clone(), region: ctx.actor.organisation.clone() }
    }

    fn accounts(&self, ctx: &Context) -> Accounts {
        Accounts { parts: self.0.clone(), region: ctx.actor.organisation.clone() }
    }

    /// Makes passwords for the first of those who wait, as many as a while allows, outside the transaction that sets them.
    async fn made(people: &[passwords::Person], ctx: &Context) -> Result<Vec<(NewPassword, Password)>, Status> {
        let (begun, mut made) = (Instant::now(), Vec::with_capacity(people.len()));
        for some in people.chunks(HASHED_AT_ONCE) {
            if !made.is_empty() && begun.elapsed() >= A_WHILE {
                break;
            }
            made.extend(try_join_all(some.iter().map(|person| one(person, ctx))).await?);
        }
        Ok(made)
    }
}

/// A password for somebody: how it is kept, and how it is told.
async fn one(person: &passwords::Person, ctx: &Context) -> Result<(NewPassword, Password), Status> {
    let (row, password) = (&person.row, DirectoryApi::one_time_password(ctx));
    let hash = DirectoryApi::hashed(password.clone()).await?;
    let new = NewPassword { account: row.account.clone(), hash, seen: row.password_hash.clone() };
    let told = Password {
        account: row.account.clone(),
        display_name: row.display_name.clone(),
        role: account::Role::from_str_name(&row.role).unwrap_or_default().into(),
        organisation: row.organisation.clone(),
        organisation_name: person.organisation_name.clone(),
        one_time_password: password,
    };
    Ok((new, told))
}

#[tonic::async_trait]
impl DirectoryFileService for DirectoryFileApi {
    async fn import_schools(&self, request: Request<Streaming<pb::ImportSchoolsRequest>>) -> Result<Response<pb::ImportSchoolsResponse>, Status> {
        let kind = self.schools(&self.0.gate.context(&request, Schools::ABOUT.import).await?);
        let piece = |message: pb::ImportSchoolsRequest| match message.part? {
            import_schools_request::Part::Upload(head) => Some(Piece::Head(head)),
            import_schools_request::Part::Chunk(chunk) => Some(Piece::Chunk(chunk)),
        };
        self.0.intake.import(request, piece, |_| Ok(kind), |report| pb::ImportSchoolsResponse { report: Some(report) }).await
    }

    async fn get_school_import(&self, request: Request<pb::GetSchoolImportRequest>) -> Result<Response<pb::GetSchoolImportResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, Schools::ABOUT.report).await?;
        let import = refusal::id("import_id", &request.import_id)?;
        let report = self.0.intake.report(&ctx, &self.schools(&ctx), import).await?;
        Ok(Response::new(pb::GetSchoolImportResponse { report: Some(report) }))
    }

    async fn list_school_imports(&self, request: Request<pb::ListSchoolImportsRequest>) -> Result<Response<pb::ListSchoolImportsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, Schools::ABOUT.list).await?;
        let limit = paging::size(request.page_size)?;
        let query = paging::Query::of(Schools::ABOUT.list, &pb::ListSchoolImportsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
        let before = query.after(&request.page_token)?;
        let wanted = Wanted { query: request.query, state: request.state, preview: request.preview, before, limit };
        let (imports, last) = self.0.intake.list(&ctx, &self.schools(&ctx), wanted).await?;
        Ok(Response::new(pb::ListSchoolImportsResponse { imports, next_page_token: last.map(|last| query.token(&last)).unwrap_or_default() }))
    }

    async fn commit_school_import(&self, request: Request<pb::CommitSchoolImportRequest>) -> Result<Response<pb::CommitSchoolImportResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, Schools::ABOUT.commit).await?;
        let call = Call::new(Schools::ABOUT.commit, request.import_id.clone(), &request);
        let preview = refusal::id("import_id", &request.import_id)?;
        let commit = Commit { preview, all_or_nothing: request.all_or_nothing, wait: request.wait.unwrap_or(true) };
        let kind = self.schools(&ctx);
        self.0.intake.commit(ctx, call, kind, commit, |report| pb::CommitSchoolImportResponse { report: Some(report) }).await
    }

    async fn take_back_school_import(&self, request: Request<pb::TakeBackSchoolImportRequest>) -> Result<Response<pb::TakeBackSchoolImportResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, Schools::ABOUT.take_back).await?;
        let call = Call::new(Schools::ABOUT.take_back, request.import_id.clone(), &request);
        let import = refusal::id("import_id", &request.import_id)?;
        let answer = |report| pb::TakeBackSchoolImportResponse { report: Some(report) };
        self.0.intake.take_back(&ctx, call, &self.schools(&ctx), import, answer).await
    }

    type DownloadMarkedSchoolsStream = Pieces<pb::DownloadMarkedSchoolsResponse>;

    async fn download_marked_schools(&self, request: Request<pb::DownloadMarkedSchoolsRequest>) -> Result<Response<Self::DownloadMarkedSchoolsStream>, Status> {
        let (ctx, request) = self.0.gate.enter(request, Schools::ABOUT.marked).await?;
        let import = refusal::id("import_id", &request.import_id)?;
        let bytes = self.0.intake.marked(&ctx, &self.schools(&ctx), import, request.faulty_only).await?;
        Ok(archive::pieces(&bytes, |chunk| pb::DownloadMarkedSchoolsResponse { chunk }))
    }

    type DownloadSchoolTemplateStream = Pieces<pb::DownloadSchoolTemplateResponse>;

    async fn download_school_template(
        &self,
        request: Request<pb::DownloadSchoolTemplateRequest>,
    ) -> Result<Response<Self::DownloadSchoolTemplateStream>, Status> {
        self.0.gate.enter(request, "DownloadSchoolTemplate").await?;
        Ok(archive::pieces(&archive::blank::<Schools>()?, |chunk| pb::DownloadSchoolTemplateResponse { chunk }))
    }

    async fn import_accounts(&self, request: Request<Streaming<pb::ImportAccountsRequest>>) -> Result<Response<pb::ImportAccountsResponse>, Status> {
        let kind = self.accounts(&self.0.gate.context(&request, Accounts::ABOUT.import).await?);
        let piece = |message: pb::ImportAccountsRequest| match message.part? {
            import_accounts_request::Part::Upload(head) => Some(Piece::Head(head)),
            import_accounts_request::Part::Chunk(chunk) => Some(Piece::Chunk(chunk)),
        };
        self.0.intake.import(request, piece, |_| Ok(kind), |report| pb::ImportAccountsResponse { report: Some(report) }).await
    }

    async fn get_account_import(&self, request: Request<pb::GetAccountImportRequest>) -> Result<Response<pb::GetAccountImportResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, Accounts::ABOUT.report).await?;
        let import = refusal::id("import_id", &request.import_id)?;
        let report = self.0.intake.report(&ctx, &self.accounts(&ctx), import).await?;
        Ok(Response::new(pb::GetAccountImportResponse { report: Some(report) }))
    }

    async fn list_account_imports(&self, request: Request<pb::ListAccountImportsRequest>) -> Result<Response<pb::ListAccountImportsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, Accounts::ABOUT.list).await?;
        let limit = paging::size(request.page_size)?;
        let query = paging::Query::of(Accounts::ABOUT.list, &pb::ListAccountImportsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
        let before = query.after(&request.page_token)?;
        let wanted = Wanted { query: request.query, state: request.state, preview: request.preview, before, limit };
        let (imports, last) = self.0.intake.list(&ctx, &self.accounts(&ctx), wanted).await?;
        Ok(Response::new(pb::ListAccountImportsResponse { imports, next_page_token: last.map(|last| query.token(&last)).unwrap_or_default() }))
    }

    async fn commit_account_import(&self, request: Request<pb::CommitAccountImportRequest>) -> Result<Response<pb::CommitAccountImportResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, Accounts::ABOUT.commit).await?;
        let call = Call::new(Accounts::ABOUT.commit, request.import_id.clone(), &request);
        let preview = refusal::id("import_id", &request.import_id)?;
        let commit = Commit { preview, all_or_nothing: request.all_or_nothing, wait: request.wait.unwrap_or(true) };
        let kind = self.accounts(&ctx);
        self.0.intake.commit(ctx, call, kind, commit, |report| pb::CommitAccountImportResponse { report: Some(report) }).await
    }

    async fn take_back_account_import(
        &self,
        request: Request<pb::TakeBackAccountImportRequest>,
    ) -> Result<Response<pb::TakeBackAccountImportResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, Accounts::ABOUT.take_back).await?;
        let call = Call::new(Accounts::ABOUT.take_back, request.import_id.clone(), &request);
        let import = refusal::id("import_id", &request.import_id)?;
        let answer = |report| pb::TakeBackAccountImportResponse { report: Some(report) };
        self.0.intake.take_back(&ctx, call, &self.accounts(&ctx), import, answer).await
    }

    type DownloadMarkedAccountsStream = Pieces<pb::DownloadMarkedAccountsResponse>;

    async fn download_marked_accounts(
        &self,
        request: Request<pb::DownloadMarkedAccountsRequest>,
    ) -> Result<Response<Self::DownloadMarkedAccountsStream>, Status> {
        let (ctx, request) = self.0.gate.enter(request, Accounts::ABOUT.marked).await?;
        let import = refusal::id("import_id", &request.import_id)?;
        let bytes = self.0.intake.marked(&ctx, &self.accounts(&ctx), import, request.faulty_only).await?;
        Ok(archive::pieces(&bytes, |chunk| pb::DownloadMarkedAccountsResponse { chunk }))
    }

    type DownloadAccountTemplateStream = Pieces<pb::DownloadAccountTemplateResponse>;

    async fn download_account_template(
        &self,
        request: Request<pb::DownloadAccountTemplateRequest>,
    ) -> Result<Response<Self::DownloadAccountTemplateStream>, Status> {
        self.0.gate.enter(request, "DownloadAccountTemplate").await?;
        Ok(archive::pieces(&archive::blank::<Accounts>()?, |chunk| pb::DownloadAccountTemplateResponse { chunk }))
    }

    async fn make_passwords(&self, request: Request<pb::MakePasswordsRequest>) -> Result<Response<pb::MakePasswordsResponse>, Status> {
        const METHOD: &str = "MakePasswords";
        let (ctx, request) = self.0.gate.enter(request, METHOD).await?;
        let query = paging::Query::of(METHOD, &pb::MakePasswordsRequest { page_token: String::new(), ..request.clone() });
        let after = query.after(&request.page_token)?.unwrap_or_default();
        let wanted = passwords::Wanted { import: refusal::id("import_id", &request.import_id)?, again_after: request.again.then_some(after) };
        let kind = self.accounts(&ctx);
        let asked = (kind.clone(), wanted);
        let waiting = self.0.runner.read(&ctx, METHOD, &asked, |ctx, tx, (kind, wanted)| Box::pin(passwords::waiting(ctx, tx, kind, wanted)));
        let waiting = waiting.await?.into_inner();
        let (new, told): (Vec<NewPassword>, Vec<Password>) = Self::made(&waiting.people, &ctx).await?.into_iter().unzip();
        let left = waiting.left + waiting.people.len() - told.len();
        let next_page_token = told.last().filter(|_| request.again && left > 0).map(|last| query.token(&last.account)).unwrap_or_default();
        let small = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        let answer = pb::MakePasswordsResponse { passwords: told, accounts_left: small(left), accounts_told: small(waiting.told), next_page_token };
        let call = Call::new(METHOD, request.import_id.clone(), &request).secret();
        let with = (kind, new, answer);
        let set = self.0.runner.mutate(&ctx, call, &with, |ctx, tx, (kind, new, answer)| {
            Box::pin(async move {
                let set = passwords::set(ctx, tx, kind, new).await?;
                let passwords = answer.passwords.iter().filter(|told| set.contains(&told.account)).cloned().collect();
                Ok(pb::MakePasswordsResponse { passwords, ..answer.clone() })
            })
        });
        set.await
    }
}
