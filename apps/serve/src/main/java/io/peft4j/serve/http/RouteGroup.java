package io.peft4j.serve.http;

/** Routes that belong together; the server is made of these. */
@FunctionalInterface
public interface RouteGroup {
    /** Adds them; their handlers throw {@link ApiException} for what a client did wrong. */
    void addTo(Routes routes);
}
