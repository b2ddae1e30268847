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
# Every page as each role sees it, wide and narrow, into a folder.
pictures folder="target/pictures":
    mkdir -p {{folder}}
    cargo build --workspace
    SCREENSHOTS={{justfile_directory()}}/{{folder}} cargo test --workspace --test e2e -- browser:: console::
inputs count="1000000":
    INPUTS={{count}} cargo test -p xuezhu-workbook --test generated
demo students="2000":
    cargo run --profile dist -- demo --students {{students}}
