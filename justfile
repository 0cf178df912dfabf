# Short names for the commands that CONTRIBUTING.md names. `just` is not needed:
# each recipe is one plain command.

# List the recipes.
default:
    @just --list

# Format, lint, document: what has to hold before a commit.
check: fmt-check lint doc docs

# The tests, simulations included.
test:
    cargo test --workspace

# Play random schedules of two engines in a world where everything goes wrong; the tests play fewer.
simulate count="20000" seed="0":
    cargo run --release --locked -p gradus-engine --features fake --example simulate -- --count {{count}} --seed {{seed}}

# Edit a million random values of random YAML, and compare every other byte and, with another parser, every other value.
fuzz edits="1000000" bytes="200000" seed="0":
    cargo run --release --locked -p gradus-edit --example fuzz -- --edits {{edits}} --bytes {{bytes}} --seed {{seed}}

# Everything that CI does.
ci:
    .ci/run

# Format.
fmt:
    cargo fmt --all

fmt-check:
    cargo fmt --all --check

# Lint, with every feature and every target.
lint:
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# The API documentation, without warnings.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Whether the documents name what exists, and the crates depend on what they may.
docs:
    scripts/check-docs.sh
    scripts/check-boundaries.sh

# Licences, sources and forbidden dependencies.
deny:
    cargo deny check bans licenses sources

# Write the files anew that are generated and kept: JSON Schema, OpenAPI, CLI reference, CRDs.
gen:
    UPDATE=1 cargo test --workspace

# Take what tests and scenarios say now as what they should say. Read the difference before committing it.
snapshots:
    UPDATE_SCENARIOS=1 INSTA_UPDATE=always cargo test --workspace

# Run the story of the README and check what it tells.
demo:
    scripts/check-demo.sh

# Tell the demo's story again and again while `gradus serve` is killed and its ledger deleted: every end has to be the same.
chaos runs="10" kills="100":
    cargo run --release --locked -- demo --rehearse {{runs}} --kills {{kills}} --lose-ledger

# The benchmarks; docs/benchmarks.md says what each measures.
bench:
    cargo bench --workspace --bench '*'

# What the controller costs against a real kube-apiserver; ten thousand pipelines take a quarter of an hour to load.
bench-kube pipelines="1000":
    cargo bench -p gradus --bench controller -- --pipelines {{pipelines}}
