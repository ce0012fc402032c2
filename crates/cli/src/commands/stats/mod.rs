//! `coffer stats`: how keys are used.

mod tables;

use coffer_api::Page;
use coffer_api::usage::{
    UnreadKey, UnreadQuery, UsageDay, UsageHour, UsageOverview, UsageQuery, UsageScope, UsedKey,
};
use coffer_client::{ClientError, GatewayClient};
use coffer_core::limits::PAGE_ITEMS_MAX;
use serde::Serialize;

use crate::app::App;
use crate::error::CliError;

/// Arguments of `coffer stats`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Everybody's keys together (administrators only); keys that nobody reads are not shown then
    #[arg(long)]
    all: bool,
    /// Keys, days and hours in each table; with --json everything is told
    #[arg(long, value_name = "N", default_value_t = 10)]
    rows: usize,
    /// Keys that nobody has read for so many days are unread
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(0..=36_500))]
    unread: u32,
}

/// All figures.
#[derive(Debug, Serialize)]
struct Figures {
    #[serde(flatten)]
    overview: UsageOverview,
    days: Vec<UsageDay>,
    hours: Vec<UsageHour>,
    top: Vec<UsedKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<Unread>,
}

/// Keys that nobody has read.
#[derive(Debug, Serialize)]
struct Unread {
    /// For so long, at least.
    days: u32,
    keys: Vec<UnreadKey>,
    /// Whether there may be more.
    truncated: bool,
}

/// Shows figures.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let gateway = app.gateway()?;
    let query = UsageQuery { scope: if args.all { UsageScope::All } else { UsageScope::Own } };
    let figures = Figures {
        overview: gateway.usage(&query).await?,
        days: gateway.usage_days(&query).await?.items,
        hours: gateway.usage_hours(&query).await?.items,
        top: gateway.usage_top(&query).await?.items,
        unread: if args.all { None } else { Some(unread(&gateway, args.unread).await?) },
    };
    app.output.result(&figures, || tables::text(&figures, args.rows))?;
    Ok(())
}

/// As many unread keys as a full page holds. Pages of this listing may be short, so several may be asked for.
async fn unread(gateway: &GatewayClient, days: u32) -> Result<Unread, ClientError> {
    let mut keys = Vec::new();
    let mut query = UnreadQuery { days, cursor: None, limit: None };
    loop {
        query.limit = Some(PAGE_ITEMS_MAX - keys.len());
        let Page { items, next_cursor } = gateway.usage_unread(&query).await?;
        keys.extend(items);
        let truncated = next_cursor.is_some();
        if !truncated || keys.len() >= PAGE_ITEMS_MAX {
            return Ok(Unread { days, keys, truncated });
        }
        query.cursor = next_cursor;
    }
}
