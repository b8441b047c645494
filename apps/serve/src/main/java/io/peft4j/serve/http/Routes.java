package io.peft4j.serve.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Handler;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Objects;

/** Takes routes, each with its description, and describes them all by OpenAPI. */
public final class Routes {
    private final RoutesConfig handlers;
    private final Map<String, String> elsewhere;
    private final ObjectNode paths = Json.object();

    /** @param elsewhere is given what to use instead of paths that are not here */
    Routes(RoutesConfig handlers, Map<String, String> elsewhere) {
        this.handlers = handlers;
        this.elsewhere = elsewhere;
    }

    /** A route that is read from. */
    public void get(String path, Operation operation, Handler handler) {
        operation.describe(paths, "get", path);
        handlers.get(path, guarded(handler));
    }

    /** A route that is sent to. */
    public void post(String path, Operation operation, Handler handler) {
        operation.describe(paths, "post", path);
        handlers.post(path, guarded(request -> {
            Bodies.limit(request, operation.bytes());
            handler.handle(request);
        }));
    }

    /** A route that deletes. */
    public void delete(String path, Operation operation, Handler handler) {
        operation.describe(paths, "delete", path);
        handlers.delete(path, guarded(handler));
    }

    /** A part of OpenAI's API that is not here: requests for any of it get the name of what to use. */
    public void elsewhere(String path, String instead) {
        elsewhere.put(path, instead);
    }

    /** A route that is read from and not part of the API, and so not described. */
    public void getUndescribed(String path, Handler handler) {
        handlers.get(path, guarded(handler));
    }

    /** An error of the JVM ends a request like any other failure: with an error object. */
    private static Handler guarded(Handler handler) {
        return request -> {
            try {
                handler.handle(request);
            } catch (Error e) {
                throw new IllegalStateException(e.toString(), e);
            }
        };
    }

    /** The description of all routes that were added. */
    public ObjectNode description() {
        ObjectNode all = Json.object().put("openapi", "3.1.0");
        all.putObject("info").put("title", "PEFT4J").put("version", "1").put("description",
                "OpenAI's API for files, fine-tuning jobs, models and answers.");
        all.putArray("security").addObject().putArray("key");
        all.withArrayProperty("security").addObject();
        ObjectNode bounds = all.putObject("x-bounds");
        for (Bound bound : Bound.values()) {
            bounds.putObject(bound.code()).put("most", bound.most()).put("of", bound.of());
        }
        all.set("paths", paths);
        ObjectNode components = all.putObject("components");
        components.putObject("securitySchemes").putObject("key").put("type", "http").put("scheme", "bearer");
        components.set("schemas", schemas());
        return all;
    }

    private static ObjectNode schemas() {
        try (InputStream in = Objects.requireNonNull(Routes.class.getResourceAsStream("schemas.json"))) {
            return (ObjectNode) Json.parse(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the schemas of requests and replies", e);
        }
    }
}
