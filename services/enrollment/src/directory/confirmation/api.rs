//! gRPC in: accounts that wait for a second person.

use tonic::{Request, Response, Status};
use xuezhu_proto::enrollment as pb;
use xuezhu_service::{FieldErrors, paging, runner::Call};

use super::AT_ONCE;
use crate::directory::{
    api::{DirectoryApi, account_to_proto, page_of},
    check_account_name,
};

pub async fn list(api: &DirectoryApi, request: Request<pb::ListUnconfirmedAccountsRequest>) -> Result<Response<pb::ListUnconfirmedAccountsResponse>, Status> {
    const METHOD: &str = "ListUnconfirmedAccounts";
    let (ctx, request) = api.parts.gate.enter(request, METHOD).await?;
    api.parts
        .runner
        .read(&ctx, METHOD, &request, |ctx, tx, request| {
            Box::pin(async move {
                let limit = paging::size(request.page_size)?;
                let query = paging::Query::of(METHOD, &pb::ListUnconfirmedAccountsRequest::default());
                let after: String = query.after(&request.page_token)?.unwrap_or_default();
                let rows = super::waiting(ctx, tx, &after, limit + 1).await?;
                let (rows, next_page_token) = page_of(rows, limit, |row| query.token(&row.account));
                Ok(pb::ListUnconfirmedAccountsResponse { accounts: rows.into_iter().map(account_to_proto).collect(), next_page_token })
            })
        })
        .await
}

pub async fn confirm(api: &DirectoryApi, request: Request<pb::ConfirmAccountsRequest>) -> Result<Response<pb::ConfirmAccountsResponse>, Status> {
    const METHOD: &str = "ConfirmAccounts";
    let (ctx, request) = api.parts.gate.enter(request, METHOD).await?;
    let mut errors = FieldErrors::default();
    if request.accounts.is_empty() || request.accounts.len() > AT_ONCE {
        errors.add("accounts", format!("请选择1至{AT_ONCE}个账号"));
    }
    // What is none may be a number, or a password in the wrong box: it stands in no audit.
    if let Some(why) = request.accounts.iter().find_map(|account| check_account_name(account).err()) {
        errors.add("accounts", why);
    }
    errors.check()?;
    let call = Call::new(METHOD, request.accounts.len().to_string(), &request);
    api.parts
        .runner
        .mutate(&ctx, call, &request.accounts, |ctx, tx, accounts| {
            Box::pin(async move {
                let rows = super::confirm(ctx, tx, accounts).await?;
                Ok(pb::ConfirmAccountsResponse { accounts: rows.into_iter().map(account_to_proto).collect() })
            })
        })
        .await
}
