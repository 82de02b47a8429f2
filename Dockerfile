# PostgreSQL on Debian 13 with bcce installed:
#   docker build -t bcce . && docker run -e POSTGRES_PASSWORD=... -p 127.0.0.1:5432:5432 bcce
# Another server: --build-arg PG_MAJOR=15, 16 or 18.
ARG PG_MAJOR=17
FROM postgres:${PG_MAJOR}-trixie AS build
ARG PG_MAJOR
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc make libc6-dev libsodium-dev postgresql-server-dev-${PG_MAJOR}
COPY . /bcce
RUN make -C /bcce install DESTDIR=/stage

FROM postgres:${PG_MAJOR}-trixie
RUN apt-get update \
    && apt-get install -y --no-install-recommends libsodium23 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /stage/ /
