# The gradus program on glibc, CA certificates and time zones, and nothing else:
# no shell, no package manager. Repositories at https:// need no Git program;
# those at file:// do and are for a machine, not for this image.

FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY crates crates
RUN cargo build --release --locked --package gradus \
    && install -D target/release/gradus /out/usr/local/bin/gradus \
    && install -d -m 0700 -o 65532 -g 65532 /out/data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/usr/local/bin/gradus /usr/local/bin/gradus
# The ledger lives here; mount a volume that user 65532 may write to.
COPY --from=build --chown=65532:65532 /out/data /data
VOLUME ["/data"]
WORKDIR /data
USER 65532:65532
# Inside a container the loopback address reaches nobody. On any other address
# gradus does not start before there is a token.
ENV GRADUS_LISTEN=0.0.0.0:8080 GRADUS_DATA=/data
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/gradus"]
