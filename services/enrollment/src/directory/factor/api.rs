//! gRPC in: the caller's second factor.

use tonic::{Request, Response, Status};
use xuezhu_proto::enrollment as pb;
use xuezhu_service::{Context, sessions};

use super::{Proposed, RecoveryCodes, codes};
use crate::directory::{
    api::DirectoryApi,
    change_session,
    log_in::{Given, Tried},
    needs_factor,
};
use xuezhu_service::runner::Call;

/// Has the caller say the password, and a code where there is a second factor already.
async fn who(api: &DirectoryApi, ctx: &Context, method: &'static str, password: String, code: String) -> Result<(), Status> {
    let row = api.account(&ctx.actor.account, "").await?.0.ok_or_else(sessions::over)?;
    let tried = Tried { account: &row.account, row: Some(&row), is_known: true, password, code };
    match api.try_password(ctx, tried, Given::ToSecure).await {
        Ok(_) => Ok(()),
        Err(error) => Err(api.parts.gate.refuse_log_in(ctx, method, error).await),
    }
}

pub async fn begin(api: &DirectoryApi, request: Request<pb::BeginSecondFactorRequest>) -> Result<Response<pb::BeginSecondFactorResponse>, Status> {
    const METHOD: &str = "BeginSecondFactor";
    let (ctx, request) = api.parts.gate.enter(request, METHOD).await?;
    who(api, &ctx, METHOD, request.password, request.code).await?;
    let call = Call::of_bytes(METHOD, ctx.actor.account.clone(), &[]).secret();
    let proposed = Proposed::new(ctx.ids());
    api.parts
        .runner
        .mutate(&ctx, call, &(api.clone(), proposed), |ctx, tx, (api, proposed)| {
            Box::pin(async move {
                super::propose(ctx, tx, &api.parts.keyring, proposed).await?;
                Ok(pb::BeginSecondFactorResponse { secret: codes::base32(&proposed.secret), uri: codes::uri(&proposed.secret, &ctx.actor.account) })
            })
        })
        .await
}

pub async fn confirm(api: &DirectoryApi, request: Request<pb::ConfirmSecondFactorRequest>) -> Result<Response<pb::ConfirmSecondFactorResponse>, Status> {
    const METHOD: &str = "ConfirmSecondFactor";
    let (ctx, request) = api.parts.gate.enter(request, METHOD).await?;
    let call = Call::of_bytes(METHOD, ctx.actor.account.clone(), &[]).secret();
    let recovery = RecoveryCodes::new(ctx.ids());
    let answer = api
        .parts
        .runner
        .mutate(&ctx, call, &(api.clone(), request.code, recovery), |ctx, tx, (api, code, recovery)| {
            Box::pin(async move {
                let row = super::confirm(ctx, tx, &api.parts.keyring, code, recovery).await?;
                let actor = change_session(ctx, tx, &api.parts.safeguards, row).await?;
                let (access_token, expire_time) = api.session(&actor)?;
                Ok(pb::ConfirmSecondFactorResponse { recovery_codes: recovery.0.clone(), access_token, expire_time })
            })
        })
        .await?;
    crate::directory::sessions::refresh_now(&api.parts).await;
    Ok(answer)
}

pub async fn renew(api: &DirectoryApi, request: Request<pb::RenewRecoveryCodesRequest>) -> Result<Response<pb::RenewRecoveryCodesResponse>, Status> {
    const METHOD: &str = "RenewRecoveryCodes";
    let (ctx, request) = api.parts.gate.enter(request, METHOD).await?;
    who(api, &ctx, METHOD, request.password, request.code).await?;
    let call = Call::of_bytes(METHOD, ctx.actor.account.clone(), &[]).secret();
    let recovery = RecoveryCodes::new(ctx.ids());
    api.parts
        .runner
        .mutate(&ctx, call, &(api.clone(), recovery), |ctx, tx, (api, recovery)| {
            Box::pin(async move {
                super::renew(ctx, tx, &api.parts.keyring, recovery).await?;
                Ok(pb::RenewRecoveryCodesResponse { recovery_codes: recovery.0.clone() })
            })
        })
        .await
}

pub async fn get(api: &DirectoryApi, request: Request<pb::GetSecondFactorRequest>) -> Result<Response<pb::GetSecondFactorResponse>, Status> {
    let (ctx, _) = api.parts.gate.enter(request, "GetSecondFactor").await?;
    let is_required = needs_factor(&api.parts.safeguards, &ctx.actor);
    api.parts
        .runner
        .read(&ctx, "GetSecondFactor", &is_required, |ctx, tx, is_required| {
            Box::pin(async move {
                let (is_set, left) = super::standing(ctx, tx).await?;
                let recovery_codes_left = i32::try_from(left).unwrap_or(i32::MAX);
                Ok(pb::GetSecondFactorResponse { is_set, is_required: *is_required, recovery_codes_left })
            })
        })
        .await
}
