package io.peft4j.serve.api;

import io.javalin.http.Context;
import io.peft4j.core.error.Count;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Authenticator;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.store.ApiKey;
import io.peft4j.serve.store.KeyTable;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Authenticates requests by a key: the one that the server was started with, or one that is stored. Where there has
 * never been either, the server listens on this machine only and answers without a key, but not to pages of other
 * sites, which could otherwise use the server through the browser of a user. A server whose last key was revoked
 * answers no request: revoking a key must not open a server, least of all one that others can reach.
 */
public final class KeyAuthenticator implements Authenticator {
    private static final Logger LOG = LoggerFactory.getLogger(KeyAuthenticator.class);
    private static final String SCHEME = "Bearer ";
    /** How long the result of looking up a key holds, also where it is revoked meanwhile. */
    private static final long KNOWN_NANOS = 1_000_000_000;
    private static final int MOST_KNOWN = 10_000;
    private static final Pattern LOCAL_HOST = Pattern.compile("(localhost|127\\.\\d+\\.\\d+\\.\\d+|\\[::1\\])(:\\d+)?",
            Pattern.CASE_INSENSITIVE);

    private final Optional<byte[]> master;
    private final KeyTable keys;
    private final LongSupplier nanos;
    private final Map<String, Known> known = new ConcurrentHashMap<>();
    private final Map<String, Usage> usages = new ConcurrentHashMap<>();

    /** When the first key was made; stays, once there is one. */
    private volatile Optional<Long> first;
    private volatile long asked;

    private record Known(Optional<ApiKey> key, long since) {
        boolean holds(long now) {
            return now - since < KNOWN_NANOS;
        }
    }

    /**
     * Doors for the key of the start and the stored ones.
     *
     * @param nanos the time that has passed, by a clock that is never set: else a step of it would let a revoked key in
     *     for as long, or forget what a key has used
     */
    public KeyAuthenticator(Optional<String> master, KeyTable keys, LongSupplier nanos) {
        this.master = master.map(text -> text.getBytes(StandardCharsets.UTF_8));
        this.keys = keys;
        this.nanos = nanos;
        this.first = keys.firstMade();
        this.asked = nanos.getAsLong() - KNOWN_NANOS;
        LOG.info(master.isPresent() || first.isPresent() ? "requests need an API key"
                : "no API key: requests from this machine are answered without one until the first key is made");
    }

    @Override
    public Caller admit(Context request) {
        refuseOtherSites(request);
        String header = request.header("Authorization");
        if (header == null || !header.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
                || header.length() == SCHEME.length()) {
            return withoutKey(request, "no API key: send 'Authorization: Bearer KEY'");
        }
        String secret = header.substring(SCHEME.length()).strip();
        // Takes as long whatever the key is like.
        if (master.isPresent() && MessageDigest.isEqual(master.get(), secret.getBytes(StandardCharsets.UTF_8))) {
            return Caller.unlimited("master");
        }
        Optional<ApiKey> key = find(secret);
        if (key.isPresent()) {
            return caller(key.get());
        }
        // Clients always send some key.
        return withoutKey(request, "incorrect API key");
    }

    private Caller withoutKey(Context request, String refusal) {
        Optional<Long> since = master.isPresent() ? first : firstMade();
        if (master.isPresent() || since.isPresent()) {
            throw ApiException.unauthorized(refusal + since.map(time -> ". This server asks for keys since "
                    + Instant.ofEpochSecond(time)
                    + ", when its first was made; who runs it makes yours").orElse(""));
        }
        String host = request.header("Host");
        if (host != null && !LOCAL_HOST.matcher(host).matches()) {
            // A name of another site that leads here, so that its pages can read what is answered.
            throw ApiException.forbidden("a server without a key answers requests to localhost only, not to '"
                    + host.replaceAll("[^A-Za-z0-9.:_-]", "?") + "'");
        }
        return Caller.LOCAL;
    }

    private Optional<Long> firstMade() {
        if (first.isEmpty() && nanos.getAsLong() - asked >= KNOWN_NANOS) {
            asked = nanos.getAsLong();
            first = keys.firstMade();
            first.ifPresent(time -> LOG.warn("the first API key was made: requests that bring none are refused from "
                    + "now on, also those of clients that run"));
        }
        return first;
    }

    /** A browser names the site whose page sends a request; the console's own is this server. */
    private static void refuseOtherSites(Context request) {
        String origin = request.header("Origin");
        if (origin != null && !isOwn(origin, request.header("Host"))) {
            throw ApiException.forbidden("cross-site requests are refused");
        }
    }

    private static boolean isOwn(String origin, String host) {
        try {
            String authority = URI.create(origin).getAuthority();
            return authority != null && authority.equalsIgnoreCase(host);
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private Optional<ApiKey> find(String secret) {
        long now = nanos.getAsLong();
        Known before = known.get(secret);
        if (before != null && before.holds(now)) {
            return before.key();
        }
        Optional<ApiKey> key = keys.open(secret);
        if (known.size() >= MOST_KNOWN) {
            known.clear();
        }
        known.put(secret, new Known(key, now));
        return key;
    }

    /** Tokens were used for the key of an id; counts against its limit. */
    public void used(String key, long tokens) {
        usages.computeIfAbsent(key, id -> new Usage(nanos.getAsLong())).spend(tokens);
    }

    private Caller caller(ApiKey key) {
        long now = nanos.getAsLong();
        Usage usage = usages.computeIfAbsent(key.id(), id -> new Usage(now));
        usage.admit(key.limits(), now);
        return new Caller(key.id(), key.name(), key.project(), key.limits().jobsPerDay(), key.limits().storedBytes(),
                usage::spend);
    }

    /** What one key has used in this minute and on this day, both counted from its first request. */
    private static final class Usage {
        private static final long SECOND = 1_000_000_000;
        private static final long MINUTE = 60 * SECOND;
        private static final long DAY = 1440 * MINUTE;

        private final long begin;
        private long minute;
        private long requests;
        private long day;
        private long tokens;

        Usage(long begin) {
            this.begin = begin;
        }

        synchronized void admit(ApiKey.Limits limits, long nanos) {
            long now = nanos - begin;
            if (now / MINUTE != minute) {
                minute = now / MINUTE;
                requests = 0;
            }
            if (now / DAY != day) {
                day = now / DAY;
                tokens = 0;
            }
            if (limits.requestsPerMinute().filter(most -> requests >= most).isPresent()) {
                throw ApiException.tooMany("rate_limit_exceeded", "the key's limit of "
                        + Count.of(limits.requestsPerMinute().get(), "request") + " a minute is reached",
                        (int) (((minute + 1) * MINUTE - now + SECOND - 1) / SECOND));
            }
            if (limits.tokensPerDay().filter(most -> tokens >= most).isPresent()) {
                throw ApiException.tooMany("insufficient_quota", "the key's limit of "
                        + Count.of(limits.tokensPerDay().get(), "token") + " a day is reached",
                        (int) (((day + 1) * DAY - now) / SECOND));
            }
            requests++;
        }

        synchronized void spend(long count) {
            tokens += count;
        }
    }
}
