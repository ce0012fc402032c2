//! What operators see: settings, listeners, health, memory, stopping.

mod listeners;
mod logs;
mod memory;
mod scripts;
mod settings;
mod slow_readers;
mod starting;
mod storage;
