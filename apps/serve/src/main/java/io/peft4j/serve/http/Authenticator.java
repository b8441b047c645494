package io.peft4j.serve.http;

import io.javalin.http.Context;

/** Decides who may come in. */
@FunctionalInterface
public interface Authenticator {
    /**
     * Lets a request in.
     *
     * @param request one whose path needs a key, where keys are asked for
     * @throws ApiException when it stays outside
     */
    Caller admit(Context request);
}
