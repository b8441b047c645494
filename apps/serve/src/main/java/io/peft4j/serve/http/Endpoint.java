package io.peft4j.serve.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import java.util.function.BooleanSupplier;

/** What answers one JSON object by another, whoever asks: the client of a request, or a batch whose client has left. */
public interface Endpoint {
    /** The path of its route. */
    String path();

    /**
     * Answers.
     *
     * @throws ApiException when it cannot
     */
    ObjectNode answer(ObjectNode body, Asker asker);

    /**
     * Who waits for an answer.
     *
     * @param caller whose limits hold
     * @param look runs between two pieces of work; throws an {@link ApiException} when no client waits any more
     * @param leave runs when the own work is done, and others are waited for
     * @param gone whether no client waits any more
     */
    record Asker(Caller caller, Runnable look, Runnable leave, BooleanSupplier gone) {
        /** The client of a request. */
        public static Asker of(Context request) {
            return new Asker(Caller.of(request), () -> LongRequests.requireClient(request),
                    () -> LongRequests.leave(request), () -> Connections.isGone(request));
        }
    }
}
