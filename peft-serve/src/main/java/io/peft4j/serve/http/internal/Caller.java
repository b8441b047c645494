package io.peft4j.serve.http.internal;

import io.javalin.http.Context;

/**
 * Who sent a request.
 *
 * @param id the key's id, or {@code local} where no key is asked for; what queues are fair between
 * @param name what the key was called; never the key itself
 */
public record Caller(String id, String name) {
    /** Whoever comes where no key is asked for. */
    public static final Caller LOCAL = new Caller("local", "local");
    private static final String ATTRIBUTE = "peft4j.caller";

    /** Who sent this request. */
    public static Caller of(Context request) {
        Caller caller = request.attribute(ATTRIBUTE);
        return caller == null ? LOCAL : caller;
    }

    void attachTo(Context request) {
        request.attribute(ATTRIBUTE, this);
    }
}
