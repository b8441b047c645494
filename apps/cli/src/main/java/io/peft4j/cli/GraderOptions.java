package io.peft4j.cli;

import io.peft4j.data.grader.Graders;
import io.peft4j.data.grader.Grading;
import io.peft4j.eval.judge.GraderModels;
import io.peft4j.models.BaseModel;
import io.peft4j.models.generation.TextConstraints;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import picocli.CommandLine.Option;

/** A grader and the models that it asks. */
@HelpGroup("Grader")
final class GraderOptions implements AutoCloseable {
    @Option(names = "--grader", paramLabel = "FILE", description = "A grader as OpenAI's JSON object: string_check, "
            + "text_similarity, score_model, label_model, or multi of several.")
    private Path grader;

    @Option(names = "--grader-url", paramLabel = "URL", description = "Base URL of an OpenAI-compatible API with the "
            + "models that the grader names; the API key is in "
            + JudgeOptions.KEY + ", if set. Default: they are loaded here")
    private String url;

    @Option(names = "--grader-embeddings", paramLabel = "NAME",
            description = "The model of embeddings of that API, for "
                    + "the metric cosine.")
    private String embeddings;

    @Option(names = "--grader-threads", paramLabel = "N", defaultValue = "4",
            description = "Answers graded at a time. Default: ${DEFAULT-VALUE}")
    private int threads;

    @Option(names = "--grader-seconds", paramLabel = "S", defaultValue = "60",
            description = "The longest that an answer may take. Default: ${DEFAULT-VALUE}")
    private double seconds;

    private final Map<String, BaseModel> models = new LinkedHashMap<>();

    boolean isGiven() {
        return grader != null;
    }

    /**
     * Reads the grader.
     *
     * @param loader loads a model that the grader names
     */
    Grading grading(Function<String, BaseModel> loader) {
        return new Grading(Graders.read(grader, url == null
                ? GraderModels.of(name -> model(name, loader), TextConstraints::jsonSchema, Optional.empty())
                : GraderModels.on(JudgeOptions.endpoint(url, "grader", JudgeOptions.KEY),
                        Optional.ofNullable(embeddings))),
                threads,
                Duration.ofMillis((long) (seconds * 1000)));
    }

    private synchronized BaseModel model(String name, Function<String, BaseModel> loader) {
        return models.computeIfAbsent(name, loader);
    }

    @Override
    public void close() {
        models.values().forEach(BaseModel::close);
    }
}
