//! The published Python client, unchanged.

use coffer_tests::{python, python_script, run};

use super::stacks;

#[tokio::test]
async fn the_published_client_works_unchanged_on_every_storage() {
    for builder in stacks() {
        let stack = builder.start().await;
        let script = python_script("configs_client.py").display().to_string();
        let said = run(&python().display().to_string(), &[script, stack.gateway_url("")]).await;
        assert_eq!(String::from_utf8_lossy(&said).trim(), "3.1.0");
    }
}
