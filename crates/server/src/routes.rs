//! The route table's rows: a path, its methods, and the right answer to every other method.
//!
//! ```text
//! app.service(native(v1::SESSIONS).post(log_in).get(list).delete(end_all))
//!    .service(contract(paths::contract::LOGIN).post(login));
//! ```

use std::fmt;

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::{Method, StatusCode, header};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, guard, web};
use coffer_api::{ErrorCode, paths};
use serde_json::json;

use crate::failure::Failure;
use crate::surface::{Native, Surface as _};

/// One path of a surface.
#[must_use = "register it with `service`"]
pub struct Endpoint {
    path: &'static str,
    resource: Resource,
    methods: Vec<Method>,
    style: Style,
}

#[derive(Clone, Copy, Debug)]
enum Style {
    Native,
    Contract,
}

/// A path of our own surface, or of the internal one.
pub fn native(path: &'static str) -> Endpoint {
    Endpoint::new(path, Style::Native)
}

/// A path of a source system's contract.
pub fn contract(path: &'static str) -> Endpoint {
    Endpoint::new(path, Style::Contract)
}

/// The route that a request took, for metrics and logs: a path with its parameters in braces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RouteLabel(pub(crate) &'static str);

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident = $method:ident;)+) => {
        impl Endpoint {
            $(
                $(#[$doc])*
                pub fn $name<F, Args>(self, handler: F) -> Self
                where
                    F: Handler<Args>,
                    Args: FromRequest + 'static,
                    F::Output: Responder + 'static,
                {
                    self.route(Method::$method, handler)
                }
            )+
        }
    };
}

methods! {
    /// Serves GET.
    get = GET;
    /// Serves HEAD: as GET, without the body.
    head = HEAD;
    /// Serves POST.
    post = POST;
    /// Serves PUT.
    put = PUT;
    /// Serves PATCH.
    patch = PATCH;
    /// Serves DELETE.
    delete = DELETE;
}

impl Endpoint {
    fn new(path: &'static str, style: Style) -> Self {
        // A guard runs once the path has matched, and is the cheapest place to note which one did.
        let note = guard::fn_guard(move |context| {
            context.req_data_mut().insert(RouteLabel(path));
            true
        });
        Self { path, resource: web::resource(path).guard(note), methods: Vec::new(), style }
    }

    fn route<F, Args>(mut self, method: Method, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.methods.push(method.clone());
        self.resource = self.resource.route(web::method(method).to(handler));
        self
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("path", &self.path)
            .field("methods", &self.methods)
            .finish_non_exhaustive()
    }
}

impl HttpServiceFactory for Endpoint {
    fn register(self, config: &mut AppService) {
        let allow = self.methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let style = self.style;
        let refuse = move || {
            let response = style.method_not_allowed(&allow);
            async move { response }
        };
        self.resource.default_service(web::to(refuse)).register(config);
    }
}

impl Style {
    fn method_not_allowed(self, allow: &str) -> HttpResponse {
        let mut response = match self {
            Self::Native => Native::answer(&Failure::of(ErrorCode::MethodNotAllowed)),
            Self::Contract => HttpResponse::build(StatusCode::METHOD_NOT_ALLOWED)
                .json(json!({ "detail": "Method Not Allowed" })),
        };
        if let Ok(allow) = allow.parse() {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        response
    }
}

/// What lies at no path at all: 404, in the manner of the surface that the path seems to be on.
pub(crate) async fn not_found(request: HttpRequest) -> HttpResponse {
    let native = [paths::v1::PREFIX, paths::internal::PREFIX];
    if native.iter().any(|prefix| request.path().starts_with(prefix)) {
        return Native::answer(&Failure::of(ErrorCode::NotFound));
    }
    HttpResponse::NotFound().json(json!({ "detail": "Not Found" }))
}
