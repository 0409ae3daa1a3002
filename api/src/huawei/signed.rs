//! A request that is signed: whose it is, and what it says.

use super::Shapes;
use super::config::{Face, HuaweiTenant};
use super::reply::refused;
use super::sign::{Asked, Signed, Unsigned};
use crate::key::source_of;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use cordboard_model::time::Wall;
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

/// The longest body, bytes.
const BODY_MAX: usize = 256 << 10;

/// It opens this.
pub(crate) struct Opened {
    pub(crate) tenant: HuaweiTenant,
    /// The access key.
    pub(crate) key: String,
    pub(crate) body: Bytes,
}

fn turned_away(why: Unsigned) -> Response {
    let status = match why {
        Unsigned::Full => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::UNAUTHORIZED,
    };
    refused(status, why.why())
}

/// Whose request it is.
///
/// # Errors
/// 401 where it is nobody's, with the reason.
pub(crate) async fn open(shapes: &Arc<Shapes>, face: Face, request: Request) -> Result<Opened, Response> {
    let (parts, body) = request.into_parts();
    let (source, now, at) = (source_of(&parts), Instant::now(), shapes.switch.moment());
    let signed = Signed::read(&parts.headers).map_err(turned_away)?;
    let config = shapes.config();
    let known = config.key(&signed.ak).filter(|(_, key)| key.opens.contains(&face));
    // An access key is no secret: who knows one that was good of late is not slowed, and has 16 characters to guess. It is those
    // who know none that are, and a client behind the same proxy is not held up by them.
    if let Some(seconds) = shapes.brake.wait_with(source, &signed.ak, now) {
        return Err(super::door::slow(seconds));
    }
    let body = axum::body::to_bytes(body, BODY_MAX).await;
    let body =
        body.map_err(|_| refused(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long, or did not come"))?;
    let asked = Asked {
        method: &parts.method,
        path: parts.uri.path(),
        query: parts.uri.query(),
        headers: &parts.headers,
        body: &body,
    };
    let matched = known.ok_or(Unsigned::Wrong).and_then(|(tenant, key)| {
        let way = signed.matches(&asked, &key.secrets)?;
        Ok((tenant.clone(), way))
    });
    let (tenant, way) = match matched {
        Ok(matched) => matched,
        Err(why) => {
            shapes.brake.failed(source, now);
            return Err(turned_away(why));
        }
    };
    shapes.brake.found(&signed.ak, now);
    if !signed.is_of(at, config.clock_skew) {
        return Err(turned_away(Unsigned::Time));
    }
    if config.once {
        let once = shapes.once.take(&signed.signature, signed.at, at, config.clock_skew);
        once.map_err(turned_away)?;
        first(shapes, &signed, at, config.clock_skew).await?;
    }
    shapes.ways.note(&signed.ak, way);
    Ok(Opened { tenant, key: signed.ak, body })
}

/// A signature that was used before a restart does not open again: the store has it.
async fn first(shapes: &Arc<Shapes>, signed: &Signed, now: Wall, skew: Duration) -> Result<(), Response> {
    let skew = i64::try_from(skew.as_millis()).unwrap_or(i64::MAX);
    let until = Wall(signed.at.0.saturating_add(skew));
    let mark = crate::once::mark(&["auth-v2", &signed.ak, &signed.signature]);
    match crate::once::take(&*shapes.switch, mark, until, now).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(turned_away(Unsigned::Again)),
        Err(_) => {
            shapes.once.forget(&signed.signature);
            Err(turned_away(Unsigned::Full))
        }
    }
}
