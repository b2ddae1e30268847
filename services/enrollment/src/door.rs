//! One door to several rooms: the calls about enrollments, each handed on to the room that answers it.

use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming};
use xuezhu_intake::Pieces;
use xuezhu_proto::enrollment::{self as pb, enrollment_service_server::EnrollmentService};

use crate::{Parts, import, record, registration, status_change, students};

/// The enrollment service.
#[derive(Clone)]
pub struct EnrollmentApi(pub Arc<Parts>);

#[tonic::async_trait]
impl EnrollmentService for EnrollmentApi {
    type DownloadMarkedWorkbookStream = Pieces<pb::DownloadMarkedWorkbookResponse>;
    type DownloadTemplateStream = Pieces<pb::DownloadTemplateResponse>;

    async fn import_enrollments(&self, request: Request<Streaming<pb::ImportEnrollmentsRequest>>) -> Result<Response<pb::ImportEnrollmentsResponse>, Status> {
        import::api::import(&self.0, request).await
    }

    async fn get_import(&self, request: Request<pb::GetImportRequest>) -> Result<Response<pb::GetImportResponse>, Status> {
        import::api::get(&self.0, request).await
    }

    async fn list_imports(&self, request: Request<pb::ListImportsRequest>) -> Result<Response<pb::ListImportsResponse>, Status> {
        import::api::list(&self.0, request).await
    }

    async fn take_back_import(&self, request: Request<pb::TakeBackImportRequest>) -> Result<Response<pb::TakeBackImportResponse>, Status> {
        import::api::take_back(&self.0, request).await
    }

    async fn commit_import(&self, request: Request<pb::CommitImportRequest>) -> Result<Response<pb::CommitImportResponse>, Status> {
        import::api::commit(&self.0, request).await
    }

    async fn download_marked_workbook(
        &self,
        request: Request<pb::DownloadMarkedWorkbookRequest>,
    ) -> Result<Response<Self::DownloadMarkedWorkbookStream>, Status> {
        import::api::marked(&self.0, request).await
    }

    async fn download_template(&self, request: Request<pb::DownloadTemplateRequest>) -> Result<Response<Self::DownloadTemplateStream>, Status> {
        self.0.gate.enter(request, "DownloadTemplate").await?;
        import::api::template()
    }

    async fn list_enrollments(&self, request: Request<pb::ListEnrollmentsRequest>) -> Result<Response<pb::ListEnrollmentsResponse>, Status> {
        students::api::list(&self.0, request).await
    }

    async fn list_classes(&self, request: Request<pb::ListClassesRequest>) -> Result<Response<pb::ListClassesResponse>, Status> {
        students::api::classes(&self.0, request).await
    }

    async fn get_enrollment(&self, request: Request<pb::GetEnrollmentRequest>) -> Result<Response<pb::GetEnrollmentResponse>, Status> {
        students::api::get(&self.0, request).await
    }

    async fn get_student(&self, request: Request<pb::GetStudentRequest>) -> Result<Response<pb::GetStudentResponse>, Status> {
        record::api::get_student(&self.0, request).await
    }

    async fn enter_draft(&self, request: Request<pb::EnterDraftRequest>) -> Result<Response<pb::EnterDraftResponse>, Status> {
        record::api::enter_draft(&self.0, request).await
    }

    async fn edit_draft(&self, request: Request<pb::EditDraftRequest>) -> Result<Response<pb::EditDraftResponse>, Status> {
        record::api::edit_draft(&self.0, request).await
    }

    async fn change_contacts(&self, request: Request<pb::ChangeContactsRequest>) -> Result<Response<pb::ChangeContactsResponse>, Status> {
        record::api::change_contacts(&self.0, request).await
    }

    async fn ask_aid_facts_change(&self, request: Request<pb::AskAidFactsChangeRequest>) -> Result<Response<pb::AskAidFactsChangeResponse>, Status> {
        record::api::ask_aid_facts_change(&self.0, request).await
    }

    async fn reveal_number(&self, request: Request<pb::RevealNumberRequest>) -> Result<Response<pb::RevealNumberResponse>, Status> {
        students::api::reveal(&self.0, request).await
    }

    async fn take_leave(&self, request: Request<pb::TakeLeaveRequest>) -> Result<Response<pb::TakeLeaveResponse>, Status> {
        status_change::api::take_leave(&self.0, request).await
    }

    async fn return_from_leave(&self, request: Request<pb::ReturnFromLeaveRequest>) -> Result<Response<pb::ReturnFromLeaveResponse>, Status> {
        status_change::api::return_from_leave(&self.0, request).await
    }

    async fn withdraw(&self, request: Request<pb::WithdrawRequest>) -> Result<Response<pb::WithdrawResponse>, Status> {
        status_change::api::withdraw(&self.0, request).await
    }

    async fn change_class(&self, request: Request<pb::ChangeClassRequest>) -> Result<Response<pb::ChangeClassResponse>, Status> {
        status_change::api::change_class(&self.0, request).await
    }

    async fn change_major(&self, request: Request<pb::ChangeMajorRequest>) -> Result<Response<pb::ChangeMajorResponse>, Status> {
        status_change::api::change_major(&self.0, request).await
    }

    async fn never_came(&self, request: Request<pb::NeverCameRequest>) -> Result<Response<pb::NeverCameResponse>, Status> {
        status_change::api::order_never_came(&self.0, request).await
    }

    async fn ask_never_came(&self, request: Request<pb::AskNeverCameRequest>) -> Result<Response<pb::AskNeverCameResponse>, Status> {
        status_change::api::ask_never_came(&self.0, request).await
    }

    async fn cancel_change(&self, request: Request<pb::CancelChangeRequest>) -> Result<Response<pb::CancelChangeResponse>, Status> {
        status_change::api::cancel_change(&self.0, request).await
    }

    async fn remove_enrollment(&self, request: Request<pb::RemoveEnrollmentRequest>) -> Result<Response<pb::RemoveEnrollmentResponse>, Status> {
        registration::api::remove(&self.0, request).await
    }

    async fn correct_identity(&self, request: Request<pb::CorrectIdentityRequest>) -> Result<Response<pb::CorrectIdentityResponse>, Status> {
        status_change::api::correct_identity(&self.0, request).await
    }
}
