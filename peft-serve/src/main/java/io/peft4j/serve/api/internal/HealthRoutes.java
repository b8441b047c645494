package io.peft4j.serve.api.internal;

import io.javalin.config.RoutesConfig;
import io.peft4j.serve.http.internal.Bodies;
import io.peft4j.serve.http.internal.Json;
import io.peft4j.serve.http.internal.RouteGroup;
import io.peft4j.serve.model.internal.ServedModels;

/** {@code /health}. */
public final class HealthRoutes implements RouteGroup {
    private final ServedModels models;

    /** The health of a server of these models. */
    public HealthRoutes(ServedModels models) {
        this.models = models;
    }

    @Override
    public void addTo(RoutesConfig routes) {
        routes.get("/health", request -> Bodies.reply(request, Json.object().put("status", "ok")
                .put("model", models.baseName())));
    }
}
