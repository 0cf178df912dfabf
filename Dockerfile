# The gradus program on glibc, CA certificates and time zones, OpenSSH's client
# for repositories at ssh://, and nothing else: no shell, no package manager.
# Repositories at https:// and ssh:// need no Git program; those at file:// do and
# are for a machine, not for this image.

FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY crates crates
# By the name /manager it is the controller, with the arguments that
# pipeline-controller takes.
RUN cargo build --release --locked --package gradus \
    && install -D target/release/gradus /out/usr/local/bin/gradus \
    && ln -s /usr/local/bin/gradus /out/manager \
    && install -d -m 0700 -o 65532 -g 65532 /out/data
# ssh with those of its libraries that the image below does not have.
RUN apt-get update && apt-get install --yes --no-install-recommends openssh-client \
    && install -D /usr/bin/ssh /out/ssh/usr/bin/ssh \
    && ldd /usr/bin/ssh | awk '/=> \// && $1 !~ /^lib(c|m|resolv)\.so/ {print $3}' \
        | while read -r library; do install -D "$library" "/out/ssh/usr/lib/${library#*/lib/}"; done

FROM gcr.io/distroless/cc-debian12:nonroot
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="gradus" \
    org.opencontainers.image.description="GitOps environment promotion: a release earns its way from dev to staging to prod" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.source="https://github.com/gradus-dev/gradus" \
    org.opencontainers.image.documentation="https://github.com/gradus-dev/gradus/blob/main/docs/install.md" \
    org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/usr/local/bin/gradus /usr/local/bin/gradus
COPY --from=build /out/manager /manager
COPY --from=build /out/ssh/ /
# For `gradus serve`: the ledger lives here; mount a volume that user 65532 may
# write to. The controller keeps nothing.
COPY --from=build --chown=65532:65532 /out/data /data
VOLUME ["/data"]
WORKDIR /data
USER 65532:65532
# Inside a container the loopback address reaches nobody. On any other address
# gradus does not start before there is a token.
ENV GRADUS_LISTEN=0.0.0.0:8080 GRADUS_DATA=/data
EXPOSE 8080 8081 8082
ENTRYPOINT ["/usr/local/bin/gradus"]
