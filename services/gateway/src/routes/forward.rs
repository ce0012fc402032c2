//! Passes requests on to the services that answer them, so that a browser needs one origin.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use coffer_client::{ForwardAnswer, ForwardRequest, Forwarder, REQUEST_HEADERS};
use coffer_server::{ClientAddress, DataContract, HttpError, Native, PassedBody, StreamedBody, Surface};

use crate::failures::not_passed_on;

/// The services behind the gateway.
#[derive(Clone, Debug)]
pub(crate) struct Upstreams {
    /// The KMS's public listener.
    pub(crate) kms: Forwarder,
    /// The data service's public listener.
    pub(crate) data: Forwarder,
}

/// Passes a native request on to the KMS.
pub(super) async fn to_kms(
    request: HttpRequest,
    client: ClientAddress,
    body: PassedBody<Native>,
    upstreams: Data<Upstreams>,
) -> Result<HttpResponse, HttpError<Native>> {
    pass_on(&request, client, (body, Length::Bounded), &upstreams.kms).await
}

/// Passes a native request on to the data service.
pub(super) async fn to_data(
    request: HttpRequest,
    client: ClientAddress,
    body: PassedBody<Native>,
    upstreams: Data<Upstreams>,
) -> Result<HttpResponse, HttpError<Native>> {
    pass_on(&request, client, (body, Length::Bounded), &upstreams.data).await
}

/// Passes a file on to the data service, or back from there, of any length.
pub(super) async fn stream_to_data(
    request: HttpRequest,
    client: ClientAddress,
    body: StreamedBody<Native>,
    upstreams: Data<Upstreams>,
) -> Result<HttpResponse, HttpError<Native>> {
    pass_on(&request, client, (body.into_passed(), Length::Any), &upstreams.data).await
}

/// Passes a request of the file contract on to the data service.
pub(super) async fn files(
    request: HttpRequest,
    client: ClientAddress,
    body: PassedBody<DataContract>,
    upstreams: Data<Upstreams>,
) -> Result<HttpResponse, HttpError<DataContract>> {
    pass_on(&request, client, (body, Length::Bounded), &upstreams.data).await
}

/// How long a body may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Bounded,
    Any,
}

async fn pass_on<S: Surface>(
    request: &HttpRequest,
    client: ClientAddress,
    (body, length): (PassedBody<S>, Length),
    upstream: &Forwarder,
) -> Result<HttpResponse, HttpError<S>> {
    let streams = length == Length::Any;
    let passed = ForwardRequest { streams, ..as_sent(request, client, body.body) };
    match upstream.forward(passed).await {
        Ok(answer) => Ok(pass_back(answer)),
        // If the client is at fault, that is what the client is told.
        Err(error) => Err(body.interruption.take().unwrap_or_else(|| not_passed_on(error)).into()),
    }
}

/// The request with what may travel of its headers.
pub(super) fn as_sent<B>(
    request: &HttpRequest,
    client: ClientAddress,
    body: Option<(Option<usize>, B)>,
) -> ForwardRequest<'_, B> {
    let headers = REQUEST_HEADERS.iter().filter_map(|name| {
        let value = request.headers().get(*name)?;
        Some((*name, value.as_bytes().to_vec()))
    });
    ForwardRequest {
        method: request.method().as_str(),
        target: request.uri().path_and_query().map_or("/", |target| target.as_str()),
        headers: headers.collect(),
        client: client.0,
        body,
        streams: false,
    }
}

/// The answer, as it arrives.
pub(super) fn pass_back(answer: ForwardAnswer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = HttpResponse::build(status);
    for (name, value) in &answer.headers {
        response.insert_header((*name, value.as_slice()));
    }
    match answer.length {
        Some(0) => response.finish(),
        _ if status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED => response.finish(),
        Some(length) => response.no_chunking(length).streaming(answer.into_body()),
        None => response.streaming(answer.into_body()),
    }
}
