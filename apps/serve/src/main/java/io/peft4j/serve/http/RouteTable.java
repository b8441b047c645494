package io.peft4j.serve.http;

import io.javalin.Javalin;
import io.javalin.http.HandlerType;
import io.javalin.http.HttpResponseException;
import io.javalin.router.ParsedEndpoint;
import io.peft4j.core.error.SimilarNames;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The routes of a server, by which it tells what there is when somebody asks for another. */
final class RouteTable {
    private final Javalin javalin;
    private final Map<String, String> elsewhere;

    /** @param elsewhere what to use instead of paths that are not here */
    RouteTable(Javalin javalin, Map<String, String> elsewhere) {
        this.javalin = javalin;
        this.elsewhere = elsewhere;
    }

    private List<ParsedEndpoint> routes() {
        return javalin.unsafe.internalRouter.allHttpHandlers().stream()
                .filter(route -> route.endpoint.method.isHttpMethod()).toList();
    }

    /**
     * Answers HEAD by what GET finds, whose body is then not sent; Javalin itself says 200 to it wherever a GET route
     * is, also where that finds nothing.
     */
    void addHeads() {
        routes().stream().map(route -> route.endpoint).filter(route -> route.method.equals(HandlerType.GET))
                .forEach(route -> javalin.unsafe.routes.head(route.path, route.handler));
    }

    /** The methods that a path is there for; none where it is not. */
    Set<String> methods(String path) {
        return names(route -> route.matches(path), route -> route.endpoint.method.name());
    }

    /** What a client is told whose request has no route, by its method or path. */
    ApiException refusal(HttpResponseException error, String method, String path) {
        String what = method + " " + path;
        return switch (error.getStatus()) {
            case 404 -> elsewhere.entrySet().stream().filter(each -> (path + "/").startsWith(each.getKey() + "/"))
                    .findFirst().map(each -> ApiException.of(400, "invalid_request_error", "unsupported_endpoint", null,
                            "this server has no " + each.getKey() + ": " + each.getValue()))
                    .orElseGet(() -> ApiException.notFound(null, "unknown_url", "unknown request URL: " + what + "; "
                            + SimilarNames.sentence(path, names(route -> true, route -> route.endpoint.path))
                            + "; GET /openapi.json describes all"));
            case 405 -> ApiException.of(405, "invalid_request_error", "method_not_allowed", null, "not allowed: " + what
                    + "; this URL takes " + String.join(", ", methods(path)));
            default -> ApiException.of(error.getStatus(), "invalid_request_error", null, null, error.getMessage());
        };
    }

    private Set<String> names(Predicate<ParsedEndpoint> which, Function<ParsedEndpoint, String> name) {
        return routes().stream().filter(which).map(name).collect(Collectors.toCollection(TreeSet::new));
    }
}
