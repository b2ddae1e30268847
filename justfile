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
    cargo build --profile dist
    cargo bench --profile dist -p xuezhu-tests --bench measure -- {{args}}
demo students="2000":
    cargo run --profile dist -- demo --students {{students}}
