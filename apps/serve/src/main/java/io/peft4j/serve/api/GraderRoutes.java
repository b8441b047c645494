package io.peft4j.serve.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.peft4j.data.grader.Grader.Grade;
import io.peft4j.data.grader.Graders;
import io.peft4j.data.grader.Grading;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bodies;
import io.peft4j.serve.http.Bound;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.Operation;
import io.peft4j.serve.http.RequestFields;
import io.peft4j.serve.http.RouteGroup;
import io.peft4j.serve.http.Routes;
import io.peft4j.serve.job.JobRequest;
import io.peft4j.serve.model.ServedModels;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code /v1/fine_tuning/alpha/graders}: tries a grader before a job is trained with it. */
public final class GraderRoutes implements RouteGroup {
    private static final String GRADERS = "/v1/fine_tuning/alpha/graders";
    private static final ObjectMapper MAPS = new ObjectMapper();
    private static final List<String> OTHER_ERRORS = List.of("formula_parse_error", "sample_parse_error",
            "truncated_observation_error", "unresponsive_reward_error", "invalid_variable_error",
            "python_grader_server_error", "python_grader_runtime_error", "model_grader_server_error",
            "model_grader_refusal_error", "model_grader_parse_error");

    private final ServedModels models;

    /** Routes whose graders ask these models. */
    public GraderRoutes(ServedModels models) {
        this.models = models;
    }

    @Override
    public void addTo(Routes routes) {
        String grader = "{'type': 'object', 'required': ['grader'], 'properties': {'grader': {'type': 'object'}";
        routes.post(GRADERS + "/validate", Operation.of("validateGrader", "Checks a grader").body(grader + "}}")
                .atMost(Bound.JOB_BYTES).reply(grader + "}}"), this::validate);
        routes.post(GRADERS + "/run", Operation.of("runGrader", "Grades an answer").body(grader.replace("['grader']",
                "['grader', 'model_sample']") + ", 'item': {'type': 'object'}, 'model_sample': {'type': 'string'}}}")
                .atMost(Bound.GRADED_BYTES)
                .reply("{'type': 'object', 'required': ['reward', 'metadata', 'sub_rewards'], 'properties': {'reward': "
                        + "{'type': 'number'}, 'metadata': {'type': 'object'}, 'sub_rewards': {'type': 'object'}}}"),
                this::run);
        routes.elsewhere("/v1/evals", "the command 'evaluate' judges a model by held-out rows, and a job with a "
                + "validation_file leaves the verdict among its result_files; POST " + GRADERS + "/run grades an "
                + "answer, and the command 'rescue' takes files of OpenAI Evals");
    }

    private void validate(Context request) {
        RequestFields fields = new RequestFields(Bodies.object(request));
        ObjectNode grader = JobRequest.grader(fields);
        fields.requireKnown();
        ObjectNode reply = Json.object();
        reply.set("grader", grader);
        Bodies.reply(request, reply);
    }

    private void run(Context request) {
        RequestFields fields = new RequestFields(Bodies.object(request));
        ObjectNode grader = JobRequest.grader(fields);
        JsonNode sample = fields.required("model_sample");
        RequestFields.require(sample.isTextual(), "model_sample", "a string", sample);
        Map<String, Object> item = new LinkedHashMap<>();
        fields.object("item").ifPresent(given -> MAPS.convertValue(given, Map.class)
                .forEach((key, value) -> item.put((String) key, value)));
        fields.requireKnown();
        long begin = System.nanoTime();
        Grading.Outcome outcome = Grading.by(Graders.parse(Json.text(grader), models.graderTools(Caller.of(request))))
                .grade(List.of(new Grading.Answer("this item", item, sample.textValue()))).get(0);
        Grade grade = outcome.grade().orElseThrow(() -> ApiException.invalid("grader",
                outcome.trouble().orElse("the answer cannot be graded")));
        Bodies.reply(request, reply(grader, grade, (System.nanoTime() - begin) / 1e9));
    }

    private static ObjectNode reply(ObjectNode grader, Grade grade, double seconds) {
        ObjectNode reply = Json.object().put("reward", grade.reward());
        ObjectNode metadata = reply.putObject("metadata").put("name", grader.path("name").asText(""))
                .put("type", grader.path("type").asText()).put("execution_time", seconds)
                .putNull("token_usage").putNull("sampled_model_name");
        grade.parts().forEach(metadata.putObject("scores")::put);
        ObjectNode errors = metadata.putObject("errors").put("other_error", false)
                .putNull("python_grader_server_error_type").putNull("python_grader_runtime_error_details")
                .putNull("model_grader_server_error_details");
        OTHER_ERRORS.forEach(name -> errors.put(name, false));
        grade.parts().forEach(reply.putObject("sub_rewards")::put);
        reply.putObject("model_grader_token_usage_per_model");
        return reply;
    }
}
