package io.peft4j.serve.api.internal;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.peft4j.serve.http.internal.ApiException;
import io.peft4j.serve.http.internal.Bodies;
import io.peft4j.serve.http.internal.Json;
import io.peft4j.serve.http.internal.RouteGroup;
import io.peft4j.serve.model.internal.ServedModel;
import io.peft4j.serve.model.internal.ServedModels;

/** {@code /v1/models}. */
public final class ModelRoutes implements RouteGroup {
    private final ServedModels models;

    /** Routes over these models. */
    public ModelRoutes(ServedModels models) {
        this.models = models;
    }

    @Override
    public void addTo(RoutesConfig routes) {
        routes.get("/v1/models", this::list);
        // A name may hold slashes, as IDs of the hub do.
        routes.get("/v1/models/<model>", this::retrieve);
        routes.delete("/v1/models/<model>", this::delete);
    }

    private void list(Context request) {
        ObjectNode reply = Json.object().put("object", "list");
        ArrayNode data = reply.putArray("data");
        models.all().forEach(model -> data.add(json(model)));
        Bodies.reply(request, reply);
    }

    private void retrieve(Context request) {
        Bodies.reply(request, json(find(request)));
    }

    private void delete(Context request) {
        ServedModel model = find(request);
        if (!models.remove(model.name())) {
            throw ApiException.of(403, "invalid_request_error", "not_deletable", "model",
                    "the base model cannot be deleted");
        }
        Bodies.reply(request, Json.object().put("id", model.name()).put("object", "model").put("deleted", true));
    }

    private ServedModel find(Context request) {
        String name = request.pathParam("model");
        return models.find(name).orElseThrow(() -> noSuchModel(name));
    }

    /** 404 for a model. */
    public static ApiException noSuchModel(String name) {
        return ApiException.notFound("model", "model_not_found", "the model '" + name
                + "' does not exist; GET /v1/models lists those that do");
    }

    private static ObjectNode json(ServedModel model) {
        return Json.object().put("id", model.name()).put("object", "model").put("created", model.created())
                .put("owned_by", model.owner());
    }
}
