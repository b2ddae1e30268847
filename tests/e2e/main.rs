//! End-to-end tests. Each says in its name what must hold.

mod architecture;
mod backup;
mod bad_input;
mod before;
mod browser;
mod budget;
mod changes;
mod clocks;
mod contract;
mod faults;
mod feed;
mod files;
mod format;
mod health;
mod histories;
mod known;
mod numbers;
mod outside;
mod persons;
mod processes;
mod refusals;
mod restored;
mod resumed;
mod reviews;
mod sessions;
mod year;
