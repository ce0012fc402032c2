//! Bare handlers: the same bytes, the same Redis command, and nothing of Coffer.

use std::sync::Arc;

use actix_web::web::{Bytes, Data, Path};
use actix_web::{App, HttpResponse, HttpServer, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;

use crate::BenchResult;

struct Bare {
    redis: Option<MultiplexedConnection>,
    small: String,
    large: String,
}

/// The answer of a download whose ciphertext has this base64.
pub(crate) fn answer_of(ciphertext: &str) -> String {
    let wrapped = STANDARD.encode([7; 256]);
    format!(
        r#"{{"code":200,"encrypted_data":"{ciphertext}","encrypted_aes_key":"{wrapped}","encrypted_aes_initial_vector":"{wrapped}"}}"#
    )
}

/// Serves until it is killed. `redis` is a port; the value read is `bench:value`.
pub(crate) fn serve(redis: Option<&str>) -> BenchResult<()> {
    let redis = redis.map(|port| format!("redis://127.0.0.1:{port}/"));
    actix_web::rt::System::new().block_on(async move {
        let redis = match redis {
            Some(url) => Some(redis::Client::open(url)?.get_multiplexed_async_connection().await?),
            None => None,
        };
        let state = Arc::new(Bare {
            redis,
            small: answer_of(&STANDARD.encode(vec![1; 1024])),
            large: answer_of(&STANDARD.encode(vec![1; 1024 * 1024])),
        });
        let server = HttpServer::new(move || {
            App::new()
                .app_data(Data::from(Arc::clone(&state)))
                .app_data(web::PayloadConfig::new(64 * 1024 * 1024))
                .route("/answer/{size}", web::get().to(answer))
                .route("/redis", web::get().to(redis_answer))
                .route("/take", web::post().to(take))
                .route("/take_redis", web::post().to(take_redis))
        })
        .workers(2)
        .bind(("127.0.0.1", 0))?;
        println!("listening {}", server.addrs()[0].port());
        server.run().await?;
        Ok(())
    })
}

async fn answer(bare: Data<Bare>, size: Path<String>) -> HttpResponse {
    let body = if *size == "small" { bare.small.clone() } else { bare.large.clone() };
    HttpResponse::Ok().content_type("application/json").body(body)
}

async fn redis_answer(bare: Data<Bare>) -> Result<HttpResponse, actix_web::Error> {
    let mut redis = bare.redis.clone().expect("the bench starts this handler with Redis");
    let value: Bytes = redis.get("bench:value").await.map_err(actix_web::error::ErrorInternalServerError)?;
    let body = answer_of(&STANDARD.encode(&value));
    Ok(HttpResponse::Ok().content_type("application/json").body(body))
}

async fn take(body: Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(format!(r#"{{"code":200,"bytes":{}}}"#, body.len()))
}

async fn take_redis(bare: Data<Bare>, body: Bytes) -> Result<HttpResponse, actix_web::Error> {
    #[derive(serde::Deserialize)]
    struct Upload<'a> {
        file_name: &'a str,
        encrypted_data: &'a str,
    }
    let upload: Upload<'_> = serde_json::from_slice(&body)?;
    let bytes = STANDARD.decode(upload.encrypted_data).map_err(actix_web::error::ErrorBadRequest)?;
    let mut redis = bare.redis.clone().expect("the bench starts this handler with Redis");
    let key = format!("bench:{}", upload.file_name);
    let () = redis.set(key, bytes).await.map_err(actix_web::error::ErrorInternalServerError)?;
    Ok(HttpResponse::Ok().content_type("application/json").body(r#"{"code":200,"message":"upload_success"}"#))
}
