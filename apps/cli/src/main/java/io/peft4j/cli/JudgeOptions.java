package io.peft4j.cli;

import io.peft4j.eval.judge.Endpoint;
import java.util.Optional;
import java.util.function.Function;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The model that judges answers, behind an OpenAI-compatible API. */
@HelpGroup("Opinions of models")
final class JudgeOptions {
    /** The environment variable with the key of models that judge, where none is named. */
    static final String KEY = "PEFT4J_API_KEY";

    @Option(names = "--judge-url", paramLabel = "URL", description = "Base URL of an OpenAI-compatible API whose "
            + "model judges the answers, such as http://localhost:8000/v1. Its key, if any, is read from " + KEY + ".")
    private String url;

    @Option(names = "--judge-model", paramLabel = "NAME", description = "The judge's model name.")
    private String model;

    /** The judge, if one is named. */
    Optional<Endpoint> endpoint(String keyVariable, Function<String, ParameterException> usage) {
        return endpoint("judge", url, model, keyVariable, usage);
    }

    /** A model of an API that two options name, {@code --KIND-url} and {@code --KIND-model}. */
    static Optional<Endpoint> endpoint(String kind, String url, String model, String keyVariable,
            Function<String, ParameterException> usage) {
        if ((url == null) != (model == null)) {
            throw usage.apply("--" + kind + "-url and --" + kind + "-model must be given together");
        }
        return Optional.ofNullable(url).map(address -> endpoint(address, model, keyVariable));
    }

    /** A model of an API, with the key of an environment variable, if that is set. */
    static Endpoint endpoint(String url, String model, String keyVariable) {
        Endpoint endpoint = Endpoint.of(url, model);
        return key(keyVariable).map(endpoint::withKey).orElse(endpoint);
    }

    /** The key in an environment variable, if it is set. */
    static Optional<String> key(String variable) {
        return Optional.ofNullable(System.getenv(variable)).filter(key -> !key.isBlank()).map(String::strip);
    }
}
