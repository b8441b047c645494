package io.peft4j.serve.http.internal;

import io.javalin.http.Context;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Optional;

/** Lets in who has the key; anybody, where there is none. */
public final class KeyDoors implements Doors {
    private static final String SCHEME = "Bearer ";

    private final Optional<byte[]> key;

    /** Doors for one key, or open ones. */
    public KeyDoors(Optional<String> key) {
        this.key = key.map(text -> text.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public Caller admit(Context request) {
        if (key.isEmpty()) {
            return Caller.LOCAL;
        }
        String header = request.header("Authorization");
        if (header == null || !header.startsWith(SCHEME)) {
            throw ApiException.unauthorized("no API key: send 'Authorization: Bearer KEY'");
        }
        // Takes as long whatever the key is like.
        if (!MessageDigest.isEqual(key.get(), header.substring(SCHEME.length()).strip()
                .getBytes(StandardCharsets.UTF_8))) {
            throw ApiException.unauthorized("incorrect API key");
        }
        return new Caller("key", "key");
    }
}
