//! The one middleware: names, times and counts every request, and puts the headers on that every answer
//! has.
//!
//! It runs for each of tens of thousands of requests a second, so it is one layer and not five, its
//! future is not boxed, metric handles are looked up in a map of the worker's own, and nothing is
//! formatted that no log level asks for. Single requests are logged at `debug`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::{Future, Ready, ready};
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready as try_ready};

use actix_http::ConnectionType;
use actix_web::body::{BodySize, EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{Error, HttpMessage as _, HttpResponse, web};
use bytes::Bytes;
use coffer_api::paths;
use coffer_api::trace::{RequestId, TraceContext, Traceparent};
use metrics::{Counter, Histogram};
use pin_project_lite::pin_project;
use tokio::time::Instant;

use crate::cors::{self, Origin};
use crate::health::Health;
use crate::routes::RouteLabel;
use crate::run::{ASKED_IN_VAIN_MAX, Admit, Presence, Serving};
use crate::settings::List;
use crate::surface::{Native, Surface as _};
use crate::unread;

const REQUEST_ID: HeaderName = HeaderName::from_static(paths::headers::REQUEST_ID);
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// What is not in the route table, so that made-up paths do not make metrics.
const NO_ROUTE: &str = "(none)";

/// What the middleware of one listener knows.
#[derive(Clone, Debug)]
pub(crate) struct Observe {
    pub(crate) service: &'static str,
    pub(crate) origins: Arc<List<Origin>>,
    /// Looks at every request before anything else does.
    pub(crate) admit: Option<Admit>,
    /// Headers that every answer gets unless it has them.
    pub(crate) answer_headers: Arc<[(HeaderName, HeaderValue)]>,
    /// Whether the service is stopping.
    pub(crate) health: web::Data<Health>,
}

impl<S, B> Transform<S, ServiceRequest> for Observe
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<Answer<EitherBody<B>>>;
    type Error = Error;
    type Transform = ObserveService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        let shared = Rc::new(Shared { settings: self.clone(), handles: RefCell::default() });
        ready(Ok(ObserveService { inner, shared, ids: RandomState::new(), count: Cell::new(0) }))
    }
}

struct Shared {
    settings: Observe,
    handles: RefCell<HashMap<(&'static str, u16), Handles>>,
}

struct Handles {
    requests: Counter,
    seconds: Histogram,
}

impl Shared {
    fn record(&self, route: &'static str, status: u16, seconds: f64) {
        let mut handles = self.handles.borrow_mut();
        let handles = handles.entry((route, status)).or_insert_with(|| {
            let labels = [
                ("service", self.settings.service.to_owned()),
                ("route", route.to_owned()),
                ("status", status.to_string()),
            ];
            Handles {
                requests: metrics::counter!("http_requests_total", &labels),
                seconds: metrics::histogram!("http_request_duration_seconds", &labels),
            }
        });
        handles.requests.increment(1);
        handles.seconds.record(seconds);
    }
}

/// The middleware in one worker.
pub(crate) struct ObserveService<S> {
    inner: S,
    shared: Rc<Shared>,
    /// A random function of each worker's own, which makes ids of a count.
    ids: RandomState,
    count: Cell<u64>,
}

impl<S> ObserveService<S> {
    fn context(&self, request: &ServiceRequest) -> TraceContext {
        let headers = request.headers();
        let given = headers.get(REQUEST_ID).and_then(|value| RequestId::parse(value.as_bytes()));
        let request_id = given.unwrap_or_else(|| {
            let count = self.count.get().wrapping_add(1);
            self.count.set(count);
            RequestId::make(self.ids.hash_one((count, true)), self.ids.hash_one((count, false)))
        });
        let parent = headers.get(paths::headers::TRACEPARENT);
        let traceparent = parent.and_then(|value| Traceparent::parse(value.as_bytes()));
        TraceContext { request_id, traceparent }
    }
}

impl<S, B> Service<ServiceRequest> for ObserveService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<Answer<EitherBody<B>>>;
    type Error = Error;
    type Future = Observed<S::Future>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let context = self.context(&request);
        let started = Instant::now();
        let serving = request.conn_data::<Presence>().map(Presence::serve);
        let unread = unread::share(&mut request);
        let origin = cors::allowed(&request, &self.shared.settings.origins);
        let work = if origin.is_some() && cors::is_preflight(&request) {
            Work::Answered { both: Some((request, cors::preflight())) }
        } else {
            let admitted = self.shared.settings.admit.as_ref().map_or(Ok(()), |admit| admit(&mut request));
            match admitted {
                Ok(()) => Work::Inner { future: context.enter(|| self.inner.call(request)) },
                Err(failure) => {
                    let answer = context.enter(|| Native::answer(&failure));
                    Work::Answered { both: Some((request, answer)) }
                }
            }
        };
        Observed { work, shared: Rc::clone(&self.shared), context, started, origin, unread, serving }
    }
}

pin_project! {
    #[project = WorkProjection]
    enum Work<F> {
        Inner { #[pin] future: F },
        Answered { both: Option<(ServiceRequest, HttpResponse)> },
    }
}

pin_project! {
    /// A request that is being served.
    pub(crate) struct Observed<F> {
        #[pin]
        work: Work<F>,
        shared: Rc<Shared>,
        context: TraceContext,
        started: Instant,
        origin: Option<HeaderValue>,
        unread: Option<unread::Shared>,
        serving: Option<Serving>,
    }
}

impl<F, B> Future for Observed<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody + 'static,
{
    type Output = Result<ServiceResponse<Answer<EitherBody<B>>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = match this.work.project() {
            WorkProjection::Inner { future } => {
                try_ready!(this.context.enter(|| future.poll(cx)))?.map_into_left_body()
            }
            WorkProjection::Answered { both } => {
                let (request, answer) = both.take().expect("a finished future is not polled again");
                request.into_response(answer).map_into_right_body()
            }
        };
        let unread = this.unread.take();
        let mut serving = this.serving.take();
        serving.iter_mut().for_each(Serving::answer);
        let mut response = response.map_body(|_, body| Answer { body, serving, unread, asked: 0 });
        finish(&mut response, this.shared, this.context, this.origin.take());
        let route = response.request().extensions().get::<RouteLabel>().map_or(NO_ROUTE, |label| label.0);
        let (status, elapsed) = (response.status().as_u16(), this.started.elapsed());
        this.shared.record(route, status, elapsed.as_secs_f64());
        tracing::debug!(
            target: "coffer::access",
            service = this.shared.settings.service,
            method = response.request().method().as_str(),
            route,
            status,
            duration_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            request_id = this.context.request_id.as_str(),
            trace_id = this.context.traceparent.as_ref().map(Traceparent::trace_id),
            "request"
        );
        Poll::Ready(Ok(response))
    }
}

pin_project! {
    /// The body of an answer, with which its request is over.
    pub(crate) struct Answer<B> {
        #[pin]
        body: B,
        serving: Option<Serving>,
        unread: Option<unread::Shared>,
        // How often it was asked for more and had nothing, since it had something.
        asked: u32,
    }
}

impl<B: MessageBody> MessageBody for Answer<B> {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.project();
        let next = this.body.poll_next(cx);
        *this.asked = if next.is_pending() { *this.asked + 1 } else { 0 };
        if *this.asked > ASKED_IN_VAIN_MAX {
            return Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::TimedOut).into())));
        }
        next.map_err(Into::into)
    }
}

fn finish<B>(
    response: &mut ServiceResponse<B>,
    shared: &Shared,
    context: &TraceContext,
    origin: Option<HeaderValue>,
) {
    if shared.settings.health.is_stopping() {
        // Whoever keeps the connection for his next request would send it into a listener that is closing.
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let headers: &mut HeaderMap = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(context.request_id.as_str()) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, NO_STORE);
    }
    for (name, value) in shared.settings.answer_headers.iter() {
        if !headers.contains_key(name) {
            headers.insert(name.clone(), value.clone());
        }
    }
    if !shared.settings.origins.is_empty() {
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
    if let Some(origin) = origin {
        cors::mark(headers, origin);
    }
}
