package io.peft4j.cli;

import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Sampling;
import io.peft4j.models.generation.TextConstraints;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** How answers are generated. */
@HelpGroup(HelpGroup.ANSWERS)
final class AnswerOptions {
    private static final List<String> OF_DRAWS = List.of("--top-k", "--top-p", "--min-p", "--seed");

    @Option(names = "--max-new-tokens", paramLabel = "N", defaultValue = "64",
            description = "Most tokens of an answer. Default: ${DEFAULT-VALUE}")
    private int maxNewTokens;

    @Option(names = "--temperature", paramLabel = "X", defaultValue = "0",
            description = "0 takes the most likely token, above 0 samples. Default: ${DEFAULT-VALUE}")
    private double temperature;

    @Option(names = "--top-k", paramLabel = "N", defaultValue = "0",
            description = "Samples from the N most likely tokens. Default: all")
    private int topK;

    @Option(names = "--top-p", paramLabel = "P", defaultValue = "1",
            description = "Samples from the most likely tokens with this total probability. Default: all")
    private double topP;

    @Option(names = "--min-p", paramLabel = "P", defaultValue = "0", description = "Samples from tokens with at least "
            + "this share of the most likely one's probability. Default: all")
    private double minP;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "0", description = "Seed of sampling. Default: 0")
    private long seed;

    @Option(names = "--repetition-penalty", paramLabel = "X", defaultValue = "1", description = "Divides the logits of "
            + "tokens that prompt or answer have. Default: 1 (none)")
    private double repetitionPenalty;

    @Option(names = "--presence-penalty", paramLabel = "X", defaultValue = "0",
            description = "Taken from the logit of each token that the answer has. Default: 0")
    private double presencePenalty;

    @Option(names = "--frequency-penalty", paramLabel = "X", defaultValue = "0",
            description = "Taken from the logit of a token for each time that the answer has it. Default: 0")
    private double frequencyPenalty;

    @Option(names = "--stop", paramLabel = "TEXT", description = "A text that ends an answer; may be given repeatedly.")
    private List<String> stop = List.of();

    @Option(names = "--prompt-lookup", paramLabel = "N", defaultValue = "0", description = "Tries N tokens at once "
            + "that followed the last ones before: faster where answers repeat their prompt. Default: 0")
    private int promptLookup;

    @ArgGroup(exclusive = true)
    private Constraint constraint;

    /** What an answer may be. */
    @HelpGroup(HelpGroup.ANSWERS)
    private static final class Constraint {
        @Option(names = "--regex", required = true, paramLabel = "REGEX",
                description = "Answers match this regular expression.")
        private String regex;

        @Option(names = "--json-schema", required = true, paramLabel = "FILE",
                description = "Answers are JSON that this JSON schema allows.")
        private Path schema;
    }

    /** The options, checked as far as they can be without a model. */
    GenerationOptions generation(PeftCommand command) {
        if (temperature == 0) {
            for (String option : OF_DRAWS) {
                if (command.isGiven(option)) {
                    throw command.usage(option + " has no effect at temperature 0; set --temperature above 0");
                }
            }
        }
        return command.fromOptions(() -> {
            GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(maxNewTokens)
                    .withSampling(new Sampling(temperature, topK, topP, minP, repetitionPenalty, presencePenalty,
                            frequencyPenalty, Map.of(), seed))
                    .withStopStrings(stop).withPromptLookup(promptLookup);
            if (constraint == null) {
                return options;
            }
            return options.withConstraint(constraint.regex != null ? TextConstraints.regex(constraint.regex)
                    : TextConstraints.jsonSchema(read(constraint.schema)));
        });
    }

    /** What is to be said of an answer that was cut. */
    Optional<String> cut(Completion completion) {
        String where = switch (completion.stopReason()) {
            case LENGTH -> "cut at --max-new-tokens " + maxNewTokens;
            case STOP_TOKEN -> completion.followsConstraint() ? "" : "cut at --stop";
            case CANCELLED -> "";
        };
        return where.isEmpty() ? Optional.empty() : Optional.of(completion.followsConstraint() ? where
                : where + ", before it matches " + (constraint.regex != null ? "--regex" : "--json-schema"));
    }

    /** Whether answers have to follow a form. */
    boolean isConstrained() {
        return constraint != null;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the JSON schema " + file, e);
        }
    }
}
