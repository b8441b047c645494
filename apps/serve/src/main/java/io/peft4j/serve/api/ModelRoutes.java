package io.peft4j.serve.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.task.Reranker;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bodies;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.Operation;
import io.peft4j.serve.http.RouteGroup;
import io.peft4j.serve.http.Routes;
import io.peft4j.serve.model.ServedModel;
import io.peft4j.serve.model.ServedModels;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Set;

/** {@code /v1/models}: all in OpenAI's form, and those that answer typed questions in System One's, too. */
public final class ModelRoutes implements RouteGroup {
    /** A model that answers typed questions, as clients of System One know it. */
    private static final String DECIDER = "{'type': 'object', 'required': ['name', 'description', 'release_date'], "
            + "'properties': {'name': {'type': 'string'}, 'description': {'type': 'string'}, 'release_date': "
            + "{'type': 'string', 'format': 'date'}}}";

    private final ServedModels models;

    /** Routes over these models. */
    public ModelRoutes(ServedModels models) {
        this.models = models;
    }

    @Override
    public void addTo(Routes routes) {
        routes.get("/v1/models", Operation.of("listModels", "Lists models").reply("{'type': 'object', 'required': "
                + "['object', 'data'], 'properties': {'object': {'type': 'string'}, 'data': {'type': 'array', 'items': "
                + "{'$ref': '#/components/schemas/Model'}}, 'models': {'type': 'array', 'items': " + DECIDER + "}}}"),
                this::list);
        // A name may hold slashes, as IDs of the hub do.
        routes.get("/v1/models/<model>", Operation.of("retrieveModel", "Tells of a model").reply("Model"),
                this::retrieve);
        routes.delete("/v1/models/<model>", Operation.of("deleteModel", "Deletes a tuned model").reply("Deleted"),
                this::delete);
    }

    private void list(Context request) {
        ObjectNode reply = Json.object().put("object", "list");
        ArrayNode data = reply.putArray("data");
        List<ServedModel> all = models.all(Caller.of(request));
        all.forEach(model -> data.add(json(model)));
        ArrayNode named = reply.putArray("models");
        Set<String> deciders = Set.copyOf(models.deciderNames(Caller.of(request)));
        all.stream().filter(model -> deciders.contains(model.name())).forEach(model -> named.addObject()
                .put("name", model.name()).put("description", "Answers typed questions").put("release_date",
                        LocalDate.ofInstant(Instant.ofEpochSecond(model.created()), ZoneOffset.UTC).toString()));
        Bodies.reply(request, reply);
    }

    private void retrieve(Context request) {
        Bodies.reply(request, json(find(request)));
    }

    private void delete(Context request) {
        ServedModel model = find(request);
        if (!models.remove(model.name())) {
            throw ApiException.of(403, "invalid_request_error", "not_deletable", "model",
                    "only what was tuned or added can be deleted, not a model that the server was started with");
        }
        Bodies.reply(request, Json.object().put("id", model.name()).put("object", "model").put("deleted", true));
    }

    private ServedModel find(Context request) {
        String name = request.pathParam("model");
        Caller caller = Caller.of(request);
        return models.find(name, caller).orElseThrow(() -> noSuchModel(models, name, caller));
    }

    /** The model of a name that answers, or is to be trained to. */
    public static ServedModel answering(ServedModels models, String name, Caller caller) {
        ServedModel model = models.find(name, caller).orElseThrow(() -> noSuchModel(models, name, caller));
        if (models.embedder(name, caller).isPresent()) {
            throw unsuitable(name, "gives vectors of texts, by POST /v1/embeddings; "
                    + "it does not answer and is not tuned here");
        }
        if (models.reranker(name, caller).isPresent() || Reranker.isFor(models.base().network().task())) {
            throw unsuitable(name, "scores texts for a query, by POST /v1/rerank; "
                    + "it does not answer and is not tuned here");
        }
        if (!models.isAnswering()) {
            throw unsuitable(name, "answers typed questions, by POST /v1/decisions; "
                    + "it writes no text and is not tuned here");
        }
        return model;
    }

    /** 404 for a model. */
    public static ApiException noSuchModel(ServedModels models, String name, Caller caller) {
        return ApiException.notFound("model", "model_not_found", "the model '" + name + "' does not exist; "
                + SimilarNames.sentence(name, models.all(caller).stream().map(ServedModel::name).toList()));
    }

    /**
     * Why a model does not serve a route.
     *
     * @param why what the model does not do, after its name
     * @param suitable the models that do
     */
    public static ApiException unsuitable(ServedModels models, String name, Caller caller, String why,
            List<String> suitable) {
        if (models.find(name, caller).isEmpty()) {
            return noSuchModel(models, name, caller);
        }
        return unsuitable(name, why + "; " + (suitable.isEmpty() ? "this server has no model that does"
                : SimilarNames.sentence(name, suitable)));
    }

    private static ApiException unsuitable(String name, String why) {
        return ApiException.of(400, "invalid_request_error", "model_not_supported", "model", "the model '" + name + "' "
                + why);
    }

    private ObjectNode json(ServedModel model) {
        ObjectNode json = Json.object().put("id", model.name()).put("object", "model").put("created", model.created())
                .put("owned_by", model.owner());
        models.shutdown(model.name()).ifPresent(day -> json.put("shutdown_date", day.toString()));
        return json;
    }
}
