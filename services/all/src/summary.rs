//! What a person at a terminal is told at the start.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use coffer_auth::service_token::ServiceName;
use coffer_kms::KmsService;
use coffer_server::{Program, RunningService};

use crate::settings::url_of;

/// Where mail goes.
#[derive(Debug)]
pub(crate) enum Mail {
    /// Into the development mailbox.
    Mailbox,
    /// Through this server.
    Smtp(String),
}

pub(crate) fn mail(settings: &<KmsService as Program>::Settings) -> Mail {
    settings.smtp.host.clone().map_or(Mail::Mailbox, Mail::Smtp)
}

/// Says where everything is, if a person is looking; logs and machines get the log lines `listening`.
pub(crate) fn announce(running: &[RunningService], data_dir: &Path, mail: &Mail) {
    let mut out = std::io::stdout();
    if out.is_terminal() {
        // Nobody there to read it is no reason to stop.
        let _ = out.write_all(summary(running, data_dir, mail).as_bytes());
    }
}

fn summary(running: &[RunningService], data_dir: &Path, mail: &Mail) -> String {
    let mut text = String::from("\nCoffer is running.\n\n");
    let mut line = |what: &str, value: &str| {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "  {what:<14}{value}");
    };
    for service in running {
        let (public, internal) = (url_of(service.public), url_of(service.internal));
        match service.name {
            ServiceName::Kms => {
                line("KMS", &format!("{public}   API: {public}/docs/"));
                match mail {
                    Mail::Mailbox => line("mail", &format!("{internal}/dev/mailbox")),
                    Mail::Smtp(host) => line("mail", &format!("through {host}")),
                }
            }
            ServiceName::Data => line("data service", &format!("{public}   API: {public}/docs/")),
            ServiceName::Gateway => line("gateway", &format!("{public}   API: {public}/docs/")),
        }
    }
    line("kept in", &data_dir.display().to_string());
    let root_key = data_dir.join("root.key");
    if root_key.exists() {
        line("root key", &format!("{}: back it up, apart from the rest", root_key.display()));
    }
    text.push_str("\nCtrl-C stops it; what it keeps stays.\n\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_told_where_everything_is() {
        let services = [(ServiceName::Kms, 3000), (ServiceName::Data, 4000), (ServiceName::Gateway, 8000)];
        let running = services.map(|(name, port)| RunningService {
            name,
            public: ([0, 0, 0, 0], port).into(),
            internal: ([127, 0, 0, 1], port + 1).into(),
        });
        let text = summary(&running, Path::new("/nowhere/coffer"), &Mail::Mailbox);
        for part in [
            "http://127.0.0.1:3000/docs/",
            "http://127.0.0.1:8000/docs/",
            "http://127.0.0.1:3001/dev/mailbox",
            "/nowhere/coffer",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let text = summary(&running, Path::new("/nowhere"), &Mail::Smtp("smtp.example.com".into()));
        assert!(text.contains("smtp.example.com") && !text.contains("mailbox"));
    }
}
