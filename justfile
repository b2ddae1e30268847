# The few commands that people use.
run *args:
    cargo run --release -- up {{args}}
test *args:
    tests/run {{args}}
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cd proto && buf lint .
bench *args:
    cargo bench -p xuezhu-tests --bench measure -- {{args}}
demo students="2000":
    cargo run --release -- demo --students {{students}}
