package io.peft4j.cli;

import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.data.PromptRows;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j generate}: what a model answers. */
@Command(name = "generate", sortOptions = false, description = {"Answers one prompt or many.",
    "A prompt is a user message if the model has a chat template, else a text to continue. Rows of the data are "
            + "{\"messages\"}, {\"prompt\"} or {\"question\"}; answers to them are {\"text\": ...} a line in their "
            + "order."})
final class GenerateCommand extends PeftCommand {
    /** Batches a call: results come early, and prompts of similar length still find each other. */
    private static final int BATCHES_A_CALL = 8;

    @Mixin
    private AdaptedModelOptions model;

    @ArgGroup(exclusive = true, multiplicity = "1")
    private Source source;

    @Option(names = "--plain", description = "Continues the prompt without the chat template.")
    private boolean plain;

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

    @Option(names = "--seed", paramLabel = "N", defaultValue = "0", description = "Seed of sampling. Default: 0")
    private long seed;

    @Option(names = "--batch-size", paramLabel = "N", defaultValue = "32",
            description = "Prompts in a batch. Default: ${DEFAULT-VALUE}")
    private int batchSize;

    @Option(names = "--json", description = "Prints {\"text\": ...} also for one prompt.")
    private boolean json;

    /** Where prompts come from. */
    private static final class Source {
        @Option(names = "--prompt", required = true, paramLabel = "TEXT", description = "One prompt.")
        private String prompt;

        @Option(names = "--data", required = true, paramLabel = "FILE",
                description = "Prompts, one JSON object a line.")
        private Path data;
    }

    @Override
    public Integer call() {
        if (temperature == 0) {
            for (String option : List.of("--top-k", "--top-p", "--seed")) {
                if (isGiven(option)) {
                    throw usage(option + " has no effect at temperature 0; set --temperature above 0");
                }
            }
        }
        GenerationOptions options = fromOptions(() -> GenerationOptions.defaults().withMaxNewTokens(maxNewTokens)
                .withBatchSize(batchSize).withSampling(temperature, topK, topP, seed));
        return model.with(console(), loaded -> generate(loaded, options));
    }

    private int generate(LanguageModel loaded, GenerationOptions options) {
        boolean chat = !plain && loaded.chatTemplate().isPresent();
        if (source.data != null) {
            printAll(loaded, PromptRows.read(source.data, chat), options);
        } else if (json) {
            printAll(loaded, List.of(PromptRows.ofText(source.prompt, chat)), options);
        } else {
            stream(loaded, PromptRows.ofText(source.prompt, chat), options);
        }
        return 0;
    }

    private void printAll(LanguageModel loaded, List<Prompt> prompts, GenerationOptions options) {
        // What is drawn depends on a prompt's place in its call.
        int step = temperature == 0 ? BATCHES_A_CALL * options.batchSize() : prompts.size();
        for (int from = 0; from < prompts.size(); from += step) {
            List<Prompt> some = prompts.subList(from, Math.min(prompts.size(), from + step));
            for (Completion completion : loaded.generate(some, options)) {
                console().print(Json.MAPPER.createObjectNode().put("text", completion.text()));
            }
        }
    }

    private void stream(LanguageModel loaded, Prompt prompt, GenerationOptions options) {
        Console console = console();
        loaded.generate(List.of(prompt), options.withListener((index, piece) -> {
            console.out().print(piece);
            return !console.out().checkError();
        }));
        console.out().println();
        console.checkOut();
    }
}
