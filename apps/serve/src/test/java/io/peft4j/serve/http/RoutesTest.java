package io.peft4j.serve.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.engine.WorkShare;
import io.peft4j.core.error.ConfigurationException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A route brings its own description along. */
class RoutesTest {
    private static final RouteGroup GROUP = routes -> {
        routes.get("/v1/shelves/{shelf}", Operation.of("readShelf", "What is on a shelf").withoutKey()
                .query("limit", "How many", "{'type': 'integer'}").reply("{'type': 'array', 'items': " + Operation.TEXT
                        + "}"),
                request -> Bodies.reply(request, Json.array().add(request.pathParam("shelf"))));
        routes.delete("/v1/shelves/<shelf>", Operation.of("clearShelf", "Clears a shelf").reply("Deleted"),
                request -> request.result(""));
    };

    private static HttpServer server(int port) {
        return new HttpServer("127.0.0.1", port, request -> Caller.LOCAL, new ServerMetrics(), failure -> false,
                new WorkShare(), List.of(GROUP));
    }

    private static JsonNode get(HttpServer server, String path) throws Exception {
        return Json.stored(HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create(server.url() + path))
                .build(), HttpResponse.BodyHandlers.ofString()).body());
    }

    @Test
    void aRouteAnswersAndIsDescribed() throws Exception {
        try (HttpServer server = server(0)) {
            assertEquals("top", get(server, "/v1/shelves/top").get(0).asText());
            JsonNode paths = get(server, "/openapi.json").get("paths");
            assertEquals(2, paths.size());
            JsonNode shelf = paths.get("/v1/shelves/{shelf}");
            assertEquals("clearShelf", shelf.at("/delete/operationId").asText());
            assertEquals(Json.stored("""
                    {"operationId": "readShelf", "summary": "What is on a shelf", "responses": {
                      "default": {"description": "What was wrong", "content": {"application/json": {
                        "schema": {"$ref": "#/components/schemas/Error"}}}},
                      "200": {"description": "The reply", "content": {"application/json": {
                        "schema": {"type": "array", "items": {"type": "string"}}}}}},
                     "security": [], "parameters": [
                      {"name": "limit", "in": "query", "required": false, "schema": {"type": "integer"},
                       "description": "How many"},
                      {"name": "shelf", "in": "path", "required": true, "schema": {"type": "string"}}]}
                    """), shelf.get("get"));
        }
    }

    @Test
    void aPortThatIsTakenIsNamed() {
        try (HttpServer first = server(0)) {
            String message = assertThrows(ConfigurationException.class, () -> server(first.port()).close())
                    .getMessage();
            assertTrue(message.startsWith("cannot listen on port " + first.port() + " of 127.0.0.1: ")
                    && message.endsWith("; choose another port, or 0 for any free one"), message);
        }
    }
}
