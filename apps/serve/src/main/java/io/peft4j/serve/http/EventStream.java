package io.peft4j.serve.http;

import com.fasterxml.jackson.databind.JsonNode;
import io.javalin.http.Context;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * Server-sent events. The reply begins with the first of them, so what goes wrong before is an error with a status of
 * its own. For use by several threads.
 */
public final class EventStream {
    private final HttpServletResponse response;
    private boolean begun;
    private boolean broken;

    /** Those of the reply to a request. */
    public EventStream(Context request) {
        this.response = request.res();
    }

    /**
     * Sends an event.
     *
     * @return whether the client is still there
     */
    public synchronized boolean send(JsonNode data) {
        return write("data: " + Json.text(data) + "\n\n");
    }

    /** Sends an event that has a name. */
    public synchronized boolean send(String name, JsonNode data) {
        return write("event: " + name + "\ndata: " + Json.text(data) + "\n\n");
    }

    /** Says that all is said. */
    public synchronized void end() {
        write("data: [DONE]\n\n");
    }

    /** Sends an error; false where nothing has been sent before, so that it is the reply. */
    public synchronized boolean fail(ApiException error) {
        if (begun) {
            send(error.body());
        }
        return begun;
    }

    /** Whether the client is gone. */
    public synchronized boolean isBroken() {
        return broken;
    }

    private boolean write(String text) {
        if (broken) {
            return false;
        }
        try {
            if (!begun) {
                begun = true;
                response.setStatus(200);
                response.setContentType("text/event-stream; charset=utf-8");
                response.setHeader("Cache-Control", "no-cache");
                response.setHeader("X-Accel-Buffering", "no");
            }
            OutputStream out = response.getOutputStream();
            out.write(text.getBytes(StandardCharsets.UTF_8));
            out.flush();
        } catch (IOException | UncheckedIOException | IllegalStateException e) {
            broken = true;
        }
        return !broken;
    }
}
