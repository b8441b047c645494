package io.peft4j.serve.api;

import io.javalin.http.Context;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.RouteGroup;
import io.peft4j.serve.http.Routes;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The console at {@code /}: pages that use the same API as every client. Nothing is loaded from elsewhere, and the
 * pages themselves hold nothing that needs a key.
 */
public final class ConsoleRoutes implements RouteGroup {
    private static final String FOLDER = "/io/peft4j/serve/console/";
    private static final String START = "index.html";
    /** A name of this form, which leads out of no folder. */
    private static final Pattern NAME = Pattern.compile("[a-z]+\\.(html|css|js|svg)");
    private static final Map<String, String> TYPES = Map.of("html", "text/html; charset=utf-8", "css",
            "text/css; charset=utf-8", "js", "text/javascript; charset=utf-8", "svg", "image/svg+xml");
    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    @Override
    public void addTo(Routes routes) {
        routes.getUndescribed("/", request -> send(request, START));
        routes.getUndescribed("/console/{file}", request -> send(request, request.pathParam("file")));
    }

    private void send(Context request, String file) {
        Matcher name = NAME.matcher(file);
        try (InputStream in = name.matches() ? ConsoleRoutes.class.getResourceAsStream(FOLDER + file) : null) {
            if (in == null) {
                throw ApiException.notFound(null, "unknown_url", "the console has no such file");
            }
            request.header("Content-Security-Policy", POLICY).header("Referrer-Policy", "no-referrer")
                    .header("Cache-Control", "no-cache").contentType(TYPES.get(name.group(1)))
                    .result(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the console file " + file, e);
        }
    }
}
