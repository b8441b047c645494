package io.peft4j.cli;

import io.peft4j.eval.Comparison;
import io.peft4j.eval.Evaluation;
import io.peft4j.eval.judge.Embedder;
import io.peft4j.eval.judge.EmbeddingEndpoint;
import io.peft4j.eval.judge.HiddenStates;
import io.peft4j.eval.judge.LlmJudge;
import io.peft4j.models.BaseModel;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Who else has an opinion of the answers: a judge, embeddings. None is asked unless an option says so. */
@HelpGroup("Opinions of models")
final class OpinionOptions {
    @Mixin
    private JudgeOptions judge;

    @Option(names = "--judge-at-once", paramLabel = "N", defaultValue = "4",
            description = "Number of answers judged at a time. Default: ${DEFAULT-VALUE}")
    private int atOnce;

    @Option(names = "--embedding-url", paramLabel = "URL", description = "Base URL of an OpenAI-compatible API for "
            + "embeddings, to compare answers with references.")
    private String embeddingUrl;

    @Option(names = "--embedding-model", paramLabel = "NAME", description = "The embedding model's name.")
    private String embeddingModel;

    @Option(names = "--similarity", description = "Compares them by the base model's hidden states, without a server.")
    private boolean hiddenStates;

    @Option(names = "--api-key-env", paramLabel = "VARIABLE", description = "The environment variable with the API "
            + "key of judge and embeddings. Default: " + JudgeOptions.KEY + ", if set")
    private String keyVariable;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** Whether a model must be at hand. */
    boolean asksModel() {
        return hiddenStates;
    }

    /**
     * Whether the options fit together.
     *
     * @return the number of those who are asked
     */
    long check() {
        return judge().stream().count() + embeddings().stream().count();
    }

    /** Adds them to an evaluation of given answers. */
    void addTo(Evaluation evaluation) {
        judge().ifPresent(judge -> evaluation.judge(judge, atOnce));
        embeddings().ifPresent(evaluation::similarity);
    }

    void addTo(Comparison comparison, BaseModel base) {
        judge().ifPresent(judge -> comparison.judge(judge, atOnce));
        embeddings().or(() -> hiddenStates ? Optional.of(new HiddenStates(base)) : Optional.empty())
                .ifPresent(comparison::similarity);
    }

    private Optional<LlmJudge> judge() {
        if (atOnce < 1) {
            throw usage("--judge-at-once is " + atOnce + "; it must be at least 1");
        }
        return judge.endpoint(keyVariable(), this::usage).map(LlmJudge::of);
    }

    private Optional<Embedder> embeddings() {
        if (embeddingUrl != null && hiddenStates) {
            throw usage("--embedding-url and --similarity are mutually exclusive");
        }
        return JudgeOptions.endpoint("embedding", embeddingUrl, embeddingModel, keyVariable(), this::usage)
                .map(EmbeddingEndpoint::new);
    }

    private String keyVariable() {
        if (keyVariable != null && JudgeOptions.key(keyVariable).isEmpty()) {
            throw usage("--api-key-env names " + keyVariable + ", which is not set");
        }
        return keyVariable == null ? JudgeOptions.KEY : keyVariable;
    }

    private ParameterException usage(String message) {
        return new ParameterException(command.commandLine(), message);
    }
}
